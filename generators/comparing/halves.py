"""Real rows cut in two halves: one that recipes are fitted to, one that none of them sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.arrays import positions
from detector.data.dataset import Dataset
from detector.data.export import canonical_table
from detector.data.schema import Role
from detector.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

LEAST_ROWS, LEAST_GROUPS = 40, 8
"""Twenty rows, or four groups, in each half."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Half:
    """One half of a data set.

    Attributes:
        rows: As a data set.
        table: The same in memory, in canonical types.
        groups: The group of each row, shape (n,); None where rows stand alone.

    """

    rows: Dataset
    table: pa.Table
    groups: Codes | None


def halves(data: Dataset, rng: np.random.Generator) -> tuple[Half, Half]:
    """Return two random halves; the rows of one group stay together.

    Raises:
        DetectorError: There are too few rows, or groups, for two halves.

    """
    table = canonical_table(data)
    group = data.schema.role(Role.GROUP)
    units = None if group is None else _codes(table[group])
    _check(data.name, table.num_rows, units)
    if units is None:
        order = rng.permutation(table.num_rows)
        first = np.zeros(table.num_rows, bool)
        first[order[: table.num_rows // 2]] = True
    else:
        first = _first_groups(units, rng)[units]
    return tuple(_half(data, table, units, side, rng) for side in (first, ~first))  # type: ignore[return-value]


def _check(name: str, rows: int, units: Codes | None) -> None:
    """Refuse what cannot be cut in two halves that say anything."""
    if rows < LEAST_ROWS:
        raise DetectorError(f"`{name}` has {rows} rows; comparing needs {LEAST_ROWS} at least.")
    if units is not None and (count := len(np.unique(units))) < LEAST_GROUPS:
        raise DetectorError(
            f"`{name}` has {count} groups; comparing needs {LEAST_GROUPS} at least.",
            hint="Groups stay whole. Give the column another role if its rows stand alone.",
        )


def _first_groups(units: Codes, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which groups go into the first half: shuffled, until it holds half of the rows."""
    held = np.bincount(units)
    order = rng.permutation(len(held))
    before = np.cumsum(held[order]) - held[order]
    chosen = np.zeros(len(held), bool)
    chosen[order[before < held.sum() / 2]] = True
    if chosen.sum() > len(held) - LEAST_GROUPS // 2:  # one huge group came last
        chosen[order[-LEAST_GROUPS // 2 :]] = False
    return chosen


def _codes(column: pa.ChunkedArray) -> Codes:
    """Return a number for each value, missing being one of them, shape (n,)."""
    _, codes = np.unique([str(value) for value in column.to_pylist()], return_inverse=True)
    return np.asarray(codes, np.int64)


def _half(
    data: Dataset,
    table: pa.Table,
    units: Codes | None,
    side: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Half:
    places = rng.permutation(np.flatnonzero(side))
    part = table.take(positions(places)).combine_chunks()
    rows = as_dataset(part, data)
    return Half(rows=rows, table=part, groups=None if units is None else units[places])


def as_dataset(table: pa.Table, like: Dataset) -> Dataset:
    """Return canonical rows as a data set with the name, schema and metadata of another one."""
    batches: Sequence[Any] = table.to_batches()

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return (batch.select(list(columns)) for batch in batches)

    return Dataset(
        name=like.name,
        schema=like.schema,
        read=read,
        n_rows=table.num_rows,
        metadata=like.metadata,
        notes=like.notes,
    )
