"""One round: fit a recipe, sample its model, and refuse rows that no next round can learn from."""

from __future__ import annotations

import ctypes
import inspect
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.arrays import as_numbers, as_vectors, positions
from detector.data.dataset import Dataset, of_table
from detector.data.export import canonical_table
from detector.data.opening import open_data
from detector.data.schema import ORDERED, Kind
from detector.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from detector.audits.lens import Lens
    from detector.audits.plan import Plan
    from detector.data.schema import Schema
    from detector.recipes import Recipe
    from detector.rng import Streams


class ChainEnded(Exception):  # noqa: N818 - it is an outcome, not a fault of ours
    """A chain cannot go on; its message says why in one sentence."""


def next_rows(
    recipe: Recipe, training: pa.Table, *, plan: Plan, schema: Schema, lens: Lens, streams: Streams
) -> pa.Table:
    """Fit a recipe and return `plan.rows` rows of its model, canonical.

    Raises:
        ChainEnded: The fit or the sample failed, took too long, or is of no use.

    """
    made = next_sets(recipe, training, plan=plan, schema=schema, lens=lens, streams=streams)
    return made[0]


def next_sets(
    recipe: Recipe,
    training: pa.Table,
    *,
    plan: Plan,
    schema: Schema,
    lens: Lens,
    streams: Streams,
    sets: int = 1,
) -> list[pa.Table]:
    """Fit a recipe and return several sets of `plan.rows` rows of the one model, canonical.

    Raises:
        ChainEnded: The fit or the sample failed, took too long, or is of no use.

    """
    wanted = plan.rows or training.num_rows
    ask = int(np.ceil(wanted / plan.keep)) if plan.keep < 1.0 else wanted

    def work() -> pa.Table:
        data = of_table(training, schema, name="training")
        extra = {"examine": False} if "examine" in _parameters(recipe.fit) else {}
        model = recipe.fit(data, streams("fit"), **extra)
        draw: Callable[..., Any] = getattr(model, "draw", model.sample)
        asked = ask * sets
        return usable(draw(asked, streams("sample")), schema=schema, real=training, rows=asked)

    drawn = _limited(work, plan.fit_timeout)
    made = [drawn.slice(ask * number, ask) for number in range(sets)]
    if plan.temperature != 1.0:
        made = [_tempered(one, schema, plan.temperature) for one in made]
    if plan.keep < 1.0:
        made = [_typical(one, lens, rows=wanted) for one in made]
    return made


def usable(sample: Any, *, schema: Schema, real: pa.Table, rows: int) -> pa.Table:
    """Return a sample as a canonical table with the real columns.

    Args:
        sample: What the model returned.
        schema: The real rows' columns.
        real: The training rows.
        rows: Rows asked for; more are cut off.

    Raises:
        ChainEnded: It has other columns or kinds, too few rows, or no numbers in them.

    """
    dataset = sample if isinstance(sample, Dataset) else open_data(sample, like=schema)
    if dataset.schema != schema:
        dataset = open_data(dataset, like=schema)
        if missing := [name for name in schema.names if name not in dataset.schema]:
            raise ChainEnded(f"its sample lacks the column `{missing[0]}`")
        for spec in schema.columns:
            kind = dataset.schema[spec.name].kind
            if kind is not spec.kind or dataset.schema[spec.name].width != spec.width:
                raise ChainEnded(f"its sample has `{spec.name}` as {kind}, not {spec.kind}")
    table = canonical_table(dataset).select(list(schema.names))
    if table.num_rows < rows:
        raise ChainEnded(f"it returned {table.num_rows:,} rows where {rows:,} were asked for")
    table = table.slice(0, rows).combine_chunks()
    for spec in schema.compared:
        if spec.kind not in ORDERED and spec.kind is not Kind.VECTOR:
            continue
        lost = _count(table[spec.name], np.isnan)
        if lost and not _count(real[spec.name], np.isnan):
            raise ChainEnded(f"its sample has {lost:,} values of `{spec.name}` that are no number")
        if _count(table[spec.name], np.isinf) and not _count(real[spec.name], np.isinf):
            raise ChainEnded(f"its sample has infinite values of `{spec.name}`")
    return table


def _count(column: pa.ChunkedArray, of: Callable[[Any], Any]) -> int:
    """Return how many cells of an ordered or vector column are of one sort."""
    import pyarrow as pa

    read = as_vectors if pa.types.is_fixed_size_list(column.type) else as_numbers
    return sum(int(np.count_nonzero(of(read(chunk)))) for chunk in column.chunks if len(chunk))


def _tempered(table: pa.Table, schema: Schema, temperature: float) -> pa.Table:
    """Return the rows with the variance of every number multiplied by the temperature."""
    import pyarrow as pa

    from detector.data.build import primitive

    for place, spec in enumerate(schema.columns):
        if spec not in schema.compared or spec.kind not in (Kind.NUMERIC, Kind.DATETIME):
            continue
        column = table[spec.name].combine_chunks()
        values = as_numbers(column)
        with np.errstate(invalid="ignore"):
            mean = np.nanmean(values) if np.isfinite(values).any() else 0.0
            values = mean + np.sqrt(temperature) * (values - mean)
        made = primitive(values)
        if column.null_count:
            from pyarrow import compute

            made = compute.if_else(column.is_valid(), made, pa.nulls(len(made), made.type))
        table = table.set_column(place, spec.name, made)
    return table


def _typical(table: pa.Table, lens: Lens, *, rows: int) -> pa.Table:
    """Return the rows most typical of the real ones, in the order they were drawn.

    The verifier knows the real rows' centers, spreads and shares of levels, and prefers rows
    of a high density under them, as a filter for plausible rows does.
    """
    view = lens.view(table)
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.nan_to_num((view.numbers - lens.middle) / lens.spread, nan=0.0)
    away = np.square(np.clip(scaled, -1e6, 1e6)).sum(axis=1)
    for place, shares in enumerate(lens.shares):
        surprise = -2.0 * np.log(np.r_[shares, 1e-6, 1.0])
        away += surprise[view.codes[:, place]]
    kept = np.sort(np.argsort(away, kind="stable")[:rows])
    return table.take(positions(kept)).combine_chunks()


def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _limited(work: Callable[[], pa.Table], seconds: float | None) -> pa.Table:
    """Run the work; give up on it after some seconds.

    A thread cannot be stopped from outside while it is in compiled code: it is left behind,
    told to stop at its next step, and ends with the process at the latest.
    """
    if seconds is None:
        return _guarded(work)
    done: list[pa.Table | BaseException] = []

    def run() -> None:
        try:
            done.append(_guarded(work))
        except BaseException as error:  # noqa: BLE001 - it is raised again by the caller
            done.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not done:
        _stop(thread)
        raise ChainEnded(f"its fit did not end within {seconds:g} seconds")
    if isinstance(done[0], BaseException):
        raise done[0]
    return done[0]


class _StoppedError(SystemExit):
    """Raised inside a thread whose time is up."""


def _stop(thread: threading.Thread) -> None:
    """Ask a thread to end at its next step of Python."""
    if thread.ident is not None:
        stopped = ctypes.py_object(_StoppedError)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), stopped)


def _guarded(work: Callable[[], pa.Table]) -> pa.Table:
    """Run somebody's code; whatever it raises ends the chain with a sentence."""
    try:
        return work()
    except ChainEnded:
        raise
    except DetectorError as error:
        raise ChainEnded(f"its fit failed: {error}") from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:300]
        raise ChainEnded(f"its fit failed ({said})") from error
