"""Gradient boosting on binned columns, in numpy: exact, deterministic, one thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bins = NDArray[np.intp]
    Numbers = NDArray[np.float64]

ROUNDS = 20
DEPTH = 4
RATE = 0.25
SHRINKAGE = 5.0
LEAST = 10
MOST_COLUMNS = 64

_COUNT = 2.0**32
_STEPS = 2.0**10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """One tree, all of whose paths have `DEPTH` splits.

    Attributes:
        columns: For each level l, shape (2^l,): the column that each node looks at.
        right: For each level l, shape (2^l, bins): the bins that go right.
        leaves: Shape (2^DEPTH,): what each leaf adds to the log odds.

    """

    columns: tuple[NDArray[np.intp], ...]
    right: tuple[NDArray[np.bool_], ...]
    leaves: Numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boosting:
    """Boosted trees: a score for each row, higher for rows like the candidate's.

    Attributes:
        trees: In the order of fitting.
        gain: Shape (d,): what the splits on each column gained in training.

    """

    trees: tuple[Tree, ...]
    gain: Numbers

    def score(self, bins: Bins) -> Numbers:
        """Return the log odds, up to a constant, of rows given as bins of shape (d, rows)."""
        total = np.zeros(bins.shape[1])
        for tree in self.trees:
            total += tree.leaves[_leaf(tree.columns, tree.right, bins)]
        return total


def fit(
    bins: Bins, candidate: NDArray[np.bool_], *, categorical: NDArray[np.bool_], n_bins: int
) -> Boosting:
    """Boost trees of depth `DEPTH` on the logistic loss.

    A split sends the bins up to a threshold left; on a categorical column also one level
    against the rest. Gains use the row count for the curvature, leaves the exact one.

    Args:
        bins: Shape (d, rows), intp, all below `n_bins`.
        candidate: Shape (rows,), with both sides present.
        categorical: Shape (d,).
        n_bins: Number of bins.

    Cost: O(ROUNDS x DEPTH x rows x d).
    Source: Friedman (2001), Annals of Statistics 29; histograms as in Ke et al. (2017).
    """
    used = _screen(bins, candidate, n_bins)
    own = np.ascontiguousarray(bins[used])
    gain = np.zeros(len(bins))
    odds = np.full(bins.shape[1], np.log(candidate.mean() / (1 - candidate.mean())))
    trees = []
    for _ in range(ROUNDS):
        chance = expit(odds)
        residual, curvature = candidate - chance, chance * (1 - chance)
        columns, right = _grow(own, residual, categorical[used], n_bins, gain, used)
        leaf = _leaf(columns, right, bins)
        push = np.bincount(leaf, residual, minlength=1 << DEPTH)
        brake = np.bincount(leaf, curvature, minlength=1 << DEPTH) + SHRINKAGE
        leaves = RATE * push / brake
        odds += leaves[leaf]
        trees.append(Tree(columns=columns, right=right, leaves=leaves))
    return Boosting(trees=tuple(trees), gain=gain)


def _screen(bins: Bins, candidate: NDArray[np.bool_], n_bins: int) -> NDArray[np.intp]:
    """Return the columns to use: all, or those whose bins tell most of these rows' sides."""
    if len(bins) <= MOST_COLUMNS:
        return np.arange(len(bins))
    told = np.empty(len(bins))
    expected = candidate.mean()
    for place, column in enumerate(bins):
        count = np.bincount(column, minlength=n_bins)
        held = np.bincount(column, candidate, minlength=n_bins)
        told[place] = ((held - expected * count) ** 2 / (count + SHRINKAGE)).sum()
    return np.sort(np.argsort(-told, kind="stable")[:MOST_COLUMNS])


def _grow(
    bins: Bins,
    residual: Numbers,
    categorical: NDArray[np.bool_],
    n_bins: int,
    gain: Numbers,
    used: NDArray[np.intp],
) -> tuple[tuple[NDArray[np.intp], ...], tuple[NDArray[np.bool_], ...]]:
    """Grow one tree level by level; add what its splits gain to `gain`."""
    # Each weight carries a one in its high part and the residual in its low part, so that
    # one exact sum gives both the count and the residuals of a bin.
    weights = np.rint(residual * _STEPS) + _COUNT
    columns: list[NDArray[np.intp]] = []
    right: list[NDArray[np.bool_]] = []
    node = np.zeros(bins.shape[1], np.intp)
    for level in range(DEPTH):
        nodes = 1 << level
        sums = _histograms(bins, node * n_bins, weights, nodes * n_bins)
        sums = sums.reshape(len(bins), nodes, n_bins).transpose(1, 0, 2)
        counts = np.floor(sums / _COUNT + 0.5)
        best, table, won = _best_splits(counts, (sums - counts * _COUNT) / _STEPS, categorical)
        np.add.at(gain, used[best], won)
        columns.append(used[best])
        right.append(table)
        node = _descend(node, best, table, bins)
    return tuple(columns), tuple(right)


def _histograms(bins: Bins, offset: Bins, weights: Numbers, cells: int) -> Numbers:
    """Return the sums of weights by node and bin, shape (d, cells)."""
    sums = np.empty((len(bins), cells))
    place = np.empty_like(offset)
    for row, column in zip(sums, bins, strict=True):
        np.add(column, offset, out=place)
        row[:] = np.bincount(place, weights, minlength=cells)
    return sums


def _best_splits(
    counts: Numbers, pulls: Numbers, categorical: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.bool_], Numbers]:
    """Return each node's best column, the bins it sends right, and what that gains.

    Args:
        counts: Rows by node, column and bin, shape (nodes, d, bins).
        pulls: Sums of residuals, likewise.
        categorical: Shape (d,).

    """
    nodes, _, bins = counts.shape
    upto = _gains(counts.cumsum(2), pulls.cumsum(2), counts, pulls)
    alone = np.full_like(upto, -1.0)
    if categorical.any():
        alone[:, categorical] = _gains(counts, pulls, counts, pulls)[:, categorical]
    flat = np.maximum(upto, alone).reshape(nodes, -1)
    place = flat.argmax(1)
    column, threshold = np.divmod(place, bins)
    every = np.arange(nodes)
    single = alone[every, column, threshold] > upto[every, column, threshold]
    grid = np.arange(bins)[None, :]
    table = np.where(single[:, None], grid != threshold[:, None], grid > threshold[:, None])
    won = flat[every, place]
    return column, table & (won > 0)[:, None], np.maximum(won, 0.0)


def _gains(left: Numbers, pull: Numbers, counts: Numbers, pulls: Numbers) -> Numbers:
    """Return what each split gains; -1 where a side has fewer than `LEAST` rows."""
    rows, whole = counts.sum(2, keepdims=True), pulls.sum(2, keepdims=True)
    rest = rows - left
    # A quarter is the curvature of the logistic loss at even odds.
    gained = pull**2 / (left + 4 * SHRINKAGE) + (whole - pull) ** 2 / (rest + 4 * SHRINKAGE)
    gained -= whole**2 / (rows + 4 * SHRINKAGE)
    return np.where((left >= LEAST) & (rest >= LEAST), gained, -1.0)


def _leaf(
    columns: tuple[NDArray[np.intp], ...], right: tuple[NDArray[np.bool_], ...], bins: Bins
) -> Bins:
    """Return the leaf that each row falls into."""
    node = np.zeros(bins.shape[1], np.intp)
    for column, table in zip(columns, right, strict=True):
        node = _descend(node, column, table, bins)
    return node


def _descend(node: Bins, column: NDArray[np.intp], table: NDArray[np.bool_], bins: Bins) -> Bins:
    """Return the node one level below."""
    rows = bins.shape[1]
    held = bins.ravel().take(np.take(column * rows, node) + np.arange(rows))
    below: Bins = 2 * node + table.ravel().take(node * table.shape[1] + held)
    return below
