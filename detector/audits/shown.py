"""What an audit or a lineage shows: the plain data that a report draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits.forecast import forecast
from detector.audits.losses import losses
from detector.audits.trajectory import MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from detector.audits.alarm import Alarm, Band
    from detector.audits.lens import Lens
    from detector.audits.loop import Chain

    Numbers = NDArray[np.float64]

FEWEST_VALUES = 12
"""Values of healthy rounds below which a measure has no band."""


def shown(
    chains: Sequence[Chain],
    lens: Lens,
    found: tuple[Alarm, Band] | None,
    *,
    alpha: float,
    rng: np.random.Generator,
    bank: Sequence[Chain] = (),
    ratio: float = 0.5,
    horizon: int | None = None,
) -> dict[str, Any]:
    """Return trajectories, alarm, forecast, losses and pictures as JSON data.

    Args:
        chains: All chains; those that went farthest are judged.
        lens: How rows are seen.
        found: What the band says, if there is one.
        alpha: The error rate that it was made for.
        rng: For the forecast.
        bank: Short healthy chains.
        ratio: The variance ratio whose passage is forecast.
        horizon: Generations to look ahead.

    """
    whole = longest(chains)
    paths = paths_of(whole)
    alarm, band = found or (None, None)
    grown = alarm is not None and alarm.direction == "grown"
    return {
        "trajectory": _table(chains),
        "alarm": None if alarm is None else alarm.to_plain(level=alpha),
        "band": None if band is None else {"low": band.low.tolist(), "high": band.high.tolist()},
        "path": paths.mean(axis=0).tolist(),
        "axes": lens.axes,
        "bands": _bands(bank),
        "forecast": forecast(
            paths, axes=lens.axes, ratio=ratio, grown=grown, horizon=horizon, rng=rng
        ),
        "lost": losses(whole, lens),
        "film": _film(chains),
        "ended": [{"replicate": c.replicate, "why": c.ended} for c in chains if c.ended],
    }


def longest(chains: Sequence[Chain]) -> list[Chain]:
    """Return the chains that went as far as any did."""
    most = max(len(chain.generations) for chain in chains)
    return [chain for chain in chains if len(chain.generations) == most]


def spreads_of(chains: Sequence[Chain]) -> Numbers:
    """Return the log determinants of chains of one length, shape (chains, generations + 1)."""
    return np.array([[one.spread for one in chain.generations] for chain in chains])


def paths_of(chains: Sequence[Chain]) -> Numbers:
    """Return their changes since generation 0."""
    spread = spreads_of(chains)
    changes: Numbers = spread - spread[:, :1]
    return changes


def healthy_values(bank: Sequence[Chain], name: str) -> list[float]:
    """Return the values of a measure in all rounds of the short healthy chains."""
    found = [one.measures.get(name) for chain in bank for one in chain.generations[1:]]
    return [value for value in found if value is not None]


def _table(chains: Sequence[Chain]) -> dict[str, list[Any]]:
    """Return the trajectory, column by column."""
    columns: dict[str, list[Any]] = {"replicate": [], "generation": [], "measure": [], "value": []}
    for chain in chains:
        for one in chain.generations:
            for name in MEASURES:
                if name in one.measures:
                    row = (chain.replicate, one.number, name, one.measures[name])
                    for column, value in zip(columns.values(), row, strict=True):
                        column.append(value)
    return columns


def _bands(bank: Sequence[Chain]) -> dict[str, list[float]]:
    """Return the middle 95 % of each measure in healthy rounds."""
    found = {}
    for name in MEASURES:
        values = healthy_values(bank, name)
        if len(values) >= FEWEST_VALUES:
            found[name] = np.quantile(values, [0.025, 0.975]).tolist()
    return found


def _film(chains: Sequence[Chain]) -> dict[str, Any]:
    """Return a few rows of some generations of the first chain, as whole numbers from 0 to 1000."""
    views = chains[0].views
    start = views[0]
    middle, spread = np.median(start, axis=0), np.maximum(start.std(axis=0), 1e-9)
    frames = []
    for number, rows in sorted(views.items()):
        placed = np.clip(500 + 125 * (rows - middle) / spread, 0, 1000).round().astype(int)
        frames.append({"generation": number, "points": placed.tolist()})
    return {"frames": frames}
