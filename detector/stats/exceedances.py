"""Mass beyond an order statistic of another sample: exact, whatever the law of the rows.

The n values of one sample cut the line into n + 1 gaps. If both samples come from one law,
the number of m new values in any s of these gaps is beta-binomial with parameters s and
n + 1 - s. So the cut may be estimated, and the test is still exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln

from detector.stats.proportions import SMALLEST_P, clopper_pearson, difference_seen, newcombe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]


class Cut(NamedTuple):
    """Where a tail of the reference begins, and who lies beyond.

    place: The reference value at which it begins.
    rank: Its rank in the reference, counted from the tail's end.
    least: Candidate values strictly beyond it.
    most: Candidate values beyond it or equal to it.
    shared: Candidate values beyond it on average over the ways to break ties with it.
    """

    place: float
    rank: int
    least: int
    most: int
    shared: float


class Exceedance(NamedTuple):
    """The candidate's mass beyond a cut.

    share: That mass; ties with the cut count in part.
    expected: What it is on average if both samples come from one law.
    interval: A 95 % interval of the candidate's mass beyond the true quantile.
    exact: The exact 95 % interval of its mass beyond this very cut, which is off by itself.
    p_value: Two-sided, in (0, 1]; it allows for the cut's own error.
    detectable: The change of mass that is seen with 80 % power at 0.05.
    fatter: Whether there is more mass than expected.
    """

    share: float
    expected: float
    interval: tuple[float, float]
    exact: tuple[float, float]
    p_value: float
    detectable: float
    fatter: bool


def low_cut(edges: Numbers, reference: Counts, candidate: Counts, rank: int) -> Cut | None:
    """Return the lower tail that begins at a rank of the reference, or just above it.

    Args:
        edges: Values of the reference, rising, shape (e,).
        reference: Counts between and at the edges, shape (2 e + 1,).
        candidate: Likewise.
        rank: The rank asked for, from 1.

    Returns:
        None where no value of the reference is an edge.

    >>> low_cut(np.array([1.0, 2.0]), np.array([0, 3, 0, 2, 0]), np.array([1, 1, 0, 4, 2]), 2)
    Cut(place=1.0, rank=2, least=1, most=2, shared=1.5)

    """
    held = np.flatnonzero(reference[1::2])
    if not len(held):
        return None
    up_to = np.cumsum(reference)[2 * held + 1]
    edge = int(held[min(int(np.searchsorted(up_to, rank)), len(held) - 1)])
    before = int(reference[: 2 * edge + 1].sum())
    tied = int(reference[2 * edge + 1])
    found = min(max(rank, before + 1), before + tied)
    least = int(candidate[: 2 * edge + 1].sum())
    own = int(candidate[2 * edge + 1])
    part = (found - before) / (tied + 1)
    return Cut(float(edges[edge]), found, least, least + own, least + part * own)


def high_cut(edges: Numbers, reference: Counts, candidate: Counts, rank: int) -> Cut | None:
    """Return the upper tail that begins at a rank of the reference, counted from above."""
    return low_cut(edges[::-1], reference[::-1], candidate[::-1], rank)


def exceedance(cuts: list[Cut], n: int, m: int) -> Exceedance:
    """Test the candidate's mass beyond one cut, or beyond a low and a high one together.

    Values equal to a cut count against every alarm: as beyond it when mass is missing, as
    within it when there is too much. As many values as seen count half.

    Args:
        cuts: One tail, or both.
        n: Reference values.
        m: Candidate values, at least 1.

    Source: Gumbel and von Schelling (1950), Ann. Math. Stat. 21; Newcombe (1998), Statistics in
    Medicine 17, and Clopper and Pearson (1934), Biometrika 26, for the intervals. Cost: O(sqrt(m)).

    >>> exceedance([Cut(0.0, 1, 0, 0, 0.0)], 9, 10).expected
    0.1

    """
    gaps = min(sum(cut.rank for cut in cuts), n)
    least, most = min(sum(cut.least for cut in cuts), m), min(sum(cut.most for cut in cuts), m)
    beyond = min(sum(cut.shared for cut in cuts), float(m))
    expected = gaps / (n + 1)
    above = mid_p_above(least, gaps, n, m)
    below = _mid_p_below(most, gaps, n, m)
    exact = clopper_pearson(int(beyond), m)[0], clopper_pearson(math.ceil(beyond), m)[1]
    change = newcombe(gaps, n, int(beyond), m)[0], newcombe(gaps, n, math.ceil(beyond), m)[1]
    return Exceedance(
        share=beyond / m,
        expected=expected,
        interval=(max(0.0, expected + change[0]), min(1.0, expected + change[1])),
        exact=exact,
        p_value=min(1.0, max(2 * min(above, below), SMALLEST_P)),
        detectable=difference_seen(expected, n, m),
        fatter=beyond > m * expected,
    )


def mid_p_above(count: int, gaps: int, n: int, m: int) -> float:
    """Return the chance of more than `count` of m new values in so many gaps, and half of as many.

    Args:
        count: New values seen there.
        gaps: Gaps, 1 to n.
        n: Old values.
        m: New values.

    >>> round(mid_p_above(1, 1, 1, 1), 9)  # one new value, in one of two gaps
    0.25

    """
    law = _law(count, m, gaps, n, m)
    return float(min(1.0, law.sum() - law[0] / 2))


def _mid_p_below(count: int, gaps: int, n: int, m: int) -> float:
    law = _law(0, count, gaps, n, m)
    return float(min(1.0, law.sum() - law[-1] / 2))


def _law(low: int, high: int, gaps: int, n: int, m: int) -> Numbers:
    """Return the chances of `low` to `high` new values; far from the mean only what matters."""
    middle = m * gaps / (n + 1)
    spread = (middle * (1 - gaps / (n + 1)) * (n + 1 + m) / (n + 2)) ** 0.5 + 1
    reach = 60 * spread
    low, high = (
        max(low, min(high, int(middle - reach))),
        min(high, max(low, int(middle + reach)) + int(reach)),
    )
    count = np.arange(low, high + 1, dtype=np.float64)
    logs = gammaln(count + gaps) - gammaln(count + 1) - gammaln(gaps)
    logs += gammaln(n - gaps + 1 + m - count) - gammaln(m - count + 1) - gammaln(n - gaps + 1)
    logs += gammaln(m + 1) + gammaln(n + 1) - gammaln(n + m + 1)
    return np.asarray(np.exp(logs), np.float64)
