"""Mergeable means and covariances of the ordered columns, pairwise complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_BLOCK = 16_384


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """First and second moments about a frozen center.

    Attributes:
        columns: The ordered columns, p of them.
        center: Frozen center of each column, shape (p,).
        pairs: Rows with both columns present and finite, shape (p, p).
        first: Sum of column i - center over rows where j is present, shape (p, p).
        second: Sum of products of deviations from the centers, shape (p, p).

    """

    columns: tuple[str, ...]
    center: NDArray[np.float64]
    pairs: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]

    def mean(self) -> NDArray[np.float64]:
        """Return the column means, shape (p,); NaN where a column has no values."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.center + np.diag(self.first) / np.diag(self.pairs)

    def covariance(self) -> NDArray[np.float64]:
        """Return pairwise complete covariances with n - 1, shape (p, p); NaN below two rows."""
        with np.errstate(invalid="ignore", divide="ignore"):
            scatter = self.second - self.first * self.first.T / self.pairs
            return np.where(self.pairs > 1, scatter / (self.pairs - 1), np.nan)


def fold_moments(
    numbers: Mapping[str, NDArray[np.float64]],
    columns: tuple[str, ...],
    center: NDArray[np.float64],
) -> Moments:
    """Return the moments of one batch; values are NaN where missing."""
    width = len(columns)
    pairs, first, second = (np.zeros((width, width)) for _ in range(3))
    rows = len(next(iter(numbers.values()))) if columns else 0
    for start in range(0, rows, _BLOCK):
        block = np.stack([numbers[name][start : start + _BLOCK] for name in columns], axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            block -= center
            present = np.isfinite(block)
            if present.all():
                pairs += len(block)
                first += block.sum(axis=0)[:, None]
            else:
                block[~present] = 0.0
                mask = present.astype(np.float64)
                pairs += mask.T @ mask
                first += block.T @ mask
            second += block.T @ block
    return Moments(columns=columns, center=center, pairs=pairs, first=first, second=second)


def merge_moments(parts: Sequence[Moments]) -> Moments:
    """Return the moments of all parts together: sums add."""
    return Moments(
        columns=parts[0].columns,
        center=parts[0].center,
        pairs=sum((part.pairs for part in parts[1:]), start=parts[0].pairs),
        first=sum((part.first for part in parts[1:]), start=parts[0].first),
        second=sum((part.second for part in parts[1:]), start=parts[0].second),
    )
