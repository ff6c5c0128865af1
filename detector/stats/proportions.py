"""Shares of rows: intervals, differences and exact tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaincinv, gammaln

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z_95 = 1.959963984540054
Z_80 = 0.8416212335729143
SMALLEST_P = 1e-300
_REACH = 40.0  # standard deviations: nothing beyond them is left of a hypergeometric law


def clopper_pearson(count: int, total: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share: it covers at least 95 %, for every n.

    Args:
        count: Rows with the property, 0 <= count <= total.
        total: Rows looked at, at least 1.

    Source: Clopper and Pearson (1934), Biometrika 26.

    >>> low, high = clopper_pearson(0, 10)
    >>> low, round(high, 4)
    (0.0, 0.3085)

    """
    _check(count, total)
    low = betaincinv(count, total - count + 1, 0.025) if count > 0 else 0.0
    high = betaincinv(count + 1, total - count, 0.975) if count < total else 1.0
    return float(low), float(high)


def at_most(count: int, total: int) -> float:
    """Return the exact one-sided 95 % upper bound of a share.

    It is the share under which so few would be seen once in twenty times: 0 of 20 runs
    still allow 14 %, and 0 of 3, 63 %.

    Args:
        count: Rows with the property, 0 <= count <= total.
        total: Rows looked at, at least 1.

    >>> [round(at_most(0, total), 3) for total in (3, 20)]
    [0.632, 0.139]

    """
    _check(count, total)
    return float(betaincinv(count + 1, total - count, 0.95)) if count < total else 1.0


def wilson(count: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a share: 95 % on average over shares.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22.

    >>> tuple(round(end, 4) for end in wilson(1, 10))
    (0.0179, 0.4042)

    """
    _check(count, total)
    share, square = count / total, Z_95 * Z_95
    middle = share + square / (2 * total)
    half = Z_95 * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    scale = 1 + square / total
    low = (middle - half) / scale if count > 0 else 0.0
    high = (middle + half) / scale if count < total else 1.0
    return max(0.0, low), min(1.0, high)


def newcombe(
    reference: int, n_reference: int, candidate: int, n_candidate: int
) -> tuple[float, float]:
    """Return the 95 % interval of the candidate's share minus the reference's.

    Args:
        reference: Reference rows with the property.
        n_reference: Reference rows looked at.
        candidate: Candidate rows with the property.
        n_candidate: Candidate rows looked at.

    Source: Newcombe (1998), Statistics in Medicine 17, method 10 (two Wilson intervals).

    >>> tuple(round(end, 4) for end in newcombe(48, 80, 56, 70))
    (0.0524, 0.3339)

    """
    low_one, high_one = wilson(reference, n_reference)
    low_two, high_two = wilson(candidate, n_candidate)
    one, two = reference / n_reference, candidate / n_candidate
    below = math.hypot(two - low_two, high_one - one)
    above = math.hypot(high_two - two, one - low_one)
    return max(-1.0, two - one - below), min(1.0, two - one + above)


def fisher_mid_p(reference: int, n_reference: int, candidate: int, n_candidate: int) -> float:
    """Return the two-sided mid-p value of Fisher's exact test of equal shares.

    Tables as likely as the one seen count half. The exact test's size falls well below
    alpha because its p-value comes in steps; the mid-p value has size alpha on average,
    and may exceed it by a step's half in a single case.

    Args:
        reference: Reference rows with the property.
        n_reference: Reference rows looked at, at least 1.
        candidate: Candidate rows with the property.
        n_candidate: Candidate rows looked at, at least 1.

    Returns:
        A p-value in (0, 1].

    Source: Lancaster (1961), J. Am. Stat. Assoc. 56; Lydersen, Fagerland and Laake
    (2009), Statistics in Medicine 28. Cost: O(sqrt(rows)).

    >>> round(fisher_mid_p(10, 10, 0, 10), 9)
    5.413e-06

    """
    _check(reference, n_reference)
    _check(candidate, n_candidate)
    held, law = _hypergeometric(reference + candidate, n_reference, n_candidate)
    if len(held) == 1:
        return 1.0
    seen = law[held == candidate].sum()
    same = np.abs(law - seen) <= 1e-7 * seen
    p_value = law[(law < seen) & ~same].sum() + law[same].sum() / 2
    return float(min(1.0, max(p_value / law.sum(), SMALLEST_P)))


def upper_mid_p(reference: int, n_reference: int, candidate: int, n_candidate: int) -> float:
    """Return the one-sided mid-p value: is the candidate's share larger?

    Args and source are those of `fisher_mid_p`.

    >>> round(upper_mid_p(0, 10, 1, 10), 9)
    0.25

    """
    _check(reference, n_reference)
    _check(candidate, n_candidate)
    held, law = _hypergeometric(reference + candidate, n_reference, n_candidate)
    p_value = law[held > candidate].sum() + law[held == candidate].sum() / 2
    return float(min(1.0, max(p_value / law.sum(), SMALLEST_P)))


def difference_seen(share: float, n_reference: int, n_candidate: int) -> float:
    """Return the change of a share that these rows reveal with 80 % power at level 0.05.

    Solves d = (1.96 + 0.84) sqrt(p (1 - p) (1/n + 1/m)) with p the mean of both shares, for
    a change towards one half, so it stays sensible where the share is zero or one.

    >>> round(difference_seen(0.5, 500, 500), 2)
    0.09

    """
    rows = 1 / n_reference + 1 / n_candidate
    least = min(share, 1 - share)
    change = 1e-12
    for _ in range(60):
        middle = min(least + change / 2, 0.5)
        change = max(change, (Z_95 + Z_80) * math.sqrt(middle * (1 - middle) * rows))
    return min(change, 1.0)


def share_seen(count_needed: int, total: int) -> float:
    """Return the share for which at least `count_needed` of `total` rows show up 80 % of the time.

    >>> round(share_seen(1, 100), 4)
    0.016

    """
    if count_needed > total:
        return 1.0
    return float(betaincinv(count_needed, total - count_needed + 1, 0.8))


def exceedance_mid_p(beyond: int, n_reference: int, n_candidate: int) -> float:
    """Return the chance of so many candidate values outside the reference's range.

    With exchangeable rows and q_s = m (m - 1) ... (m - s + 1) / (N (N - 1) ... (N - s + 1))
    at least s of m new values lie beyond the extremes of n old ones with probability
    (s + 1) q_s - s q_{s+1}; ties at the extremes make it less, so the p-value holds for
    every kind of number. As many values as seen count half.

    Args:
        beyond: Candidate values below the reference's smallest or above its largest.
        n_reference: Reference values, at least 1.
        n_candidate: Candidate values, at least 1.

    Source: Gumbel and von Schelling (1950), Ann. Math. Stat. 21, for one extreme.

    >>> round(exceedance_mid_p(1, 10, 1), 6) == round(2 / 11 / 2, 6)
    True

    """
    _check(beyond, n_candidate)
    reached = _outside(beyond, n_reference, n_candidate)
    more = _outside(beyond + 1, n_reference, n_candidate)
    return float(min(1.0, max((reached + more) / 2, SMALLEST_P)))


def exceedances_needed(n_reference: int, n_candidate: int) -> int:
    """Return the number of values out of range whose p-value is at most 0.05."""
    low, high = 0, n_candidate + 1
    while low < high:
        middle = (low + high) // 2
        if middle > n_candidate or exceedance_mid_p(middle, n_reference, n_candidate) <= 0.05:
            high = middle
        else:
            low = middle + 1
    return low


def _outside(beyond: int, n: int, m: int) -> float:
    """Return the chance that at least so many new values lie outside the old ones' range."""
    if beyond == 0:
        return 1.0
    if beyond > m:
        return 0.0
    log_all = float(gammaln(m + 1) - gammaln(m - beyond + 1))
    log_all -= float(gammaln(n + m + 1) - gammaln(n + m - beyond + 1))
    following = (m - beyond) / (n + m - beyond)
    return math.exp(log_all) * (beyond + 1 - beyond * following)


def _hypergeometric(held: int, n: int, m: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many of the held rows the candidate may have, and how likely each is.

    Counts beyond the reach of the law are left out, so the chances may add to a hair
    under their norm; divide by their sum.
    """
    total = n + m
    middle = held * (m / total)
    spread = math.sqrt(middle * (n / total) * ((total - held) / max(total - 1, 1))) + 1
    low = max(0, held - n, math.floor(middle - _REACH * spread))
    high = min(held, m, math.ceil(middle + _REACH * spread))
    counts = np.arange(low, high + 1)
    logs = -gammaln(counts + 1) - gammaln(m - counts + 1)
    logs -= gammaln(held - counts + 1) + gammaln(n - held + counts + 1)
    return counts, np.exp(logs - logs.max())


def _check(count: int, total: int) -> None:
    if not 0 <= count <= total or total < 1:
        raise ValueError(f"{count} of {total} rows is no share")
