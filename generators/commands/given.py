"""What commands are given: `name=value` pairs, and places for files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generators.cli import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping


def column_pairs(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...], /
) -> dict[str, str]:
    """Return `COLUMN=WORD` texts as a mapping; the last `=` divides."""
    found = {}
    for text in given:
        name, _, value = text.rpartition("=")
        if not name or not value:
            raise click.BadParameter(f"`{one_line(text)}` is not of the form COLUMN=WORD.")
        found[name] = value
    return found


def recipe_options(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...], /
) -> Mapping[str, Mapping[str, Any]]:
    """Return `RECIPE.NAME=VALUE` texts as the options of each recipe; values are JSON or text."""
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        place, _, value = text.partition("=")
        recipe, _, name = place.partition(".")
        if not recipe or not name or not value:
            raise click.BadParameter(f"`{one_line(text)}` is not of the form RECIPE.NAME=VALUE.")
        found.setdefault(recipe, {})[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def check_files(data: str, files: Mapping[str, str | None]) -> None:
    """Refuse, before any work is done, places where a file cannot be written.

    Raises:
        click.UsageError: It says which option, and why.

    """
    taken = {_resolved(data)}
    for option, file in files.items():
        if file is None:
            continue
        place = _resolved(file)
        if place in taken:
            raise click.UsageError(f"{option} {file}: this command already uses `{file}`.")
        if not place.parent.is_dir() or place.is_dir():
            raise click.UsageError(f"{option} {file}: this is no place for a file.")
        taken.add(place)


def _resolved(file: str) -> Path:
    try:
        return Path(file).resolve()
    except (OSError, RuntimeError):  # a loop of links
        return Path(file).absolute()
