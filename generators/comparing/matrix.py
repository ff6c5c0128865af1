"""Tables as matrices that trees can read: the same code for real and for drawn rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.arrays import as_indices, as_numbers, as_vectors
from detector.data.schema import NOMINAL, ORDERED, Kind
from detector.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec

    Numbers = NDArray[np.float64]

LARGEST = 3e37
"""A tenth of what float32 holds: room for the ends that are made up for infinite values."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coder:
    """Writes the compared columns as numbers; ids, groups and running text are left out.

    Attributes:
        columns: The columns that are written.
        levels: Levels of the nominal ones, the most frequent first.

    """

    columns: tuple[ColumnSpec, ...]
    levels: Mapping[str, Mapping[str, int]]

    @staticmethod
    def learn(table: pa.Table, columns: tuple[ColumnSpec, ...]) -> Coder:
        """Return the code of a real table.

        Args:
            table: All real rows, in canonical types.
            columns: The compared ones of its schema.

        Raises:
            DetectorError: There is nothing to compare.

        """
        kept = tuple(spec for spec in columns if spec.kind is not Kind.TEXT)
        if not kept:
            raise DetectorError(
                "There are no columns to compare.",
                hint="Ids, groups and running text are not; change a column's role or kind.",
            )
        nominal = [spec.name for spec in kept if spec.kind in NOMINAL]
        return Coder(columns=kept, levels={name: _ranked(table[name]) for name in nominal})

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the column that each number belongs to."""
        return tuple(spec.name for spec in self.columns for _ in range(spec.width))

    @property
    def nominal(self) -> NDArray[np.bool_]:
        """Return which numbers are levels, shape (d,)."""
        found = [spec.kind in NOMINAL for spec in self.columns for _ in range(spec.width)]
        return np.array(found, bool)

    def numbers(self, table: pa.Table) -> Numbers:
        """Return rows as float64 (n, d), NaN where a value is missing."""
        return np.column_stack([self._column(table, spec) for spec in self.columns])

    def _column(self, table: pa.Table, spec: ColumnSpec) -> Numbers:
        column: Any = table[spec.name].combine_chunks()
        if spec.kind in ORDERED:
            return as_numbers(column)
        if spec.kind is Kind.VECTOR:
            return as_vectors(column)
        known = self.levels[spec.name]
        codes = [known.get(level, len(known)) for level in column.dictionary.to_pylist()]
        read = np.array([*codes, np.nan], np.float64)
        found: Numbers = read[as_indices(column)]
        return found


def _ranked(column: pa.ChunkedArray) -> dict[str, int]:
    """Return the place of each level when they are sorted by their counts."""
    held: Any = column.combine_chunks()
    names = held.dictionary.to_pylist()
    counts = Counter(dict.fromkeys(names, 0))
    for place, count in enumerate(np.bincount(as_indices(held) + 1, minlength=len(names) + 1)[1:]):
        counts[names[place]] += int(count)
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: place for place, name in enumerate(ordered)}


def filled(rows: Numbers) -> Numbers:
    """Return rows with a number below all others for what is missing, and finite ends.

    Forests read float32, so what is beyond a tenth of its range stops there.
    """
    rows = np.clip(rows, -LARGEST, LARGEST)
    finite = np.where(np.abs(rows) < LARGEST, rows, np.nan)
    with np.errstate(all="ignore"):
        low = np.min(np.where(np.isnan(finite), np.inf, finite), axis=0)
        high = np.max(np.where(np.isnan(finite), -np.inf, finite), axis=0)
    low, high = (np.where(np.isfinite(end), end, 0.0) for end in (low, high))
    span = np.maximum(high - low, 1.0)
    ended = np.clip(np.where(np.isnan(rows), 0.0, rows), low - span, high + span)
    return np.where(np.isnan(rows), low - 2.0 * span, ended)
