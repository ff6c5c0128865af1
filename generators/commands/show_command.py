"""`generators show`: what a model is, what it was trained on, and how the training went."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from generators.cli import EXIT_CODES, one_line
from generators.commands.given import check_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 36


@click.command("show", epilog=EXIT_CODES)
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--svg", metavar="FILE", help="Draw the circuits and the training curves.")
@click.option("--against", metavar="DATA", help="Measure drawn rows against real ones.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fixes the rows that --against looks at.",
)
def command(model: str, *, as_json: bool, svg: str | None, against: str | None, seed: int) -> None:
    """Show the recipe, options, lineage and training of MODEL.

    \b
    Example:
      generators show model --svg model.svg --against unseen.parquet
    """  # noqa: D301 - \\b keeps click from joining the lines
    from detector.recipes import load_model, read_manifest

    manifest = read_manifest(model)
    check_files(model, {"--svg": svg})
    if as_json:
        if svg is not None or against is not None:
            raise click.UsageError("--json prints the manifest and nothing else.")
        manifest.pop("source", None)
        click.echo(json.dumps(manifest, indent=1, sort_keys=True))
        return
    loaded: Any = load_model(model)
    for line in _lines(loaded, manifest):
        click.echo(line)
    core: Any = getattr(getattr(loaded, "source", None), "core", None)
    if hasattr(core, "describe"):
        click.echo(f"\n{core.describe()}")
    if svg is not None:
        _draw(loaded, manifest, core, svg)
    if against is not None:
        from generators.fidelity import measured

        for line in measured(loaded, against, seed=seed):
            click.echo(line)


def _draw(model: Any, manifest: dict[str, Any], core: Any, file: str) -> None:
    """Write the circuits and curves as one SVG."""
    from detector.files import write_atomically
    from generators.drawing import circuits_of, svg

    title = f"{manifest['recipe']}, {model.log.steps:,} steps"
    write_atomically(file, svg(one_line(title), circuits_of(core), model.log.losses))
    click.echo(f"\nWritten: {one_line(file)}")


def _lines(model: Any, manifest: dict[str, Any]) -> Iterator[str]:
    """Yield the page line by line."""
    yield f"recipe      {one_line(manifest['recipe'])}"
    for name, value in sorted(manifest.get("options", {}).items()):
        yield f"  {one_line(name):<20} {one_line(json.dumps(value), limit=56)}"
    lineage = manifest.get("lineage", {})
    if lineage:
        yield f"trained on  {lineage['n_rows']:,} rows of {one_line(lineage['name'])}"
        for digest in lineage["parents"]:
            yield f"  digest               {digest}"
        yield f"generation  {lineage['generation']}"
    log = model.log
    yield f"training    {log.stop.value.replace('_', ' ')} after {log.steps:,} steps"
    yield f"  seconds              {log.seconds:.2f} ({log.cpu_seconds:.2f} CPU)"
    for name, value in log.facts.items():
        shown = f"{value:,.4g}" if isinstance(value, float) else f"{value}"
        yield f"  {one_line(name):<20} {one_line(shown)}"
    for name, values in log.losses.items():
        yield f"  {one_line(name):<20} {values[0]:.4g} {_curve(values)} {values[-1]:.4g}"
    for note in log.notes:
        yield from wrap(one_line(note), 80, initial_indent="  note: ", subsequent_indent=" " * 8)
    yield "columns"
    for spec in model.schema.columns:
        yield f"  {one_line(spec.name, limit=40):<20} {spec.kind.value}"


def _curve(values: Sequence[float]) -> str:
    """Return a loss's course as a line of bars."""
    import numpy as np

    course = np.array(values)
    if len(course) > WIDTH:
        course = np.array([part.mean() for part in np.array_split(course, WIDTH)])
    low, high = np.nanmin(course), np.nanmax(course)
    if not np.isfinite(high - low) or high == low:
        return BARS[0] * len(course)
    heights = np.nan_to_num((course - low) / (high - low)) * (len(BARS) - 1)
    return "".join(BARS[int(height)] for height in heights.round())
