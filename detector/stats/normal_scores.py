"""Normal scores of one sample: ranks on the normal scale, ties shared fairly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalScores:
    """The normal scores of a sample.

    Attributes:
        scores: Shape (n,): the mean of a standard normal variable over the value's
            share of the distribution; mean 0; 0.0 where the value is missing.
        drag: Shape (n,), mean 0: how much each row, by moving the ranks of the others,
            scales down a correlation with these scores (its relative influence).
        variance: Mean square of the scores, in (0, 1]; 0.0 for a constant column.

    """

    scores: NDArray[np.float64]
    drag: NDArray[np.float64]
    variance: float


def normal_scores(values: NDArray[np.float64]) -> NormalScores:
    """Return the normal scores of a column.

    A value that fills the ranks from share p to share q of its column scores
    E[Z | Z between the normal quantiles of p and q] with Z standard normal, so ties
    (zero-inflated, rounded, 0/1 columns) get the score of their place. For a latent
    normal pair with correlation r, cut into ties in any way on one side, the mean product
    of scores divided by both variances is r; and no rising transform of the column
    changes any score.

    Args:
        values: Shape (n,), NaN where missing; infinities are the extreme ranks.

    Cost: O(n log n).
    Source: van der Waerden (1952); for ties, Hájek and Šidák (1967), averaged scores.

    >>> normal_scores(np.array([1.0, 1.0, 2.0, 2.0])).scores.round(3).tolist()
    [-0.798, -0.798, 0.798, 0.798]

    """
    present = ~np.isnan(values)
    scores, drag = np.zeros(len(values)), np.zeros(len(values))
    order, starts, counts = _runs(values[present])
    if len(counts) < 2:
        return NormalScores(scores=scores, drag=drag, variance=0.0)
    untied = len(counts) == len(order)
    score, pull, variance = _untied(len(counts)) if untied else _by_value(counts)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.repeat(np.arange(len(starts)), counts)
    scores[present], drag[present] = score[place], pull[place]
    return NormalScores(scores=scores, drag=drag, variance=variance)


def _runs(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the sorting order, and the start and length of each run of equal values."""
    order = np.argsort(values)
    if not len(order):
        return order, order, order
    rising = values[order]
    starts = np.flatnonzero(np.concatenate(([True], rising[1:] != rising[:-1])))
    return order, starts, np.diff(np.append(starts, len(order)))


@lru_cache(maxsize=2)
def _untied(rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return what `_by_value` gives for so many distinct values; columns share it."""
    return _by_value(np.ones(rows, dtype=np.int64))


def _by_value(
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return score and drag of each distinct value in rising order, and the variance.

    With a(z) the score as a step function of the latent z and A its antiderivative, the
    score's own derivative gives a row with score a the influence -E[A(Z) | its step] on
    E[a b] when E[b | a] is linear in a: the correction of Pearson's correlation for
    estimated scales, -r (a^2 - 1) / 2, carried over to ranks with ties.
    """
    share = counts / counts.sum()
    cuts = special.ndtri(np.cumsum(counts[:-1]) / counts.sum())
    density = np.concatenate(([0.0], np.exp(-0.5 * cuts * cuts) / _ROOT_TWO_PI, [0.0]))
    score = (density[:-1] - density[1:]) / share
    variance = float(np.sum(share * score * score))
    antiderivative = np.concatenate(([0.0], np.cumsum(score[1:-1] * np.diff(cuts))))
    mean = np.empty_like(score)  # of the antiderivative over each step
    mean[1:] = antiderivative + score[1:] * (score[1:] - cuts)
    mean[0] = -score[0] * (cuts[0] - score[0])
    pull = score * score - mean
    return score, (pull - np.sum(share * pull)) / variance, variance
