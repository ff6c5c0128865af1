"""Healthy loops, composed of single rounds of a recipe.

A *step* is what one fit and one sample did to the first two moments of the rows that were fitted,
seen along axes on which these have unit covariance. Loops are composed of such steps, drawn at
random. Everything here works on arrays and knows neither recipes nor tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.audits.lens import FLOOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

PATHS = 1_000
"""Single chains that are composed of each healthy loop."""

GROUPS = 50
"""Groups of paths; each has its own resample of the steps."""

AVERAGES = 4_000
"""Averages over replicates that are drawn from them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """What single rounds on real rows did, b of them, along k axes.

    Attributes:
        mean: Shift of the mean, in units of the rows' own spread, shape (b, k).
        cov: Covariance of the sample likewise, shape (b, k, k).
        half_mean: The same for the first half of the sample.
        half_cov: The same for the first half of the sample.
        later: Steps of further rounds, on rows that are half real; the same ones unless given.
            A model that cannot hold the real rows bends them in its first round and no more.

    """

    mean: Numbers
    cov: Numbers
    half_mean: Numbers
    half_cov: Numbers
    later: Steps | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Moments of real rows: of what loops begin with, and of half as many new ones.

    Attributes:
        first_mean: Shape (a, k).
        first_cov: Shape (a, k, k).
        fresh_mean: Shape (c, k).
        fresh_cov: Shape (c, k, k).
        lost: Log determinant that sets drawn from the real rows lack, and the new ones have back.
        sets_cov: Covariances of sets as large as a generation, drawn with replacement, shape
            (a, k, k); needed for generations that are real rows only.
        ridge: Added to covariances before a determinant is taken, shape (k, k).
        alike: The sets of real rows differ as those do that chains begin with, so that it says
            something where a chain began.

    """

    first_mean: Numbers
    first_cov: Numbers
    fresh_mean: Numbers
    fresh_cov: Numbers
    ridge: Numbers
    lost: float = 0.0
    sets_cov: Numbers | None = None
    alike: bool = False

    @property
    def began(self) -> float:
        """Return the mean log determinant of what loops begin with."""
        return float(log_dets(self.first_cov + self.ridge).mean())


def compose(
    kind: str,
    steps: Steps,
    draws: Draws,
    *,
    generations: int,
    rng: np.random.Generator,
    own_rows: bool = False,
) -> Numbers:
    """Return paths of a loop composed of single steps, shape (paths, generations + 1).

    Args:
        kind: `replace`, `accumulate`, or `fresh` with half new real rows.
        steps: What single rounds do.
        draws: Moments of real rows.
        generations: Rounds.
        rng: Draws steps and real rows.
        own_rows: Follow the rows that each generation drew, not those that it hands on.

    Returns:
        The log determinant of each generation, from 0 on.

    """
    k = steps.mean.shape[1]
    count = PATHS if k <= 16 else PATHS // 4
    # A few dozen refits know the law of steps only so well: each group of paths has its own
    # resample of them, so that the band is as much wider as that matters.
    group = np.arange(count) % GROUPS
    banks = {id(bank): _resample(bank, rng) for bank in (steps, steps.later) if bank is not None}
    start = rng.integers(len(draws.first_mean), size=count)
    mean, cov = draws.first_mean[start].copy(), draws.first_cov[start].copy()
    paths = np.empty((count, generations + 1))
    paths[:, 0] = log_dets(cov + draws.ridge)
    for place in range(generations):
        bank = steps if place == 0 or steps.later is None else steps.later
        drawn = banks[id(bank)][group, rng.integers(len(bank.mean), size=count)]
        half = kind == "fresh"
        shift = bank.half_mean[drawn] if half else bank.mean[drawn]
        shape = bank.half_cov[drawn] if half else bank.cov[drawn]
        root = _roots(cov)
        made_mean = mean + np.einsum("nij,nj->ni", root, shift)
        made_cov = root @ shape @ root.transpose(0, 2, 1)
        if kind == "replace":
            mean, cov = made_mean, made_cov
        elif kind == "accumulate":
            mean, cov = _merged(mean, cov, made_mean, made_cov, weight=1.0 / (place + 2))
        else:
            new = rng.integers(len(draws.fresh_mean), size=count)
            mean, cov = _merged(
                draws.fresh_mean[new], draws.fresh_cov[new], made_mean, made_cov, weight=0.5
            )
        seen = made_cov if own_rows else cov
        paths[:, place + 1] = log_dets(seen + draws.ridge)
    return paths


def as_seen(paths: Numbers, seen: Numbers, draws: Draws) -> Numbers:
    """Return composed paths, moved to where real short chains lie after their first round.

    Args:
        paths: Shape (n, generations + 1).
        seen: The same of real chains of fewer rounds.
        draws: Moments of real rows.

    """
    rounds = min(seen.shape[1], paths.shape[1])
    later = slice(min(2, rounds - 1), rounds)
    real = float(seen[:, later].mean()) - draws.lost
    moved = paths.copy()
    moved[:, 1:] += real - draws.began - float((paths[:, later] - paths[:, :1]).mean())
    return moved


def _resample(bank: Steps, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a resample of the places of steps for each group of paths."""
    return rng.integers(len(bank.mean), size=(GROUPS, len(bank.mean)))


def real_only(covs: Numbers, generations: int, rng: np.random.Generator) -> Numbers:
    """Return paths of generations that are all drawn from the real rows anew."""
    found = log_dets(covs)
    paths: Numbers = found[rng.integers(len(found), size=(PATHS, generations + 1))]
    return paths


def averages(paths: Numbers, replicates: int, rng: np.random.Generator) -> Numbers:
    """Return means over random sets of replicates of one group, shape (audits, generations + 1)."""
    if replicates == 1:
        return paths
    group = rng.integers(GROUPS, size=(AVERAGES, 1))
    chosen = group + GROUPS * rng.integers(len(paths) // GROUPS, size=(AVERAGES, replicates))
    mean: Numbers = paths[chosen].mean(axis=1)
    return mean


def _merged(
    mean: Numbers, cov: Numbers, other_mean: Numbers, other_cov: Numbers, *, weight: float
) -> tuple[Numbers, Numbers]:
    """Return the moments of two sets of rows together, the second with this weight."""
    apart: Numbers = other_mean - mean
    outer: Numbers = np.einsum("ni,nj->nij", apart, apart)
    both: Numbers = cov + weight * (other_cov - cov)
    return mean + weight * apart, both + weight * (1.0 - weight) * outer


def _roots(cov: Numbers) -> Numbers:
    """Return lower triangular roots; directions without variance get next to none."""
    k = cov.shape[-1]
    size = np.maximum(np.einsum("nii->n", cov) / k, FLOOR)
    small: Numbers = cov + (1e-10 * size)[:, None, None] * np.eye(k)
    roots: Numbers
    try:
        roots = np.linalg.cholesky(small)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(small)
        lengths: Numbers = np.sqrt(np.maximum(values, FLOOR))
        roots = vectors * lengths[:, None, :]
    return roots


def log_dets(cov: Numbers) -> Numbers:
    """Return log determinants, shape (n,); no axis counts as less than `FLOOR`."""
    found: Numbers = np.maximum(np.linalg.slogdet(cov)[1], cov.shape[-1] * math.log(FLOOR))
    return found
