"""Many differences of means at once: one permutation null for the largest and for the sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_CHUNK = 1024
_NOISE = np.float32(1e-10)
"""Variance below which a mean is a constant, seen through float32 rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ManyMeans:
    """The differences of k means, tested together.

    Attributes:
        difference: Shape (k,): mean of the first sample less that of the second.
        error: Shape (k,): its standard error.
        p_values: Shape (k,): family-wise adjusted (max-T), in (0, 1].
        p_value: Of no difference at all, by the largest and the sum, in (0, 1].
        critical: The 95 % point of the largest studentised difference by chance.
        by_chance: The median of the largest plain difference by chance.

    """

    difference: NDArray[np.float64]
    error: NDArray[np.float64]
    p_values: NDArray[np.float64]
    p_value: float
    critical: float
    by_chance: float


def many_means(
    sums: NDArray[np.float32],
    rows: NDArray[np.int64],
    *,
    first: int,
    weights: NDArray[np.float64],
    permutations: int,
    rng: np.random.Generator,
) -> ManyMeans:
    """Test k differences of means by permuting bundles of rows between two samples.

    Args:
        sums: Sum of each value over each bundle of rows, shape (bundles, k), centered
            near 0; the first sample's bundles come first.
        rows: Rows in each bundle, shape (bundles,).
        first: Bundles of the first sample; at least 2 in either.
        weights: Weight of each squared studentised difference in the sum, shape (k,).
        permutations: Their number b.
        rng: Draws them.

    The p-value of one mean is its rank among the permutations' largest studentised
    differences. Where nothing permuted is as large, b permutations cannot say how small
    the p-value is: it is then the Bonferroni bound from Student's t, if that is smaller.
    (Both are valid alone, and each is used only on its own side of 1 / (b + 1).) The
    overall p-value ranks the smaller of the two ranks, of the largest and of the sum.

    Cost: O(b * bundles * k) in float32 matrix products.
    Sources: Janssen (1997), Stat. Probab. Lett. 36, and Chung and Romano (2013), Ann.
    Stat. 41 (studentised permutation); Westfall and Young (1993) (max-T).

    """
    swaps = _swaps(first, len(rows) - first, permutations, rng)
    null = _Null.empty(permutations + 1, sums.shape[1])
    for chunk in _chunks(sums.shape[1]):
        null.add(chunk, sums[:, chunk], swaps, rows, weights[chunk])
    floor = 1.0 / (permutations + 1)
    freedom = min(first, len(rows) - first) - 1
    tail = 2.0 * special.stdtr(freedom, -np.abs(null.studentised)) * sums.shape[1]
    by_rank = _ranks(null.largest, np.abs(null.studentised))
    p_values = np.where(by_rank <= floor, np.minimum(floor, tail), by_rank)
    ranked = np.minimum(_ranks(null.largest, null.largest), _ranks(null.total, null.total))
    p_value = float(np.mean(ranked <= ranked[0]))
    if p_value <= floor:
        p_value = min(floor, 2.0 * float(tail.min()))
    return ManyMeans(
        difference=null.studentised * null.error,
        error=null.error,
        p_values=np.maximum(p_values, np.finfo(float).tiny),
        p_value=max(p_value, float(np.finfo(float).tiny)),
        critical=float(np.quantile(null.largest[1:], 0.95)),
        by_chance=float(np.median(null.widest[1:])),
    )


def _ranks(
    null: NDArray[np.float32] | NDArray[np.float64],
    values: NDArray[np.float32] | NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the share of the null, the data themselves included, that is at least as large."""
    return (len(null) - np.searchsorted(np.sort(null), values, side="left")) / len(null)


def _swaps(n: int, m: int, permutations: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return which bundles are the reference: row 0 as they are, then the permutations."""
    swaps = np.zeros((permutations + 1, n + m), dtype=np.float32)
    swaps[0, :n] = 1
    for row in swaps[1:]:
        row[rng.permutation(n + m)[:n]] = 1
    return swaps


def _chunks(length: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, length, _CHUNK))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Null:
    """What is kept of all permutations; place 0 holds the data as they are."""

    largest: NDArray[np.float32]
    widest: NDArray[np.float32]
    total: NDArray[np.float64]
    error: NDArray[np.float64]
    studentised: NDArray[np.float64]

    @classmethod
    def empty(cls, swaps: int, length: int) -> _Null:
        return cls(
            largest=np.zeros(swaps, np.float32),
            widest=np.zeros(swaps, np.float32),
            total=np.zeros(swaps),
            error=np.zeros(length),
            studentised=np.zeros(length),
        )

    def add(
        self,
        chunk: slice,
        influence: NDArray[np.float32],
        swaps: NDArray[np.float32],
        rows: NDArray[np.int64],
        weights: NDArray[np.float64],
    ) -> None:
        """Take in some coefficients under every permutation."""
        square = np.square(influence)
        bundles = swaps.sum(axis=1)[:, None]
        n = (swaps @ rows.astype(np.float32))[:, None]
        sums, squares = swaps @ influence, swaps @ square
        difference, variance = _moments(sums, squares, n, bundles)
        np.subtract(influence.sum(axis=0), sums, out=sums)
        np.subtract(square.sum(axis=0), squares, out=squares)
        other, spread = _moments(sums, squares, rows.sum() - n, len(rows) - bundles)
        difference -= other
        error = np.sqrt(np.maximum(variance + spread, _NOISE))
        self.error[chunk] = error[0]
        np.maximum(self.widest, np.abs(difference).max(axis=1), out=self.widest)
        difference /= error
        self.studentised[chunk] = difference[0]
        np.maximum(self.largest, np.abs(difference).max(axis=1), out=self.largest)
        self.total[:] += np.square(difference) @ weights


def _moments(
    sums: NDArray[np.float32],
    squares: NDArray[np.float32],
    rows: NDArray[np.float32],
    bundles: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean of one side and the variance of that mean, by permutation."""
    mean = sums / rows
    variance = (squares / np.square(rows) - np.square(mean) / bundles) * (bundles / (bundles - 1))
    return mean, variance
