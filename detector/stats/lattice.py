"""Marks that a column of numbers bears by itself: lattices, level counts, edges, last digits.

Each has a probability under ordinary data, which is said with it: a p-value under that model.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import chdtr

from detector.stats.proportions import SMALLEST_P

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

LEAST_LEVELS = 8
_MOST_PLACES = 1 << 16
_OFF = 0.005
_PRECISION = 1e-7
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_BESIDE = 5
_MOST_DECIMALS = 6
_LEAST_TENS = 20


class Lattice(NamedTuple):
    """Values that are a first one plus whole multiples of a step.

    Attributes:
        step: The distance between neighbouring places.
        places: Places from the smallest value to the largest.
        p_value: A bound on the chance of it where levels fall anywhere.

    """

    step: float
    places: int
    p_value: float


def lattice(levels: Numbers) -> Lattice | None:
    """Return the lattice that the levels lie on, or None; steps that people round to do not count.

    Steps of 1, 2, 2.5 and 5 times a power of ten are what rounding leaves. Any other step has to
    come from somewhere: a change of units, or a register of so many bits.

    With levels that fall anywhere, each but two is within 0.005 steps of a place with a chance
    of 0.01; the step is one of the distances between neighbours.

    Args:
        levels: Distinct values, rising, shape (k,), finite.

    >>> lattice(np.linspace(0, 1, 16)).places, lattice(np.arange(16) / 10)
    (16, None)
    """
    if len(levels) < LEAST_LEVELS:
        return None
    width = float(levels[-1] - levels[0])
    least = float(np.diff(levels).min())
    largest = float(np.abs(levels[[0, -1]]).max())
    if not least * _MOST_PLACES > width or least * _OFF < _PRECISION * largest:
        return None
    steps = round(width / least)
    step = width / steps
    off = (levels - levels[0]) / step
    if np.abs(off - np.round(off)).max() > _OFF or is_round(step):
        return None
    bound = len(levels) * (2 * _OFF) ** (len(levels) - 2)
    return Lattice(step, steps + 1, min(1.0, max(bound, SMALLEST_P)))


def is_round(step: float) -> bool:
    """Tell whether a step is one that people round to.

    >>> is_round(0.25), is_round(20.0), is_round(1 / 15)
    (True, True, False)
    """
    leading = step / 10.0 ** math.floor(math.log10(step))
    return any(abs(leading / each - 1) < 1e-4 for each in _ROUND)


def power_of_two(levels: int) -> bool:
    """Tell whether a number of levels is 8, 16, 32, ..., as a register of bits has."""
    return levels >= LEAST_LEVELS and levels & (levels - 1) == 0


def chance_of_powers(counts: Sequence[int], powers: int) -> float:
    """Return the chance that so many columns have 2^k levels.

    Of the whole numbers nearest to 2^k on a scale of ratios, about 2^k / sqrt 2, a column of so
    many levels has any with equal chance.

    Args:
        counts: The number of levels of each column, at least 6 each.
        powers: How many of them were a power of two.

    >>> round(chance_of_powers([8], 1), 3)
    0.177
    """
    law = np.ones(1)
    for count in counts:
        chance = math.sqrt(2) / 2 ** round(math.log2(count))
        law = np.convolve(law, (1 - chance, chance))
    return float(min(1.0, max(law[powers:].sum(), SMALLEST_P)))


class Edge(NamedTuple):
    """Values that pile up at the smallest or the largest value.

    Attributes:
        value: Where.
        rows: How many rows have it.
        p_value: The chance of so many where the edge is no likelier than what lies beside it.

    """

    value: float
    rows: int
    p_value: float


def piled_edges(levels: Numbers, counts: NDArray[np.int64]) -> list[Edge]:
    """Return the piles at both edges of a column whose other values hardly repeat.

    Zero is left out: many quantities cannot be less. A pile is compared with the five values
    next to it; a law that does not rise to its edge puts at most a sixth of their rows there.

    Args:
        levels: Distinct values, rising, shape (k,).
        counts: Rows of each, shape (k,).

    """
    from scipy.stats import binom

    if len(levels) < 2 * _BESIDE + 2 or float(np.median(counts)) > 1:
        return []
    found = []
    for edge, beside in ((0, slice(1, _BESIDE + 1)), (-1, slice(-_BESIDE - 1, -1))):
        rows = int(counts[edge])
        if rows < 2 or levels[edge] == 0:
            continue
        total = rows + int(counts[beside].sum())
        p_value = float(binom.sf(rows - 1, total, 1 / (1 + _BESIDE)))
        found.append(Edge(float(levels[edge]), rows, max(p_value, SMALLEST_P)))
    return found


def even_digits(values: Numbers) -> float | None:
    """Return the chance of last digits as even as these, or None where there are no such digits.

    Random digits vary; whatever their law, Pearson's statistic against equal shares falls as
    low as that of equal shares at most as often. Numbers that were spread out by a rule, such as a
    low-discrepancy sequence, do not vary enough.

    Args:
        values: All values of a column, shape (n,), finite: a sample of too even digits varies.

    Source: Fisher (1936), Annals of Science 1, on Mendel's peas.
    """
    size = float(np.abs(values).max(initial=0.0))
    if not 0 < size < 1e9:
        return None
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = values * 10.0**decimals
        whole = np.round(scaled)
        if np.abs(scaled - whole).max() < 1e-5:
            break
    else:
        return None
    if whole.max() - whole.min() < 10 * _LEAST_TENS:
        return None
    held = np.bincount(np.abs(whole).astype(np.int64) % 10, minlength=10)
    expected = len(values) / 10
    statistic = float(np.square(held - expected).sum() / expected)
    return max(float(chdtr(9, statistic)), SMALLEST_P)
