"""Where a finished report goes: files, stdout, and the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detector.cli.options import FORMATS
from detector.cli.terminal import emit, has_color, has_unicode, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from detector.report import Report

STDOUT = "-"


def requested(given: Mapping[str, Any], *, inputs: Iterable[str | None]) -> dict[str, str]:
    """Return the file of each format asked for; refuse what could not be written.

    This runs before any work is done, so that nobody waits for a report that has no place.

    Args:
        given: The command's options.
        inputs: Files that the command reads, which no report may replace.

    Raises:
        click.UsageError: Two reports go to one place, over an input, or into no folder.

    """
    files = {name: given[name] for name in FORMATS if given[name] is not None}
    taken = [file for file in inputs if file]
    for name, file in files.items():
        refuse_place(f"--{name}", file, inputs=taken)
        taken.append(file)
    return files


def refuse_place(option: str, file: str, *, inputs: Iterable[str | None]) -> None:
    """Refuse a place where a file cannot be written, or would replace another one.

    Raises:
        click.UsageError: It says which option, and why.

    """
    if not file:
        raise click.UsageError(f"{option}: there is no file name in it.")
    place = _resolved(file)
    if any(_resolved(other) == place for other in inputs if other):
        raise click.UsageError(f"{option} {file}: this command already uses `{file}`.")
    if file != STDOUT and not place.parent.is_dir():
        raise click.UsageError(f"{option} {file}: there is no folder `{place.parent}`.")
    if file != STDOUT and place.is_symlink():
        raise click.UsageError(f"{option} {file}: this is a link to itself.")
    if file != STDOUT and place.is_dir():
        raise click.UsageError(f"{option} {file}: this is a folder; name a file in it.")
    if file != STDOUT and not os.access(place.parent, os.W_OK):
        raise click.UsageError(f"{option} {file}: `{place.parent}` cannot be written to.")


def refuse_rows(file: str, *, taken: Iterable[str | None]) -> None:
    """Refuse a place for a list of rows: it needs a file, whose suffix says the format.

    Raises:
        click.UsageError: It says why.

    """
    if file == STDOUT:
        raise click.UsageError("--rows -: name a file that ends in .parquet or .csv.")
    refuse_place("--rows", file, inputs=taken)


def _resolved(file: str) -> Path:
    """Return the place that links lead to; a link that leads nowhere stays as it is."""
    try:
        return Path(file).resolve()
    except (OSError, RuntimeError):  # a loop of links
        return Path(file).absolute()


def deliver(
    report: Report, files: Mapping[str, str], *, quiet: bool, no_color: bool, text: bool = True
) -> None:
    """Write the files asked for, and the text to the terminal unless stdout is taken."""
    from detector import api
    from detector.files import write_atomically

    for name, file in files.items():
        drawn = api.render(report, name)
        if file == STDOUT:
            emit(drawn.encode())
        else:
            write_atomically(file, drawn)
    if quiet or STDOUT in files.values():
        return
    if text:
        emit(_text(report, no_color=no_color))
    for file in files.values():
        emit(f"Report: {file}\n")


def finish(ctx: click.Context, report: Report, *, exit_zero: bool) -> None:
    """End the command with the decision's exit code."""
    ctx.exit(0 if exit_zero else int(report.exit_code))


def _text(report: Report, *, no_color: bool) -> str:
    """Return the report for this terminal."""
    from detector.formats.text import render

    return render(
        report,
        width=width(),
        color=has_color(sys.stdout, refused=no_color),
        unicode=has_unicode(sys.stdout),
    )
