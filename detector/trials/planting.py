"""How each fault is planted in a batch of canonical rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.data.arrays import as_numbers, positions
from detector.data.export import canonical_table
from detector.data.schema import NOMINAL, ORDERED, Kind, Role
from detector.recipes import recipe
from detector.trials.faults import CannotPlant

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.trials.faults import Bed, Fault

    Places = NDArray[np.int64]

LEAST_TIE = 0.3
"""The rank correlation from which two numbers count as moving together."""

LEVEL_SHARES = (0.02, 0.5)
"""How common a level is that vanishes."""


def plant(bed: Bed, fault: Fault, rng: np.random.Generator) -> pa.Table:
    """Return the batch with the fault in it, rows in random order."""
    size = 0.0 if fault.size is None else fault.size
    batch = canonical_table(bed.batch)
    made = _PLANTERS[fault.name](bed, batch, size, rng)
    return made.take(positions(rng.permutation(made.num_rows))).combine_chunks()


def _nothing(_bed: Bed, batch: pa.Table, _size: float, _rng: np.random.Generator) -> pa.Table:
    return batch


def _synthetic(bed: Bed, batch: pa.Table, size: float, rng: np.random.Generator) -> pa.Table:
    """Replace rows by those of a generator fitted to the reference."""
    gone = _drawn(batch.num_rows, size, rng)
    model = recipe(bed.recipe).fit(bed.reference, rng)
    drawn = canonical_table(model.sample(len(gone), rng))
    return _replaced(bed, batch, gone, drawn)


def _copies(bed: Bed, batch: pa.Table, size: float, rng: np.random.Generator) -> pa.Table:
    """Replace rows by rows of the reference."""
    reference = canonical_table(bed.reference)
    gone = _drawn(min(batch.num_rows, reference.num_rows), size, rng)
    copied = reference.take(positions(rng.permutation(reference.num_rows)[: len(gone)]))
    return _replaced(bed, batch, gone, copied)


def _tails(bed: Bed, batch: pa.Table, size: float, rng: np.random.Generator) -> pa.Table:
    """Take the rows at both ends of one number away."""
    values = _numbers(batch, _one_number(bed, batch, rng))
    low, high = np.nanquantile(values, [size / 2, 1 - size / 2])
    return _kept(batch, ~((values < low) | (values > high)))


def _level(bed: Bed, batch: pa.Table, _size: float, rng: np.random.Generator) -> pa.Table:
    """Take the rows of one level away; without categories, those in one tenth of a number."""
    found = []
    for spec in bed.batch.schema.compared:
        if spec.kind in NOMINAL:
            levels, held = np.unique(
                [str(value) for value in batch[spec.name].to_pylist() if value is not None],
                return_counts=True,
            )
            shares = held / max(batch.num_rows, 1)
            fits = (shares >= LEVEL_SHARES[0]) & (shares <= LEVEL_SHARES[1])
            found += [(spec.name, level) for level in levels[fits]]
    if found:
        column, level = found[rng.integers(len(found))]
        values = np.array([str(value) for value in batch[column].to_pylist()])
        return _kept(batch, values != level)
    values = _numbers(batch, _one_number(bed, batch, rng))
    start = rng.uniform(0, 0.9)
    low, high = np.nanquantile(values, [start, start + 0.1])
    return _kept(batch, ~((values >= low) & (values <= high)))


def _correlation(bed: Bed, batch: pa.Table, _size: float, rng: np.random.Generator) -> pa.Table:
    """Shuffle one number among the rows."""
    reference = canonical_table(bed.reference)
    names = _varying(bed, reference)
    ranks = [_ranks(_numbers(reference, name)) for name in names]
    ties = np.abs(np.atleast_2d(np.corrcoef(ranks))) if names else np.zeros((0, 0))
    np.fill_diagonal(ties, 0.0)
    tied = [name for name, own in zip(names, ties, strict=True) if own.max(initial=0) >= LEAST_TIE]
    if not tied:
        raise CannotPlant(f"no two numbers have a rank correlation of {LEAST_TIE} or more")
    name = tied[rng.integers(len(tied))]
    shuffled = batch[name].take(positions(rng.permutation(batch.num_rows)))
    return batch.set_column(batch.schema.get_field_index(name), name, shuffled)


def _shift(bed: Bed, batch: pa.Table, size: float, rng: np.random.Generator) -> pa.Table:
    """Move one number; a whole number by at least one."""
    import pyarrow as pa
    from pyarrow import compute

    name = _one_number(bed, batch, rng)
    step = size * float(np.nanstd(_numbers(batch, name)))
    column, kind = batch[name], batch.schema.field(name).type
    if bed.batch.schema[name].kind is Kind.INTEGER:
        step = max(1.0, round(step))
    moved = compute.add(column, pa.scalar(step).cast(kind))
    return batch.set_column(batch.schema.get_field_index(name), name, moved)


_PLANTERS = {
    "nothing": _nothing,
    "synthetic": _synthetic,
    "tails": _tails,
    "level": _level,
    "copies": _copies,
    "correlation": _correlation,
    "shift": _shift,
}


def _drawn(rows: int, share: float, rng: np.random.Generator) -> Places:
    """Return the places of a random share of rows, one at the least."""
    return rng.permutation(rows)[: max(1, round(share * rows))]


def _replaced(bed: Bed, batch: pa.Table, gone: Places, new: pa.Table) -> pa.Table:
    """Return the batch with new rows in place of some; ids, groups and times stay."""
    import pyarrow as pa

    left = np.setdiff1d(np.arange(batch.num_rows), gone)
    keep, away = batch.take(positions(left)), batch.take(positions(gone))
    columns = []
    for spec in bed.batch.schema.columns:
        stays = spec.role in (Role.ID, Role.GROUP, Role.TIME) or spec.name not in new.column_names
        drawn = (away if stays else new)[spec.name].cast(batch.schema.field(spec.name).type)
        columns.append(pa.chunked_array([*keep[spec.name].chunks, *drawn.chunks]))
    table = pa.Table.from_arrays(columns, names=list(bed.batch.schema.names))
    return table.unify_dictionaries()


def _kept(batch: pa.Table, mark: NDArray[np.bool_]) -> pa.Table:
    if not 0 < mark.sum() < len(mark):
        raise CannotPlant("too many rows share one value")
    return batch.take(positions(np.flatnonzero(mark)))


def _one_number(bed: Bed, batch: pa.Table, rng: np.random.Generator) -> str:
    """Return one column of numbers that varies."""
    names = _varying(bed, batch)
    if not names:
        raise CannotPlant("no column holds numbers that vary")
    return names[rng.integers(len(names))]


def _varying(bed: Bed, table: pa.Table) -> list[str]:
    """Return the columns of numbers that hold more than one value."""
    names = bed.batch.schema.of(*ORDERED)
    return [name for name in names if np.ptp(_finite(_numbers(table, name))) > 0]


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    values = as_numbers(table[name].combine_chunks())
    return np.where(np.isfinite(values), values, np.nan)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = values[np.isfinite(values)]
    return kept if len(kept) else np.zeros(1)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return middle ranks; missing values lie in the middle."""
    from scipy.stats import rankdata

    ranks: NDArray[np.float64] = rankdata(np.where(np.isnan(values), np.nanmedian(values), values))
    return ranks
