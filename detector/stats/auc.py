"""The area under the ROC curve: how often a candidate row outscores a reference row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtr, stdtrit

from detector.stats.proportions import SMALLEST_P, Z_80, Z_95

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int64]

Z_95_ONE_SIDED = 1.6448536269514722

_ROUNDING = 1e-12


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

    The interval is that of DeLong on the logit scale, by Student's law with the degrees of
    freedom of Satterthwaite; with groups the rows of a group count as one (Obuchowski). The
    p-values compare with the law of shuffled labels inside each stratum, ties taken into
    account (Mann and Whitney); with groups, whole groups are shuffled. Strata may have
    been scored by models fitted to earlier strata: given these, the mean under no
    difference is 0.5 and the variance is known, so the sum is a martingale.

    Args:
        strata: At least one, each with rows on both sides.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44; Obuchowski (1997),
    Biometrics 53; Satterthwaite (1946), Biometrics Bulletin 2; Pepe (2003), The Statistical
    Evaluation of Medical Tests, for the logit.

    >>> found = auc([Stratum(x=np.array([1.0, 2.0, 3.0]), y=np.array([2.0, 3.0, 4.0]))])
    >>> round(found.value, 4)
    0.7778

    """
    if not strata or any(not len(part.x) or not len(part.y) for part in strata):
        raise ValueError("every stratum needs rows on both sides")
    total = sum(part.weight for part in strata)
    value = variance = null_variance = looseness = smallest = 0.0
    for part in strata:
        share = part.weight / total
        area, spreads, fewest = _area(part)
        value += share * area
        null_variance += share**2 * _shuffled(part)
        smallest += fewest
        for spread in spreads:
            variance += share**2 * spread.variance
            looseness += (share**2 * spread.variance) ** 2 / spread.freedom
    error = math.sqrt(null_variance)
    # Groups whose ranks cancel leave rounding behind, and no noise to compare it with.
    z = (value - 0.5) / error if error > _ROUNDING else 0.0
    freedom = variance**2 / looseness if looseness > 0 else math.inf
    return Auc(
        value=float(value),
        interval=logit_interval(value, variance, smallest=smallest, freedom=freedom),
        above=_upper(z),
        below=_upper(-z),
        null_error=error,
    )


def logit_interval(
    value: float, variance: float, *, smallest: float, freedom: float = math.inf
) -> tuple[float, float]:
    """Return the 95 % interval of an area, made symmetric on the logit scale.

    Args:
        value: The area, in [0, 1].
        variance: Its variance, at least 0.
        smallest: Rows (or groups) of the smaller side. An area of 0 or 1 is taken as half a
            row short of it, so that even perfect separation has an honest interval.
        freedom: Degrees of freedom behind the variance.

    >>> tuple(round(end, 3) for end in logit_interval(0.9, 0.0009, smallest=50))
    (0.824, 0.945)
    >>> tuple(round(end, 3) for end in logit_interval(1.0, 0.0, smallest=50))
    (0.932, 1.0)

    """
    half = 0.5 / smallest
    middle = min(max(value, half), 1.0 - half)
    error = math.sqrt(max(variance, half**2)) / (middle * (1.0 - middle))
    reach = error * (Z_95 if math.isinf(freedom) else float(stdtrit(freedom, 0.975)))
    low, high = float(expit(logit(middle) - reach)), float(expit(logit(middle) + reach))
    return (0.0 if value <= half else low), (1.0 if value >= 1.0 - half else high)


def rows_for_margin(margin: float) -> int:
    """Return the held-out rows of each side that show sameness within a margin.

    When both samples come from one law, the whole 95 % interval lies less than the margin
    from 0.5 with 90 % power: (1.960 + 1.645)^2 / (6 margin^2). (One-sided, to keep the upper
    95 % limit below it, (1.645 + 1.282)^2 would do.)

    >>> [rows_for_margin(margin) for margin in (0.1, 0.05, 0.02)]
    [217, 867, 5415]

    """
    return math.ceil((Z_95 + Z_95_ONE_SIDED) ** 2 / (6 * margin**2))


class _Spread(NamedTuple):
    """A variance, and the degrees of freedom behind it."""

    variance: float
    freedom: float


def _area(part: Stratum) -> tuple[float, list[_Spread], float]:
    """Return the area, the parts of its variance, and the units of the smaller side."""
    wins = placements(part.x, part.y)
    losses = 1.0 - placements(part.y, part.x)
    unit = _units(part)
    sides = np.split(unit, [len(part.x)])
    held = [np.bincount(side, minlength=int(unit.max()) + 1) for side in sides]
    # As many units as would tell as much if all were equally large (Kish).
    units = [float(own.sum()) ** 2 / float(np.square(own).sum()) for own in held]
    added = [_influence(*own) for own in zip((losses, wins), sides, units, held, strict=True)]
    freedom = [max(1.0, own - 1.0) for own in units]
    if (held[0] * held[1]).any():
        # A group on both sides moves both means.
        added, freedom = [added[0] + added[1]], [min(freedom)]
    spreads = [_Spread(float(own @ own), free) for own, free in zip(added, freedom, strict=True)]
    return float(wins.mean()), spreads, min(units)


def _units(part: Stratum) -> Codes:
    """Return the unit of each row, reference rows first: its group, or the row itself."""
    if part.x_groups is None or part.y_groups is None:
        return np.arange(len(part.x) + len(part.y))
    _, unit = np.unique(np.concatenate((part.x_groups, part.y_groups)), return_inverse=True)
    return unit


def _influence(values: Numbers, unit: Codes, units: float, held: Codes) -> Numbers:
    """Return what each unit adds to the mean; the squares sum to the mean's variance.

    Args:
        values: Of each row of one side, in [0, 1].
        unit: The unit of each row.
        units: The number of units, as if equally large; of one alone the worst is assumed.
        held: Rows of each unit.

    """
    if units <= 1:
        return 0.5 * (held > 0)
    added = np.bincount(unit, weights=values - values.mean(), minlength=len(held))
    return np.asarray(added * (math.sqrt(units / (units - 1)) / len(values)))


def _shuffled(part: Stratum) -> float:
    """Return the variance of the area when labels are shuffled; 0 when all scores tie.

    The area less a half is the sum of the candidate's centered ranks, in units of n m. A
    group on one side changes sides as a whole. Where a group is on both, its rows need
    not be split as all rows are: then what each group adds is taken as it is.
    """
    n, m = len(part.x), len(part.y)
    rows = n + m
    pooled = np.concatenate((part.x, part.y))
    ranks = rows * (placements(pooled, pooled) - 0.5)
    unit = _units(part)
    of_y = np.bincount(unit[n:], minlength=int(unit.max()) + 1)
    of_x = np.bincount(unit[:n], minlength=len(of_y))
    units = len(of_y)
    if (of_x * of_y).any():
        moved = np.bincount(unit, weights=ranks * ((np.arange(rows) >= n) - m / rows))
        squares = float(moved @ moved) * units / max(1, units - 1)
    else:
        whole = np.bincount(unit, weights=ranks)
        changing = np.count_nonzero(of_x) * np.count_nonzero(of_y)
        squares = float(whole @ whole) * changing / (units * (units - 1))
    return squares / (n * m) ** 2


def _upper(z: float) -> float:
    """Return the chance of more than z, never 0."""
    return max(float(ndtr(-z)), SMALLEST_P)
