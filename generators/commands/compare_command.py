"""`generators compare`: recipes side by side on one data set."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from generators.cli import EXIT_CODES, one_line
from generators.commands.given import check_files, column_pairs, recipe_options
from generators.commands.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generators.comparing.contest import Contest


@click.command("compare", epilog=EXIT_CODES)
@click.argument("data")
@click.option("--recipes", required=True, metavar="A,B,C", help="See `generators list`.")
@click.option(
    "--rows",
    "-n",
    type=click.IntRange(min=20),
    help="Rows that each recipe draws; as many as half of DATA by default.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    callback=recipe_options,
    metavar="RECIPE.NAME=VALUE",
    help="An option of a recipe. Repeatable.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    callback=column_pairs,
    metavar="COLUMN=KIND",
    help="What a column holds, where it is inferred wrongly. Repeatable.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    callback=column_pairs,
    metavar="COLUMN=ROLE",
    help="The part a column plays; `group` keeps its rows in one half. Repeatable.",
)
@click.option("--html", metavar="FILE", help="Write one page that opens in any browser.")
@click.option("--json", "json_", metavar="FILE", help="Write all figures as JSON.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fixes all random choices: same seed and data, same figures.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def command(**given: Any) -> None:
    """Fit recipes to one half of DATA and hold their rows against the other half.

    Always there as well: the real half itself, gaussian_copula, and each circuit untrained.
    A recipe that fails gets a row with the reason.

    \b
    Example:
      generators compare real.parquet --recipes qcbm,vae --html compare.html
    """  # noqa: D301 - \\b keeps click from joining the lines
    from detector.data.opening import open_data
    from generators.comparing.compare import compare
    from generators.comparing.contest import entries

    files = {"--html": given["html"], "--json": given["json_"]}
    check_files(given["data"], files)
    names = [name.strip() for name in given["recipes"].split(",") if name.strip()]
    _check_options(given["options"], names)
    chosen = entries(names, given["options"])
    data = open_data(given["data"], kinds=given["kinds"], roles=given["roles"])
    with progress(quiet=given["quiet"]) as tell:
        found = compare(data, chosen, rows=given["rows"], seed=given["seed"], tell=tell)
    _deliver(found, files, quiet=given["quiet"])


def _check_options(options: Mapping[str, Any], names: list[str]) -> None:
    """Refuse no recipes at all, and options of recipes that are not compared."""
    if not names:
        raise click.UsageError("--recipes: there is no name in it. See `generators list`.")
    for name in options:
        if name not in names:
            raise click.UsageError(f"--option {one_line(name)}.…: it is not among --recipes.")


def _deliver(found: Contest, files: Mapping[str, str | None], *, quiet: bool) -> None:
    """Write the files asked for, then the table to the terminal."""
    from detector.files import write_atomically
    from generators.comparing import page, text

    draw: dict[str, Callable[[Contest], str]] = {
        "--html": page.render,
        "--json": lambda contest: json.dumps(contest.to_plain(), indent=1) + "\n",
    }
    for option, file in files.items():
        if file is not None:
            write_atomically(file, draw[option](found))
    if quiet:
        return
    click.echo(text.render(found, color=_color(), unicode=_unicode()), nl=False, color=True)
    for file in files.values():
        if file is not None:
            click.echo(f"Written: {one_line(file)}")


def _color() -> bool:
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def _unicode() -> bool:
    try:
        "…".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
