"""Files appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from detector.errors import DetectorError


def write_atomically(path: str | os.PathLike[str], text: str) -> None:
    """Write text as UTF-8 to a new file beside `path`, then move it there in one step.

    A reader sees the old file or the new one, never a half. A symbolic link stays one: its
    target is replaced. A device such as `/dev/stdout` is written to directly.

    Raises:
        DetectorError: The folder is missing or cannot be written to.

    """
    write_bytes_atomically(path, text.encode("utf-8"))


def write_bytes_atomically(path: str | os.PathLike[str], content: bytes | memoryview) -> None:
    """Write bytes the way `write_atomically` writes text.

    Raises:
        DetectorError: The folder is missing or cannot be written to.

    """
    target = Path(path).resolve()
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(content)
        else:
            _replace(target, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DetectorError(f"Cannot write `{path}`: {reason}.", hint=_advice(target)) from error


def _replace(target: Path, content: bytes | memoryview) -> None:
    """Put a finished temporary file in the target's place."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(_mode(target))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """Return the permissions that the file has, or that a new one would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _advice(target: Path) -> str:
    """Return what to do about a file that cannot be written."""
    if not target.parent.is_dir():
        return f"Create the folder `{target.parent}` first."
    return "Choose another place."
