"""Clustered rows: whole groups change sides, so that the size holds where rows are not alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.stats.proportions import SMALLEST_P, Z_80, Z_95

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]
    Numbers = NDArray[np.float64]

_BLOCK = 64
_MOST_CELLS = 256
_COUNTED = 0.01
_TAIL = 0.05
_FEWEST = 10


class Relabeling(NamedTuple):
    """The same rows on sides drawn anew, many times over.

    unit: The unit that each row moves with, shape (rows,).
    candidate: Whether each unit is on the candidate's side, shape (1 + permutations,
        units), float32 for speed; first as observed.
    """

    unit: Codes
    candidate: NDArray[np.float32]


class ClusterTest(NamedTuple):
    """A distance judged by relabeling.

    value: The distance observed.
    expected: Its mean over relabelings: the distance without a difference.
    interval: A 95 % interval of the true distance.
    p_value: In (0, 1]; relabelings that do as observed count half. Where hardly any does,
        the tail is carried on: see `_tail`.
    detectable: The change of the test statistic that is seen with 80 % power at 0.05.
    """

    value: float
    expected: float
    interval: tuple[float, float]
    p_value: float
    detectable: float


def relabel(
    groups: Codes, candidate: NDArray[np.bool_], *, permutations: int, rng: np.random.Generator
) -> Relabeling:
    """Draw sides anew, keeping groups whole.

    A group on one side only moves as a whole. A group on both sides is a stratum: its rows
    trade sides within it, so what is particular to the group cannot look like a change.

    Args:
        groups: Group of each row, shape (rows,), reference and candidate pooled.
        candidate: Whether the row is the candidate's, shape (rows,).
        permutations: Number of relabelings, at least 1.
        rng: The stream to draw from.

    """
    _, group = np.unique(groups, return_inverse=True)
    size = np.bincount(group)
    of_candidate = np.bincount(group, weights=candidate)
    shared = (of_candidate > 0) & (of_candidate < size)
    whole = np.flatnonzero(~shared)
    loose = np.flatnonzero(shared[group])
    loose = loose[np.argsort(group[loose], kind="stable")]
    unit = np.empty(len(group), np.int64)
    place = np.cumsum(~shared) - 1
    unit[:] = place[group]
    unit[loose] = len(whole) + np.arange(len(loose))
    first = np.concatenate((of_candidate[whole] > 0, candidate[loose])).astype(np.float32)
    sides = np.tile(first, (permutations + 1, 1))
    sides[1:, : len(whole)] = rng.permuted(sides[1:, : len(whole)], axis=1)
    for start in range(1, permutations + 1, _BLOCK):
        block = sides[start : start + _BLOCK, len(whole) :]
        order = np.argsort(group[loose] + rng.random(block.shape), axis=1)
        block[:] = np.take_along_axis(block, order, axis=1)
    return Relabeling(unit, sides)


def groups_by_side(groups: Codes, candidate: NDArray[np.bool_]) -> tuple[int, int]:
    """Return how many groups the reference and the candidate have."""
    return len(np.unique(groups[~candidate])), len(np.unique(groups[candidate]))


def cells_of(values: Numbers) -> tuple[Codes, Numbers]:
    """Return a cell for each value, shape (rows,), and where each cell lies, rising.

    Each distinct value has a cell of its own when there are few; else cells are
    quantiles. NaN becomes -1.
    """
    present = ~np.isnan(values)
    distinct = np.unique(values[present])
    if len(distinct) > _MOST_CELLS:
        ranks = np.linspace(0, present.sum() - 1, _MOST_CELLS).round().astype(np.int64)
        distinct = np.unique(np.sort(values[present])[ranks])
    codes = np.where(present, np.searchsorted(distinct, values), -1)
    held = np.bincount(codes[present], minlength=len(distinct))
    totals = np.bincount(codes[present], weights=values[present], minlength=len(distinct))
    return codes, totals / np.maximum(held, 1)


def shift_test(codes: Codes, places: Numbers, relabeling: Relabeling) -> ClusterTest:
    """Return the Wasserstein distance, judged by the largest gap of distribution functions.

    Args:
        codes: Cell of each row, shape (rows,), -1 where the value is missing.
        places: Where each cell lies, shape (cells,), rising.
        relabeling: Sides drawn anew.

    """
    reference, candidate = _shares(codes, len(places), relabeling)
    gaps = np.cumsum(reference - candidate, axis=1)[:, :-1]
    width = np.diff(places)
    largest = np.abs(gaps).max(1, initial=0.0)
    found = _judge(np.abs(gaps) @ width, gaps @ width, largest)
    # A gap as large as the critical one is topped somewhere in four cases of five.
    return found._replace(detectable=_critical(largest))


def levels_test(codes: Codes, levels: int, relabeling: Relabeling) -> ClusterTest:
    """Return the total variation of levels, judged by itself.

    Args:
        codes: Level of each row, shape (rows,), -1 where it is missing.
        levels: Number of levels.
        relabeling: Sides drawn anew.

    """
    reference, candidate = _shares(codes, levels, relabeling)
    moves = candidate - reference
    distance = np.abs(moves).sum(1) / 2
    return _judge(distance, moves @ (moves[0] > 0), distance)


def share_test(marked: NDArray[np.bool_], relabeling: Relabeling) -> ClusterTest:
    """Return the candidate's share of marked rows minus the reference's, two-sided.

    Args:
        marked: Whether a row counts, shape (rows,).
        relabeling: Sides drawn anew.

    """
    reference, candidate = _shares(marked.astype(np.int64), 2, relabeling)
    change = candidate[:, 1] - reference[:, 1]
    reach = Z_95 * float(change[1:].std())
    ends = max(-1.0, float(change[0]) - reach), min(1.0, float(change[0]) + reach)
    return _judge(change, change, np.abs(change))._replace(expected=0.0, interval=ends)


def _shares(codes: Codes, cells: int, relabeling: Relabeling) -> tuple[Numbers, Numbers]:
    """Return the shares of each side in each cell, shape (1 + permutations, cells), twice."""
    from scipy.sparse import csr_array

    present = codes >= 0
    ones = np.ones(int(present.sum()), np.float32)
    shape = (cells, relabeling.candidate.shape[1])
    table = csr_array((ones, (codes[present], relabeling.unit[present])), shape=shape)
    candidate = np.asarray(table @ relabeling.candidate.T, np.float64).T
    reference = np.asarray(table.sum(axis=1), np.float64).ravel() - candidate
    return (
        reference / np.maximum(reference.sum(1, keepdims=True), 1.0),
        candidate / np.maximum(candidate.sum(1, keepdims=True), 1.0),
    )


def _judge(distance: Numbers, witness: Numbers, statistic: Numbers) -> ClusterTest:
    value, noise = float(distance[0]), float(distance[1:].mean())
    error = float(witness[1:].std())
    return ClusterTest(
        value=value,
        expected=noise,
        interval=(max(0.0, value - noise - Z_95 * error), value + Z_95 * error),
        p_value=permuted_p_value(statistic),
        detectable=_critical(statistic) + Z_80 * error,
    )


def permuted_p_value(statistic: Numbers) -> float:
    """Return the p-value of a statistic among its relabelings; larger is further from chance.

    Args:
        statistic: As observed, then under each relabeling, none below zero.

    """
    # Equal up to rounding is equal: sums of shares come out in another order.
    larger = int((statistic[1:] > statistic[0] * (1 + 1e-9)).sum())
    as_large = int((statistic[1:] >= statistic[0] * (1 - 1e-9)).sum())
    counted = (1 + (larger + as_large) / 2) / len(statistic)
    return counted if counted >= _COUNTED else _tail(statistic, counted)


def _tail(statistic: Numbers, counted: float) -> float:
    """Return the p-value of a statistic that hardly any relabeling reaches.

    A thousand relabelings cannot show a p-value of one in a million, and one test of many
    columns needs that. The largest twentieth of the relabelings gives the rate at which their
    tail falls; it is carried on exponentially. Distances of sums over many groups fall faster,
    like a normal law, so the p-value errs on the large side.

    Source: Knijnenburg et al. (2009), Bioinformatics 25, with the shape held at zero.
    """
    drawn = np.sort(statistic[1:])
    first = len(drawn) - max(_FEWEST, round(_TAIL * len(drawn)))
    if first < 1:
        return counted
    start = drawn[first - 1]
    rate = float((drawn[first:] - start).mean())
    if rate <= 0 or statistic[0] <= start:
        return counted
    share = (len(drawn) - first) / len(drawn)
    return max(share * math.exp(-(float(statistic[0]) - start) / rate), SMALLEST_P)


def _critical(statistic: Numbers) -> float:
    return float(np.quantile(statistic[1:], 0.95))
