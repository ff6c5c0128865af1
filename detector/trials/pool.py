"""The rows that trials are drawn from, and two random sides of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.data.arrays import positions
from detector.data.dataset import Dataset
from detector.data.export import canonical_table
from detector.data.schema import Role
from detector.errors import DetectorError
from detector.recipes import row_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

LEAST_ROWS, LEAST_GROUPS = 200, 10
"""Rows, and groups where rows come in groups, that each side of a trial needs."""

MOST_ROWS = 200_000
"""Rows that are held in memory; of a larger reference, a random part."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Rows in memory.

    Attributes:
        data: The data set that they come from.
        table: The rows in canonical types, in an order of their own: how the file was sorted
            changes nothing.
        unit: What stays together, a number for each row, shape (n,): its group, or the row.

    """

    data: Dataset
    table: pa.Table
    unit: Places

    @staticmethod
    def of(data: Dataset, rng: np.random.Generator) -> Pool:
        """Read a data set; of more than `MOST_ROWS` rows, a random part.

        Raises:
            DetectorError: There are too few rows, or groups, for two sides.

        """
        table = canonical_table(_part(data, rng))
        order = np.argsort(row_hashes(dataset_of(table, data)), kind="stable")
        table = table.take(positions(order))
        group = data.schema.role(Role.GROUP)
        unit = np.arange(table.num_rows) if group is None else codes(table, group)
        _refuse_few(data.name, table.num_rows, None if group is None else int(unit.max(initial=-1)))
        return Pool(data=data, table=table, unit=unit)

    def sides(self, rows: int, rng: np.random.Generator) -> tuple[Places, Places]:
        """Return the places of two disjoint random sides; what stays together does.

        Args:
            rows: Rows of each side, at most (in groups: the last one may go beyond).
            rng: The stream to draw from.

        """
        target = min(rows, self.table.num_rows // 2)
        held = np.bincount(self.unit)
        order = rng.permutation(len(held))
        first = _until(held[order], target)
        if first.all():  # one huge group came last
            first[-1] = False
        second = ~first & _until(np.where(first, 0, held[order]), target)
        marks = np.zeros((2, len(held)), bool)
        marks[:, order] = first, second
        one, two = (rng.permutation(np.flatnonzero(mark[self.unit])) for mark in marks)
        return one, two

    def dataset(self, places: Places, name: str) -> Dataset:
        """Return rows by their places."""
        return dataset_of(self.table.take(positions(places)), self.data, name=name)


def dataset_of(table: pa.Table, like: Dataset, *, name: str | None = None) -> Dataset:
    """Return canonical rows as a data set with the schema of another one, and no source."""
    batches: Sequence[pa.RecordBatch] = table.combine_chunks().to_batches()

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return (batch.select(list(columns)) for batch in batches)

    return Dataset(name=name or like.name, schema=like.schema, read=read, n_rows=table.num_rows)


def codes(table: pa.Table, column: str) -> Places:
    """Return a number for each value of a column, missing being one of them, shape (n,)."""
    texts = [str(value) for value in table[column].to_pylist()]
    return np.unique(texts, return_inverse=True)[1].astype(np.int64)


def _until(held: Places, target: int) -> NDArray[np.bool_]:
    """Return which units to take, one after the other, until the target is reached."""
    return np.asarray(np.cumsum(held) - held < target)


def _part(data: Dataset, rng: np.random.Generator) -> Dataset:
    """Return the data set, or its units with the smallest random keys."""
    import pyarrow as pa

    if data.n_rows is not None and data.n_rows <= MOST_ROWS:
        return data
    salt, group = rng.bytes(16), data.schema.role(Role.GROUP)
    kept: list[pa.RecordBatch] = []
    keys: list[NDArray[np.float64]] = []
    for batch in data.batches():
        kept.append(batch)
        keys.append(rng.random(len(batch)) if group is None else _keys(batch[group], salt))
        if sum(map(len, keys)) > 2 * MOST_ROWS:
            kept, keys = _smallest(kept, keys)
    kept, _ = _smallest(kept, keys)
    return dataset_of(pa.Table.from_batches(kept).unify_dictionaries(), data) if kept else data


def _smallest(
    batches: list[pa.RecordBatch], keys: list[NDArray[np.float64]]
) -> tuple[list[pa.RecordBatch], list[NDArray[np.float64]]]:
    """Return the `MOST_ROWS` rows with the smallest keys, and rows that share the last key."""
    import pyarrow as pa

    if sum(map(len, keys)) <= MOST_ROWS:
        return batches, keys
    all_keys = np.concatenate(keys)
    mark = all_keys <= np.partition(all_keys, MOST_ROWS - 1)[MOST_ROWS - 1]
    table = pa.Table.from_batches(batches).unify_dictionaries()
    table = table.take(positions(np.flatnonzero(mark))).combine_chunks()
    return table.to_batches(), [all_keys[mark]]


def _keys(column: pa.Array, salt: bytes) -> NDArray[np.float64]:
    """Return a random number in [0, 1) for each value, equal values having equal ones."""
    values = [str(value) for value in column.to_pylist()]

    def key(value: str) -> float:
        digest = hashlib.blake2b(value.encode(errors="surrogatepass"), key=salt, digest_size=8)
        return int.from_bytes(digest.digest(), "little") / 2**64

    known = {value: key(value) for value in set(values)}
    return np.array([known[value] for value in values])


def _refuse_few(name: str, rows: int, last_group: int | None) -> None:
    """Refuse what cannot be cut in two sides that a gate can judge."""
    if rows < 2 * LEAST_ROWS:
        raise DetectorError(
            f"`{name}` has {rows} rows; a self-test needs {2 * LEAST_ROWS}.",
            hint=f"It compares two sides of at least {LEAST_ROWS} rows each.",
        )
    if last_group is not None and last_group + 1 < 2 * LEAST_GROUPS:
        raise DetectorError(
            f"`{name}` has {last_group + 1} groups; a self-test needs {2 * LEAST_GROUPS}.",
            hint="Groups stay whole. Give the column another role if its rows stand alone.",
        )
