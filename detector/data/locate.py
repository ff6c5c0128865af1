"""Which files a path, a folder or a glob means, and which reader opens them."""

from __future__ import annotations

import difflib
import glob
from pathlib import Path

from detector.catalogue import load, names
from detector.data.source import Source, reading
from detector.errors import InputError

READERS = "detector.data.readers"
"""The package of readers: one module a suffix, named after it."""

_COMPRESSIONS = frozenset({".gz", ".bz2", ".zst"})


def file_source(path: str) -> Source:
    """Open a file, a folder or a glob with the reader of its suffix.

    Raises:
        InputError: Nothing is there, it is empty, or no reader knows the suffix.

    """
    paths = located(path)
    suffixes = {_suffix(path): path for path in paths}
    if len(suffixes) > 1:
        some = " and ".join(f"`{found.name}`" for found in sorted(suffixes.values())[:2])
        raise InputError(
            f"`{Path(path).name}` holds files of different formats, such as {some}.",
            hint="Name the files that you mean, for example with a glob.",
        )
    opener = load(READERS, next(iter(suffixes)))
    with reading(Path(path).name):
        source: Source = opener(paths)
    return source


def located(path: str) -> tuple[Path, ...]:
    """Return the files that a path, a folder or a glob means, sorted, none of them empty."""
    place = Path(path).expanduser()
    if not path.strip():
        raise InputError("There is no file name in ``.", hint="Perhaps a variable is not set.")
    if "://" in path:
        raise InputError(
            "Only files of this machine are read, not addresses.", hint="Download it first."
        )
    if place.is_dir():
        paths = _inside(place)
    elif place.exists():
        paths = [place]
    elif glob.has_magic(path):
        matches = glob.glob(str(place), recursive=True)  # noqa: PTH207 - it takes absolute globs
        paths = [found for found in map(Path, sorted(matches)) if found.is_file()]
        if not paths:
            raise InputError(
                f"No file matches `{place.name}`.", hint="Quote the glob, or check it."
            )
    else:
        raise InputError(f"There is no file `{place.name}`.", hint=_near_miss(place))
    for found in paths:
        _check(found)
    return tuple(paths)


def _inside(folder: Path) -> list[Path]:
    """Return the data files below a folder; hidden ones and markers such as _SUCCESS are not."""
    known = _known()
    files = sorted(
        found
        for found in folder.rglob("*")
        if found.is_file() and not any(_hidden(part) for part in found.relative_to(folder).parts)
    )
    found = [path for path in files if _ending(path) in known]
    if not found:
        raise InputError(f"The folder `{folder.name}` holds no data file.", hint=_supported(known))
    return found


def _check(path: Path) -> None:
    if not path.is_file():
        raise InputError(
            f"`{path.name}` is neither a file nor a folder.", hint="Save the rows as a file first."
        )
    if path.stat().st_size == 0:
        raise InputError(f"`{path.name}` is empty: 0 bytes.", hint="Write it again.")


def _suffix(path: Path) -> str:
    """Return the suffix that names the reader, below a compression's."""
    ending = _ending(path)
    known = _known()
    if ending in known:
        return ending
    near = difflib.get_close_matches(ending, known, n=1)
    meant = f"Did you mean `.{near[0]}`? " if near else ""
    shown = f"the suffix `.{ending}`, which no reader knows" if ending else "no suffix"
    raise InputError(f"`{path.name}` has {shown}.", hint=meant + _supported(known))


def _ending(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1][1:] if suffixes else ""


def _known() -> tuple[str, ...]:
    return names(READERS)


def _supported(known: tuple[str, ...]) -> str:
    listed = ", ".join(f".{name}" for name in known)
    return f"Supported: {listed}; .csv, .tsv and .jsonl also with .gz, .bz2 or .zst after it."


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _near_miss(path: Path) -> str:
    """Return the file of nearly this name that does exist."""
    if path.is_symlink():
        return "It is a link to a file that is not there."
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder `{folder.name}` either."
    near = difflib.get_close_matches(path.name, [other.name for other in folder.iterdir()], n=1)
    return f"Did you mean `{near[0]}`?" if near else ""
