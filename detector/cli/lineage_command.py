"""`detector lineage`: data sets that exist already, as generations."""

from __future__ import annotations

from typing import Any

import click

from detector.cli.main import AUDIT_CODES
from detector.cli.options import data_options, output_options, verdict_options
from detector.cli.outputs import deliver, finish, requested
from detector.cli.progress import progress


@click.command("lineage", epilog=AUDIT_CODES)
@click.argument("generations", nargs=-1, required=True)
@click.option("--policy", metavar="FILE", help="What counts as bad; else the one of audits.")
@data_options
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fixes all random choices: same seed and data, same numbers.",
)
@output_options
@verdict_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Ask whether data sets drift away from the first of the GENERATIONS.

    The first is generation 0, the real rows; each further one was made, with or
    without real rows, from those before it.

    \b
    Example:
      detector lineage real.parquet gen1.parquet gen2.parquet gen3.parquet
    """  # noqa: D301
    from detector import auditing

    files = requested(given, inputs=[*given["generations"], given["policy"]])
    with progress(quiet=given["quiet"], no_color=given["no_color"]) as watch:
        report = auditing.lineage(
            given["generations"],
            seed=given["seed"],
            policy=given["policy"],
            kinds=given["kinds"],
            roles=given["roles"],
            progress=watch,
        )
    deliver(report, files, quiet=given["quiet"], no_color=given["no_color"])
    finish(ctx, report, exit_zero=given["exit_zero"])
