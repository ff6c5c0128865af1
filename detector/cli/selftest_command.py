"""`detector selftest`: plant known faults in the user's own rows and count what is seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from detector.cli.main import OTHER_CODES
from detector.cli.options import common_options, data_options
from detector.cli.outputs import STDOUT, refuse_place
from detector.cli.progress import progress
from detector.cli.terminal import emit

if TYPE_CHECKING:
    from detector.trials.outcome import SelfTest

FILES = {"json": "--json", "markdown": "--markdown", "write_policy": "--write-policy"}


@click.command("selftest", epilog=OTHER_CODES)
@click.argument("reference")
@click.option(
    "--policy",
    metavar="FILE",
    help="What counts as bad; else detector.toml, pyproject.toml, the built-in policy.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="FAULT[=SIZE]",
    help="Plant this fault and no other: synthetic, tails, level, copies, correlation, "
    "shift. Repeatable; `nothing` is always there.",
)
@click.option(
    "--recipe", metavar="NAME", help="The generator whose rows are planted; else gaussian_copula."
)
@click.option(
    "--by",
    metavar="COLUMN",
    help="A date or batch column: its batches are known to be good. Each is held against "
    "the rest, and margins come from how much they differ.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Runs of each fault; more give narrower intervals.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=200),
    default=1_000,
    show_default=True,
    help="Rows of each side. Give as many as your batches have.",
)
@data_options
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fixes all random choices: same seed and data, same figures.",
)
@click.option("--json", metavar="FILE", help="Write all figures as JSON to FILE; - is stdout.")
@click.option("--markdown", metavar="FILE", help="Write them as Markdown to FILE; - is stdout.")
@click.option(
    "--write-policy",
    metavar="FILE",
    help="Write the policy to FILE, its margins wide enough for the good rows.",
)
@common_options
def command(**given: Any) -> None:
    """Show what the gate can and cannot see in REFERENCE, before you trust it.

    It cuts REFERENCE in two random sides again and again, plants a known fault in one
    of them, asks the gate, and counts. Nothing planted gives the false alarms.

    \b
    Example:
      detector selftest real.parquet --by month --write-policy detector.toml
    """  # noqa: D301
    from detector.trials.selftest import selftest

    files = _files(given)
    with progress(quiet=given["quiet"]) as watch:
        found = selftest(
            given["reference"],
            policy=given["policy"],
            only=given["only"] or None,
            recipe=given["recipe"],
            by=given["by"],
            runs=given["runs"],
            rows=given["rows"],
            kinds=given["kinds"],
            roles=given["roles"],
            seed=given["seed"],
            progress=watch,
        )
    _deliver(found, files, quiet=given["quiet"])


def _files(given: dict[str, Any]) -> dict[str, str]:
    """Return the files asked for; refuse what could not be written, before any work."""
    files = {name: given[name] for name in FILES if given[name] is not None}
    taken = [given["reference"], given["policy"]]
    for name, file in files.items():
        refuse_place(FILES[name], file, inputs=taken)
        taken.append(file)
    return files


def _deliver(found: SelfTest, files: dict[str, str], *, quiet: bool) -> None:
    """Write the files, and the text to the terminal unless stdout is taken."""
    from detector.cli import selftest_page
    from detector.files import write_atomically

    # Margins of random halves are what chance does: told only to those who will use them.
    told = found.by is not None or "write_policy" in files
    draw = {
        "json": lambda: json.dumps(found.to_plain(), indent=1, allow_nan=False) + "\n",
        "markdown": lambda: selftest_page.markdown(found, margins=told),
        "write_policy": found.policy_text,
    }
    for name, file in files.items():
        if file == STDOUT:
            emit(draw[name]().encode())
        else:
            write_atomically(file, draw[name]())
    if quiet or STDOUT in files.values():
        return
    emit(selftest_page.text(found, margins=told))
    for name, file in files.items():
        emit(f"{'Policy' if name == 'write_policy' else 'Self-test'}: {file}\n")
