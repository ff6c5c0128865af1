"""Is it collapse, or sampling noise? A band that healthy loops of the same recipe stay within.

Any retraining on n rows loses a little spread by chance, and a healthy loop loses more of it
before it settles. So the null is not "no change": it is what loops do that keep enough real
rows. Their law is the recipe's own. A *step* is what one fit and one sample did to the first two
moments of the rows that were fitted, seen along axes on which these have unit covariance.
Healthy loops are composed of such steps, drawn at random: one accumulates all rows, one gets
half new real rows in every round. The band holds whole paths of both, family-wise over all
generations and both directions, with a stated error rate.

Everything here works on arrays and knows neither recipes nor tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits.lens import FLOOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ALPHA = 0.05
"""How often a healthy loop may raise an alarm over the whole horizon."""

PRUDENCE = 0.6
"""The band is made for this share of alpha: refits and paths are finite, the promise is not."""

PATHS = 1_000
"""Single chains that are composed of each healthy loop."""

GROUPS = 50
"""Groups of paths; each has its own resample of the steps."""

AVERAGES = 4_000
"""Averages over replicates that are drawn from them."""

POWER = 0.8
"""A loop without real rows must be seen this often, or the audit cannot tell."""


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

    """

    first_mean: Numbers
    first_cov: Numbers
    fresh_mean: Numbers
    fresh_cov: Numbers
    ridge: Numbers
    lost: float = 0.0
    sets_cov: Numbers | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """The paths of healthy loops, as changes of log determinant since generation 0.

    Attributes:
        low: The lower end, shape (generations + 1,); 0 in generation 0.
        high: The upper end.
        middle: The mean of the healthy loop that changes more.
        excess: How far the worst healthy paths of each loop got, in units of the band's half
            width, sorted, shape (loops, paths).
        scale: Centers and half widths of each loop, shape (loops, 3, generations).
        cut: The excess that is the end of the band.

    """

    low: Numbers
    high: Numbers
    middle: Numbers
    excess: Numbers
    scale: Numbers
    cut: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alarm:
    """What the band says of an observed path.

    Attributes:
        generation: The first one outside of the band; None if there is none.
        direction: `lost`, `grown`, or nothing.
        p_value: How often a healthy loop gets as far out, over the whole horizon.
        change: The observed mean change in the last generation.
        power: How often loops of this recipe without real rows leave the band in time.
        drift: Mean change of log determinant in one round.
        noise: Its variance.
        made: Replicates times generations of this audit.
        needed: Replicates times generations from which such a loop is seen 9 times in 10.

    """

    generation: int | None
    direction: str
    p_value: float
    change: float
    power: float
    drift: float
    noise: float
    made: int
    needed: int

    @property
    def tells(self) -> bool:
        """Tell whether silence means something."""
        return self.generation is not None or self.power >= POWER

    def to_plain(self, *, level: float) -> dict[str, Any]:
        """Return all of it as JSON data, with the error rate that the band was made for."""
        held = {name: getattr(self, name) for name in self.__slots__}
        return held | {"level": level, "tells": self.tells}


def healthy_band(
    steps: Steps,
    draws: Draws,
    *,
    replicates: int,
    generations: int,
    rng: np.random.Generator,
    alpha: float = ALPHA,
    own_rows: bool = False,
    seen: Numbers | None = None,
) -> Band:
    """Return the band that healthy loops stay within in all but a share `alpha` of audits.

    Args:
        steps: The recipe's rounds.
        draws: Moments of real rows.
        replicates: Chains that an observed path is the mean of.
        generations: Rounds.
        rng: Composes the loops.
        alpha: How often a healthy loop may leave the band, at any time.
        own_rows: As in `compose`.
        seen: Log determinants of real short chains with half new real rows, shape (chains,
            rounds + 1). Where composed loops lie elsewhere, the band holds them where the
            real ones were too.

    Cost: O(paths x generations x k^3).
    """
    asked: dict[str, Any] = {"generations": generations, "rng": rng, "own_rows": own_rows}
    paths = [compose(kind, steps, draws, **asked) for kind in ("accumulate", "fresh")]
    if seen is not None:
        paths.append(paths[1] + _offset(paths[1], seen, draws))
    if draws.sets_cov is not None:
        paths.append(_real_only(draws.sets_cov + draws.ridge, generations, rng))
    loops = [averages(one, replicates, rng) for one in paths]
    scale = np.stack([_scale(one, alpha) for one in loops])
    excess = np.stack([np.sort(_excess(one, scale).max(axis=1)) for one in loops])
    # The least excess that leaves no more than this much of the worse loop outside.
    cut = float(max(np.quantile(one, 1.0 - PRUDENCE * alpha) for one in excess))
    low = np.min(np.minimum(scale[:, 0], 0.0) - cut * scale[:, 1], axis=0)
    high = np.max(np.maximum(scale[:, 0], 0.0) + cut * scale[:, 2], axis=0)
    worst = np.abs(scale[:, 0, -1]).argmax()
    return Band(
        low=np.r_[0.0, low],
        high=np.r_[0.0, high],
        middle=np.r_[0.0, scale[worst, 0]],
        excess=excess,
        scale=scale,
        cut=cut,
    )


def judge_path(
    path: Numbers,
    band: Band,
    steps: Steps,
    draws: Draws,
    *,
    replicates: int,
    rng: np.random.Generator,
) -> Alarm:
    """Return whether and when the mean path of some replicates leaves the band.

    Args:
        path: Mean change of log determinant since generation 0, shape (generations + 1,).
        band: Made for as many replicates and generations.
        steps: The recipe's rounds.
        draws: Moments of real rows.
        replicates: Chains that the path is the mean of.
        rng: Composes the loops without real rows whose chance of an alarm is stated.

    """
    generations = len(path) - 1
    far = _excess(path[None, 1:], band.scale)[0]
    outside = np.flatnonzero(far > band.cut)
    at = int(outside[0]) + 1 if len(outside) else None
    changes = compose("replace", steps, draws, generations=generations, rng=rng)
    losing = averages(changes, replicates, rng)
    power = float((_excess(losing, band.scale).max(axis=1) > band.cut).mean())
    drift, noise = typical_change(steps)
    return Alarm(
        generation=at,
        direction="" if at is None else "lost" if path[at] < band.middle[at] else "grown",
        p_value=_p_value(float(far.max()), band.excess),
        change=float(path[-1]),
        power=power,
        drift=drift,
        noise=noise,
        made=replicates * generations,
        needed=rounds_needed(drift, noise),
    )


def typical_change(steps: Steps) -> tuple[float, float]:
    """Return the mean change of log determinant in one round, and its variance.

    A few rounds tell the mean badly: nearly all of their scatter is that of the trace, which a
    recipe that keeps the spread changes by sampling alone, 2 / (k + 1) of the rest for normal
    rows. So the trace's own mean counts only where it is clearly another one.

    Source: expansion of the log determinant of a Wishart matrix, Anderson (2003), section 7.5.
    """
    cov = (steps.later or steps).cov
    k = cov.shape[-1]
    change = _log_dets(cov)
    trace = np.einsum("nii->n", cov) - k
    rest = float((change - trace).mean())
    sampling, own = 2.0 * rest / (k + 1), float(trace.mean())
    error = float(trace.std(ddof=1)) / math.sqrt(len(trace)) if len(trace) > 1 else math.inf
    drift = rest + (own if abs(own - sampling) > 3.0 * error else sampling)
    return drift, float(change.var())


def rounds_needed(drift: float, noise: float, *, alpha: float = 0.05, power: float = 0.9) -> int:
    """Return replicates x generations for a one-sided test of a drift with known variance.

    >>> from scipy.special import digamma, polygamma
    >>> n, axes = 100, range(1, 11)
    >>> drift = sum(digamma((n - j) / 2) - np.log(n / 2) for j in axes)
    >>> rounds_needed(drift, sum(polygamma(1, (n - j) / 2) for j in axes))
    5
    """
    from statistics import NormalDist

    normal = NormalDist()
    reach = normal.inv_cdf(1.0 - alpha) + normal.inv_cdf(power)
    if abs(drift) < 1e-9:
        return 10**9
    return min(10**9, max(1, math.ceil(noise * (reach / drift) ** 2)))


def compose(
    kind: str,
    steps: Steps,
    draws: Draws,
    *,
    generations: int,
    rng: np.random.Generator,
    own_rows: bool = False,
) -> Numbers:
    """Return paths of a loop composed of single steps, shape (paths, generations).

    Args:
        kind: `replace`, `accumulate`, or `fresh` with half new real rows.
        steps: What single rounds do.
        draws: Moments of real rows.
        generations: Rounds.
        rng: Draws steps and real rows.
        own_rows: Follow the rows that each generation drew, not those that it hands on.

    Returns:
        Change of the log determinant since generation 0.

    """
    k = steps.mean.shape[1]
    count = PATHS if k <= 16 else PATHS // 4
    # A few dozen refits know the law of steps only so well: each group of paths has its own
    # resample of them, so that the band is as much wider as that matters.
    group = np.arange(count) % GROUPS
    banks = {id(bank): _resample(bank, rng) for bank in (steps, steps.later) if bank is not None}
    start = rng.integers(len(draws.first_mean), size=count)
    mean, cov = draws.first_mean[start].copy(), draws.first_cov[start].copy()
    began = _log_dets(cov + draws.ridge)
    paths = np.empty((count, generations))
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
        paths[:, place] = _log_dets(seen + draws.ridge) - began
    return paths


def _offset(paths: Numbers, seen: Numbers, draws: Draws) -> float:
    """Return how far short chains lie from composed ones after their first round."""
    began = float(_log_dets(draws.first_cov + draws.ridge).mean())
    rounds = min(seen.shape[1] - 1, paths.shape[1])
    later = slice(min(1, rounds - 1), rounds)
    real = float(seen[:, 1:][:, later].mean()) - began - draws.lost
    return real - float(paths[:, later].mean())


def _resample(bank: Steps, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a resample of the places of steps for each group of paths."""
    return rng.integers(len(bank.mean), size=(GROUPS, len(bank.mean)))


def _real_only(covs: Numbers, generations: int, rng: np.random.Generator) -> Numbers:
    """Return paths of generations that are all drawn from the real rows anew."""
    found = _log_dets(covs)
    drawn = found[rng.integers(len(found), size=(PATHS, generations + 1))]
    paths: Numbers = drawn[:, 1:] - drawn[:, :1]
    return paths


def averages(paths: Numbers, replicates: int, rng: np.random.Generator) -> Numbers:
    """Return means over random sets of replicates of one group, shape (audits, generations)."""
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


def _log_dets(cov: Numbers) -> Numbers:
    found: Numbers = np.maximum(np.linalg.slogdet(cov)[1], cov.shape[-1] * math.log(FLOOR))
    return found


def _scale(paths: Numbers, alpha: float) -> Numbers:
    """Return the center and the half widths below and above, shape (3, generations).

    The half widths hold all generations at once in a share `1 - alpha` of paths, half of the
    error on each side.
    """
    middle, spread = paths.mean(axis=0), np.maximum(paths.std(axis=0), 1e-9)
    scaled = (paths - middle) / spread
    below = -np.quantile(scaled.min(axis=1), alpha / 2.0)
    above = np.quantile(scaled.max(axis=1), 1.0 - alpha / 2.0)
    return np.stack([middle, max(below, 1e-9) * spread, max(above, 1e-9) * spread])


def _excess(paths: Numbers, scale: Numbers) -> Numbers:
    """Return how far paths are outside, in half widths of the kindest loop, (n, generations).

    A path between no change and what a healthy loop does on average is as healthy as can be: a
    recipe whose rounds change less and less falls behind loops that are composed of its first.
    """
    found = []
    for middle, below, above in scale:
        away = paths - np.clip(paths, np.minimum(middle, 0.0), np.maximum(middle, 0.0))
        found.append(np.where(away < 0, -away / below, away / above))
    kindest: Numbers = np.min(found, axis=0)
    return kindest


def _p_value(far: float, excess: Numbers) -> float:
    """Return how often the worse of the healthy loops gets as far out."""
    beyond = [len(one) - int(np.searchsorted(one, far, side="left")) for one in excess]
    worst = max((1 + count) / (len(one) + 1) for count, one in zip(beyond, excess, strict=True))
    return min(1.0, worst / PRUDENCE)
