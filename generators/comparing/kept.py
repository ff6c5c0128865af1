"""What drawn rows keep of real ones: levels, modes, tails."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from generators.comparing.chance import REACHED, Side, ratio, reached

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.comparing.chance import Interval

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]

REGIONS = 8
"""Parts of equal weight that an ordered column is cut into."""

MOST_MODES = 20

ROWS_A_MODE = 25

EXPECTED = 10.0
"""A part that should hold this many drawn rows is asked for."""

TAILS = (0.05, 0.95)

ALL = (1.0, 1.0)


class Kept(NamedTuple):
    """What is kept.

    Attributes:
        value: A share, or of tails a multiple of the real ones.
        interval: 95 %.
        columns: Those that lost a part; of tails the column whose tails are the thinnest.
        least: Of tails, that column's own figure.

    """

    value: float
    interval: Interval
    columns: tuple[str, ...] = ()
    least: float = 1.0


def levels_kept(
    real: Numbers,
    drawn: Numbers,
    nominal: Mask,
    labels: tuple[str, ...],
    *,
    sides: tuple[Side, Side] | None = None,
) -> Kept:
    """Return the share of levels and regions that drawn rows reach, and columns that lost one.

    Args:
        real: Unseen real rows, shape (n, d), NaN where missing; missing is a level.
        drawn: Rows under question, shape (m, d).
        nominal: Which columns hold levels, shape (d,); the others are cut in eighths.
        labels: The name of each column.
        sides: Where rows do not stand alone, how many of each side do.

    """
    sides = sides or _alone(real, drawn)
    lost: dict[str, None] = {}
    parts: list[Numbers] = [np.empty((2, 0))]
    for place, label in enumerate(labels):
        x, y = real[:, place], drawn[:, place]
        edges = np.unique(x[~np.isnan(x)])[1:] - 0.5 if nominal[place] else _edges(x)
        held = [np.bincount(_parts(side, edges), minlength=len(edges) + 2) for side in (x, y)]
        asked = _asked(*held)
        parts.append(asked)
        if not _reached(asked, sides).all():
            lost[label] = None
    return _share(np.hstack(parts), sides)._replace(columns=tuple(lost))


def _alone(real: Numbers, drawn: Numbers) -> tuple[Side, Side]:
    return Side.of(len(real)), Side.of(len(drawn))


def _asked(due: NDArray[np.int64], held: NDArray[np.int64]) -> Numbers:
    """Return the rows of both sides in parts that should hold enough of them, shape (2, k)."""
    large = due * (held.sum() / due.sum()) >= EXPECTED
    return np.array([due[large], held[large]], np.float64)


def _reached(parts: Numbers, sides: tuple[Side, Side]) -> Mask:
    return np.asarray(parts[1] >= REACHED * parts[0] * (sides[1].rows / sides[0].rows))


def _share(parts: Numbers, sides: tuple[Side, Side]) -> Kept:
    if not parts.shape[1]:
        return Kept(1.0, ALL)
    return Kept(float(_reached(parts, sides).mean()), reached(parts[0], parts[1], sides))


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


def modes_kept(
    real: Numbers,
    drawn: Numbers,
    nominal: Mask,
    *,
    seed: int,
    sides: tuple[Side, Side] | None = None,
) -> Kept:
    """Return the share of the clusters of real rows that drawn rows reach.

    The clusters are those of k-means on the columns' ranks, one for each 25 rows, 20 at most.

    Args:
        real: Unseen real rows, shape (n, d), finite.
        drawn: Rows under question, shape (m, d), finite.
        nominal: Which columns hold levels, shape (d,): the five most frequent get an axis each.
        seed: Of the first centers.
        sides: Where rows do not stand alone, how many of each side do.

    """
    from sklearn.cluster import KMeans

    x, y = (_ranked(real, side, nominal) for side in (real, drawn))
    distinct = len(np.unique(x, axis=0))
    count = max(1, min(MOST_MODES, len(x) // ROWS_A_MODE, distinct))
    found = KMeans(count, n_init=2, random_state=seed).fit(x)
    due = np.bincount(found.labels_, minlength=count)
    held = np.bincount(found.predict(y), minlength=count)
    return _share(_asked(due, held), sides or _alone(real, drawn))


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
    real: Numbers,
    drawn: Numbers,
    nominal: Mask,
    labels: tuple[str, ...],
    *,
    sides: tuple[Side, Side] | None = None,
) -> Kept:
    """Return how many drawn rows lie beyond the real 5 % and 95 % quantiles, 1 being as many.

    Args:
        real: Unseen real rows, shape (n, d).
        drawn: Rows under question, shape (m, d).
        nominal: Which columns hold levels; these have no tails.
        labels: The name of each column.
        sides: Where rows do not stand alone, how many of each side do.

    Returns:
        The share beyond, divided by that of the real rows, over all columns; the column whose
        tails are the thinnest, and its own figure. Without tails: 1, no column, 1.

    """
    beyond = np.zeros(len(real)), np.zeros(len(drawn))
    ratios: dict[str, float] = {}
    for place in np.flatnonzero(~nominal):
        columns = real[:, place], drawn[:, place]
        known = [np.isfinite(column) for column in columns]
        if not known[0].any() or not known[1].any():
            continue
        low, high = np.quantile(columns[0][known[0]], TAILS, method="inverted_cdf")
        outside = [
            there & ((column < low) | (column > high))
            for column, there in zip(columns, known, strict=True)
        ]
        shares = [out.sum() / there.sum() for out, there in zip(outside, known, strict=True)]
        if shares[0] > 0:
            ratios[labels[place]] = float(shares[1] / shares[0])
            for total, out, there in zip(beyond, outside, known, strict=True):
                np.add(total, out / there.sum(), out=total)
    if not ratios:
        return Kept(1.0, ALL)
    worst = min(ratios, key=lambda name: ratios[name])
    value = float(beyond[1].sum() / beyond[0].sum())
    interval = ratio(beyond[0], beyond[1], sides or _alone(real, drawn))
    return Kept(value, interval, (worst,), ratios[worst])
