"""A distribution known by its counts over edges: exact at the edges, straight between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Counts = NDArray[np.int64]

_OUTER = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Binned:
    """A sample of n numbers over e edges.

    At an edge, and so wherever every distinct value is an edge, nothing is approximated.
    Between two edges values are taken to lie evenly around one point, as far along the gap
    as the mean says. Beyond the outermost edges only the total excess matters, and the mean
    and the extremes give it.

    Attributes:
        n: Number of values, at least 1.
        edges: Sorted distinct values, shape (e,), e >= 1.
        below: Share of values under each edge, shape (e,).
        upto: Share of values at or under each edge, shape (e,).
        low: Smallest value or lowest edge, whichever is smaller.
        high: Largest value or highest edge, whichever is larger.
        low_excess: Mean over all n of how far values fall below the lowest edge.
        high_excess: Mean over all n of how far values rise above the highest edge.
        lean: How far along a gap between edges its values lie on average, from 0 to 1.
        mean: Mean of the values.
        variance: Sample variance.

    """

    n: int
    edges: Numbers
    below: Numbers
    upto: Numbers
    low: float
    high: float
    low_excess: float
    high_excess: float
    lean: float
    mean: float
    variance: float

    @classmethod
    def of(
        cls,
        counts: Counts,
        edges: Numbers,
        *,
        mean: float,
        m2: float,
        minimum: float,
        maximum: float,
    ) -> Binned:
        """Read counts as `NumericSummary` keeps them.

        Args:
            counts: Shape (2 e + 1,): between edges at even places, on them at odd ones.
            edges: Shape (e,), sorted, distinct.
            mean: Mean of the values.
            m2: Sum of squared deviations from the mean.
            minimum: Smallest value.
            maximum: Largest value.

        """
        n = int(counts.sum())
        share = np.cumsum(counts) / n
        low, high = min(minimum, float(edges[0])), max(maximum, float(edges[-1]))
        low_excess, high_excess, lean = _placed(counts, edges, mean, low, high)
        return cls(
            n=n,
            edges=edges,
            below=share[0:-1:2],
            upto=share[1::2],
            low=low,
            high=high,
            low_excess=low_excess,
            high_excess=high_excess,
            lean=lean,
            mean=mean,
            variance=m2 / max(n - 1, 1),
        )

    @property
    def curve(self) -> tuple[Numbers, Numbers]:
        """Return the distribution function as a line: values rising, shares rising."""
        values = np.concatenate(([self.low], np.repeat(self.edges, 2), [self.high]))
        shares = np.concatenate(([0.0], np.ravel([self.below, self.upto], order="F"), [1.0]))
        return values, shares

    def quantiles(self, shares: Numbers) -> Numbers:
        """Return the values below which these shares lie, same shape."""
        values, known = self.curve
        return np.interp(shares, known, values)

    def shares_upto(self, values: Numbers) -> Numbers:
        """Return the shares at or below these values, same shape."""
        known, shares = self.curve
        return np.interp(values, known, shares, left=0.0, right=1.0)

    @property
    def spread(self) -> float:
        """Return the standard deviation with the outer hundredth on each side pulled in.

        Pulled in to the 1 % and 99 % quantile, so that a stray value or a heavy tail
        cannot stretch the unit in which changes are told. 0.98 standard deviations for a
        normal law; the plain standard deviation where nearly all values are equal.
        """
        values, shares = self.curve
        inside = np.clip(values, *self.quantiles(np.array([_OUTER, 1 - _OUTER])))
        weight = np.diff(shares)
        middle = (inside[1:] + inside[:-1]) / 2
        centered = middle - weight @ middle
        variance = weight @ (centered**2 + np.diff(inside) ** 2 / 12)
        return math.sqrt(variance) if variance > 0 else math.sqrt(self.variance)


def _placed(
    counts: Counts, edges: Numbers, mean: float, low: float, high: float
) -> tuple[float, float, float]:
    """Return the mean excess below and above the edges, and the lean between them.

    The mean settles them. Tails are first taken as exponential (the largest of c values
    lies the harmonic number of c means out), then moved as the mean demands within what the
    extremes allow; what is still left over says where values lie between edges.
    """
    n, below, above = int(counts.sum()), int(counts[0]), int(counts[-1])
    gaps = np.diff(edges)
    inside = float(counts[2:-1:2] @ gaps)
    anchor = float(edges[len(edges) // 2])
    known = counts[1::2] @ (edges - anchor) + counts[2:-1:2] @ (edges[:-1] + gaps / 2 - anchor)
    known += below * (edges[0] - anchor) + above * (edges[-1] - anchor)
    left_over = float(n * (mean - anchor) - known)
    furthest = (float(edges[0]) - low, high - float(edges[-1]))
    under = below * furthest[0] / _harmonic(below)
    over = above * furthest[1] / _harmonic(above)
    short = left_over - (over - under)
    if above and (short > 0 or not below):
        over += short
    else:
        under -= short
    under = min(max(under, furthest[0]), below * furthest[0])
    over = min(max(over, furthest[1]), above * furthest[1])
    lean = 0.5 + (left_over - (over - under)) / inside if inside > 0 else 0.5
    return under / n, over / n, min(max(lean, 0.0), 1.0)


def _harmonic(count: int) -> float:
    return math.log(count) + 0.5772156649 + 1 / (2 * count) if count else 1.0


def coarse_bins(
    reference: Binned, candidate: Binned, *, most: int = 40
) -> tuple[Numbers, Numbers, Numbers]:
    """Return bins for a chart: edges, reference shares and candidate shares.

    One bin for each edge when there are few; else bins of equal width over the middle
    99 % of both samples, the first and the last one open.

    Args:
        reference: Reference values.
        candidate: Candidate values over the same edges.
        most: The largest number of bins, at least 3.

    Returns:
        Edges, shape (b - 1,) or (b + 1,), and two times shares, shape (b,), adding to 1.

    """
    own = reference.edges
    if len(own) <= most:
        inner = own[:-1] + np.diff(own) / 2
        low, high = min(reference.low, candidate.low), max(reference.high, candidate.high)
        edges = np.concatenate(([low], inner, [high]))
    else:
        ends = np.array([0.005, 0.995])
        spans = np.sort([reference.quantiles(ends), candidate.quantiles(ends)], axis=0)
        edges = inner = np.linspace(spans[0, 0], spans[1, 1], most - 1)
    shares = [
        np.diff(np.concatenate(([0.0], side.shares_upto(inner), [1.0])))
        for side in (reference, candidate)
    ]
    return edges, shares[0], shares[1]
