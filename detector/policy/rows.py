"""How many rows would settle it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from detector.findings import Finding

MOST = 10**12
"""Above this many rows the honest answer is that rows will not help."""


LARGER_BATCH = "Judge a larger batch."
LARGER_REFERENCE = "Take a larger reference."


class Need(NamedTuple):
    """Rows that would settle a question, and the same as half a sentence."""

    rows: int | None
    words: str


def rows_needed(finding: Finding, *, times: float, rate: float) -> Need:
    """Return how many rows make an interval so many times narrower.

    An interval's width goes with the rows to the power of minus `rate`, where the rows of
    two samples count as one sample of `n m / (n + m)` rows. More rows of the candidate are
    asked for if they can do it alone; else both samples have to grow.

    Args:
        finding: The finding, with the rows that went into it.
        times: How many times narrower, at least 1.
        rate: The rate of the measurement.

    """
    n, m = finding.n_reference, finding.n_candidate
    factor = _factor(times, rate)
    if m < 1 or math.isinf(factor):
        return Need(None, "how many rows would settle it cannot be told")
    wanted = factor / ((1 / n if n else 0.0) + 1 / m)
    spare = 1 / wanted - (1 / n if n else 0.0)
    alone = spare * 4 * wanted > 1
    rows = 1 / spare if alone else 2 * wanted
    if rows > MOST:
        return Need(None, "no number of rows is likely to settle it")
    rounded = _up(rows)
    where = "rows of the candidate" if alone else "rows on each side"
    return Need(rounded, f"about {rounded:,} {where} would settle it")


def larger(finding: Finding) -> str:
    """Return which side should be larger, where a number needs rows to be there at all."""
    return LARGER_REFERENCE if finding.n_reference < finding.n_candidate else LARGER_BATCH


def times_narrower(value: float, interval: tuple[float, float], *limits: float) -> float:
    """Return how many times narrower the interval must be to lie on one side of each limit.

    >>> times_narrower(3.0, (1.0, 4.0), 2.0, 9.0)
    2.0
    """
    low, high = interval
    times = [1.0]
    for limit in limits:
        if low <= limit <= high:
            reach = high - value if limit >= value else value - low
            gap = abs(limit - value)
            times.append(reach / gap if gap else math.inf)
    return max(times)


def _factor(times: float, rate: float) -> float:
    """Return how many times the rows must grow."""
    try:
        return float(times ** (1 / rate))
    except (OverflowError, ZeroDivisionError):
        return math.inf


def _up(rows: float) -> int:
    """Return a count with two digits that count, never rounded down.

    >>> _up(1234.5), _up(99.1), _up(7)
    (1300, 100, 7)
    """
    step = int(10 ** max(0, math.floor(math.log10(rows)) - 1))
    return math.ceil(rows / step) * step
