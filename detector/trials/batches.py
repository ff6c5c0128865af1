"""Good batches that the user has already: the values of one column, or the months of a date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.data.arrays import as_numbers
from detector.data.schema import Kind
from detector.errors import DetectorError
from detector.trials.pool import codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.trials.pool import Pool

    Places = NDArray[np.int64]

LEAST_ROWS = 100
"""Rows of a batch that is looked at."""

MOST_BATCHES = 60
"""Of more batches, so many are drawn."""

UNITS = ("D", "M", "Y")
"""Days, months, years: the finest that fills most of its batches is taken."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batches:
    """Rows by batch.

    Attributes:
        batch: The batch of each row, shape (n,).
        large: The batches with rows enough, in random order.
        left_out: How many are too small.

    """

    batch: Places
    large: Places
    left_out: int

    @staticmethod
    def of(pool: Pool, by: str, rng: np.random.Generator) -> Batches:
        """Cut the rows into batches.

        Raises:
            DetectorError: Fewer than two batches have rows enough.

        """
        ways = _dates(pool, by) if pool.data.schema[by].kind is Kind.DATETIME else []
        for batch in (codes(pool.table, by), *ways):
            held = np.bincount(batch)
            large = np.flatnonzero(held >= LEAST_ROWS)
            if len(large) >= 2 and held[large].sum() >= len(batch) / 2:
                left_out = len(held) - len(large)
                return Batches(batch=batch, large=rng.permutation(large), left_out=left_out)
        count = len(np.unique(codes(pool.table, by)))
        what = "one value" if count == 1 else f"{count:,} values, too few with {LEAST_ROWS} rows"
        raise DetectorError(
            f"`{by}` has {what}; margins need two batches.",
            hint=f"Name a column whose values each mark {LEAST_ROWS} rows or more.",
        )

    def pairs(
        self, rows: int, rng: np.random.Generator, *, most: int = MOST_BATCHES
    ) -> list[tuple[Places, Places]]:
        """Return places of the rest and of the batch, for each batch that is looked at.

        Args:
            rows: Rows of each side, at most.
            rng: The stream to draw from.
            most: Batches, at most.

        """
        found = []
        for own in self.large[:most]:
            inside, rest = (np.flatnonzero(mark) for mark in (self.batch == own, self.batch != own))
            found.append((rng.permutation(rest)[:rows], rng.permutation(inside)[:rows]))
        return found


def refuse_absent(pool: Pool, by: str) -> None:
    """Refuse a column that does not exist."""
    if by not in pool.data.schema:
        names = ", ".join(pool.data.schema.names[:12])
        raise DetectorError(
            f"`{pool.data.name}` has no column `{by}`.", hint=f"Its columns begin with: {names}."
        )


def _dates(pool: Pool, by: str) -> list[Places]:
    """Return the batches by day, month and year; what is missing is a batch of its own."""
    seconds = as_numbers(pool.table[by].combine_chunks())
    known = np.isfinite(seconds) & (np.abs(seconds) < 2**40)
    instants = np.where(known, seconds, 0).astype("datetime64[s]")
    found = []
    for unit in UNITS:
        numbers = instants.astype(f"datetime64[{unit}]").astype(np.int64)
        numbers = np.where(known, numbers, np.iinfo(np.int64).min)
        found.append(np.unique(numbers, return_inverse=True)[1].astype(np.int64))
    return found
