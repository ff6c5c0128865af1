"""Wasserstein-1 distance: how far rows must be moved, on average, to turn one into the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from detector.stats.proportions import Z_95

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.stats.binned import Binned

    Numbers = NDArray[np.float64]

_SEEN = 1.35  # gap of a normal shift, in units of sqrt(1/n + 1/m), seen with 80 % power


def wasserstein(reference: Binned, candidate: Binned) -> float:
    """Return the Wasserstein-1 distance between two samples over the same edges.

    Args:
        reference: Reference values.
        candidate: Candidate values over the reference's edges.

    Returns:
        The integral of |F - G|, in the unit of the values, at least 0. Exact where every
        distinct value of both is an edge; see `Binned` for what lies between.

    Source: Vallender (1974), Theory of Probability and its Applications 18. Cost: O(e).
    """
    start = (reference.upto - candidate.upto)[:-1]
    stop = (reference.below - candidate.below)[1:]
    outside = abs(reference.low_excess - candidate.low_excess) + abs(
        reference.high_excess - candidate.high_excess
    )
    within = _between(start, stop, _turning_points(reference, candidate))
    return float(within @ np.diff(reference.edges) + outside)


def _turning_points(reference: Binned, candidate: Binned) -> Numbers:
    """Return how far along each gap the values of both sides lie, shape (e - 1,)."""
    one = reference.below[1:] - reference.upto[:-1]
    two = candidate.below[1:] - candidate.upto[:-1]
    held = one + two
    leaning = one * reference.lean + two * candidate.lean
    return np.asarray(np.divide(leaning, held, out=np.full_like(held, 0.5), where=held > 0))


def _between(start: Numbers, stop: Numbers, turn: Numbers) -> Numbers:
    """Return the mean height of |F - G| over gaps, shape (e - 1,).

    F - G stays at its start, goes straight to its stop evenly around the turning point,
    and stays there. A line through zero encloses two triangles instead of one trapezoid.
    """
    total = np.abs(start) + np.abs(stop)
    sloping = total / 2
    crosses = start * stop < 0
    sloping[crosses] = (start**2 + stop**2)[crosses] / (2 * total[crosses])
    half = np.minimum(turn, 1 - turn)
    flat = np.abs(start) * (turn - half) + np.abs(stop) * (1 - turn - half)
    return np.asarray(flat + 2 * half * sloping)


def expected_by_chance(reference: Binned, candidate: Binned) -> float:
    """Return the distance that sampling noise alone gives at these sizes.

    Two samples of one law are never zero apart. Their expected distance is
    sqrt(2 / pi) times the integral of sqrt(F (1 - F) / n + G (1 - G) / m).

    Returns:
        The expected distance, in the unit of the values.

    Source: del Barrio, Gine and Matran (1999), Annals of Probability 27.
    """
    at = _noise(reference.upto, candidate.upto, reference.n, candidate.n)
    before = _noise(reference.below, candidate.below, reference.n, candidate.n)
    width = np.diff(reference.edges)
    inner = float((at[:-1] + before[1:]) / 2 @ width)
    low = min(reference.low, candidate.low)
    high = max(reference.high, candidate.high)
    # The square root of a share that falls evenly to zero is two thirds of its start.
    outer = before[0] * (reference.edges[0] - low) + at[-1] * (high - reference.edges[-1])
    return math.sqrt(2 / math.pi) * (inner + float(outer) * 2 / 3)


def interval(reference: Binned, candidate: Binned) -> tuple[float, float]:
    """Return an interval that holds the true distance at least 95 % of the time.

    The distance is the largest difference of means that a function of slope one can
    show (Kantorovich). No such difference has a larger standard error s than the
    difference of the plain means, and the noise's own distance exceeds its expectation e
    by 1.96 s at most once in 40 times (Borell's inequality). So the truth lies between
    `distance - e - 1.96 s` and `distance + 1.96 s`, also where it is zero.

    Returns:
        Low and high, in the unit of the values; low is at least 0.

    Source: Borell (1975), Inventiones Mathematicae 30; Villani (2009), Optimal
    Transport, 5.16.
    """
    distance = wasserstein(reference, candidate)
    reach = Z_95 * math.sqrt(reference.variance / reference.n + candidate.variance / candidate.n)
    noise = expected_by_chance(reference, candidate)
    return max(0.0, distance - noise - reach), distance + reach


def shift_seen(reference: Binned, gap: float) -> float:
    """Return the shift whose largest gap between distribution functions is this large.

    A shift is as visible as the share of rows that it carries past some value, so it must
    span the shortest stretch that holds that share of the reference. Where a single value
    holds it, any shift is seen, and that share of the rows moved by one spread stands in.

    Args:
        reference: Reference values.
        gap: The gap that a test sees, for example `gap_seen(n, m)`.

    Returns:
        The shift, in the unit of the values.
    """
    if gap >= 1:
        return reference.high - reference.low
    # The shortest stretch of a sample holds more than its law does: the largest of many
    # counts of about n gap rows is nearly two standard deviations too large.
    held = min(1.0, gap * (1 + 1.8 / math.sqrt(reference.n * gap)))
    starts = np.linspace(0.0, 1 - held, 257)
    stretch = reference.quantiles(starts + held) - reference.quantiles(starts)
    return max(float(stretch.min()), gap * reference.spread)


def gap_seen(n_reference: int, n_candidate: int) -> float:
    """Return the gap that the KS test at level 0.05 sees with 80 % power.

    For a shift of a normal law; most other changes of that gap are seen a little sooner.

    >>> round(gap_seen(1000, 1000), 4)
    0.0604

    """
    return _SEEN * math.sqrt(1 / n_reference + 1 / n_candidate)


def _noise(reference: Numbers, candidate: Numbers, n: int, m: int) -> Numbers:
    """Return the standard error of F - G, shape (e,)."""
    return np.sqrt(reference * (1 - reference) / n + candidate * (1 - candidate) / m)
