"""Copies of training rows, told from likeness by a holdout.

Under no copying, which of the real rows were trained on is a matter of chance: labels "reference"
and "holdout" can be drawn anew, and everything else stays. That holds for any kind of column, any
sizes, and tables whose rows repeat.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtr

from detector.stats.auc import Stratum, auc
from detector.stats.proportions import SMALLEST_P

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int64]

_FIRST_DEPTH = 4
_STEP = 1.25
_ROUNDS = 10
LEAST_IN_CELL = 20


class Foremost(NamedTuple):
    """Whether reference rows crowd to the front of an order.

    Attributes:
        p_value: Of the most telling depth, corrected for having looked at all of them.
        depth: The depth that tells most.
        held: Reference rows among that many.
        needed: Reference rows in a row at the front that would have been enough for 0.05.

    """

    p_value: float
    depth: int
    held: int
    needed: int


def foremost(
    reference: NDArray[np.bool_], *, rng: np.random.Generator, permutations: int = 9_999
) -> Foremost:
    """Test whether reference rows lie in front more often than chance puts them there.

    The first 4, 5, 6, 8, 10, ... rows are looked at. Each count is hypergeometric; the smallest of
    the p-values is judged by relabelings, and by Bonferroni's bound where none reaches it.

    Args:
        reference: Shape (n,): rows in order, true for the reference's; ties in random order.
        rng: Draws the labels anew.
        permutations: Relabelings.

    Cost: O(n + permutations log n).
    """
    from scipy.stats import hypergeom

    rows, marked = len(reference), int(reference.sum())
    depths = _depths(rows)
    tails = [hypergeom.sf(np.arange(-1, k), rows, marked, k) for k in depths]
    counts = np.cumsum(reference)[depths - 1]
    own = np.array([tail[count] for tail, count in zip(tails, counts, strict=True)])
    drawn = _drawn_counts(depths, rows, marked, permutations, rng)
    least = np.min([tail[column] for tail, column in zip(tails, drawn.T, strict=True)], axis=0)
    best = int(own.argmin())
    smaller = int((least < own[best] * (1 - 1e-9)).sum())
    as_small = int((least <= own[best] * (1 + 1e-9)).sum())
    p_value = (1 + (smaller + as_small) / 2) / (permutations + 1)
    if as_small == 0:
        p_value = min(p_value, len(depths) * float(own[best]))
    needed = math.ceil(math.log(0.05 / len(depths)) / math.log(max(marked, 1) / (rows + 1)))
    return Foremost(
        p_value=max(p_value, SMALLEST_P),
        depth=int(depths[best]),
        held=int(counts[best]),
        needed=needed,
    )


def _depths(rows: int) -> NDArray[np.int64]:
    """Return 4, 5, 6, 8, 10, ..., a quarter more each time, up to half of the rows."""
    most = max(1, int(math.log(max(rows / 2, 1) / _FIRST_DEPTH, _STEP)) + 1)
    depths = _FIRST_DEPTH * _STEP ** np.arange(most)
    return np.unique(np.minimum(depths, rows).round().astype(np.int64))


def _drawn_counts(
    depths: NDArray[np.int64], rows: int, marked: int, times: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the marked rows among the first of each depth, labels drawn anew, (times, depths)."""
    found = np.zeros((times, len(depths)), np.int64)
    before, held = 0, np.zeros(times, np.int64)
    for place, depth in enumerate(depths.tolist()):
        left, others = marked - held, (rows - before) - (marked - held)
        held = held + rng.hypergeometric(left, others, depth - before)
        before, found[:, place] = depth, held
    return found


class DataCopying(NamedTuple):
    """The data-copying statistic, in standard deviations of its own null law.

    Attributes:
        value: Zero on average under no copying; below where generated rows lie too near.
        p_value: The chance of a value as low.
        cells: For each cell used: holdout rows, candidate rows, z-score.

    """

    value: float
    p_value: float
    cells: tuple[tuple[int, int, float], ...]


def data_copying(
    candidate: Numbers, holdout: Numbers, cells: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> DataCopying | None:
    """Compare distances to the nearest training row, cell by cell.

    In each cell the distances of candidate rows are ranked among those of holdout rows
    (Mann-Whitney, ties corrected, as a z-score). Given the cells' counts the scores are
    independent with variance 1, so their average weighted by w has the variance sum w^2, not
    1; the value is divided by its root.

    Args:
        candidate: Distance of each candidate row to its nearest training row, shape (m,).
        holdout: The same of holdout rows, shape (h,).
        cells: The cell of each candidate row, and of each holdout row, from 0.

    Returns:
        None where no cell has 20 rows of both.

    Source: Meehan, Chaudhuri and Dasgupta (2020), AISTATS, whose average is not divided.
    """
    of_candidate, of_holdout = cells
    found, weights = [], []
    for cell in np.unique(of_holdout).tolist():
        y, x = candidate[of_candidate == cell], holdout[of_holdout == cell]
        if min(len(x), len(y)) < LEAST_IN_CELL:
            continue
        area = auc([Stratum(x=x, y=y)])
        score = (area.value - 0.5) / area.null_error if area.null_error > 0 else 0.0
        found.append((len(x), len(y), score))
        weights.append(len(x))
    if not found:
        return None
    weight = np.array(weights, float)
    scores = np.array([score for _, _, score in found])
    value = float(weight @ scores / np.sqrt(weight @ weight))
    return DataCopying(value, max(float(ndtr(value)), SMALLEST_P), tuple(found))


def cells_of(rows: Rows, *others: Rows, cells: int, rng: np.random.Generator) -> list[Codes]:
    """Cut space by k-means on the first rows; return the cell of each row of the others.

    Args:
        rows: Training rows, shape (n, d), n >= 1.
        others: Further rows, shapes (., d).
        cells: Number of cells, at most.
        rng: Draws the first centres.

    Source: Lloyd (1982), with the seeding of Arthur and Vassilvitskii (2007).
    """
    centers = rows[rng.integers(len(rows), size=1)]
    while len(centers) < cells:
        far = _squares(rows, centers).min(axis=1)
        if far.max() <= 0:
            break
        centers = np.vstack((centers, rows[rng.choice(len(rows), 1, p=far / far.sum())]))
    for _ in range(_ROUNDS):
        own = _squares(rows, centers).argmin(axis=1)
        sums = np.zeros((len(centers), rows.shape[1]))
        np.add.at(sums, own, rows)
        held = np.bincount(own, minlength=len(centers))[:, None]
        centers = np.where(held > 0, sums / np.maximum(held, 1), centers)
    return [_squares(other, centers).argmin(axis=1) for other in others]


def _squares(rows: Rows, centers: Numbers) -> Numbers:
    return np.column_stack(
        [np.square(rows.astype(np.float64) - center).sum(axis=1) for center in centers]
    )


class Repeats(NamedTuple):
    """Rows that repeat an earlier row of the same side.

    Attributes:
        value: Their share of the candidate's rows.
        expected: The same, were the candidate drawn from both sides' rows.
        p_value: The chance of so many.

    """

    value: float
    expected: float
    p_value: float


def repeats(
    reference: NDArray[np.int64],
    candidate: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    permutations: int = 999,
) -> Repeats:
    """Test whether candidate rows repeat each other more than chance lets them.

    Args:
        reference: How many reference rows have each content, shape (k,).
        candidate: How many candidate rows have each content, shape (k,), one at least.
        rng: Draws the sides anew: counts of the candidate are multivariate hypergeometric.
        permutations: Relabelings.

    Cost: O(permutations x contents that occur twice).
    """
    both = reference + candidate
    rows = int(candidate.sum())
    own = int(np.maximum(candidate - 1, 0).sum())
    several = both[both > 1]
    colors = np.append(several, int((both == 1).sum()))
    drawn = rng.multivariate_hypergeometric(colors, rows, permutations, method="marginals")[:, :-1]
    found = np.maximum(drawn - 1, 0).sum(axis=1)
    larger, as_large = int((found > own).sum()), int((found >= own).sum())
    p_value = (1 + (larger + as_large) / 2) / (permutations + 1)
    if as_large == 0:
        p_value = min(p_value, _repeats_bound(several, rows, int(both.sum()), own))
    return Repeats(value=own / rows, expected=float(found.mean()) / rows, p_value=p_value)


def _repeats_bound(several: NDArray[np.int64], rows: int, total: int, repeated: int) -> float:
    """Return Chernoff's bound on the chance of so many repeats.

    How many rows of each content fall to the candidate is negatively associated, so the moment
    generating function of the sum is at most the product of those of its terms.

    Source: Joag-Dev and Proschan (1983), Ann. Stat. 11.
    """
    from scipy.stats import hypergeom

    sizes, times = np.unique(several, return_counts=True)
    tilts = np.geomspace(0.05, 20, 60)
    logs = -tilts * repeated
    for size, count in zip(sizes.tolist(), times.tolist(), strict=True):
        held = np.arange(min(size, rows) + 1)
        law = hypergeom.logpmf(held, total, size, rows)
        terms = law[:, None] + np.outer(np.maximum(held - 1, 0), tilts)
        logs += count * np.logaddexp.reduce(terms, axis=0)
    return float(min(1.0, max(np.exp(max(logs.min(), -690.0)), SMALLEST_P)))
