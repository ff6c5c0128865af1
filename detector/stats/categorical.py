"""Total variation between two samples of levels, and a chi-squared test that bears rare levels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtri, chndtrinc, gammaincc, gammaln, ndtr

from detector.stats.proportions import SMALLEST_P, Z_95, fisher_mid_p

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]

_RARE = 0.25  # rows of a level expected in the smaller sample, below which levels are pooled
_NORMAL = 1e6  # shape of a gamma law that is a normal law for all purposes


def total_variation(reference: Counts, candidate: Counts) -> float:
    """Return the share of rows that would have to change level to make the samples alike.

    Args:
        reference: Reference rows of each level, shape (k,).
        candidate: Candidate rows of each level, shape (k,).

    Returns:
        Half the sum of the absolute differences of shares, from 0 to 1.

    >>> total_variation(np.array([5, 5, 0]), np.array([5, 0, 5]))
    0.5

    """
    return float(np.abs(_moves(reference, candidate)).sum() / 2)


def expected_by_chance(reference: Counts, candidate: Counts) -> float:
    """Return the total variation that sampling noise alone gives with these pooled counts.

    Half the sum of the mean absolute deviations of binomial counts (exact, also for levels
    with a single row), each narrowed as draws without replacement are.

    Source: de Moivre's formula; Diaconis and Zabell (1991), Statistical Science 6.

    >>> round(expected_by_chance(np.array([1, 1]), np.array([1, 1])), 3)
    0.408

    """
    n, m = int(reference.sum()), int(candidate.sum())
    total, chance = n + m, n / (n + m)
    pooled = (reference + candidate).astype(np.float64)
    pooled = pooled[pooled > 0]
    most = np.floor(pooled * chance)
    # E|X - c p| of a binomial X(c, p) is 2 (f + 1) (1 - p) P(X = f + 1), with f = floor(c p).
    ways = gammaln(pooled + 1) - gammaln(most + 2) - gammaln(np.maximum(pooled - most, 1.0))
    logs = ways + (most + 1) * math.log(chance) + (pooled - most) * math.log1p(-chance)
    deviation = 2 * (most + 1) * np.exp(logs)
    narrowing = np.sqrt((total - pooled) / max(total - 1, 1))
    return float((deviation * narrowing).sum() * total / (2.0 * n * m))


def interval(reference: Counts, candidate: Counts) -> tuple[float, float]:
    """Return an interval that holds the true total variation at least 95 % of the time.

    Total variation is the largest difference of shares that a set of levels can show. So
    the truth lies at most 1.96 standard errors of such a difference above the value seen,
    and at most that and the noise's own variation below it, also where it is zero.

    Source: Borell (1975), Inventiones Mathematicae 30.
    """
    value = total_variation(reference, candidate)
    n, m = int(reference.sum()), int(candidate.sum())
    grown = candidate * n > reference * m
    one, two = reference[grown].sum() / n, candidate[grown].sum() / m
    reach = Z_95 * math.sqrt(max(one * (1 - one), two * (1 - two)) * (1 / n + 1 / m))
    noise = expected_by_chance(reference, candidate)
    return max(0.0, value - noise - reach), min(1.0, value + reach)


def equal_shares(reference: Counts, candidate: Counts) -> float:
    """Return the p-value of the hypothesis that both samples have the same shares.

    The two-sample chi-squared statistic against a gamma law with its own mean, variance
    and skewness given the pooled counts; with many rows that is the chi-squared law, and
    with rare levels it still has the right size, where the chi-squared law does not.
    Levels that the smaller sample would hardly show are pooled, by their pooled count, so
    samples are treated alike. Two levels: Fisher's exact test, mid-p.

    Args:
        reference: Reference rows of each level, shape (k,), at least one row in all.
        candidate: Candidate rows of each level, shape (k,), at least one row in all.

    Returns:
        A p-value in (0, 1]; 1 when there is only one level.

    Source: Dawson (1954), Biometrika 41, for mean and variance; the skewness is that of
    binomial counts with a fixed sum, to first order. Cost: O(k log k).

    >>> round(equal_shares(np.array([30, 30, 40]), np.array([50, 30, 20])), 4)
    0.0026

    """
    reference, candidate = _pool(reference, candidate)
    n, m = int(reference.sum()), int(candidate.sum())
    levels, total = len(reference), n + m
    if levels == 1 or total < 4:
        return 1.0
    if levels == 2:
        return fisher_mid_p(int(reference[0]), n, int(candidate[0]), m)
    pooled = (reference + candidate).astype(np.float64)
    even = n / total * (m / total)
    statistic = float(((reference - pooled * (n / total)) ** 2 / pooled).sum() / even)
    mean = total / (total - 1) * (levels - 1)
    variance = _variance(pooled, n, m)
    if variance <= 1e-9:
        return 1.0
    third = _third_cumulant(pooled, n, m)
    above = (statistic - mean) / math.sqrt(variance)
    shape = 4 * variance**3 / third**2 if third > 0 else math.inf
    if shape > _NORMAL:
        p_value = float(ndtr(-above))
    else:
        p_value = float(gammaincc(shape, max(0.0, shape + above * math.sqrt(shape))))
    return min(1.0, max(p_value, SMALLEST_P))


def change_seen(reference: Counts, candidate: Counts) -> float:
    """Return the total variation that is seen with 80 % power at level 0.05.

    However the change is spread over the levels: with a total variation of t the
    noncentrality of the chi-squared statistic is at least 4 t^2 n m / (n + m), by the
    inequality of Cauchy and Schwarz. Rare levels make the statistic noisier and tell
    less, which is allowed for.

    >>> round(change_seen(np.array([500, 500]), np.array([500, 500])), 3)
    0.063

    """
    levels = int(np.count_nonzero(reference + candidate))
    reference, candidate = _pool(reference, candidate)
    n, m = int(reference.sum()), int(candidate.sum())
    freedom = max(len(reference) - 1, 1)
    noncentrality = float(chndtrinc(chdtri(freedom, 0.05), freedom, 0.2))
    if freedom > 1 and n + m > 3:
        variance = _variance((reference + candidate).astype(np.float64), n, m)
        noncentrality *= math.sqrt(max(variance / (2 * freedom), 1.0))
        # A level's first row tells nothing about how the level is shared out.
        noncentrality /= max(1 - levels / (n + m), 1e-9)
    return min(1.0, math.sqrt(noncentrality * (1 / n + 1 / m)) / 2)


def _moves(reference: Counts, candidate: Counts) -> Numbers:
    return np.asarray(candidate / candidate.sum() - reference / reference.sum())


def _pool(reference: Counts, candidate: Counts) -> tuple[Counts, Counts]:
    """Return the counts without empty levels and with rare levels as one."""
    pooled = reference + candidate
    order = np.argsort(pooled, kind="stable")
    order = order[pooled[order] > 0]
    pooled, reference, candidate = pooled[order], reference[order], candidate[order]
    share = min(reference.sum(), candidate.sum()) / pooled.sum()
    rare = int(np.searchsorted(pooled * share, _RARE))
    while 0 < rare < len(pooled) and pooled[:rare].sum() * share < _RARE:
        rare += 1
    if rare < 2:
        return reference, candidate
    first = np.array([0, *range(rare, len(pooled))])
    return np.add.reduceat(reference, first), np.add.reduceat(candidate, first)


def _variance(pooled: Numbers, n: int, m: int) -> float:
    """Return the statistic's variance over all tables with these pooled counts."""
    total, levels = n + m, len(pooled)
    uneven = (total * (1 / n + 1 / m) - 4) / (total - 2)
    rare = (total * float((1 / pooled).sum()) - levels**2) / (total - 2)
    first = (total - 2) / (total - 1)
    second = (levels - 1) * ((total - levels) / (total - 1))
    crossed = (first - uneven) * (second - rare)
    return 2 * total / (total - 3) * crossed + total**2 / (total - 1) * uneven * rare


def _third_cumulant(pooled: Numbers, n: int, m: int) -> float:
    """Return the statistic's third cumulant, from binomial counts whose sum is fixed.

    Each level adds d^2 / v, with d a binomial count less its mean and v its variance (here
    `spread`). Fixing the sum of all d takes out what a straight line in d explains of this,
    and one of the squared normals that remain when counts are large.
    """
    chance = n / (n + m)
    even, skewed = chance * (1 - chance), 1 - 2 * chance
    spread = pooled * even
    slope = skewed * len(spread) / float(spread.sum())
    cube = 8 + (22 - 112 * even) / spread + (1 - 30 * even + 120 * even**2) / spread**2
    third, fourth = spread * skewed, 3 * spread**2 + spread * (1 - 6 * even)
    fifth = spread * skewed * (1 + 10 * spread - 12 * even)
    with_square = fifth / spread**2 - 2 * third / spread
    with_line = fourth / spread - spread
    terms = cube - 3 * slope * with_square + 3 * slope**2 * with_line - slope**3 * third
    return float(terms.sum()) - 8
