"""Exact, mergeable summaries of one column: counts, moments, extremes, levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumericSummary:
    """A column of numbers against edges frozen by the reference.

    Attributes:
        n: Present, finite values.
        missing: Nulls.
        negative_infinite: Values equal to minus infinity.
        positive_infinite: Values equal to infinity.
        mean: Mean of the finite values; 0.0 when there are none.
        m2: Sum of squared deviations from the mean.
        minimum: Smallest finite value; None when there are none.
        maximum: Largest finite value; None when there are none.
        edges: Sorted distinct edges, shape (e,), float64. They are values of the
            reference: all of its distinct values when it has few, else quantiles.
        counts: Shape (2 e + 1,), int64. Even places count the values strictly
            between two edges (place 0: below the first, place 2e: above the last);
            odd place 2i+1 counts the values equal to edge i. Ties and atoms such as
            a spike at zero therefore have a place of their own.

    """

    n: int
    missing: int
    negative_infinite: int
    positive_infinite: int
    mean: float
    m2: float
    minimum: float | None
    maximum: float | None
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Return all rows of the column, missing and infinite ones included."""
        return self.n + self.missing + self.negative_infinite + self.positive_infinite


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelSummary:
    """A column of levels (category, boolean) with exact counts.

    Attributes:
        n: Present values.
        missing: Nulls.
        levels: Count of each level. Complete unless `spilled` is above zero.
        spilled: Rows whose level is not in `levels`, because the column has more
            distinct levels than a profile keeps (`MAX_LEVELS`).

    """

    n: int
    missing: int
    levels: Mapping[str, int]
    spilled: int = 0

    @property
    def rows(self) -> int:
        """Return all rows of the column."""
        return self.n + self.missing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpaqueSummary:
    """A column that is not compared by itself (text, vector): presence only."""

    n: int
    missing: int

    @property
    def rows(self) -> int:
        """Return all rows of the column."""
        return self.n + self.missing


ColumnSummary = NumericSummary | LevelSummary | OpaqueSummary
