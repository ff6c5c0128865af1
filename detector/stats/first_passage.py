"""When will a loop pass a threshold? A forecast with an interval, or a reason to give none.

The log of a generation's variance (or of a determinant) walks at random with a drift when each
generation learns from the last one alone. Drift and spread are estimated from chains seen so
far, and the walk is simulated on. A loop whose drift cannot be told from none, or fades, gets no
forecast: a line through a settling curve would promise a collapse that never comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

MIN_GENERATIONS = 4
"""A drift that lasts has to show in an early and in a late half of two steps each."""

MIN_STEPS = 6
LASTING = 2.33
"""Standard errors by which the later half must still drift: one stable chain in a hundred does."""

FADING = 2.0
"""Standard errors by which the step may depend on the level reached before it counts as fading."""

LEAST_POWER = 0.3
DRAWS = 4_000
_POWER_90 = 1.282


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What can be said of the first generation beyond a threshold.

    Attributes:
        threshold: In the unit of the paths: the log of a ratio to generation 0.
        horizon: The last generation that was looked at.
        interval: First and last generation of the interval; last is None where it lies beyond
            the horizon (censored). The whole range from 1 where there is no forecast.
        median: The median, or None where it lies beyond the horizon or there is no forecast.
        share: Share of simulated chains that pass within the horizon; None without a forecast.
        drift: Mean step per generation with its 95 % interval: value, low, high.
        because: Why there is no forecast; empty where there is one.
        needed: Replicates times generations that would show a drift of this size nine times in
            ten; None where there is a forecast, or no drift towards the threshold to be seen.

    """

    threshold: float
    horizon: int
    interval: tuple[int, int | None]
    median: int | None = None
    share: float | None = None
    drift: tuple[float, float, float] | None = None
    because: str = ""
    needed: int | None = None

    @property
    def abstains(self) -> bool:
        """Tell whether there is no forecast."""
        return bool(self.because)


def first_passage(
    paths: Numbers,
    *,
    threshold: float,
    horizon: int,
    rng: np.random.Generator,
    level: float = 0.9,
) -> Passage:
    """Forecast the generation in which another chain of this loop first passes a threshold.

    Steps are taken as independent and normal with one drift. Its posterior (no prior knowledge)
    is weighted against what only luck let through the test for a drift; chains are simulated
    from it. The interval counts from generation 0, as a new chain would.

    Args:
        paths: Log ratios to generation 0, shape (replicates, generations + 1): the first column
            is 0. A chain with a number that is not finite is left out.
        threshold: The log ratio to pass: below 0 a loss, above 0 a growth.
        horizon: Generations that are looked ahead at most, >= 1.
        rng: For the simulation.
        level: The probability that the interval shall hold.

    Raises:
        ValueError: The threshold is 0 or not finite.

    Cost: O(4000 horizon).
    Source: drift and first passage of a random walk, e.g. Cox and Miller (1965), chapter 2;
        no closed form is used, since the drift is not known.
    """
    if not np.isfinite(threshold) or threshold == 0:
        raise ValueError(f"the threshold is {threshold}; give a log ratio other than 0")
    walks = _towards(paths, threshold)
    blank = Passage(threshold=threshold, horizon=horizon, interval=(1, None))
    replicates, generations = walks.shape[0], walks.shape[1] - 1
    steps = np.diff(walks, axis=1)
    if generations < MIN_GENERATIONS or steps.size < MIN_STEPS:
        because = (
            f"{replicates} chains of {max(0, generations)} generations are too few: "
            f"{MIN_GENERATIONS} generations and {MIN_STEPS} steps in all are needed"
        )
        return _with(blank, because=because)
    spread = float(steps.std(ddof=1))
    if spread == 0.0:
        return _with(blank, because="nothing varies from chain to chain or step to step")
    drift = _drift(steps, np.sign(threshold))
    if because := _no_drift(walks, steps, spread):
        return _with(blank, because=because, drift=drift, needed=_needed(steps, spread))
    first = _simulated(steps, replicates, generations, (abs(threshold), horizon), rng)
    low, high = central(first, level=level)
    return Passage(
        threshold=threshold,
        horizon=horizon,
        interval=(low, None if high > horizon else high),
        median=_within(float(np.quantile(first, 0.5, method="inverted_cdf")), horizon),
        share=float((first <= horizon).mean()),
        drift=drift,
    )


def central(first: NDArray[np.int64], *, level: float) -> tuple[int, int]:
    """Return the interval of whole numbers that holds a share nearest to `level`.

    Whole numbers cannot hold exactly 90 %. Each tail holds between half and one and a half
    times its part; of intervals equally near, the one with the more equal tails is taken.

    >>> central(np.repeat(np.arange(1, 101), 5), level=0.9)
    (6, 95)
    """
    below = np.concatenate(([0.0], np.cumsum(np.bincount(first)) / len(first)))
    tail = (1.0 - level) / 2
    lows = np.searchsorted(below[1:], (0.5 * tail, 1.5 * tail))
    highs = np.searchsorted(below[1:], (1 - 1.5 * tail, 1 - 0.5 * tail))
    pairs = [
        (
            round(abs(below[high + 1] - below[low] - level), 9),
            round(abs(below[low] - (1 - below[high + 1])), 9),
            low,
            high,
        )
        for low in range(lows[0], lows[1] + 1)
        for high in range(highs[0], highs[1] + 1)
    ]
    *_, low, high = min(pairs)
    return int(low), int(high)


def _towards(paths: Numbers, threshold: float) -> Numbers:
    """Return whole chains, turned so that the threshold lies below."""
    whole = np.asarray(paths, np.float64)
    whole = whole[np.isfinite(whole).all(axis=1)]
    return np.asarray(whole * -np.sign(threshold))


def _with(blank: Passage, **said: object) -> Passage:
    from dataclasses import replace

    return replace(blank, **said)  # type: ignore[arg-type]


def _drift(steps: Numbers, sign: float) -> tuple[float, float, float]:
    """Return the mean step with its 95 % interval, in the direction of the paths."""
    mean = float(-sign * steps.mean())
    reach = float(stats.t.ppf(0.975, steps.size - 1) * steps.std(ddof=1) / np.sqrt(steps.size))
    return mean, mean - reach, mean + reach


def _no_drift(walks: Numbers, steps: Numbers, spread: float) -> str:
    """Return why there is no lasting drift towards the threshold; empty where there is one."""
    late = steps.shape[1] - steps.shape[1] // 2
    fallen = float((walks[:, -1] - walks[:, -1 - late]).mean())
    if fallen > -LASTING * spread * np.sqrt(late / len(walks)):
        return "the chains show no drift towards the threshold that lasts into their later half"
    level = walks[:, :-1].ravel() - walks[:, :-1].mean()
    step = steps.ravel() - steps.mean()
    slope = float(level @ step / (level @ level))
    error = np.sqrt(((step - slope * level) ** 2).sum() / (step.size - 2) / (level @ level))
    if slope < -FADING * error:
        return "the drift fades as the chains go on, as it does in a loop that settles"
    return ""


def _needed(steps: Numbers, spread: float) -> int | None:
    """Return the steps in all that would show this drift, or None where there is none."""
    drift = float(-steps.mean())
    if drift <= 0:
        return None
    share = (steps.shape[1] - steps.shape[1] // 2) / steps.shape[1]
    return int(np.ceil(((LASTING + _POWER_90) * spread / drift) ** 2 / share))


def _simulated(
    steps: Numbers,
    replicates: int,
    generations: int,
    wanted: tuple[float, int],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return first passages of simulated chains, shape (DRAWS,); horizon + 1 for none."""
    depth, horizon = wanted
    size = steps.size
    variances = steps.var(ddof=1) * (size - 1) / rng.chisquare(size - 1, DRAWS)
    drifts = rng.normal(steps.mean(), np.sqrt(variances / size))
    # A drift that the test would rarely let through is rarer among those seen than it is.
    late = generations - generations // 2
    power = stats.norm.cdf(-drifts * np.sqrt(late * replicates / variances) - LASTING)
    weights = np.cumsum(1.0 / np.maximum(power, LEAST_POWER))
    places = np.searchsorted(weights / weights[-1], (np.arange(DRAWS) + rng.random()) / DRAWS)
    chosen = np.minimum(places, DRAWS - 1)
    level, first = np.zeros(DRAWS), np.full(DRAWS, horizon + 1)
    spreads, means, open_ = np.sqrt(variances[chosen]), drifts[chosen], np.arange(DRAWS)
    for generation in range(1, horizon + 1):
        level = level + rng.normal(means[open_], spreads[open_])
        passed = level <= -depth
        first[open_[passed]] = generation
        level, open_ = level[~passed], open_[~passed]
        if not len(open_):
            break
    return first


def _within(generation: float, horizon: int) -> int | None:
    return None if generation > horizon else int(generation)


def interval_score(interval: tuple[float, float], truth: float, *, level: float = 0.9) -> float:
    """Return the Winkler score of an interval: its length, and 2 / (1 - level) times any miss.

    Lower is better; an interval that knows the law has the least expectation.
    Source: Gneiting and Raftery (2007), JASA 102.

    >>> round(interval_score((2.0, 5.0), 6.0), 9)
    23.0
    """
    low, high = interval
    missed = max(low - truth, 0.0) + max(truth - high, 0.0)
    return high - low + 2.0 / (1.0 - level) * missed
