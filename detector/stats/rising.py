"""Means that can only rise: the fit, where it reaches a level, and how sure that is.

A few settings of one dial, each tried several times. The mean outcome rises with the dial, so
settings that come out in the wrong order share one mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


DRAWS = 1_000


class Mean(NamedTuple):
    """A mean with its standard error and the degrees of freedom of that."""

    value: float
    error: float
    freedom: int


def mean_with_control(values: Numbers, control: Numbers) -> Mean:
    """Return the mean of values with the noise taken out that a control shares with them.

    The control's expectation is known to be zero: the regression of the values on it, at zero,
    has the expectation of the values, and less noise by as much as the two correlate.

    Args:
        values: Shape (n,), n >= 4.
        control: Shape (n,), of expectation zero.

    Source: Lavenberg and Welch (1981), Management Science 27.

    >>> noise = np.array([-0.5, 0.25, 1.0, 0.0])
    >>> mean_with_control(3.0 + noise, noise).value
    3.0
    """
    n = len(values)
    away = control - control.mean()
    down = float(away @ away)
    slope = float(away @ values) / down if down > 0 else 0.0
    left = values - values.mean() - slope * away
    freedom = n - 1 - (down > 0)
    reach = 1.0 / n + (float(control.mean()) ** 2 / down if down > 0 else 0.0)
    error = float(np.sqrt(left @ left / freedom * reach))
    return Mean(float(values.mean() - slope * control.mean()), error, freedom)


def rising_fit(values: Numbers, weights: Numbers) -> Numbers:
    """Return the least-squares fit that never falls: neighbours in the wrong order are pooled.

    Args:
        values: Shape (k,), in the order in which they should rise.
        weights: Above zero, shape (k,).

    Source: Barlow et al. (1972), Statistical Inference under Order Restrictions.

    >>> rising_fit(np.array([1.0, 4.0, 2.0, 6.0]), np.array([1.0, 1.0, 3.0, 1.0])).tolist()
    [1.0, 2.5, 2.5, 6.0]
    """
    pools: list[tuple[float, float, int]] = []
    for one in zip(values.tolist(), weights.tolist(), [1] * len(values), strict=True):
        value, weight, count = one
        while pools and pools[-1][0] >= value:
            other, heavy, more = pools.pop()
            value = (value * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + more
        pools.append((value, weight, count))
    return np.repeat([value for value, _, _ in pools], [count for _, _, count in pools])


def crossing_interval(
    places: Numbers, means: list[Mean], level: float, *, rng: np.random.Generator, share: float
) -> tuple[float, float, float]:
    """Return where rising means reach a level, with an interval; infinite where they do not.

    All means are drawn anew with their errors, and each draw is fitted again.

    Args:
        places: Where each mean was taken, rising; several at one place are put together.
        means: As many, each with an error above zero or known exactly.
        level: The level.
        rng: Draws.
        share: The share of draws within the interval, half of the rest on each side.

    Returns:
        The best place, the lower and the upper end.

    Cost: 1,000 fits.
    """
    value, error, freedom = (np.array(part, float) for part in zip(*means, strict=True))
    tried, weights = np.unique(places), np.maximum(error, 1e-9) ** -2.0
    each = (np.asarray(places) == tried[:, None]).T * weights[:, None]
    total = each.sum(axis=0)
    drawn = value + error * rng.standard_t(freedom, (DRAWS, len(value)))
    found = [
        _crossing(tried, rising_fit(one, total), level)
        for one in np.vstack([value, drawn]) @ each / total
    ]
    rest = (1.0 - share) / 2.0
    low, high = np.quantile(found[1:], [rest, 1.0 - rest], method="nearest")
    return found[0], float(low), float(high)


def _crossing(places: Numbers, values: Numbers, level: float) -> float:
    """Return where the line through rising values first reaches a level."""
    above = np.flatnonzero(values >= level)
    if not len(above):
        return np.inf
    at = int(above[0])
    if at == 0:
        return float(places[0])
    part = (level - values[at - 1]) / (values[at] - values[at - 1])
    return float(places[at - 1] + part * (places[at] - places[at - 1]))
