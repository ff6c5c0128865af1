"""What drawn rows keep of real ones: levels, modes, tails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]

REGIONS = 8
"""Parts of equal weight that an ordered column is cut into."""

MOST_MODES = 20

ROWS_A_MODE = 25

EXPECTED, REACHED = 10.0, 0.1
"""A part that should hold this many drawn rows is asked for; this share of them reaches it."""

TAILS = (0.05, 0.95)


def levels_kept(
    real: Numbers, drawn: Numbers, nominal: Mask, labels: tuple[str, ...]
) -> tuple[float, tuple[str, ...]]:
    """Return the share of levels and regions that drawn rows reach, and columns that lost one.

    Args:
        real: Unseen real rows, shape (n, d), NaN where missing; missing is a level.
        drawn: Rows under question, shape (m, d).
        nominal: Which columns hold levels, shape (d,); the others are cut in eighths.
        labels: The name of each column.

    """
    asked = seen = 0
    lost: dict[str, None] = {}
    for place, label in enumerate(labels):
        x, y = real[:, place], drawn[:, place]
        edges = np.unique(x[~np.isnan(x)])[1:] - 0.5 if nominal[place] else _edges(x)
        held = [np.bincount(_parts(side, edges), minlength=len(edges) + 2) for side in (x, y)]
        due = held[0] * (len(y) / len(x))
        large = due >= EXPECTED
        reached = held[1][large] >= REACHED * due[large]
        asked, seen = asked + int(large.sum()), seen + int(reached.sum())
        if not reached.all():
            lost[label] = None
    return (seen / asked if asked else 1.0), tuple(lost)


def _edges(values: Numbers) -> Numbers:
    """Return the inner edges of an ordered column's regions."""
    present = values[np.isfinite(values)]
    if not len(present):
        return np.empty(0)
    shares = np.arange(1, REGIONS) / REGIONS
    found: Numbers = np.quantile(present, shares, method="inverted_cdf")
    return np.unique(found)


def _parts(values: Numbers, edges: Numbers) -> NDArray[np.int64]:
    """Return the part of each value; the last part is missing."""
    found = np.searchsorted(edges, values, side="left")
    return np.where(np.isnan(values), len(edges) + 1, found)


def modes_kept(real: Numbers, drawn: Numbers, nominal: Mask, *, seed: int) -> float:
    """Return the share of the clusters of real rows that drawn rows reach.

    The clusters are those of k-means on the columns' ranks, one for each 25 rows, 20 at most.

    Args:
        real: Unseen real rows, shape (n, d), finite.
        drawn: Rows under question, shape (m, d), finite.
        nominal: Which columns hold levels, shape (d,): the five most frequent get an axis each.
        seed: Of the first centers.

    """
    from sklearn.cluster import KMeans

    x, y = (_ranked(real, side, nominal) for side in (real, drawn))
    distinct = len(np.unique(x, axis=0))
    count = max(1, min(MOST_MODES, len(x) // ROWS_A_MODE, distinct))
    found = KMeans(count, n_init=2, random_state=seed).fit(x)
    due = np.bincount(found.labels_, minlength=count) * (len(y) / len(x))
    held = np.bincount(found.predict(y), minlength=count)
    large = due >= EXPECTED
    return float((held[large] >= REACHED * due[large]).mean()) if large.any() else 1.0


def _ranked(real: Numbers, rows: Numbers, nominal: Mask) -> Numbers:
    """Return rows as their places among the real ones, levels as axes of zero and one."""
    parts = []
    for place, level in enumerate(nominal):
        if level:
            common = np.unique(real[:, place])[:5]
            parts.append(0.5 * (rows[:, place][:, None] == common))
        else:
            ordered = np.sort(real[:, place])
            left = np.searchsorted(ordered, rows[:, place], side="left")
            right = np.searchsorted(ordered, rows[:, place], side="right")
            parts.append(((left + right) / (2.0 * len(ordered)))[:, None])
    return np.column_stack(parts).astype(np.float64)


def tails_kept(
    real: Numbers, drawn: Numbers, nominal: Mask, labels: tuple[str, ...]
) -> tuple[float, str, float]:
    """Return how many drawn rows lie beyond the real 5 % and 95 % quantiles, 1 being as many.

    Args:
        real: Unseen real rows, shape (n, d).
        drawn: Rows under question, shape (m, d).
        nominal: Which columns hold levels; these have no tails.
        labels: The name of each column.

    Returns:
        The share beyond, divided by that of the real rows, over all columns; then the column
        whose tails are the thinnest, and its own figure. Without tails: 1, nothing, 1.

    """
    due, found, names = [], [], []
    for place in np.flatnonzero(~nominal):
        x, y = (side[:, place][np.isfinite(side[:, place])] for side in (real, drawn))
        if not len(x) or not len(y):
            continue
        low, high = np.quantile(x, TAILS, method="inverted_cdf")
        shares = [float(((side < low) | (side > high)).mean()) for side in (x, y)]
        if shares[0] > 0:
            due.append(shares[0])
            found.append(shares[1])
            names.append(labels[place])
    if not due:
        return 1.0, "", 1.0
    ratios = np.divide(found, due)
    worst = int(ratios.argmin())
    return float(sum(found) / sum(due)), names[worst], float(ratios[worst])
