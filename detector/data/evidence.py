"""What a column's values allow, gathered over the whole column, whatever the row order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import numpy as np

from detector.data.arrays import as_numbers
from detector.data.hashing import mix
from detector.data.repeats import Repeats

if TYPE_CHECKING:
    import pyarrow as pa

FEW = 20
"""Whole numbers with at most this many values may be codes; the reason says so."""

_ID_WORD = re.compile(r"^$|(?:^|[\W_])(?:id|uuid|guid|index|row_?id|row_?names?)$", re.IGNORECASE)
_ID_CAMEL = re.compile(r"[a-z0-9](?:Id|ID)$|^Unnamed: 0$")


class Evidence(Protocol):
    """Gathers what the values of one column allow."""

    def add(self, column: pa.Array) -> None:
        """Look at a batch."""

    def settled(self, n_rows: int | None) -> bool:
        """Tell whether no further row can change the answer."""


def named_like_id(name: str) -> bool:
    """Tell whether a column is called like an identifier.

    >>> [named_like_id(name) for name in ("id", "user_id", "flightId", "rownames", "paid")]
    [True, True, True, True, False]
    """
    return bool(_ID_WORD.search(name) or _ID_CAMEL.search(name))


class Integers:
    """Whole numbers: the values when they are few, and whether one comes twice."""

    def __init__(self, *, named_id: bool) -> None:
        """Count repeats only for a column that is named like an id."""
        self.few: set[int] = set()
        self.many = False
        self._repeats = Repeats() if named_id else None

    def add(self, column: pa.Array) -> None:
        """Look at a batch of whole numbers."""
        import pyarrow as pa

        column = column.drop_null()
        if not self.many:
            values = column.unique()
            self.few.update(values.to_pylist() if len(values) <= FEW else range(FEW + 1))
            self.many = len(self.few) > FEW
        if self._repeats is not None and self._repeats.all_differ:
            column = column.cast(pa.int64(), safe=False)
            bits = np.frombuffer(column.buffers()[1] or b"", np.uint64)
            self._repeats.add(mix(bits[column.offset : column.offset + len(column)]))

    def settled(self, n_rows: int | None) -> bool:
        """Tell whether there are many values, and one came twice where that matters."""
        return self.many and not self.identifies

    @property
    def identifies(self) -> bool:
        """Tell whether it is named like an id and no value came twice."""
        return self._repeats is not None and self._repeats.all_differ


class Floats:
    """Numbers: whether all are whole, or 0 and 1."""

    def __init__(self) -> None:
        """Start with no values."""
        self.whole = self.zero_one = True
        self.wide = False

    def add(self, column: pa.Array) -> None:
        """Look at a batch of numbers."""
        values = as_numbers(column)
        values = values[~np.isnan(values)]
        self.whole &= bool(np.isfinite(values).all() and (np.floor(values) == values).all())
        self.zero_one &= bool(((values == 0) | (values == 1)).all())
        self.wide |= bool((np.abs(values) >= 2.0**63).any())

    def settled(self, n_rows: int | None) -> bool:
        """Tell whether a fraction was seen."""
        return not self.whole


class Lists:
    """Lists of numbers: whether all have the same length."""

    def __init__(self) -> None:
        """Start with no lists."""
        self.widths: set[int] = set()

    def add(self, column: pa.Array) -> None:
        """Look at a batch of lists."""
        from pyarrow import compute

        extremes = compute.min_max(compute.list_value_length(column)).as_py().values()
        self.widths.update(width for width in extremes if width is not None)

    def settled(self, n_rows: int | None) -> bool:
        """Tell whether two lengths were seen."""
        return len(self.widths) > 1
