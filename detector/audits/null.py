"""The steps and draws that the null band is made of, from refits and from the real rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from detector.audits.composed import Draws, Steps
from detector.audits.lens import FLOOR, moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from detector.audits.lens import Moments
    from detector.audits.loop import Chain

    Numbers = NDArray[np.float64]

DRAWS = 400
"""Draws of real rows whose moments are kept."""

APART = 4
"""Real rows are so many times as many as a set before sets are drawn without replacement."""

MOST_ROWS = 4_000
"""Rows of a draw; the moments of larger ones are scaled from draws of this size."""


def steps_of(chains: Sequence[Chain]) -> Steps:
    """Return what the rounds of healthy chains did to the moments of what was trained on.

    Args:
        chains: Refits that reached generation 1, at least two of them.

    """
    rounds = [
        (place, before.training, after.rows, after.half)
        for chain in chains
        for place, (before, after) in enumerate(pairwise(chain.generations))
    ]
    first = steps_between([moved for place, *moved in rounds if place == 0])
    later = [moved for place, *moved in rounds if place > 0]
    return replace(first, later=steps_between(later)) if later else first


def steps_between(pairs: Sequence[Sequence[Moments]]) -> Steps:
    """Return steps from the moments of rows, of a sample after them, and of half of that."""
    found = [(*_relative(before, after), *_relative(before, half)) for before, after, half in pairs]
    mean, cov, half_mean, half_cov = (np.stack(part) for part in zip(*found, strict=True))
    return Steps(mean=mean, cov=cov, half_mean=half_mean, half_cov=half_cov)


def draws_of(
    features: Numbers, *, rows: int, rng: np.random.Generator, ridge: Numbers | None = None
) -> Draws:
    """Return moments of random sets of real rows.

    Where the real rows are four times as many as a generation, sets are drawn without
    replacement, as chains draw theirs; else with it, so that what is new in them is as noisy
    as new rows would be.

    Args:
        features: All real rows along the axes, shape (N, k).
        rows: Rows of a generation.
        rng: Draws the sets.
        ridge: As in `Draws`; nothing unless given.

    """
    total, half = len(features), max(2, rows // 2)
    if rows == total:
        whole = moments(features)
        first = whole.mean[None], whole.cov[None]
    else:
        first = _sets(features, rows, rng)
    fresh = _sets(features, half, rng)
    lost = 0.0
    if rows == total:
        # All real rows begin the chain and have lost the spread that n rows lose; new rows from
        # the same source would not be drawn from them, as these sets are.
        lost = float(np.linalg.slogdet(sets_of(features, rows=rows, rng=rng))[1].mean())
        lost -= float(np.linalg.slogdet(first[1])[1].mean())
        lost = max(-5.0, min(0.0, lost)) if np.isfinite(lost) else 0.0
        fresh = fresh[0], fresh[1] * np.exp(-lost / max(1, features.shape[1]))
    k = features.shape[1]
    return Draws(
        first_mean=first[0],
        first_cov=first[1],
        fresh_mean=fresh[0],
        fresh_cov=fresh[1],
        ridge=np.zeros((k, k)) if ridge is None else ridge,
        lost=lost,
        alike=total >= APART * rows,
    )


def sets_of(features: Numbers, *, rows: int, rng: np.random.Generator) -> Numbers:
    """Return covariances of sets of real rows drawn with replacement, shape (a, k, k)."""
    return _sets(features, rows, rng, again=True)[1]


def _sets(
    features: Numbers, size: int, rng: np.random.Generator, *, again: bool | None = None
) -> tuple[Numbers, Numbers]:
    again = len(features) < APART * size if again is None else again
    means, covs = [], []
    for _ in range(DRAWS if size <= MOST_ROWS else DRAWS // 4):
        found = moments(features[rng.choice(len(features), size, replace=again)])
        means.append(found.mean)
        covs.append(found.cov)
    return np.stack(means), np.stack(covs)


def _relative(before: Moments, after: Moments) -> tuple[Numbers, Numbers]:
    """Return moments in units in which those before are zero and one."""
    size = max(float(np.trace(before.cov)) / len(before.cov), FLOOR)
    root = np.linalg.cholesky(before.cov + 1e-10 * size * np.eye(len(before.cov)))
    shift = np.linalg.solve(root, after.mean - before.mean)
    inner = np.linalg.solve(root, np.linalg.solve(root, after.cov).T)
    return shift, (inner + inner.T) / 2.0
