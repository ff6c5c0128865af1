"""What stdout and stderr can show, and saying something there."""

from __future__ import annotations

import os
import sys
from typing import IO

import click

from detector.errors import DetectorError

WIDTHS = (40, 100)
"""The narrowest and the broadest text; longer lines are hard to read."""


def emit(text: str | bytes) -> None:
    """Write to stdout and flush.

    A reader that has gone, as in `detector ... | head`, ends the writing and nothing else:
    a REJECT stays a REJECT.

    Raises:
        DetectorError: Stdout cannot be written to, for example because the disk is full.

    """
    try:
        click.echo(text, nl=False, color=True)
    except BrokenPipeError:
        _swallow(sys.stdout)
    except OSError as error:
        _swallow(sys.stdout)
        raise DetectorError(f"Cannot write to stdout: {error.strerror or error}.") from error


def complain(message: str) -> None:
    """Write one line to stderr, with nothing invisible in it."""
    from detector.formats._escape import visible

    try:
        click.echo(f"detector: {visible(message, limit=2_000)}", err=True)
    except OSError:
        _swallow(sys.stderr)


def has_color(stream: IO[str] | None, *, refused: bool = False) -> bool:
    """Tell whether to color: `--no-color`, then NO_COLOR, FORCE_COLOR, TERM, the terminal."""
    if refused or os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced not in {"0", "false"}
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def has_unicode(stream: IO[str] | None) -> bool:
    """Tell whether the stream's encoding has the characters that reports are drawn with."""
    try:
        "╭─✔✖".encode(getattr(stream, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def width() -> int:
    """Return the breadth of text: the terminal's, within reason; 80 where there is none."""
    import shutil

    narrowest, broadest = WIDTHS
    columns = shutil.get_terminal_size((80, 24)).columns
    return max(narrowest, min(columns, broadest))


def is_terminal(stream: IO[str] | None) -> bool:
    """Tell whether a person watches the stream."""
    return stream is not None and not stream.closed and stream.isatty()


def _swallow(stream: IO[str]) -> None:
    """Let everything written from now on vanish, the last flush at exit too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
