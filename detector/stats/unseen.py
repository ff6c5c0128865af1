"""New levels: how many rows with a level that the reference never had are to be expected?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaincc, gammaln, ndtr, xlog1py, xlogy

from detector.stats.proportions import SMALLEST_P

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]

_EXACT = 200  # unseen rows up to which their law is computed term by term
_SMOOTH = 20.0  # expected unseen rows from which their law is smooth
_NORMAL = 1e6


class Unseen(NamedTuple):
    """Candidate rows whose level the reference lacks.

    rows: How many there are.
    expected: How many there would be if both samples came from one law.
    deviation: The standard deviation of that number.
    p_value: The one-sided mid-p value of seeing so many, in (0, 1].
    """

    rows: int
    expected: float
    deviation: float
    p_value: float


def unseen_rows(reference: Counts, candidate: Counts) -> Unseen:
    """Test whether the candidate has more rows of new levels than chance gives.

    Even two samples of one law do not show the same rare levels. Given the pooled counts
    a level with c rows falls wholly into the candidate with probability
    m (m - 1) ... / (N (N - 1) ...), c factors each; the number of rows that do so is summed
    over levels as if they fell independently (its variance without that). For rare levels
    this is the Good-Turing estimate of unseen mass, made exact for two finite samples.

    Args:
        reference: Reference rows of each level, shape (k,), at least one row in all.
        candidate: Candidate rows of each level, shape (k,), at least one row in all.

    Source: Good (1953), Biometrika 40, for the estimate; the law is hypergeometric.
    Cost: O(k) up to sorting.

    >>> round(unseen_rows(np.array([9, 0]), np.array([9, 1])).expected, 6)
    0.526316

    """
    n, m = int(reference.sum()), int(candidate.sum())
    rows = int(candidate[reference == 0].sum())
    pooled, levels = np.unique(reference + candidate, return_counts=True)
    possible = (pooled > 0) & (pooled <= m)
    pooled, levels = pooled[possible].astype(np.float64), levels[possible]
    logs = gammaln(m + 1) - gammaln(m - pooled + 1)
    logs -= gammaln(n + m + 1) - gammaln(n + m - pooled + 1)
    law = _Law(pooled, levels, np.exp(logs), n / (m * (n + m)))
    if rows == 0:
        p_value = 1.0
    elif law.mean < _SMOOTH and rows <= _EXACT:
        chances = _chances(rows, law)
        p_value = max(1 - float(chances.sum()) + float(chances[-1]) / 2, 1e-15)
    else:
        p_value = _smooth(rows, law)
    p_value = min(1.0, max(p_value, SMALLEST_P))
    return Unseen(rows, law.mean, math.sqrt(law.variance), p_value)


class _Law(NamedTuple):
    """The law of the number of unseen rows.

    pooled: Distinct pooled counts of levels, shape (d,).
    levels: How many levels have each, shape (d,).
    alone: The chance that such a level falls wholly into the candidate, shape (d,).
    tied: How much less likely two levels are to do so than two independent ones, per row of each.
    """

    pooled: Numbers
    levels: Counts
    alone: Numbers
    tied: float

    @property
    def mean(self) -> float:
        return float((self.levels * self.pooled * self.alone).sum())

    @property
    def apart(self) -> float:
        """The variance if levels fell independently."""
        return float((self.levels * self.alone * (1 - self.alone) * self.pooled**2).sum())

    @property
    def variance(self) -> float:
        """The variance, narrower because levels compete for the candidate's rows.

        A column of ids leaves no room at all; half a row then stands for rounding.
        """
        shared = float((self.levels * self.alone * self.pooled**2).sum()) ** 2
        return max(self.apart - self.tied * shared, 0.25)


def _chances(most: int, law: _Law) -> Numbers:
    """Return the chances of 0 ... most unseen rows, shape (most + 1,)."""
    chances = np.zeros(most + 1)
    chances[0] = 1.0
    for size, number, alone in zip(*(part.tolist() for part in law[:3]), strict=True):
        taken = np.arange(min(number, int(most // size)) + 1)
        ways = gammaln(number + 1) - gammaln(taken + 1) - gammaln(number - taken + 1)
        term = np.zeros(int(taken[-1] * size) + 1)
        term[:: int(size)] = np.exp(ways + xlogy(taken, alone) + xlog1py(number - taken, -alone))
        chances = np.convolve(chances, term)[: most + 1]
    return chances


def _smooth(rows: int, law: _Law) -> float:
    """Return the upper tail of a gamma law with the same mean, variance and skewness."""
    third = law.levels * law.alone * (1 - law.alone) * (1 - 2 * law.alone) * law.pooled**3
    skewed = float(third.sum()) ** 2 if third.sum() > 0 else 0.0
    above = (rows - law.mean) / math.sqrt(law.variance)
    shape = 4 * law.apart**3 / skewed if skewed > 0 else math.inf
    if shape > _NORMAL:
        return float(ndtr(-above))
    return float(gammaincc(shape, max(0.0, shape + above * math.sqrt(shape))))
