"""How often neighbours differ in a sequence, against all orders of the same values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.stats.proportions import SMALLEST_P

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_EXACT = 5000
_RARE = 0.05
_SKEWED = 16.0


def changes_p_value(changes: int, counts: ArrayLike) -> float | None:
    """Return the chance of so few or so many changes when every order is as likely.

    The law of Wald and Wolfowitz's runs, two-sided: exact for two sides of which one has at most
    5000 values. Otherwise changes are normal about their exact mean with their exact variance.
    Where neighbours hardly ever agree, or that variance is below 16 and so the law askew,
    agreements are Poisson, whose tails are wider.

    Args:
        changes: Neighbours that differ, at most n - 1.
        counts: How often each value occurs, shape (k,), n in all.

    Returns:
        A p-value in (0, 1]; None where every order has as many changes.

    Source: Wald and Wolfowitz (1940), Annals of Mathematical Statistics 11; Mood (1940), the same.

    >>> round(changes_p_value(1, [4, 4]), 4)  # 2 of 70 orders, on either side
    0.0571
    """
    held = np.asarray(counts, np.float64)
    held = held[held > 0]
    rows = held.sum()
    if len(held) < 2 or held.max() == 1:
        return None
    if len(held) == 2 and held.min() <= _EXACT:
        below, above = _exact(changes, *map(int, sorted(held)))
    else:
        below, above = _near(rows - 1 - changes, held)
    return float(np.clip(2 * min(below, above), SMALLEST_P, 1.0))


def expected_changes(counts: ArrayLike) -> float:
    """Return the mean number of changes over all orders.

    >>> expected_changes([4, 4])
    4.0
    """
    held = np.asarray(counts, np.float64)
    rows = held.sum()
    return float(rows - 1 - (held * (held - 1)).sum() / rows) if rows else 0.0


def _exact(changes: int, few: int, many: int) -> tuple[float, float]:
    """Return the chances of at most and of at least so many changes between two sides."""
    from scipy.special import gammaln

    def chosen(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
        inside = (k >= 0) & (k <= n)
        k = np.where(inside, k, 0)
        found = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return np.where(inside, found, -np.inf)

    runs = np.arange(2, 2 * few + 2)
    half, rest = runs // 2 - 1, (runs + 1) // 2 - 1
    orders = np.logaddexp(
        chosen(few - 1, half) + chosen(many - 1, rest),
        chosen(few - 1, rest) + chosen(many - 1, half),
    )
    law = np.exp(orders - chosen(few + many, np.array([few])))
    return float(law[:changes].sum()), float(law[max(changes - 1, 0) :].sum())


def _near(same: float, held: NDArray[np.float64]) -> tuple[float, float]:
    """Return the chances of at least and of at most so many neighbours that agree."""
    from scipy.stats import norm, poisson

    rows = held.sum()
    two = held * (held - 1)
    three = two * (held - 2)
    mean = two.sum() / rows
    apart = two.sum() ** 2 - (two**2).sum() + (three * (held - 3)).sum()
    spread = mean + (2 * three.sum() + apart) / (rows * (rows - 1)) - mean**2
    if mean <= _RARE * rows or spread < _SKEWED:
        return float(poisson.sf(same - 1, mean)), float(poisson.cdf(same, mean))
    width = np.sqrt(spread)
    return float(norm.sf(same - 0.5, mean, width)), float(norm.cdf(same + 0.5, mean, width))
