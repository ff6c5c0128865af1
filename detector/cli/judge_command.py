"""`detector judge`: the same findings under another policy, without data."""

from __future__ import annotations

from typing import Any

import click

from detector.cli.main import VERDICT_CODES
from detector.cli.options import output_options, verdict_options
from detector.cli.outputs import deliver, finish, requested
from detector.cli.saved import read_report


@click.command("judge", epilog=VERDICT_CODES)
@click.argument("report")
@click.option(
    "--policy",
    metavar="FILE",
    help="What counts as bad; else detector.toml, pyproject.toml, the built-in policy.",
)
@output_options
@verdict_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Judge the saved REPORT (JSON; - is stdin) again under another policy.

    \b
    Example:
      detector judge report.json --policy strict.toml
    """  # noqa: D301
    from detector import api

    files = requested(given, inputs=[given["policy"]])
    judged = api.judge(read_report(given["report"]), given["policy"])
    deliver(judged, files, quiet=given["quiet"], no_color=given["no_color"])
    finish(ctx, judged, exit_zero=given["exit_zero"])
