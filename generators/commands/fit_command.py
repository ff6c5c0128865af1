"""`generators fit`: train a recipe, save the model."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import click

from generators.cli import EXIT_CODES, one_line
from generators.commands.given import column_pairs
from generators.commands.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.model import FittedModel


def _pairs(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...], /
) -> dict[str, str]:
    """Return `NAME=VALUE` texts as a mapping; the first `=` divides."""
    found = {}
    for text in given:
        name, _, value = text.partition("=")
        if not name or not value:
            raise click.BadParameter(f"`{one_line(text)}` is not of the form NAME=VALUE.")
        found[name] = value
    return found


@click.command("fit", epilog=EXIT_CODES)
@click.argument("data")
@click.option("--recipe", "name", required=True, metavar="NAME", help="See `generators list`.")
@click.option("--output", "-o", required=True, metavar="FOLDER", help="Where the model goes.")
@click.option(
    "--option",
    "options",
    multiple=True,
    callback=_pairs,
    metavar="NAME=VALUE",
    help="An option of the recipe. Repeatable.",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "fast", "tfq", "cirq"]),
    help="What runs circuits: the recipe's option `engine`.",
)
@click.option(
    "--shots",
    type=click.IntRange(min=0),
    help="Executions of a circuit, 0 for exact: the recipe's option `repetitions`.",
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
    help="The part a column plays. Repeatable.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fixes all random choices: same seed and data, same model.",
)
@click.option("--resume", is_flag=True, help="Go on with the training that FOLDER holds.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def command(**given: Any) -> None:
    """Train a recipe on the rows of DATA, any file that `detector gate` reads.

    Ctrl-C ends the training at the next checkpoint. FOLDER then holds the best model so
    far; the same command with --resume goes on. It is kept once a minute as well.

    \b
    Example:
      generators fit real.parquet --recipe gan --option steps=2000 -o model
    """  # noqa: D301 - \\b keeps click from joining the lines
    from detector.data.opening import open_data
    from detector.recipes import recipe, recipe_class
    from detector.rng import stream
    from generators.checkpoints import Checkpoints
    from generators.store import check_place

    options = _values(given["options"], texts=_texts(recipe_class(given["name"])))
    options |= _short(given, options)
    chosen = recipe(given["name"], **options)
    check_place(given["output"])
    data = open_data(given["data"], kinds=given["kinds"], roles=given["roles"])
    rng = stream(given["seed"], "fit", given["name"])
    known = _parameters(chosen.fit)
    if given["resume"] and "checkpoints" not in known:
        raise click.UsageError(f"--resume: `{given['name']}` keeps no training to go on with.")
    kept = Checkpoints(folder=given["output"], resume=given["resume"])
    with progress(quiet=given["quiet"]) as tell:
        offered = {"progress": tell, "checkpoints": kept}
        takes = {name: value for name, value in offered.items() if name in known}
        model: Any = chosen.fit(data, rng, **takes)
    model.save(given["output"])
    if not given["quiet"]:
        click.echo(_summary(model, given["name"], data.name, given["output"]))


def _short(given: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that have a short form of their own."""
    found = {}
    for short, name in (("engine", "engine"), ("shots", "repetitions")):
        if given[short] is None:
            continue
        if name in options:
            raise click.UsageError(f"--{short}: --option {name} says it already.")
        found[name] = given[short]
    return found


def _values(given: Mapping[str, str], *, texts: frozenset[str]) -> dict[str, Any]:
    """Return options as JSON values; what is no JSON, or an option that is text, as text."""
    found: dict[str, Any] = {}
    for name, text in given.items():
        try:
            found[name] = text if name in texts else json.loads(text)
        except ValueError:
            found[name] = text
    return found


def _texts(kind: Any) -> frozenset[str]:
    """Return the options of a recipe that are text."""
    options = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return frozenset(option.name for option in options if isinstance(option.default, str))


def _parameters(function: Any) -> frozenset[str]:
    import inspect

    return frozenset(inspect.signature(function).parameters)


def _summary(model: FittedModel, name: str, data: str, output: str) -> str:
    """Return what happened in a few lines."""
    log = model.log
    took = f"{log.seconds:.1f} s ({log.cpu_seconds:.1f} CPU s)"
    ended = log.stop.value.replace("_", " ")
    lines = [f"{name}: fitted to {one_line(data)} in {took}, {ended}."]
    facts = dict(log.facts)
    if "copied_share" in facts:
        lines.append(
            f"Copies of training rows: {float(facts['copied_share']):.1%} of drawn rows; "
            f"training repeats: {float(facts['repeated_share']):.1%}."
        )
    lines += [one_line(note) for note in log.notes]
    if getattr(model, "training", None) is not None:
        lines.append("The same command with --resume goes on from here.")
    return "\n".join([*lines, f"Model: {one_line(output)}"])
