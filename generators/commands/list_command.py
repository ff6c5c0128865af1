"""`generators list`: the recipes, what each is, and what is missing for it."""

from __future__ import annotations

import click

from generators.cli import EXIT_CODES, one_line

WIDTH, LABEL = 80, 17
"""Columns of the terminal, and of a recipe's name."""


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
        click.echo(_wrapped(one_line(name), one_line(about)))
        if missing:
            click.echo(_wrapped("", f"not here yet: {one_line(missing)}"))


def _wrapped(name: str, words: str) -> str:
    """Return a name and words beside it, within 80 columns; commands stay in one piece."""
    import textwrap

    lines = textwrap.wrap(words, WIDTH - LABEL, break_long_words=False, break_on_hyphens=False)
    heads = [name, *[""] * len(lines)]
    return "\n".join(
        f"{head:<{LABEL}}{line}" for head, line in zip(heads, lines or [""], strict=False)
    )


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
