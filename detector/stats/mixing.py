"""The share of one known law in a mixture with another, from a sample of each of the three."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from detector.stats.proportions import SMALLEST_P, Z_95

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_GRID = np.concatenate(
    ([0.0], np.geomspace(1e-5, 0.01, 31), np.linspace(0.01, 0.99, 99)[1:-1],
     1 - np.geomspace(0.01, 1e-5, 31), [1.0])
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureShare:
    """The share of the other law.

    Attributes:
        value: In [0, 1].
        interval: 95 %, inside [0, 1], with the errors of all three samples in it.
        p_value: One-sided, of a share of 0, in (0, 1].
        null_error: The standard error where the share is 0.

    """

    value: float
    interval: tuple[float, float]
    p_value: float
    null_error: float


def mixture_share(reference: Numbers, other: Numbers, mixed: Numbers) -> MixtureShare:
    """Return the share a of the other law in (1 - a) reference + a other.

    For any function g of the rows the mixed sample's mean of g is the mixture of the two pure
    samples' means. The g whose equation has the smallest error at share a is (r - 1) / D with
    r the density ratio and D = (1 - a + a r) / m + (1 - a)^2 / n + a^2 r / k; with large pure
    samples it is the score function, and the answer the maximum-likelihood one. A wrong ratio
    costs precision and never the truth. The interval holds every share whose
    equation is within 1.96 errors of zero, where the error is the one that holds at that share:
    it stays honest at 0 and 1, and becomes [0, 1] where the laws are alike.

    Args:
        reference: Estimated density ratio, other over reference, at rows of the reference's law,
            shape (n,), n >= 2, positive, by models not fitted to these rows.
        other: The same at rows of the other law, shape (k,), k >= 2.
        mixed: The same at rows of the mixture, shape (m,), m >= 2.

    Cost: O(rows) for each of 161 shares.
    Source: Anderson (1979), Biometrika 66, for three samples; Rao's score interval (1948).

    >>> one, two = np.full(100, 0.1), np.full(100, 10.0)
    >>> found = mixture_share(one, two, np.concatenate((one, two[:50])))
    >>> round(found.value, 3), [round(end, 2) for end in found.interval]
    (0.333, [0.26, 0.41])

    """
    if min(len(reference), len(other), len(mixed)) < 2:
        raise ValueError("each sample needs two rows")
    samples = [np.unique(side, return_counts=True) for side in (reference, other, mixed)]
    found = np.array([_equation(share, samples) for share in _GRID])
    z, error = found[:, 0], found[:, 1]
    value = _crossing(z, 0.0)
    return MixtureShare(
        value=value,
        interval=(min(_crossing(z, Z_95), value), max(_crossing(z, -Z_95), value)),
        p_value=float(max(ndtr(-z[0]), SMALLEST_P)),
        null_error=float(error[0]),
    )


def _equation(
    share: float, samples: list[tuple[Numbers, NDArray[np.int64]]]
) -> tuple[float, float]:
    """Return how far the equation is from zero in its errors, and the share's own error."""
    n, k, m = (int(count.sum()) for _, count in samples)
    means, squares = [], []
    for ratio, count in samples:
        spread = (1 - share + share * ratio) / m + (1 - share) ** 2 / n + share**2 * ratio / k
        weight = (ratio - 1) / spread
        means.append(float(weight @ count) / count.sum())
        squares.append(float(weight**2 @ count) / count.sum())
    pure = (1 - share) * means[0] + share * means[1]
    apart = means[1] - means[0]
    # A sample without rows like the other's may be one row short of having some: half a row
    # of the other law in each keeps a share of 0 or 1 from looking certain.
    one = (
        squares[0]
        - means[0] ** 2
        + 0.5 / n * (squares[1] - 2 * means[0] * means[1] + means[0] ** 2)
    )
    two = (
        squares[1]
        - means[1] ** 2
        + 0.5 / k * (squares[0] - 2 * means[0] * means[1] + means[1] ** 2)
    )
    both = (1 - share) * squares[0] + share * squares[1] - pure**2
    variance = max(both, 0.0) / m + (1 - share) ** 2 * one / n + share**2 * two / k
    if apart <= 0 or variance <= 0:
        return 0.0, 1.0
    return (means[2] - pure) / variance**0.5, variance**0.5 / apart


def _crossing(z: Numbers, level: float) -> float:
    """Return the last share at which z is at least the level, between grid points."""
    at_least = np.flatnonzero(z >= level)
    if not len(at_least):
        return 0.0
    last = int(at_least[-1])
    if last == len(z) - 1:
        return 1.0
    step = (z[last] - level) / (z[last] - z[last + 1])
    return float(_GRID[last] + step * (_GRID[last + 1] - _GRID[last]))
