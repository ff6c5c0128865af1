"""Is it collapse, or sampling noise? A band that healthy loops of the same recipe stay within.

Any retraining on n rows loses a little spread by chance, and a healthy loop loses more of it
before it settles. So the null is not "no change": it is what loops do that keep enough real
rows. Their law is the recipe's own: healthy loops are composed of its single rounds. One
accumulates all rows, one gets half new real rows in every round. The band holds whole paths of
both, family-wise over all generations and both directions, with a stated error rate.

Everything here works on arrays and knows neither recipes nor tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits.composed import as_seen, averages, compose, log_dets, real_only

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.audits.composed import Draws, Steps

    Numbers = NDArray[np.float64]

ALPHA = 0.05
"""How often a healthy loop may raise an alarm over the whole horizon."""

PRUDENCE = 0.6
"""The band is made for this share of alpha: refits and paths are finite, the promise is not."""

POWER = 0.8
"""A loop without real rows must be seen this often, or the audit cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """The paths of healthy loops, as changes of log determinant since generation 0.

    Attributes:
        low: The lower end, shape (generations + 1,); 0 in generation 0.
        high: The upper end.
        middle: The mean of the healthy loop that changes more.
        excess: How far the worst healthy paths of each loop got, in units of the band's half
            width, sorted, shape (loops, paths).
        scale: Centers, half widths below and above of each loop, and how much a center moves
            with where a chain began, shape (loops, 4, generations).
        origin: Where chains begin on average.
        cut: The excess that is the end of the band.

    """

    low: Numbers
    high: Numbers
    middle: Numbers
    excess: Numbers
    scale: Numbers
    origin: float
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
    path: Numbers,
    steps: Steps,
    draws: Draws,
    *,
    replicates: int,
    rng: np.random.Generator,
    alpha: float = ALPHA,
    own_rows: bool = False,
    seen: Numbers | None = None,
) -> Band:
    """Return the band that healthy loops stay within in all but a share `alpha` of audits.

    Args:
        path: The observed one, as in `judge_path`: only where it began and how long it is
            shape the band.
        steps: The recipe's rounds.
        draws: Moments of real rows.
        replicates: Chains that the observed path is the mean of.
        rng: Composes the loops.
        alpha: How often a healthy loop may leave the band, at any time.
        own_rows: As in `compose`.
        seen: Log determinants of real short chains with half new real rows, shape (chains,
            rounds + 1). Where composed loops lie elsewhere, the band holds them where the
            real ones were too.

    Cost: O(paths x generations x k^3).
    """
    generations = len(path) - 1
    asked: dict[str, Any] = {"generations": generations, "rng": rng, "own_rows": own_rows}
    paths = [compose(kind, steps, draws, **asked) for kind in ("accumulate", "fresh")]
    if seen is not None:
        paths.append(as_seen(paths[1], seen, draws))
    if draws.sets_cov is not None:
        paths.append(real_only(draws.sets_cov + draws.ridge, generations, rng))
    loops = [averages(one, replicates, rng) for one in paths]
    scale = np.stack([_scale(one, draws, alpha) for one in loops])
    excess = np.stack([np.sort(_excess(one, scale, draws.began).max(axis=1)) for one in loops])
    # The least excess that leaves no more than this much of the worse loop outside.
    cut = float(max(np.quantile(one, 1.0 - PRUDENCE * alpha) for one in excess))
    middle = scale[:, 0] + scale[:, 3] * (path[0] - draws.began)
    low = np.min(np.minimum(middle, 0.0) - cut * scale[:, 1], axis=0)
    high = np.max(np.maximum(middle, 0.0) + cut * scale[:, 2], axis=0)
    worst = np.abs(middle[:, -1]).argmax()
    return Band(
        low=np.r_[0.0, low],
        high=np.r_[0.0, high],
        middle=np.r_[0.0, middle[worst]],
        excess=excess,
        scale=scale,
        origin=draws.began,
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
        path: Mean log determinant of each generation, from 0 on, shape (generations + 1,).
        band: Made for as many replicates and generations.
        steps: The recipe's rounds.
        draws: Moments of real rows.
        replicates: Chains that the path is the mean of.
        rng: Composes the loops without real rows whose chance of an alarm is stated.

    """
    generations = len(path) - 1
    far = _excess(path[None], band.scale, band.origin)[0]
    change = path - path[0]
    outside = np.flatnonzero(far > band.cut)
    at = int(outside[0]) + 1 if len(outside) else None
    changes = compose("replace", steps, draws, generations=generations, rng=rng)
    losing = averages(changes, replicates, rng)
    power = float((_excess(losing, band.scale, band.origin).max(axis=1) > band.cut).mean())
    drift, noise = typical_change(steps)
    return Alarm(
        generation=at,
        direction="" if at is None else "lost" if change[at] < band.middle[at] else "grown",
        p_value=_p_value(float(far.max()), band.excess),
        change=float(change[-1]),
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
    change = log_dets(cov)
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


def _scale(paths: Numbers, draws: Draws, alpha: float) -> Numbers:
    """Return the center, the half widths below and above, and the lean, shape (4, generations).

    The half widths hold all generations at once in a share `1 - alpha` of paths, half of the
    error on each side. The lean says how much the change since generation 0 depends on where a
    chain began: new real rows bring it back from there, and that is no change worth an alarm.
    """
    change, start = paths[:, 1:] - paths[:, :1], paths[:, 0] - draws.began
    away = start - start.mean()
    varied = draws.alike and away.var() > 1e-12
    lean = away @ change / (away @ away) if varied else np.zeros(change.shape[1])
    change = change - start[:, None] * lean
    middle, spread = change.mean(axis=0), np.maximum(change.std(axis=0), 1e-9)
    scaled = (change - middle) / spread
    below = -np.quantile(scaled.min(axis=1), alpha / 2.0)
    above = np.quantile(scaled.max(axis=1), 1.0 - alpha / 2.0)
    return np.stack([middle, max(below, 1e-9) * spread, max(above, 1e-9) * spread, lean])


def _excess(paths: Numbers, scale: Numbers, origin: float) -> Numbers:
    """Return how far paths are outside, in half widths of the kindest loop, (n, generations).

    A path between no change and what a healthy loop does on average is as healthy as can be: a
    recipe whose rounds change less and less falls behind loops that are composed of its first.
    """
    change, start = paths[:, 1:] - paths[:, :1], paths[:, :1] - origin
    found = []
    for middle, below, above, lean in scale:
        center = middle + lean * start
        away = change - np.clip(change, np.minimum(center, 0.0), np.maximum(center, 0.0))
        found.append(np.where(away < 0, -away / below, away / above))
    kindest: Numbers = np.min(found, axis=0)
    return kindest


def _p_value(far: float, excess: Numbers) -> float:
    """Return how often the worse of the healthy loops gets as far out."""
    beyond = [len(one) - int(np.searchsorted(one, far, side="left")) for one in excess]
    worst = max((1 + count) / (len(one) + 1) for count, one in zip(beyond, excess, strict=True))
    return min(1.0, worst / PRUDENCE)
