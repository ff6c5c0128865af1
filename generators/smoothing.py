"""Smooth columns: training quantiles without the chance of a few hundred rows.

The quantiles of few rows are jagged: values crowd here and leave a hole there by chance alone. A
model that repeats them draws a column that trees tell from fresh real rows, however well it knows
how columns belong together. Here each quantile becomes the local line through its neighbors, over
normal scores, so that a normal column stays as it is. No quantile moves by more than the standard
error of a share of the rows: real holes, edges and spikes stay, and with many rows nothing moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from generators.codec import Dimension
    from generators.ranks import Quantiles

    Numbers = NDArray[np.float64]
    Rows = NDArray[np.float32]

WIDTH, HALVINGS = 0.4, 4
"""Bandwidth in normal scores, halved so often until no quantile moves too far."""

FEWEST, MOST = 30, 2_048
"""Different values between which a column is smoothed; above, chance is too small to be seen."""

REPEATED = 0.02
"""Share of the rows that one value may hold, or it is a spike and the column stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smoothing:
    """Moves positions of the codec, dimension by dimension.

    Attributes:
        places: Positions from 0 to 1, rising; empty for a dimension that stays as it is.
        moved: Where each of them goes, rising.

    """

    places: tuple[Numbers, ...]
    moved: tuple[Numbers, ...]

    @staticmethod
    def learn(dimensions: Sequence[Dimension], rows: int) -> Smoothing:
        """Learn from the quantiles of so many rows."""
        found = [_smooth(dimension.ranks, rows) for dimension in dimensions]
        return Smoothing(places=tuple(x for x, _ in found), moved=tuple(y for _, y in found))

    def apply(self, rows: Rows) -> Rows:
        """Return the rows at their new positions, shape (n, d), within [-1, 1]."""
        made = rows.copy()
        for place, (before, after) in enumerate(zip(self.places, self.moved, strict=True)):
            if len(before):
                positions = (rows[:, place].astype(np.float64) + 1.0) / 2.0
                made[:, place] = 2.0 * np.interp(positions, before, after) - 1.0
        return made

    def save(self) -> dict[str, NDArray[Any]]:
        """Return what `restored` needs."""
        return {
            "places": np.concatenate([np.empty(0), *self.places]),
            "moved": np.concatenate([np.empty(0), *self.moved]),
            "lengths": np.array([len(places) for places in self.places], np.int64),
        }

    @staticmethod
    def restored(arrays: Mapping[str, NDArray[Any]]) -> Smoothing:
        """Return the smoothing that `save` wrote."""
        ends = np.cumsum(arrays["lengths"])[:-1]
        parts = (tuple(np.split(arrays[name], ends)) for name in ("places", "moved"))
        places, moved = parts
        return Smoothing(places=places, moved=moved)


def _smooth(ranks: Quantiles | None, rows: int) -> tuple[Numbers, Numbers]:
    """Return positions and where they go; nothing for a column that stays as it is."""
    nothing = np.empty(0), np.empty(0)
    if ranks is None or not FEWEST <= len(ranks.values) <= MOST or _spiked(ranks, rows):
        return nothing
    from scipy.special import ndtri

    middles = (ranks.start + ranks.stop) / 2.0
    middles[0], middles[-1] = max(middles[0], 0.5 / rows), min(middles[-1], 1.0 - 0.5 / rows)
    counts = np.maximum((ranks.stop - ranks.start) * rows, 1.0)
    quarters = ranks.values / 4 - ranks.values[0] / 4  # or huge numbers overflow
    values = quarters / quarters[-1]
    scores, width = ndtri(middles), WIDTH
    for _ in range(HALVINGS):
        lines = _lines(scores, values, counts, width)
        moved = np.interp(np.maximum.accumulate(lines), values, middles)
        if np.abs(moved - middles).max() <= 0.5 / np.sqrt(rows):
            return np.r_[0.0, middles, 1.0], np.r_[0.0, moved, 1.0]
        width /= 2.0
    return nothing


def _spiked(ranks: Quantiles, rows: int) -> bool:
    """Return whether a value is infinite, or one holds more rows than its grid explains."""
    if not np.isfinite(ranks.values).all():
        return True
    largest = float((ranks.stop - ranks.start).max()) + 1.0 / rows
    quarter = float(ranks.values[-1]) / 4 - float(ranks.values[0]) / 4
    if quarter <= np.finfo(np.float64).tiny * rows:
        return True
    coarse = ranks.step > 0 and quarter <= ranks.step * rows / 4
    return largest > max(REPEATED * (3.0 if coarse else 1.0), 4.0 / rows)


def _lines(scores: Numbers, values: Numbers, counts: Numbers, width: float) -> Numbers:
    """Return the local line through the values at every score, shape (k,).

    Source: Fan and Gijbels (1996), Local Polynomial Modelling and Its Applications.
    """
    apart = scores[None] - scores[:, None]
    weights = counts * np.exp(-0.5 * np.square(apart / width))
    tilted = weights * apart
    total, first, second = weights.sum(1), tilted.sum(1), (tilted * apart).sum(1)
    found = second * (weights @ values) - first * (tilted @ values)
    lines: Numbers = found / np.maximum(total * second - first**2, 1e-300)
    return lines
