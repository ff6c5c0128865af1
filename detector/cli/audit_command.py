"""`detector audit`: train a recipe on its own output, and say whether it collapses."""

from __future__ import annotations

import json
from typing import Any

import click

from detector import catalogue
from detector.cli.main import AUDIT_CODES
from detector.cli.options import data_options, output_options, verdict_options
from detector.cli.outputs import deliver, finish, requested
from detector.cli.progress import progress

REGIMES = ("replace", "accumulate", "accumulate_subsample", "fresh", "fixed")


def _complete(_context: click.Context, _option: click.Parameter, incomplete: str, /) -> list[str]:
    """Return the recipes whose names begin like this, for the shell."""
    return [n for n in catalogue.names("detector.recipes") if n.startswith(incomplete)]


def _options(
    context: click.Context, option: click.Parameter, given: tuple[str, ...], /
) -> dict[str, Any]:
    """Read `NAME=VALUE`; a value that is JSON counts as such, anything else is text."""
    chosen: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"`{text}` is not NAME=VALUE.", context, option)
        try:
            chosen[name] = json.loads(value)
        except ValueError:
            chosen[name] = value
    return chosen


@click.command("audit", epilog=AUDIT_CODES)
@click.argument("data")
@click.option(
    "--recipe",
    required=True,
    shell_complete=_complete,
    metavar="NAME",
    help="A recipe's name (`generators list`) or module:Class of your own.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    callback=_options,
    metavar="NAME=VALUE",
    help="An option of the recipe. Repeatable.",
)
@click.option(
    "--regime",
    type=click.Choice(REGIMES),
    default="replace",
    show_default=True,
    help="What each round is trained on.",
)
@click.option("--generations", type=int, default=10, show_default=True, help="Rounds of training.")
@click.option("--replicates", type=int, default=3, show_default=True, help="Chains.")
@click.option("--rows", type=int, help="Rows of a generation; all real rows unless given.")
@click.option(
    "--real-share",
    type=float,
    default=0.0,
    help="With fresh and fixed: the share of real rows in each training.",
)
@click.option("--keep", default="best:1", help="best:0.8 keeps the most typical 80 % of rows.")
@click.option(
    "--temperature", type=float, default=1.0, help="Factor of the variance of sampled numbers."
)
@click.option(
    "--threshold",
    type=float,
    default=0.5,
    show_default=True,
    help="The variance ratio whose first passage is forecast.",
)
@click.option("--horizon", type=int, help="Generations that the forecast looks ahead.")
@click.option(
    "--find-real-share",
    is_flag=True,
    help="Look for the smallest real share that keeps the loop stable.",
)
@click.option(
    "--keep-variance",
    type=float,
    default=0.95,
    show_default=True,
    help="The share of the variance that it shall keep.",
)
@click.option(
    "--refits",
    type=int,
    default=40,
    show_default=True,
    help="Refits behind the band of healthy loops.",
)
@click.option("--fit-timeout", type=float, metavar="SECONDS", help="Time for one fit and sample.")
@click.option(
    "--checkpoint",
    metavar="DIR",
    help="Keep finished rounds here; a run that was killed goes on there.",
)
@click.option(
    "--profiles",
    metavar="DIR",
    help="Write a profile of every generation of every chain here.",
)
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
    """Train a recipe on its own output, round after round, beginning with DATA.

    DATA are real rows. Every chain fits the recipe, samples as many rows as it
    was trained on, and trains the next round on them. The report says whether
    that loses more than a healthy loop does, when, what goes first, and when
    half of the variance will be gone.

    \b
    Example:
      detector audit real.parquet --recipe gaussian_copula --html audit.html
    """  # noqa: D301
    from detector import auditing

    files = requested(given, inputs=[given["data"], given["policy"]])
    asked = {name: given[name] for name in _PASSED}
    with progress(quiet=given["quiet"], no_color=given["no_color"]) as watch:
        report = auditing.audit(given["data"], progress=watch, **asked)
    deliver(report, files, quiet=given["quiet"], no_color=given["no_color"])
    finish(ctx, report, exit_zero=given["exit_zero"])


_PASSED = (
    "recipe",
    "options",
    "regime",
    "generations",
    "replicates",
    "rows",
    "real_share",
    "keep",
    "temperature",
    "threshold",
    "horizon",
    "refits",
    "fit_timeout",
    "checkpoint",
    "profiles",
    "find_real_share",
    "keep_variance",
    "policy",
    "kinds",
    "roles",
    "seed",
)
