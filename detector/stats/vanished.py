"""Levels that a batch has lost: how likely is it that so many rows of them vanish by chance?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln

from detector.stats.proportions import SMALLEST_P
from detector.stats.unseen import unseen_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]


class Vanished(NamedTuple):
    """Reference rows whose level the candidate lacks.

    rows: How many there are.
    expected: How many there would be if both samples came from one law.
    deviation: The standard deviation of that number.
    levels: Levels lost.
    levels_expected: Levels that chance alone would lose.
    p_value: Of so many rows lost, or of a level as common as the commonest one lost, in (0, 1].
    """

    rows: int
    expected: float
    deviation: float
    levels: int
    levels_expected: float
    p_value: float


def vanished_levels(reference: Counts, candidate: Counts) -> Vanished:
    """Test whether the candidate has lost more levels than chance takes.

    Two questions share the p-value, twice the smaller one: are too many reference rows of
    levels that the candidate lacks (many rare levels), and is one lost level too common
    (one among many)? A level with c pooled rows is missing from the candidate with the
    hypergeometric chance of c rows all in the reference; the second question adds these
    chances over all levels at least as common, so it holds whatever their dependence.

    Args:
        reference: Reference rows of each level, shape (k,), at least one row in all.
        candidate: Candidate rows of each level, shape (k,), at least one row in all.

    Source: the law is hypergeometric; Bonferroni's inequality. Cost: O(k log k).

    >>> found = vanished_levels(np.array([9, 1]), np.array([9, 0]))
    >>> found.rows, found.levels, round(found.levels_expected, 6)
    (1, 1, 0.526316)

    """
    n, m = int(reference.sum()), int(candidate.sum())
    many = unseen_rows(candidate, reference)
    pooled = reference + candidate
    chance = chance_of_absence(pooled, n, m)
    lost = (candidate == 0) & (reference > 0)
    one = 1.0
    if lost.any():
        # Half the chance of what was seen, as elsewhere, would not bound the sum: it stays whole.
        one = float(chance[pooled >= pooled[lost].max()].sum())
    return Vanished(
        rows=many.rows,
        expected=many.expected,
        deviation=many.deviation,
        levels=int(lost.sum()),
        levels_expected=float(chance[pooled > 0].sum()),
        p_value=min(1.0, max(2 * min(many.p_value, one), SMALLEST_P)),
    )


def chance_of_absence(pooled: Counts, n: int, m: int) -> Numbers:
    """Return the chance that none of so many pooled rows is the candidate's, shape (k,).

    >>> chance_of_absence(np.array([1, 2]), 2, 1).round(6).tolist()
    [0.666667, 0.333333]

    """
    held = np.minimum(pooled, n).astype(np.float64)
    logs = gammaln(n + 1) - gammaln(n - held + 1)
    logs += gammaln(n + m - held + 1) - gammaln(n + m + 1)
    return np.where(pooled > n, 0.0, np.exp(logs))


def rarest_visible(n: int, m: int) -> float | None:
    """Return the smallest share of the reference's rows whose absence is no accident.

    A level with that share is missing from a candidate of m rows by chance at most once in
    twenty. None where even a level that fills the reference might be missing.

    >>> rarest_visible(100, 100)
    0.05

    """
    if n * m == 0:
        return None
    fewest = math.ceil(math.log(0.05) / math.log(n / (n + m)))
    counts = np.arange(1, min(n, fewest) + 1)
    enough = chance_of_absence(counts, n, m) <= 0.05
    return float(counts[enough][0] / n) if enough.any() else None
