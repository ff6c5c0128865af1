"""`detector gate`: measure, judge, show, exit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from detector.cli.main import VERDICT_CODES
from detector.cli.options import complete_check, data_options, output_options, verdict_options
from detector.cli.outputs import STDOUT, deliver, finish, refuse_rows, requested
from detector.cli.progress import progress
from detector.cli.terminal import emit

if TYPE_CHECKING:
    from detector.report import Report


@click.command("gate", epilog=VERDICT_CODES)
@click.argument("reference")
@click.argument("candidate")
@click.option(
    "--holdout",
    metavar="FILE",
    help="Real rows that no generator has seen, for the checks that compare with them.",
)
@click.option(
    "--synthetic",
    metavar="FILE",
    help="Rows known to be synthetic: their share in the candidate is measured.",
)
@click.option(
    "--policy",
    metavar="FILE",
    help="What counts as bad; else detector.toml, pyproject.toml, the built-in policy.",
)
@click.option(
    "--only",
    "checks",
    multiple=True,
    shell_complete=complete_check,
    metavar="CHECK",
    help="Run this check and no other. Repeatable.",
)
@click.option(
    "--rows",
    metavar="FILE",
    help="List the rows to hold back in FILE, as .parquet or .csv.",
)
@click.option(
    "--registry",
    envvar="DETECTOR_REGISTRY",
    metavar="FILE",
    help="Known synthetic rows to look for; see `detector registry`.",
)
@data_options
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fixes all random choices: same seed and data, same numbers.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Look at fewer rows so that the gate takes about so long on an ordinary machine; "
    "the report says what power that costs.",
)
@output_options
@verdict_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Ask whether the batch CANDIDATE may enter training beside REFERENCE.

    Both are files (CSV, Parquet, Arrow, Feather, JSON lines, NPY, NPZ), folders or
    globs of Parquet, or saved profiles.

    \b
    Example:
      detector gate real.parquet batch.parquet --html report.html
    """  # noqa: D301
    from detector import api

    read = ("reference", "candidate", "holdout", "synthetic", "policy", "registry")
    inputs = [given[name] for name in read]
    files = requested(given, inputs=inputs)
    if given["rows"] is not None:
        refuse_rows(given["rows"], taken=[*inputs, *files.values()])
    with progress(quiet=given["quiet"], no_color=given["no_color"]) as watch:
        report = api.gate(
            given["reference"],
            given["candidate"],
            holdout=given["holdout"],
            synthetic=given["synthetic"],
            policy=given["policy"],
            checks=given["checks"] or None,
            kinds=given["kinds"],
            roles=given["roles"],
            rows=given["rows"],
            registry=given["registry"],
            seed=given["seed"],
            budget=given["budget"],
            progress=watch,
        )
    deliver(report, files, quiet=given["quiet"], no_color=given["no_color"])
    if given["rows"] is not None and not given["quiet"] and STDOUT not in files.values():
        emit(f"Rows to hold back: {given['rows']} ({_listed(report)})\n")
    finish(ctx, report, exit_zero=given["exit_zero"])


def _listed(report: Report) -> str:
    """Return how many rows the list holds, in words."""
    from detector.formats._words import count

    held = (finding.evidence.get("listed_rows") for finding in report.findings)
    return count(next((rows for rows in held if isinstance(rows, int)), 0), "row")
