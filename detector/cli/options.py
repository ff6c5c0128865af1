"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from detector import catalogue
from detector.data.schema import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

    Command = Callable[..., Any]

FORMATS = ("json", "html", "markdown", "junit", "sarif")
"""Formats that are written to a file; `text` goes to the terminal."""


def data_options(command: Command) -> Command:
    """Add `--kind` and `--role`, which become mappings from column to kind and role."""
    chosen: tuple[tuple[str, type[StrEnum], str], ...] = (
        ("role", Role, "The part that a column plays (id leaves it out)"),
        ("kind", Kind, "What a column holds, where it is inferred wrongly"),
    )
    for name, values, what in chosen:
        command = click.option(
            f"--{name}",
            f"{name}s",
            multiple=True,
            callback=_by_column(values),
            metavar=f"COLUMN={name.upper()}",
            help=f"{what}: {', '.join(values)}. Repeatable.",
        )(command)
    return command


def output_options(command: Command) -> Command:
    """Add one option for each format that is written to a file, and how to talk."""
    command = common_options(command)
    command = click.option("--no-color", is_flag=True, help="Print without color.")(command)
    for name in reversed(FORMATS):
        command = click.option(
            f"--{name}",
            metavar="FILE",
            help=f"Write the report as {_TITLES.get(name, name.upper())} to FILE; - is stdout.",
        )(command)
    return command


def verdict_options(command: Command) -> Command:
    """Add what only commands that decide have."""
    return click.option(
        "--exit-zero", is_flag=True, help="Exit 0 whatever the decision; errors keep their codes."
    )(command)


def common_options(command: Command) -> Command:
    """Add `--quiet` and `--verbose`."""
    command = click.option(
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_debug,
        help="After an unexpected error, print where it happened.",
    )(command)
    return click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(command)


_TITLES = {"markdown": "Markdown", "junit": "JUnit XML"}


def complete_check(
    _context: click.Context, _option: click.Parameter, incomplete: str, /
) -> list[str]:
    """Return the checks whose names begin like this, for the shell."""
    return [name for name in catalogue.names("detector.checks") if name.startswith(incomplete)]


def _by_column(values: type[StrEnum]) -> Callable[..., dict[str, StrEnum]]:
    """Return what reads `column=value` with one of these values; the last `=` divides."""

    def read(
        context: click.Context, option: click.Parameter, given: tuple[str, ...], /
    ) -> dict[str, StrEnum]:
        chosen = {}
        for text in given:
            column, _, value = text.rpartition("=")
            if not column or value not in set(values):
                said = f"`{text}` is not COLUMN=VALUE with a value of {', '.join(values)}."
                raise click.BadParameter(said, context, option)
            chosen[column] = values(value)
        return chosen

    return read


def _debug(context: click.Context, _option: click.Parameter, given: object, /) -> None:
    """Remember for `main.run` that the user wants a traceback."""
    if given:
        context.obj["debug"] = True
