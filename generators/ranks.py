"""One ordered column as a position between 0 and 1, and back: its quantiles, kept small.

Equal values share an interval as wide as their share of the rows, so a column that is zero
in a third of its rows gives zero for a third of all positions: atoms need no case of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

MOST_KNOTS = 2_048
"""Quantiles kept of a column with more different values than twice this."""

TAIL = 32
"""Smallest and largest values that are always kept."""

REPEATS = 20
"""Values that come this often on average are the only values: nothing lies between them."""

MARGIN = 2.0**-22
"""Distance from an interval's ends; float32 positions round by an eighth of it at most."""

MOST_DECIMALS = 9
EXACT = 2.0**53


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantiles:
    """Where each value lies among the rows, and which value lies where.

    Attributes:
        values: Kept values, shape (k,), rising; they may begin and end with an infinity.
        start: Where each value's interval begins, shape (k,), within [0, 1].
        stop: Where it ends; between two intervals lie the values between.
        step: The column's granularity; 0 when there is none.
        decimals: Decimals that a granular value has.

    """

    values: Numbers
    start: Numbers
    stop: Numbers
    step: float = 0.0
    decimals: int = 0

    def positions(self, values: Numbers, rng: np.random.Generator) -> Numbers:
        """Return the position of each value, shape (n,), uniform within its interval.

        A value beyond the known ones lies at the end.
        """
        known = self.values
        place = np.clip(np.searchsorted(known, values, side="right") - 1, 0, len(known) - 1)
        after = np.minimum(place + 1, len(known) - 1)
        inside = within(self.start[place], self.stop[place], rng)
        with np.errstate(invalid="ignore", over="ignore"):
            part = _share(values, known[place], known[after])
        between = self.stop[place] + part * (self.start[after] - self.stop[place])
        found = np.where(values > known[place], between, inside)
        return np.where(values > known[-1], 1.0, np.where(values < known[0], 0.0, found))

    def at(self, positions: Numbers) -> Numbers:
        """Return the value at each position, shape (n,): the inverse of `positions`."""
        low, high = self._finite
        knots = np.clip(self.values, low, high)
        where = np.column_stack([self.start, self.stop]).ravel()
        if high - low > np.finfo(np.float64).max / 4:  # or the differences overflow
            found = np.interp(positions, where, np.repeat(knots / 4, 2)) * 4
        else:
            found = np.interp(positions, where, np.repeat(knots, 2))
        found = np.clip(self._rounded(found, low), low, high)
        if self.values[0] == -np.inf:
            found = np.where(positions <= self.stop[0], -np.inf, found)
        if self.values[-1] == np.inf:
            found = np.where(positions >= self.start[-1], np.inf, found)
        return found

    @property
    def _finite(self) -> tuple[float, float]:
        """Return the smallest and the largest finite value; 0 when there is none."""
        finite = self.values[np.isfinite(self.values)]
        return (float(finite[0]), float(finite[-1])) if len(finite) else (0.0, 0.0)

    def _rounded(self, values: Numbers, low: float) -> Numbers:
        """Return values on the grid that begins at the smallest one."""
        if not self.step:
            return values
        steps = np.rint((values - low) / self.step)
        rounded: Numbers = np.round(low + steps * self.step, self.decimals) + 0.0
        return rounded


def quantiles(values: Numbers) -> Quantiles:
    """Return the quantiles of a column's present values, shape (n,), n >= 1."""
    known, counts = np.unique(values + 0.0, return_counts=True)
    n = len(values)
    stop = np.cumsum(counts)
    start = stop - counts
    granular = granularity(known[np.isfinite(known)])
    snug = np.where(counts > 0, 0.5, 0.0)
    if len(known) * REPEATS <= n:
        snug = np.zeros(len(known))
    left, right = start + snug, stop - snug
    left[0], right[-1] = 0.0, n
    kept = _kept(counts)
    return Quantiles(
        values=known[kept],
        start=left[kept] / n,
        stop=right[kept] / n,
        step=granular[0],
        decimals=granular[1],
    )


def joined(learned: Sequence[Quantiles]) -> dict[str, NDArray[Any]]:
    """Return several columns' quantiles as a few arrays, for saving."""
    parts = {
        part: np.concatenate([np.empty(0), *(getattr(one, part) for one in learned)])
        for part in ("values", "start", "stop")
    }
    return parts | {
        "knots": np.array([len(one.values) for one in learned], np.int64),
        "steps": np.array([one.step for one in learned], np.float64),
        "decimals": np.array([one.decimals for one in learned], np.int64),
    }


def parted(arrays: Mapping[str, NDArray[Any]]) -> list[Quantiles]:
    """Return the quantiles that `joined` put together."""
    ends = np.cumsum(arrays["knots"])
    scalars = zip(arrays["steps"].tolist(), arrays["decimals"].tolist(), strict=True)
    return [
        Quantiles(
            values=arrays["values"][end - knots : end],
            start=arrays["start"][end - knots : end],
            stop=arrays["stop"][end - knots : end],
            step=step,
            decimals=decimals,
        )
        for end, knots, (step, decimals) in zip(ends, arrays["knots"], scalars, strict=True)
    ]


def granularity(known: Numbers) -> tuple[float, int]:
    """Return the step between values and their decimals; (0, 0) when they lie anywhere.

    Args:
        known: Different finite values, rising, shape (k,).

    >>> granularity(np.array([0.25, 0.75, 1.5]))
    (0.25, 2)
    >>> granularity(np.array([3.0, 10.0, 24.0]))
    (7.0, 0)
    """
    if len(known) < 2:
        return 0.0, 0
    for decimals in range(MOST_DECIMALS + 1):
        scaled = known * 10.0**decimals
        if not np.abs(scaled).max() < EXACT:
            break
        if np.array_equal(np.round(known, decimals), known):
            gaps = np.diff(np.rint(scaled).astype(np.int64))
            return float(np.gcd.reduce(gaps)) / 10.0**decimals, decimals
    return 0.0, 0


def _kept(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which values stay knots: all, or the frequent, the extreme and a fine grid."""
    if len(counts) <= 2 * MOST_KNOTS:
        return np.arange(len(counts))
    stop = np.cumsum(counts)
    grid = np.searchsorted(stop, np.linspace(0, stop[-1], MOST_KNOTS), side="left")
    frequent = np.flatnonzero(counts * MOST_KNOTS >= stop[-1])
    ends = np.r_[:TAIL, len(counts) - TAIL : len(counts)]
    kept: NDArray[np.int64] = np.unique(np.concatenate([grid, frequent, ends]))
    return kept


def within(start: Numbers, stop: Numbers, rng: np.random.Generator) -> Numbers:
    """Return a uniform position in each interval, so far inside that float32 keeps it there."""
    width = stop - start
    margin = np.minimum(MARGIN, 0.25 * width)
    found: Numbers = start + margin + rng.random(len(width)) * (width - 2 * margin)
    return found


def _share(values: Numbers, low: Numbers, high: Numbers) -> Numbers:
    """Return how far each value lies between two others; a half beside an infinity."""
    width = high - low
    part = (values - low) / np.where(width > 0, width, 1.0)
    return np.where(np.isfinite(part) & np.isfinite(width), np.clip(part, 0.0, 1.0), 0.5)
