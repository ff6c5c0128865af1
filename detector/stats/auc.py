"""The area under the ROC curve: how often a candidate row outscores a reference row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit, ndtr, stdtr

from detector.stats.proportions import SMALLEST_P, Z_80, Z_95

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int64]

Z_95_ONE_SIDED = 1.6448536269514722


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stratum:
    """Scores of rows that one model has not been fitted to.

    Attributes:
        x: Scores of reference rows, shape (n,), finite, n >= 1.
        y: Scores of candidate rows, shape (m,), finite, m >= 1.
        weight: What the stratum counts; set before its labels were looked at.
        x_groups: Group of each reference row, shape (n,), or None where rows stand alone.
        y_groups: Group of each candidate row, shape (m,), likewise.

    """

    x: Numbers
    y: Numbers
    weight: float = 1.0
    x_groups: Codes | None = None
    y_groups: Codes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Auc:
    """The weighted mean of the strata's areas.

    Attributes:
        value: In [0, 1]; 0.5 when the scores tell nothing.
        interval: 95 %, for the true area of these very scores.
        above: One-sided p-value of an area above 0.5, in (0, 1].
        below: One-sided p-value of an area below 0.5, in (0, 1].
        null_error: Standard error of `value` when the scores tell nothing.

    """

    value: float
    interval: tuple[float, float]
    above: float
    below: float
    null_error: float

    def detectable(self, *, two_sided: bool = False) -> float:
        """Return the distance from 0.5 seen with 80 % power at level 0.05."""
        critical = Z_95 if two_sided else Z_95_ONE_SIDED
        return min(0.5, (critical + Z_80) * self.null_error)


def placements(x: Numbers, y: Numbers) -> Numbers:
    """Return the share of x below each y, ties counting half, shape (m,), in [0, 1].

    Their mean is the area under the ROC curve; when x and y come from one law each is
    uniform, up to ties. Cost: O((n + m) log n).

    >>> placements(np.array([1.0, 2.0]), np.array([0.0, 2.0, 3.0])).tolist()
    [0.0, 0.75, 1.0]

    """
    rising = np.sort(x)
    below = np.searchsorted(rising, y, side="left")
    upto = np.searchsorted(rising, y, side="right")
    return (below + upto) / (2.0 * len(x))


def auc(strata: Sequence[Stratum]) -> Auc:
    """Return the area, its interval and its p-values over independent strata.

    The interval is that of DeLong on the logit scale; with groups the rows of a group
    count as one (Obuchowski). The p-values compare with the law of shuffled labels inside
    each stratum, ties taken into account (Mann and Whitney); with groups, where shuffled
    rows would not be alike, with Student's law for the sum over groups. Strata may have
    been scored by models fitted to earlier strata: given these, the mean under no
    difference is 0.5 and the variance is known, so the sum is a martingale.

    Args:
        strata: At least one, each with rows on both sides.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44; Obuchowski (1997),
    Biometrics 53; Pepe (2003), The Statistical Evaluation of Medical Tests, for the logit.

    >>> found = auc([Stratum(x=np.array([1.0, 2.0, 3.0]), y=np.array([2.0, 3.0, 4.0]))])
    >>> round(found.value, 4)
    0.7778

    """
    if not strata or any(not len(part.x) or not len(part.y) for part in strata):
        raise ValueError("every stratum needs rows on both sides")
    total = sum(part.weight for part in strata)
    value = variance = null_variance = smallest = 0.0
    groups = 0
    for part in strata:
        share = part.weight / total
        area, spread, count = _area(part)
        value += share * area
        variance += share**2 * spread
        # With groups the shuffled-rows variance would be too small: use the grouped one.
        null_variance += share**2 * (_shuffled(part) if part.x_groups is None else spread)
        smallest += min(len(part.x), len(part.y)) if part.x_groups is None else count
        groups += count
    error = math.sqrt(null_variance)
    z = (value - 0.5) / error if error > 0 else 0.0
    freedom = groups - 2 * len(strata) if strata[0].x_groups is not None else math.inf
    return Auc(
        value=float(value),
        interval=logit_interval(value, variance, smallest=max(1.0, smallest)),
        above=_upper(z, freedom),
        below=_upper(-z, freedom),
        null_error=error,
    )


def logit_interval(value: float, variance: float, *, smallest: float) -> tuple[float, float]:
    """Return the 95 % interval of an area, made symmetric on the logit scale.

    Args:
        value: The area, in [0, 1].
        variance: Its variance, at least 0.
        smallest: Rows (or groups) of the smaller side. An area of 0 or 1 is taken as half a
            row short of it, so that even perfect separation has an honest interval.

    >>> tuple(round(end, 3) for end in logit_interval(0.9, 0.0009, smallest=50))
    (0.824, 0.945)
    >>> tuple(round(end, 3) for end in logit_interval(1.0, 0.0, smallest=50))
    (0.932, 1.0)

    """
    half = 0.5 / smallest
    middle = min(max(value, half), 1.0 - half)
    error = math.sqrt(max(variance, half**2)) / (middle * (1.0 - middle))
    low = float(expit(logit(middle) - Z_95 * error))
    high = float(expit(logit(middle) + Z_95 * error))
    return (0.0 if value <= half else low), (1.0 if value >= 1.0 - half else high)


def rows_for_margin(margin: float) -> int:
    """Return the held-out rows of each side that show sameness within a margin.

    When both samples come from one law, the upper 95 % limit of the area is below
    0.5 + margin with 90 % power: (1.645 + 1.282)^2 / (6 margin^2).

    >>> [rows_for_margin(margin) for margin in (0.1, 0.05, 0.02)]
    [143, 571, 3569]

    """
    return math.ceil((Z_95_ONE_SIDED + 1.2815515655446004) ** 2 / (6 * margin**2))


def _area(part: Stratum) -> tuple[float, float, int]:
    """Return the area, its variance, and the number of groups (rows without groups)."""
    wins = placements(part.x, part.y)
    losses = 1.0 - placements(part.y, part.x)
    area = float(wins.mean())
    of_y, of_x = _influence(wins), _influence(losses)
    if part.x_groups is None or part.y_groups is None:
        return area, float(of_x @ of_x + of_y @ of_y), len(of_x) + len(of_y)
    _, group = np.unique(np.concatenate((part.x_groups, part.y_groups)), return_inverse=True)
    sums = np.bincount(group, weights=np.concatenate((of_x, of_y)))
    return area, float(sums @ sums), len(sums)


def _influence(values: Numbers) -> Numbers:
    """Return what each row adds to the mean; the squares sum to the mean's variance."""
    rows = len(values)
    if rows < 2:
        return np.full(rows, 0.5)
    added: Numbers = (values - values.mean()) / math.sqrt(rows * (rows - 1))
    return added


def _shuffled(part: Stratum) -> float:
    """Return the variance of the area when labels are shuffled; 0 when all scores tie."""
    n, m = len(part.x), len(part.y)
    rows = n + m
    _, ties = np.unique(np.concatenate((part.x, part.y)), return_counts=True)
    tied = float((ties.astype(np.float64) ** 3 - ties).sum()) / (rows * (rows - 1))
    return max(0.0, rows + 1 - tied) / (12.0 * n * m)


def _upper(z: float, freedom: float) -> float:
    """Return the chance of more than z, never 0."""
    if math.isinf(freedom):
        tail = float(ndtr(-z))
    elif freedom < 1:
        return 1.0
    else:
        tail = float(stdtr(freedom, -z))
    return min(1.0, max(tail, SMALLEST_P))
