"""How often values repeat, whatever their order, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMIT = 131_072
"""Distinct values that are counted one by one; beyond it, a sample of values is."""


class Repeats:
    """Counts of values, by hash: exact up to `LIMIT` distinct values.

    Beyond that only the values whose hash lies below a ceiling are kept, each with its
    full count, and the ceiling is halved until they fit. Which values are kept depends on
    the set of values alone, so the answer never depends on the order of rows.

    Attributes:
        exact: Every distinct value is counted.

    """

    def __init__(self) -> None:
        """Start with no values."""
        self.exact = True
        self._ceiling = np.uint64(2**64 - 1)
        self._hashes = np.empty(0, np.uint64)
        self._counts = np.empty(0, np.int64)

    def add(self, hashes: NDArray[np.uint64], counts: NDArray[np.int64] | None = None) -> None:
        """Count values, shape (n,), each once or as often as `counts` says."""
        if counts is None:
            counts = np.ones(len(hashes), np.int64)
        kept = hashes <= self._ceiling
        pooled = np.concatenate((self._hashes, hashes[kept]))
        weights = np.concatenate((self._counts, counts[kept]))
        self._hashes, places = np.unique(pooled, return_inverse=True)
        self._counts = np.zeros(len(self._hashes), np.int64)
        np.add.at(self._counts, places, weights)
        while len(self._hashes) > LIMIT:
            self.exact = False
            self._ceiling >>= np.uint64(1)
            size = int(np.searchsorted(self._hashes, self._ceiling, side="right"))
            self._hashes, self._counts = self._hashes[:size], self._counts[:size]

    @property
    def distinct(self) -> int:
        """Return the number of distinct values counted."""
        return len(self._hashes)

    @property
    def rows(self) -> int:
        """Return the number of rows that hold them."""
        return int(self._counts.sum())

    @property
    def all_differ(self) -> bool:
        """Tell whether no value counted came twice; with no values they do."""
        return self.distinct == self.rows
