"""`generators list`: the recipes, what each is, and what is missing for it."""

from __future__ import annotations

import click

from generators.cli import EXIT_CODES, one_line


@click.command("list", epilog=EXIT_CODES)
def command() -> None:
    """Show each recipe in one line, and how to get what is missing for it.

    Any installed package can add recipes through the entry points `detector.recipes`.
    """
    from detector import catalogue
    from detector.recipes import GROUP

    names = catalogue.names(GROUP)
    if not names:
        click.echo(f"No recipes are installed: no package offers the entry point {GROUP}.")
    for name in names:
        about, missing = _described(name)
        click.echo(f"{one_line(name):<16} {one_line(about)}")
        if missing:
            click.echo(f"{'':<16} not here yet: {one_line(missing)}")


def _described(name: str) -> tuple[str, str]:
    """Return what a recipe is, and what to do before it can be used."""
    from detector.errors import DetectorError
    from detector.recipes import how_to_get, missing_packages, recipe_class

    try:
        kind = recipe_class(name)
    except DetectorError as error:
        return "", str(error)
    about = (kind.__doc__ or "").strip().partition("\n")[0]
    missing = missing_packages(kind)
    listed = f"it needs {' and '.join(missing)}. {how_to_get(kind)}" if missing else ""
    return about, listed
