"""How varied rows are: volume, entropy, effective numbers of kinds of rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Rows = NDArray[np.float32]
    Sides = NDArray[np.bool_]

_FLOOR = 1e-3
"""Share of the pooled variance that stands in for none at all."""

_SINGULAR = 1e-6
_CARRIED = 25.0
"""Rows that an axis rests on: their number over the fourth moment."""


def vendi(eigenvalues: Numbers, order: float) -> float:
    """Return the Vendi score: the effective number of different rows.

    Args:
        eigenvalues: Of the kernel matrix over the rows divided by their number: shape (k,),
            none below zero, summing to 1.
        order: 1 counts rare kinds of rows by their entropy, 2 by chance meetings, infinity
            by the commonest kind alone.

    Returns:
        From 1 (all rows alike) to the number of rows (all different).

    Source: Friedman and Dieng (2023), TMLR; orders: Pasarkar and Dieng (2024), AISTATS; Hill
    (1973), Ecology 54.

    >>> round(vendi(np.array([0.9, 0.1]), 1), 6), vendi(np.full(4, 0.25), 2)
    (1.384145, 4.0)

    """
    held = eigenvalues[eigenvalues > 0]
    held = held / held.sum()
    if order == 1:
        return float(np.exp(-(held * np.log(held)).sum()))
    if math.isinf(order):
        return float(1 / held.max())
    return float((held**order).sum() ** (1 / (1 - order)))


def kernel_spectrum(features: Numbers | Rows) -> Numbers:
    """Return the eigenvalues of the kernel of rows of features, divided by the rows.

    Args:
        features: Shape (r, f), each row of length 1; inner products are the kernel.

    """
    return np.maximum(np.linalg.eigvalsh(_products(features) / len(features)), 0.0)


def volume_axes(pooled: Rows, most: int) -> Rows:
    """Return rows on the pooled rows' principal axes, each of variance 1, shape (r, a).

    Axes that a handful of rows makes (a rare level, an outlier) are left out, unless there are
    no others: their variance on one side is as good as chance.

    Args:
        pooled: Both samples, shape (r, d).
        most: Axes at most; the widest are kept.

    """
    centred = pooled - pooled.mean(axis=0)
    values, axes = np.linalg.eigh(_products(centred) / len(centred))
    kept = np.flatnonzero(values > _SINGULAR * values[-1])
    scaled = (axes[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    rows = np.asarray(centred @ scaled, np.float32)
    carried = len(rows) / np.square(np.square(rows)).mean(axis=0)
    steady = np.flatnonzero(carried >= _CARRIED)
    chosen = steady if len(steady) else np.argsort(carried)[-1:]
    return rows[:, chosen[-most:]]


def log_volume(rows: Rows) -> float:
    """Return the log-determinant of the covariance of rows on pooled axes.

    Each axis is given a thousandth of the pooled variance on top, so that rows that fill
    fewer axes have a small volume and not none.

    Args:
        rows: From `volume_axes`, shape (n, a), n >= 1.

    """
    centred = rows - rows.mean(axis=0)
    covariance = _products(centred) / len(rows)
    covariance[np.diag_indices_from(covariance)] += _FLOOR
    return float(np.linalg.slogdet(covariance)[1])


def mean_entropy(counts: NDArray[np.int64], columns: int) -> float:
    """Return the mean entropy of columns, in bits.

    Args:
        counts: Rows in each cell of each column, one column after the other, shape (cells,);
            every column has all rows.
        columns: How many columns there are, at least 1.

    >>> mean_entropy(np.array([1, 1, 2, 0]), 2)  # a fair coin, and no choice
    0.5

    """
    held = counts[counts > 0].astype(np.float64)
    shares = held * (columns / held.sum())
    return float(-(shares * np.log2(shares)).sum() / columns)


def repeats(counts: NDArray[np.int64], total: int) -> tuple[float, float]:
    """Return the share of rows that repeat another one, and the effective share of rows.

    The effective number of rows is the number of equally common different rows with the same
    chance that two rows drawn are alike.

    Args:
        counts: How often each row that occurs twice or more in either sample occurs in this.
        total: Rows of this sample, at least 1.

    Source: Hill (1973), Ecology 54, order 2.

    >>> repeats(np.array([3, 0]), 4)  # one row thrice, another once
    (0.5, 0.4)

    """
    again = int(np.maximum(counts - 1, 0).sum())
    alone = total - int(counts.sum())
    alike = float(np.square(counts, dtype=np.float64).sum()) + alone
    return again / total, total / alike


def compared(
    statistic: Callable[[NDArray[np.int8]], Numbers], drawn: Sides, fold: NDArray[np.int64]
) -> tuple[Numbers, Numbers]:
    """Return statistics under every labeling, and without each fold of rows.

    Args:
        statistic: Of a mark for each row: 0 reference, 1 candidate, 2 left out.
        drawn: Labelings, shape (b, r), first as observed.
        fold: Fold of each row, shape (r,).

    Returns:
        Shapes (b, ...) and (folds, ...).

    """
    marks = drawn.astype(np.int8)
    under = np.array([statistic(own) for own in marks])
    kept = [statistic(np.where(fold == out, np.int8(2), marks[0])) for out in np.unique(fold)]
    return under, np.array(kept)


def _products(rows: Numbers | Rows) -> Numbers:
    return np.asarray(rows.T @ rows, np.float64)
