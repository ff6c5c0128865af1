"""How far chance could have moved what drawn rows keep: 95 % intervals of counts and ratios."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int64]
    Interval = tuple[float, float]

REACHED = 0.1
"""A part is reached by this share of the rows that it should hold."""

NORMAL = 1.959963984540054

NONE_SEEN = 3.689
"""The 95 % interval of a count of none ends here (Poisson, two-sided)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """Rows of one side that count: `units` of them stand alone, the others belong to those."""

    rows: int
    units: int

    @staticmethod
    def of(rows: int, groups: Codes | None = None) -> Side:
        """Return a side; the rows of one group count as one."""
        return Side(rows=rows, units=rows if groups is None else len(np.unique(groups)))


def reached(due: Numbers, held: Numbers, sides: tuple[Side, Side]) -> Interval:
    """Return the 95 % interval of the share of parts that drawn rows reach.

    A part counts at the lower end if chance could not have filled it, at the upper end if chance
    could have emptied it: the ratio of both sides' shares has an exact interval of its own.

    Args:
        due: Unseen real rows in each part, shape (k,), k >= 1.
        held: Drawn rows in each part, shape (k,).
        sides: The real one, the drawn one.

    Source: the ratio of two Poisson counts given their sum; Clopper and Pearson (1934).
    """
    from scipy.special import betaincinv

    real, drawn = sides
    x, y = due * real.units / real.rows, held * drawn.units / drawn.rows
    low = np.where(y > 0, betaincinv(np.maximum(y, 1e-9), x + 1.0, 0.025), 0.0)
    high = np.where(x > 0, betaincinv(y + 1.0, np.maximum(x, 1e-9), 0.975), 1.0)
    scale = real.units / drawn.units
    ends = [part * scale >= REACHED * (1.0 - part) for part in (low, high)]
    return float(ends[0].mean()), float(ends[1].mean())


def ratio(x: Numbers, y: Numbers, sides: tuple[Side, Side]) -> Interval:
    """Return the 95 % interval of sum(y) / sum(x), on the logarithmic scale.

    Args:
        x: What each real row adds, at least zero, shape (n,), of sum above zero.
        y: What each drawn row adds, shape (m,).
        sides: The real one, the drawn one.

    """
    totals = float(x.sum()), float(y.sum())
    if totals[1] <= 0:
        return 0.0, NONE_SEEN * float(x.max()) * len(x) / len(y) / totals[0]
    spread = sum(
        float(rows.var()) * len(rows) * (side.rows / side.units) / total**2
        for rows, side, total in zip((x, y), sides, totals, strict=True)
    )
    middle, half = math.log(totals[1] / totals[0]), NORMAL * math.sqrt(spread)
    return math.exp(middle - half), math.exp(middle + half)
