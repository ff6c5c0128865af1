"""Modes: cells of the pooled rows, and how much of each one side has lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betaincinv

from detector.stats.proportions import upper_mid_p

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]

_ROUNDS = 12
_STARTS = 3
_CLIP = 4.0
_BLOCK = 8_192


class Modes(NamedTuple):
    """What the candidate has left of each mode, shape (c,) each.

    left: The candidate's share of rows over the reference's; 0 where a mode is gone.
    low, high: Intervals that hold for all modes at once, at 95 %.
    p_value: One-sided, of so few candidate rows, for each mode alone.
    """

    left: Numbers
    low: Numbers
    high: Numbers
    p_value: Numbers


def modes(reference: Counts, candidate: Counts, *, among: int | None = None) -> Modes:
    """Compare the shares of rows that two samples have in each mode.

    The modes have to be cut without regard to the sides of these rows. Then a mode's pooled
    rows fall to the sides as a hypergeometric law says.

    Args:
        reference: Reference rows in each mode, shape (c,).
        candidate: Candidate rows in each mode.
        among: Modes for which the intervals hold at once; c unless given.

    Source: Clopper and Pearson (1934), Biometrika 26, for the ratio of two counts, by
    Bonferroni's inequality for c modes.

    >>> found = modes(np.array([50, 50]), np.array([100, 0]))
    >>> found.left.tolist(), round(float(found.high[1]), 3)
    ([2.0, 0.0], 0.092)

    """
    n, m = int(reference.sum()), int(candidate.sum())
    alpha = 0.025 / (among or len(reference))
    # Of a mode's c rows a candidate's share of pi means a ratio of pi / (1 - pi) n / m.
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(candidate > 0, betaincinv(candidate, reference + 1.0, alpha), 0.0)
        high = np.where(reference > 0, betaincinv(candidate + 1.0, reference, 1 - alpha), 1.0)
    fewer = [
        upper_mid_p(own, m, other, n)
        for own, other in zip(candidate.tolist(), reference.tolist(), strict=True)
    ]
    # A mode that only the candidate has counts as one reference row's.
    left = candidate / np.maximum(reference, 1) * (n / m)
    return Modes(left, _ratio(low) * n / m, _ratio(high) * n / m, np.array(fewer))


def cut_modes(rows: Rows, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the cell of each row, shape (r,), numbered from 0 with none left empty.

    Lloyd's algorithm from k-means++ centres, the best of three starts. Numbers stop four
    spreads from the middle, so that no outlier has a cell to itself.

    Args:
        rows: Pooled rows on one scale, shape (r, d).
        count: Cells, at most.
        rng: Draws the first centres.

    Source: Arthur and Vassilvitskii (2007), SODA. Cost: O(r d count).
    """
    rows = np.clip(rows, -_CLIP, _CLIP)
    tried = [_lloyd(rows, count, rng) for _ in range(_STARTS)]
    return min(tried, key=lambda cell: _within(rows, cell))


def _lloyd(rows: Rows, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Move centres to the middle of their rows until none moves, or long enough."""
    squares = np.einsum("ij,ij->i", rows, rows)
    centres = _spread_out(rows, squares, count, rng)
    cell = _closest(rows, centres)
    for _ in range(_ROUNDS):
        cell = np.unique(cell, return_inverse=True)[1]
        moved = _closest(rows, _middles(rows, cell))
        if np.array_equal(moved, cell):
            break
        cell = moved
    return np.asarray(np.unique(cell, return_inverse=True)[1], np.int64)


def _middles(rows: Rows, cell: NDArray[np.int64]) -> Rows:
    """Return the mean of the rows of each cell, shape (cells, d); none is empty."""
    held = np.bincount(cell)
    order = np.argsort(cell, kind="stable")
    sums = np.add.reduceat(rows[order], np.cumsum(held) - held)
    return np.asarray(sums / held[:, None], np.float32)


def _within(rows: Rows, cell: NDArray[np.int64]) -> float:
    """Return the sum of squares that the cells leave, but for what all cuts share."""
    middles = np.square(_middles(rows, cell), dtype=np.float64).sum(axis=1)
    return -float(np.bincount(cell) @ middles)


def _spread_out(rows: Rows, squares: Rows, count: int, rng: np.random.Generator) -> Rows:
    """Draw centres among the rows, far ones more likely."""
    chosen = [int(rng.integers(len(rows)))]
    far = np.full(len(rows), np.inf, np.float32)
    while len(chosen) < count:
        own = rows[chosen[-1]]
        reached = np.maximum(squares - 2 * (rows @ own) + own @ own, np.float32(0))
        np.minimum(far, reached.astype(np.float32), out=far)
        far[chosen[-1]] = 0.0
        far[far < 1e-6 * squares] = 0.0
        total = np.cumsum(far, dtype=np.float64)
        if total[-1] <= 0:
            break
        chosen.append(int(np.searchsorted(total, rng.random() * total[-1], side="right")))
    return rows[chosen]


def _closest(rows: Rows, centres: Rows) -> NDArray[np.int64]:
    lengths = np.einsum("ij,ij->i", centres, centres)
    parts = [
        np.argmin(lengths - 2 * (rows[start : start + _BLOCK] @ centres.T), axis=1)
        for start in range(0, len(rows), _BLOCK)
    ]
    return np.concatenate(parts)


def _ratio(share: Numbers) -> Numbers:
    return np.asarray(share / np.maximum(1 - share, 1e-12))
