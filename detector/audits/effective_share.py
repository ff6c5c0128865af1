"""What share of real rows a lineage of data sets behaves like, from how their means move.

With a real share s in every training a mean keeps 1 - s of its distance from the real one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from detector.audits.found import FEWEST_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from detector.audits.lens import Lens, View

    Numbers = NDArray[np.float64]

FEWEST = 5
"""Generations after the first that an effective real share needs."""

SHARES = np.linspace(0.0, 1.0, 41)
CHAINS = 400


def effective_share(
    views: Sequence[View], lens: Lens, rng: np.random.Generator
) -> tuple[float, float, float] | None:
    """Return the effective real share with its 95 % interval; None where it cannot be told.

    The means along the axes, in units of generation 0, are held against simulated chains of
    each real share: the interval holds the shares under which so strong an autoregression of
    the means is not unusual. For means of normal rows of one size.
    """
    if len(views) <= FEWEST or not lens.axes:
        return None
    sizes = np.array([len(view) for view in views])
    if sizes.min() < FEWEST_ROWS or sizes.max() > 2 * sizes.min():
        return None
    first = lens.moments(views[0])
    root = np.linalg.cholesky(first.cov + 1e-9 * np.eye(lens.axes))
    means = np.array([np.linalg.solve(root, lens.moments(v).mean - first.mean) for v in views])
    rows = float(np.median(sizes))
    seen = _autoregression(means[None] * math.sqrt(rows))[0]
    fit, low, high = [], [], []
    for share in SHARES:
        made = _autoregression(_means(share, means.shape, rng))
        fit.append(abs(float(np.median(made)) - seen))
        low.append(float((made <= seen).mean()))
        high.append(float((made >= seen).mean()))
    fits = np.minimum(low, high) > 0.025
    if not fits.any():
        return None
    inside = SHARES[fits]
    best = float(SHARES[int(np.argmin(fit))])
    return best, float(min(inside.min(), best)), float(max(inside.max(), best))


def _means(share: float, shape: tuple[int, ...], rng: np.random.Generator) -> Numbers:
    """Return means of simulated chains times the root of their rows, shape (chains, g, k)."""
    generations, axes = shape
    real = rng.standard_normal((CHAINS, axes))  # where the real mean lies from generation 0's
    found = np.zeros((CHAINS, generations, axes))
    passed = np.zeros((CHAINS, axes))  # the mean of the rows that go into the next training
    kept = math.sqrt(max(1.0 - share, 1e-9))
    for g in range(1, generations):
        fresh = real + rng.standard_normal((CHAINS, axes)) / math.sqrt(max(share, 1e-9))
        trained = share * fresh * (share > 0) + (1.0 - share) * passed
        one = rng.standard_normal((CHAINS, axes)) / kept
        other = rng.standard_normal((CHAINS, axes)) / math.sqrt(max(share, 1e-9))
        passed = trained + one * (share < 1)
        found[:, g] = trained + (1.0 - share) * one * (share < 1) + share * other * (share > 0)
    return found


def _autoregression(means: Numbers) -> Numbers:
    """Return the pooled coefficient of each mean on the one before, shape (chains,)."""
    before, after = means[:, 1:-1], means[:, 2:]
    # About the middle of each axis: where the real mean lies is not known.
    before = before - before.mean(axis=1, keepdims=True)
    after = after - after.mean(axis=1, keepdims=True)
    down = np.square(before).sum(axis=(1, 2))
    found: Numbers = (before * after).sum(axis=(1, 2)) / np.maximum(down, 1e-300)
    return found
