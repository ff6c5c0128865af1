"""Write docs/cli.md from the commands' own help: `python docs/make_cli.py`."""  # noqa: INP001

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from detector.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("cli.md")

WIDTH = 78
"""What click uses of a terminal of 80 characters."""

HEAD = """\
# Command line

This page is made from the commands' help by `python docs/make_cli.py`. What a report
looks like is in [formats](formats.md), what counts as bad in [policies](policy.md).
"""


def page() -> str:
    """Return the page."""
    sections = [f"## {path}\n\n```text\n{text}\n```\n" for path, text in _helps(cli, "detector")]
    return "\n".join([HEAD, *sections])


def _helps(
    command: click.Command, path: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Yield the help of a command, then of each command below it."""
    name = path.rpartition(" ")[2]
    settings = {**command.context_settings, "terminal_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            if found := command.get_command(context, below):
                yield from _helps(found, f"{path} {below}", context)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
