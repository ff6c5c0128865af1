"""`detector profile`: one mergeable file instead of the raw data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from detector.cli.main import OTHER_CODES
from detector.cli.options import common_options, data_options
from detector.cli.outputs import refuse_place
from detector.cli.progress import progress
from detector.cli.terminal import emit

if TYPE_CHECKING:
    from detector.data.schema import Kind, Role
    from detector.profiles.profile import Profile


@click.command("profile", epilog=OTHER_CODES)
@click.argument("data")
@click.option("--output", "-o", required=True, metavar="FILE", help="Where to write the profile.")
@click.option(
    "--against", metavar="PROFILE", help="Use this profile's edges, so that the two compare."
)
@click.option("--no-sample", is_flag=True, help="Keep no row in it; checks that need rows say so.")
@click.option("--name", metavar="NAME", help="What reports call the data; else the file's name.")
@data_options
@click.option("--explain", is_flag=True, help="Print what was inferred for each column, and why.")
@common_options
def command(**given: Any) -> None:
    """Summarize DATA in one file that stands in for it.

    The file goes wherever `detector gate` takes a REFERENCE. It holds counts, moments
    and a sample of rows; with --no-sample it holds no row.

    \b
    Example:
      detector profile real.parquet -o real.profile
    """  # noqa: D301
    from detector import api
    from detector.running import PROFILE_SUFFIX

    refuse_place("--output", given["output"], inputs=(given["data"], given["against"]))
    if not given["output"].endswith(PROFILE_SUFFIX):
        said = f"--output {given['output']}: its name has to end in `{PROFILE_SUFFIX}`, "
        raise click.UsageError(said + "or no command knows it for a profile.")
    if given["explain"]:
        emit(_explained(given["data"], given["kinds"], given["roles"]))
    with progress(quiet=given["quiet"]) as watch:
        made = api.profile(
            given["data"],
            against=given["against"],
            sample=not given["no_sample"],
            kinds=given["kinds"],
            roles=given["roles"],
            name=given["name"],
            progress=watch,
        )
    made.save(given["output"])
    if not given["quiet"]:
        emit(f"{_summary(made)} Profile: {given['output']}\n")


def _explained(data: str, kinds: dict[str, Kind], roles: dict[str, Role]) -> str:
    """Return one line for each column: its kind, role, and why."""
    from detector.data.opening import explain, open_data
    from detector.formats._escape import visible

    rows = explain(open_data(data, kinds=kinds, roles=roles))
    return "".join(
        f"{visible(row.column):<24} {row.kind:<9} {row.role:<8} {visible(row.reason, limit=200)}\n"
        for row in rows
    )


def _summary(made: Profile) -> str:
    """Return what the profile holds, in one sentence."""
    from detector.formats._escape import visible
    from detector.formats._words import count

    kept = 0 if made.sample is None else made.sample.table.num_rows
    return (
        f"{visible(made.name)}: {count(made.n_rows, 'row')}, "
        f"{count(len(made.columns), 'compared column')}, {count(kept, 'row')} in the sample."
    )
