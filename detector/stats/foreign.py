"""How large a share of the candidate's rows cannot come from the reference's law.

Let P be the law of the reference's scores and Q that of the candidate's. If Q is a mixture
(1 - a) P + a F with any F, the rows alone say that a is at least

    a* = 1 - inf Q / P = a (1 - inf F / P),

the share that no part of P can explain, and they say no more. With F = P even a = 1 leaves no
trace. `foreign_at_least` bounds a* from below and is valid for any scores; `foreign_share`
estimates it and trusts that the ratio rises smoothly along the scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls
from scipy.special import bdtrc, betainccinv, betaincinv, ndtr, ndtri

from detector.stats.auc import Z_95_ONE_SIDED
from detector.stats.proportions import Z_80

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

MASSES = 0.5 ** np.arange(1, 11)
"""Shares of the reference above a cut, from which each block takes the best of the past."""

_FIRST = 3
"""The place in `MASSES` of the first block's cut, 1/16: there is no past."""

_NODES = np.linspace(-8.0, 8.0, 81)
_WEIGHTS = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()
_LEAST_TAIL = 1e-15
_FINDABLE = 6
"""Masses in `MASSES`, down to 1/64, at whose cuts a bound finds what it could find in time."""

BINS = 40
_ROWS_PER_BIN = 10
_DEGREE = 5
_KNOTS = np.arange(5) / 5
_TOP = 0.05
_ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """A lower bound on the share of foreign rows.

    Attributes:
        share: 95 % of all batches have at least their bound; in [0, 1).
        p_value: Of no foreign row at all, in (0, 1].
        detectable: The share seen with 80 % power at level 0.05, if foreign rows outscore the
            reference's; in (0, 1].

    """

    share: float
    p_value: float
    detectable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A cut between scores: n and m rows of the sides, the reference's rank-th score from above."""

    rank: int
    n: int
    m: int
    above: int

    @property
    def mass(self) -> Numbers:
        """Return quantiles of the reference's mass above the cut, one for each node.

        Whatever the scores' law, the mass above the rank-th largest of n scores has the
        law Beta(rank, n + 1 - rank), ties making it less.
        """
        law = self.rank, self.n + 1 - self.rank
        low = betaincinv(*law, ndtr(np.minimum(_NODES, 0)))
        high = betainccinv(*law, ndtr(-np.maximum(_NODES, 0)))
        return np.asarray(np.where(_NODES < 0, low, high))

    def tail(self, share: float, mass: Numbers) -> float:
        """Return the chance of so many candidate rows above the cut, or more.

        A candidate row lies there if it is foreign, or else with the chance `mass`.
        """
        if self.above == 0:
            return 1.0
        chance = bdtrc(self.above - 1, self.m, share + (1 - share) * mass)
        return float(np.clip(_WEIGHTS @ chance, _LEAST_TAIL, 1.0))


def foreign_at_least(blocks: Sequence[tuple[Numbers, Numbers]]) -> AtLeast:
    """Return a 95 % lower bound on the share of rows outside the reference's law.

    Each block's cut is chosen by earlier blocks. Given these, the count of candidate rows above
    the cut has a known law, for any scores and any number of rows; so the p-values of the
    blocks may be added up as normal deviates (Stouffer), and inverted for a bound.

    Args:
        blocks: Scores of the reference's and of the candidate's rows, one pair a block, none
            empty, higher for foreign; the scores of a block by a model of earlier blocks.

    Cost: O(rows log rows).
    Source: Wilks (1941), Ann. Math. Stat. 12, for the law of the mass; Stouffer et al. (1949).

    >>> rows = np.arange(200.0)
    >>> found = foreign_at_least([(rows, np.concatenate((rows, rows + 500)))])
    >>> 0.4 < found.share < 0.5
    True

    """
    if not blocks or any(not len(x) or not len(y) for x, y in blocks):
        raise ValueError("every block needs rows on both sides")
    cuts: list[_Cut] = []
    past: list[list[_Cut]] = []
    for x, y in blocks:
        own = _cuts(x, y)
        cuts.append(own[_best(past)])
        past.append(own)
    weights = np.array([1 / math.sqrt(1 / cut.n + 1 / cut.m) for cut in cuts])
    weights /= math.sqrt(float(weights @ weights))

    masses = [cut.mass for cut in cuts]

    def chance(share: float) -> float:
        pairs = zip(cuts, masses, strict=True)
        tails = np.array([cut.tail(share, mass) for cut, mass in pairs])
        return float(ndtr(weights @ ndtri(np.minimum(tails, 1 - _LEAST_TAIL))))

    p_value = chance(0.0)
    return AtLeast(
        share=_inverted(chance) if p_value <= 0.05 else 0.0,
        p_value=max(p_value, 1e-300),
        detectable=_detectable(sum(cut.n for cut in cuts), sum(cut.m for cut in cuts)),
    )


def foreign_share(x: Numbers, y: Numbers) -> float:
    """Return the estimated share of rows outside the reference's law, in [0, 1].

    The density ratio of the candidate to the reference is taken to rise along the scores, slowly
    at first: one minus its floor is the share. It is fitted to the counts in bins of equal
    reference mass as a sum of a constant and of fifth powers that start at 0, 0.2, ..., all with
    weights that are not negative, with steps at the top twentieth and the top bin; that is, a
    ratio that rises ever faster. Foreign rows must leave some part of the reference nearly alone.

    Args:
        x: Scores of reference rows, shape (n,), n >= 1, by models not fitted to them.
        y: Scores of candidate rows, shape (m,), m >= 1, likewise; higher for foreign.

    Cost: O(rows log rows).
    Source: the idea of a floor is that of Garg et al. (2021), NeurIPS 34 (best bin), and of
    Storey (2002), J. R. Stat. Soc. B 64; the shape generalizes Langaas et al. (2005), ibid. 67.

    >>> rows = np.arange(1000.0)
    >>> round(foreign_share(rows, np.concatenate((rows, rows + 5000))), 3)
    0.5

    """
    if not len(x) or not len(y):
        raise ValueError("both sides need rows")
    bins = max(1, min(BINS, len(x) // _ROWS_PER_BIN))
    edges = np.unique(np.quantile(x, np.arange(1, bins) / bins, method="inverted_cdf"))
    held = np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1)
    asked = np.bincount(np.searchsorted(edges, y), minlength=len(edges) + 1)
    held, asked = held[held > 0], asked[held > 0]
    mass = held / len(x)
    ratio = asked / len(y) / mass
    shapes = _shapes(np.cumsum(mass) - mass / 2)
    fitted = np.ones(len(ratio))
    for _ in range(_ROUNDS):
        error = np.sqrt(fitted**2 / held + fitted / (len(y) * mass))
        weights, _ = nnls(shapes / error[:, None], ratio / error, maxiter=1_000)
        fitted = np.maximum(shapes @ weights, 1e-3)
    return float(min(1.0, max(0.0, 1 - weights[0])))


def _shapes(place: Numbers) -> Numbers:
    """Return the constant, the rising powers and the two steps at the top, one column each."""
    rising = np.maximum(place[:, None] - _KNOTS, 0.0) / (1 - _KNOTS)
    steps = place > 1 - _TOP, place >= place[-1]
    return np.column_stack((np.ones(len(place)), rising**_DEGREE, *steps))


def _cuts(x: Numbers, y: Numbers) -> list[_Cut]:
    """Return one cut for each mass; a candidate row equal to the cut is not above it."""
    ranks = np.maximum(1, np.round(MASSES * len(x))).astype(int)
    levels = np.sort(x)[len(x) - ranks]
    above = len(y) - np.searchsorted(np.sort(y), levels, side="right")
    return [
        _Cut(rank=int(rank), n=len(x), m=len(y), above=int(count))
        for rank, count in zip(ranks, above, strict=True)
    ]


def _best(past: list[list[_Cut]]) -> int:
    """Return the place of the cut that would have given the largest bound so far."""
    if not past:
        return _FIRST
    totals = np.array([[(c.rank, c.n, c.m, c.above) for c in own] for own in past]).sum(axis=0)
    rank, n, m, above = totals.T.astype(float)
    mass, seen = (rank + 0.5) / (n + 1), (above + 0.5) / (m + 1)
    error = np.sqrt(seen * (1 - seen) / m + mass * (1 - mass) / n)
    return int(np.argmax((seen - mass - Z_95_ONE_SIDED * error) / (1 - mass)))


def _inverted(chance: Callable[[float], float]) -> float:
    """Return the smallest share whose chance is 0.05, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(25):
        middle = (low + high) / 2
        if chance(middle) <= 0.05:
            low = middle
        else:
            high = middle
    return low


def _detectable(n: int, m: int) -> float:
    """Return the least share that a cut of these sizes shows four times in five."""
    masses = np.maximum(MASSES[:_FINDABLE], 1 / n)
    shares = np.linspace(0.0, 1.0, 1_001)[1:, None]
    above = shares + (1 - shares) * masses
    null = np.sqrt(masses * (1 - masses) * (1 / n + 1 / m))
    error = np.sqrt(above * (1 - above) / m + masses * (1 - masses) / n)
    seen = shares * (1 - masses) >= Z_95_ONE_SIDED * null + Z_80 * error
    found = shares[seen.any(axis=1)]
    return float(found[0, 0]) if len(found) else 1.0
