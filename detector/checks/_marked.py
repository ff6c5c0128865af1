"""Columns of one side as numbers and codes, for marks that need no other side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.data.schema import NOMINAL, Kind
from detector.profiles.columns import as_codes, as_numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int64]

_HARDLY_REPEAT = 4
_LARGEST = 1e150


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marked:
    """Rows of one side, column by column.

    Attributes:
        rows: Their number.
        numbers: Values of numeric and integer columns, NaN where missing or not finite.
        codes: A code for each value of each ordered or nominal column, from 0; missing is one.

    """

    rows: int
    numbers: dict[str, Numbers]
    codes: dict[str, Codes]

    @classmethod
    def of(cls, table: pa.Table, schema: Schema, names: tuple[str, ...]) -> Marked:
        """Read the columns of a table."""
        numbers, codes = {}, {}
        for name in names:
            kind, column = schema[name].kind, table[name].combine_chunks()
            if kind in NOMINAL:
                codes[name] = _renumbered(as_codes(column)[0])
                continue
            values = as_numbers(column)
            codes[name] = _renumbered(values)
            if kind is not Kind.DATETIME:
                usable = np.abs(values) <= _LARGEST
                numbers[name] = np.where(usable, values, np.nan)
        return cls(rows=len(table), numbers=numbers, codes=codes)

    def present(self, name: str) -> Numbers:
        """Return the values of a column of numbers that are there."""
        values = self.numbers[name]
        return values[~np.isnan(values)]

    @property
    def continuous(self) -> list[str]:
        """Return the columns of numbers whose values hardly repeat."""
        return [
            name
            for name in self.numbers
            if len(np.unique(self.codes[name])) * _HARDLY_REPEAT >= self.rows
        ]


def _renumbered(values: NDArray[np.float64] | NDArray[np.int32]) -> Codes:
    """Return codes from 0; equal values have equal codes, and so have missing ones."""
    _, codes = np.unique(values, return_inverse=True)
    return codes.astype(np.int64)
