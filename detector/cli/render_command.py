"""`detector render`: a saved report in other formats, without data."""

from __future__ import annotations

from typing import Any

import click

from detector.cli.main import OTHER_CODES
from detector.cli.options import output_options
from detector.cli.outputs import deliver, requested
from detector.cli.saved import read_report


@click.command("render", epilog=OTHER_CODES)
@click.argument("report")
@output_options
def command(**given: Any) -> None:
    """Draw the saved REPORT (JSON; - is stdin) in other formats.

    Without any format it prints the text. It exits 0 whatever was decided.

    \b
    Example:
      detector render report.json --html report.html --junit report.xml
    """  # noqa: D301
    files = requested(given, inputs=[given["report"]])
    report = read_report(given["report"])
    deliver(report, files, quiet=given["quiet"], no_color=given["no_color"], text=not files)
