"""`generators sample`: draw rows, write them and where they come from."""

from __future__ import annotations

from typing import Any

import click

from generators.cli import EXIT_CODES, one_line


@click.command("sample", epilog=EXIT_CODES)
@click.argument("model")
@click.option("--rows", "-n", required=True, type=click.IntRange(min=0), help="How many rows.")
@click.option(
    "--output",
    "-o",
    required=True,
    metavar="FILE",
    help="Parquet, Arrow, Feather, CSV, TSV or JSON lines, by its suffix.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fixes the rows: same seed and model, same bytes.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def command(**given: Any) -> None:
    """Draw rows from MODEL, a folder that `generators fit` wrote.

    Beside the file goes FILE.provenance.json: recipe, options, seed, generation, parents.

    \b
    Example:
      generators sample model -n 10000 -o synthetic.parquet
    """  # noqa: D301 - \\b keeps click from joining the lines
    from detector.recipes import load_model
    from detector.rng import stream
    from generators.model import FittedModel
    from generators.writing import check_suffix, write_sample

    check_suffix(given["output"])
    model = load_model(given["model"])
    rng = stream(given["seed"], "sample")
    if isinstance(model, FittedModel):
        drawn = model.sample(given["rows"], rng, seed=given["seed"])
    else:
        drawn = model.sample(given["rows"], rng)
    write_sample(drawn, given["output"])
    if not given["quiet"]:
        click.echo(f"{given['rows']:,} rows: {one_line(given['output'])}")
