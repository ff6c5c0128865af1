"""When does the spread pass a stated threshold? The chains of an audit, put to the forecast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.stats.first_passage import first_passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.stats.first_passage import Passage

    Numbers = NDArray[np.float64]

LOOK_AHEAD = 20
"""A forecast looks this many times as far as the audit ran, unless told otherwise."""


def forecast(
    paths: Numbers,
    *,
    axes: int,
    ratio: float,
    grown: bool,
    horizon: int | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return the forecast of a variance ratio, as JSON data.

    Args:
        paths: Change of log determinant since generation 0, shape (replicates, generations + 1).
        axes: Axes behind the determinant: the ratio is the geometric mean over them.
        ratio: The variance ratio whose first passage is asked for, below 1.
        grown: The loop has grown: the inverse ratio is asked for.
        horizon: Generations to look ahead; None for `LOOK_AHEAD` times as many as were run.
        rng: For the simulation.

    """
    wanted = 1.0 / ratio if grown else ratio
    ahead = horizon or LOOK_AHEAD * (paths.shape[1] - 1)
    found = first_passage(
        paths / max(1, axes), threshold=math.log(wanted), horizon=max(1, ahead), rng=rng
    )
    return plain(found, ratio=wanted) | {"fan": fan(paths / max(1, axes))}


def plain(found: Passage, *, ratio: float) -> dict[str, Any]:
    """Return a passage as JSON data."""
    return {
        "measure": "variance ratio",
        "threshold": ratio,
        "horizon": found.horizon,
        "interval": list(found.interval),
        "median": found.median,
        "share": found.share,
        "drift": None if found.drift is None else list(found.drift),
        "abstains": found.abstains,
        "because": found.because,
        "needed": found.needed,
    }


def fan(paths: Numbers, *, ahead: int = 3) -> list[list[float]]:
    """Return generations with the middle and the ends of 90 % of chains to come.

    A new chain's log ratio after t generations is normal with mean m t and variance v t; the
    error of m adds to it. Rows of generation, low, middle, high; none where it cannot be told.
    """
    whole = paths[np.isfinite(paths).all(axis=1)]
    steps = np.diff(whole, axis=1)
    if steps.size < 6:
        return []
    mean, noise = float(steps.mean()), float(steps.var(ddof=1))
    last = whole.shape[1] - 1
    rows = []
    for at in np.unique(np.linspace(0, ahead * last, 25).round()).astype(int):
        reach = 1.645 * math.sqrt(noise * at + noise * at * at / steps.size)
        rows.append([int(at), mean * at - reach, mean * at, mean * at + reach])
    return rows
