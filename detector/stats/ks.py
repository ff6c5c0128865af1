"""The Kolmogorov-Smirnov test on counts, of the right size whatever the ties.

The largest gap between two distribution functions is seen only where a cell of counts ends.
Under the null hypothesis the gap walks through these ends like a Brownian bridge that is
looked at now and then: inside a tied value, or inside a bin, it goes unwatched. Kolmogorov's
law watches it everywhere and so rejects too rarely: for rounded, zero-inflated or integer
columns far too rarely. Here the law of the watched walk itself is computed, step by step:
by Gaussian steps where the samples are large, by exact binomial ones where few rows decide.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln, ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]

SMALLEST_P = 1e-300
_OVERSHOOT = 0.5825971579390107  # -zeta(1/2) / sqrt(2 pi)
_COARSE = 0.01  # a tied value with this share of the squared gap is a step of its own
_HALF = 32  # grid points on each side of zero
_FEW = 10.0  # variance, in rows, below which rows are counted one by one
_MOST_STEPS = 4096
_WIDEST = 60  # rows; a wider gap among few rows has no chance worth computing
_PRECISE = 1e-8


class KsTest(NamedTuple):
    """A Kolmogorov-Smirnov statistic, in [0, 1], and its p-value, in (0, 1]."""

    statistic: float
    p_value: float


def ks_test(reference: Counts, candidate: Counts) -> KsTest:
    """Return the two-sample Kolmogorov-Smirnov test of two rows of counts.

    Args:
        reference: Reference counts, shape (2 e + 1,), as in `NumericSummary`: between
            edges at even places, of the tied values on the edges at odd ones.
        candidate: Candidate counts over the same edges, same shape.

    Returns:
        The largest gap between the two distribution functions at the ends of cells, and
        its mid-p value given the pooled counts (a gap exactly as large counts half, which
        keeps the size at alpha on average where the gap takes few values). The gap is that
        of all rows when every distinct value of the reference is an edge; with quantile
        edges it is that of the binned rows.

    Raises:
        ValueError: The shapes differ, or a sample is empty.

    Source: Feller (1948), Ann. Math. Stat. 19, for the walk; Siegmund (1985), Sequential
    Analysis, section 10.4, and Hodges (1958), Arkiv for Matematik 3, for the overshoot of
    a walk seen at steps; Schroeer and Trenkler (1995), Comput. Stat. Data Anal. 20, for
    ties. Cost: O(e), and O(rows) for a few hundred rows.

    >>> ks_test(np.array([0, 9, 0, 1, 0]), np.array([0, 1, 0, 9, 0])).statistic
    0.8

    """
    if reference.shape != candidate.shape:
        raise ValueError(f"counts have shapes {reference.shape} and {candidate.shape}")
    n, m = int(reference.sum()), int(candidate.sum())
    if min(n, m) < 1:
        raise ValueError(f"need a row on each side, got {n} and {m}")
    cells = _Cells.of(reference, candidate, n, m)
    gaps = np.abs(np.cumsum(reference) / n - np.cumsum(candidate) / m)
    statistic = float(gaps.max())
    ends = np.cumsum(cells.rows)
    spread = float((ends * (cells.total - ends.astype(np.float64))).max()) / cells.total**2
    if statistic == 0 or len(cells.rows) == 1:
        p_value = 1.0
    elif cells.effective * spread < _FEW:
        p_value = _p_value_of_few(cells, reference, candidate)
    else:
        p_value = _p_value_of_many(cells, statistic)
    return KsTest(statistic, min(1.0, max(p_value, SMALLEST_P)))


class _Cells(NamedTuple):
    """The cells that hold rows.

    rows: Rows of both samples in each cell, shape (k,).
    watched: Cells in which no gap can hide, because one sample is absent, shape (k,).
    fewer, more: Rows of the smaller and of the larger sample.
    """

    rows: Counts
    watched: NDArray[np.bool_]
    fewer: int
    more: int

    @classmethod
    def of(cls, reference: Counts, candidate: Counts, n: int, m: int) -> _Cells:
        rows = reference + candidate
        watched = np.zeros(len(rows), np.bool_)
        watched[0::2] = (reference[0::2] == 0) | (candidate[0::2] == 0)
        held = rows > 0
        return cls(rows[held].astype(np.int64), watched[held], min(n, m), max(n, m))

    @property
    def total(self) -> int:
        return self.fewer + self.more

    @property
    def effective(self) -> float:
        return self.fewer * (self.more / self.total)


def _p_value_of_many(cells: _Cells, statistic: float) -> float:
    """Return the chance that a Brownian bridge reaches the gap where it is watched.

    Large ties are Gaussian steps. Stretches of small cells are walked in one step by a
    bridge that is watched all the time, with the barrier moved out by the overshoot that
    a walk seen at steps has over one seen all the time.
    """
    barrier = statistic * math.sqrt(cells.effective)
    step = cells.rows / cells.total
    few, more, total = cells.fewer, cells.more, cells.total
    single_row = (more + 2 * few) / (6 * math.sqrt(float(few) * more) * math.sqrt(total))
    overshoot = np.where(cells.watched, single_row, _OVERSHOOT * np.sqrt(step))
    alone = ~cells.watched & (step >= _COARSE * barrier * barrier)
    # Every step alone opens a run of its own, and so does the cell after it.
    run = np.cumsum(alone | np.concatenate(([False], alone[:-1])))
    first = np.flatnonzero(np.concatenate(([True], run[1:] != run[:-1])))
    lengths = np.add.reduceat(step, first)
    margins = np.add.reduceat(step * overshoot, first) / lengths
    walls = np.where(alone[first], np.inf, barrier + margins)
    survival = _survival(barrier, *_without_specks(lengths, walls, (barrier / _HALF) ** 2))
    if 1 - survival > _PRECISE:
        return 1 - survival
    ends = np.cumsum(step)[:-1]
    each = 2 * ndtr(-barrier / np.sqrt(ends * (1 - ends)))
    return float(min(_PRECISE, 2 * math.exp(-2 * barrier * barrier), each.sum()))


def _without_specks(lengths: Numbers, walls: Numbers, least: float) -> tuple[Numbers, Numbers]:
    """Return the steps with those too short for the grid joined to a tied value beside them.

    A rare value between large ties is a step much narrower than the grid is fine; the walk
    hardly moves in it, so nothing is lost by not watching where it begins. Only runs are
    that short, and a run that is not alone has a tied value beside it.
    """
    specks = (lengths < least) & np.isfinite(walls)
    if len(lengths) == 1 or not specks.any():
        return lengths, walls
    joined = lengths.copy()
    for place in np.flatnonzero(specks):
        joined[place + 1 if place + 1 < len(lengths) else place - 1] += lengths[place]
    return joined[~specks], walls[~specks]


def _survival(barrier: float, lengths: Numbers, walls: Numbers) -> float:
    """Return the chance that a bridge stays within the barrier, by convolutions on a grid.

    Args:
        barrier: Half the width of the band allowed at the end of every step.
        lengths: Time of each step, shape (k,), adding to 1.
        walls: Half the width of the band allowed within each step, infinite if none.

    """
    if len(lengths) == 1:
        if math.isinf(walls[0]):
            return 1.0  # nothing within sight; the caller bounds how small the chance is
        return float(_walled(np.zeros(1), 1.0, walls[0])[0] * math.sqrt(2 * math.pi))
    width = barrier / _HALF
    offsets = np.arange(-2 * _HALF, 2 * _HALF + 1) * width
    weights = np.full(2 * _HALF + 1, width)
    # Gregory's end corrections: the trapezoid rule, of fourth order.
    weights[:3] *= (3 / 8, 7 / 6, 23 / 24)
    weights[-3:] *= (23 / 24, 7 / 6, 3 / 8)
    kernels = _gauss(offsets, lengths[:, None])
    for place in np.flatnonzero(np.isfinite(walls)):
        kernels[place] = _walled(offsets, lengths[place], walls[place])
    density = kernels[0, _HALF : 3 * _HALF + 1]
    for kernel in kernels[1:]:
        density = np.convolve(density * weights, kernel)[2 * _HALF : 4 * _HALF + 1]
    return float(density[_HALF] * math.sqrt(2 * math.pi))


def _walled(offsets: Numbers, length: float, wall: float) -> Numbers:
    """Return the density of moving by these offsets, among paths that stay within the walls.

    Valid for even starting densities, whose reflections in the walls are shifts of
    themselves with alternating signs.
    """
    if length < 0.6 * wall * wall:
        images = np.arange(-4, 5)[:, None]
        signs = np.where(images % 2 == 0, 1.0, -1.0)
        return np.asarray((signs * _gauss(offsets + 2 * wall * images, length)).sum(0))
    waves = (np.arange(12)[:, None] + 0.5) * (math.pi / wall)
    fading = np.exp(-waves * waves * (length / 2))
    return np.asarray((np.cos(waves * offsets) * fading).sum(0) / wall)


def _gauss(offsets: Numbers, variance: Numbers | float) -> Numbers:
    return np.asarray(np.exp(-offsets * offsets / (2 * variance)) / np.sqrt(2 * math.pi * variance))


def _p_value_of_few(cells: _Cells, reference: Counts, candidate: Counts) -> float:
    """Return the mid-p value by counting paths exactly: binomial steps, given their end."""
    side = reference if int(reference.sum()) == cells.fewer else candidate
    drawn = np.cumsum(side).astype(object)
    ends = np.cumsum(reference + candidate).astype(object)
    gap = min(max(abs(drawn * cells.total - ends * cells.fewer)), _WIDEST * cells.total)
    reached = 1 - _paths_within(cells, gap)
    exceeded = 1 - _paths_within(cells, gap + 1)
    return max((reached + exceeded) / 2, 1e-12)


def _paths_within(cells: _Cells, gap: int) -> float:
    """Return the share of label orders whose |X N - k T| stays below the gap.

    X of the first T pooled rows, of N in all, come from the smaller sample of k rows.
    """
    few, total = cells.fewer, cells.total
    chance = few / total
    reach = 2 * (gap // total + 2)
    largest = max(1, total // _MOST_STEPS)
    ways, start, end = np.ones(1), 0, 0
    for rows, watched in zip(cells.rows.tolist(), cells.watched.tolist(), strict=True):
        left = rows
        while left:
            size = min(left, largest) if watched else left
            left -= size
            end += size
            fewest = max(0, math.floor(size * chance) - reach)
            most = min(size, math.ceil(size * chance) + reach)
            ways = np.convolve(ways, _binomial(np.arange(fewest, most + 1), size, chance))
            start += fewest
            low = max(start, (few * end - gap) // total + 1)
            high = min(start + len(ways) - 1, -((-few * end - gap) // total) - 1)
            if high < low:
                return 0.0
            ways, start = ways[low - start : high - start + 1], low
    at_end = few - start
    if not 0 <= at_end < len(ways):
        return 0.0
    return float(ways[at_end] / _binomial(np.array([few]), total, chance)[0])


def _binomial(drawn: Counts, rows: int, chance: float) -> Numbers:
    """Return the chances of drawing these many of the rows, shape of `drawn`."""
    ways = gammaln(rows + 1) - gammaln(drawn + 1) - gammaln(rows - drawn + 1)
    logs = ways + drawn * math.log(chance) + (rows - drawn) * math.log1p(-chance)
    return np.asarray(np.exp(logs))
