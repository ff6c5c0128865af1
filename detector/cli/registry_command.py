"""`detector registry`: collect fingerprints of rows that generators are known to have made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from detector.cli.main import OTHER_CODES
from detector.cli.terminal import emit
from detector.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from detector.data.registry import Registry

_registry: Callable[..., Any] = click.option(
    "--registry",
    default="detector-registry.json",
    show_default=True,
    envvar="DETECTOR_REGISTRY",
    metavar="FILE",
    help="The registry; DETECTOR_REGISTRY names it as well.",
)


@click.group("registry", epilog=OTHER_CODES)
def command() -> None:
    """Collect fingerprints of rows that generators are known to have made.

    The check `known_synthetic` looks for these rows. A registry holds hashes of rows,
    never rows.

    \b
    Example:
      detector registry add synthetic.parquet
    """  # noqa: D301


@command.command("add", epilog=OTHER_CODES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--name", metavar="NAME", help="What reports call it, for one FILE; else its name.")
@_registry
def add(files: tuple[str, ...], name: str | None, registry: str) -> None:
    """Add the rows of each FILE, or the fingerprint in a manifest, to the registry.

    FILE is a data file, or the manifest (.provenance.json) of a sample that
    `generators sample` wrote. A source of the same name or rows gives way.

    \b
    Example:
      detector registry add synthetic.parquet --name "copula, March"
    """  # noqa: D301
    from detector.data.registry import Registry, known_rows

    if name is not None and len(files) > 1:
        raise click.UsageError("--name names one FILE, and there are more.")
    held = _read(registry) if Path(registry).exists() else Registry()
    for file in files:
        known = known_rows(file, name=name)
        held = held.add(known)
        emit(f"Added: {_line(known)}\n")
    held.write(registry)
    emit(f"Registry: {registry}\n")


@command.command("list", epilog=OTHER_CODES)
@_registry
def show(registry: str) -> None:
    """List the sources in the registry.

    \b
    Example:
      detector registry list
    """  # noqa: D301
    held = _read(registry)
    for known in held.sources:
        emit(f"{_line(known)}\n")
    if not held.sources:
        emit("There is no source in it.\n")


@command.command("remove", epilog=OTHER_CODES)
@click.argument("name")
@_registry
def remove(name: str, registry: str) -> None:
    """Remove the source NAME from the registry.

    \b
    Example:
      detector registry remove synthetic.parquet
    """  # noqa: D301
    _read(registry).remove(name).write(registry)
    emit(f"Registry: {registry}\n")


def _read(path: str) -> Registry:
    from detector.data.registry import read_registry

    if not Path(path).exists():
        raise DetectorError(
            f"there is no registry `{path}`.", hint="`detector registry add FILE` makes one."
        )
    return read_registry(path)


def _line(known: Any) -> str:
    """Return a source as one line."""
    from detector.formats._escape import visible
    from detector.formats._words import count

    made = f", {visible(known.recipe)}" if known.recipe else ""
    rows, columns = known.fingerprint.rows, len(known.fingerprint.columns)
    return f"{visible(known.name)}: {count(rows, 'row')}, {count(columns, 'column')}{made}"
