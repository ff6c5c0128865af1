"""Has the dependence between any two columns changed between two samples?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.stats.bundles import Bundles, bundle
from detector.stats.many_means import many_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.stats.scored import Scored, Side

EXPECTED = 20.0
"""Rows that a coefficient rests on, at least: for two levels, the rows expected in both."""

_BUNDLES = 512
_SMALLEST = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DependenceTest:
    """Every coefficient of one score column with another one, in both samples.

    Attributes:
        first: Shape (k,): place of the first score column of each coefficient.
        second: Shape (k,): place of the second.
        reference: Shape (k,): the coefficients in the reference, about -1 to 1.
        candidate: Shape (k,): in the candidate.
        error: Shape (k,): standard error of their difference when nothing has changed.
        p_values: Shape (k,): family-wise adjusted p-values, in (0, 1].
        p_value: Of the question whether anything has changed at all, in (0, 1].
        critical: The 95 % point of the largest studentised difference by chance.
        by_chance: The median of the largest difference by chance.

    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    reference: NDArray[np.float64]
    candidate: NDArray[np.float64]
    error: NDArray[np.float64]
    p_values: NDArray[np.float64]
    p_value: float
    critical: float
    by_chance: float


def dependence_test(
    scored: Scored,
    owners: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    permutations: int = 499,
    clusters: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> DependenceTest | None:
    """Compare all coefficients between columns, with one null distribution for all.

    Each row's influence on each coefficient is added up over bundles of rows; permuting
    the bundles between the samples gives the joint null distribution of all studentised
    differences. The largest of them names the pairs at fault with family-wise error
    control (max-T); it and the sum of squares, each pair of columns weighing the same,
    together answer whether anything has changed. (With more coefficients than a four-hundredth
    of the squared rows the largest answers alone.)

    Args:
        scored: The score columns of both samples, n and m rows, p columns.
        owners: The table column that each score column belongs to, shape (p,); score
            columns of one table column are not compared with each other.
        rng: Decides bundles and permutations.
        permutations: Their number b; p-values below 1 / (b + 1) come from Student's t
            with Bonferroni's correction.
        clusters: Cluster of each reference row and of each candidate row; clusters are
            permuted whole.

    Returns:
        The test, or None when no two columns have enough rows.

    Cost: O((n + m) p^2 + b k (n + m)), never more than O(b k) times some 2000 bundles.
    Sources: Chung and Romano (2013), Ann. Stat. 41 (studentised permutation tests need no
    equal distributions); Omelka and Pauly (2012), J. Stat. Plan. Inference 142 (of
    correlations); Westfall and Young (1993) (max-T).

    """
    sides = (scored.reference, scored.candidate)
    first, second = _comparable(sides, owners)
    if not len(first):
        return None
    bundles = _bundled(sides, clusters, rng)
    found = [_coefficients(side) for side in sides]
    sizes = [len(side.scores) for side in sides]
    units = sizes if clusters is None else [len(np.unique(held)) for held in clusters]
    pooled = [np.average([f[i] for f in found], axis=0, weights=sizes) for i in (0, 1)]
    influence = np.concatenate(
        [
            _influence(side, held, pooled[0], pooled[1], first * len(owners) + second)
            for side, held in zip(sides, bundles, strict=True)
        ]
    )
    means = many_means(
        influence,
        np.concatenate([held.sizes for held in bundles]),
        first=len(bundles[0]),
        weights=_pair_weights(owners[first], owners[second]) * (len(first) <= _summed(units)),
        permutations=permutations,
        rng=rng,
    )
    return DependenceTest(
        first=first,
        second=second,
        reference=found[0][0][first, second],
        candidate=found[1][0][first, second],
        error=means.error,
        p_values=means.p_values,
        p_value=means.p_value,
        critical=means.critical,
        by_chance=means.by_chance,
    )


def change_error(
    scored: Scored,
    first: int,
    second: int,
    *,
    clusters: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> float:
    """Return the standard error of the change of one coefficient, whatever has changed.

    `DependenceTest.error` holds where nothing has changed, as a test needs it; this one
    measures each sample by itself, as an interval needs it.

    Args:
        scored: The score columns of both samples.
        first: Place of the first score column.
        second: Place of the second.
        clusters: Cluster of each reference row and of each candidate row.

    """
    variance = 0.0
    for side, cluster in zip(
        (scored.reference, scored.candidate), clusters or (None, None), strict=True
    ):
        own = _row_influence(side, first, second)
        if cluster is not None:
            _, unit = np.unique(cluster, return_inverse=True)
            own = np.asarray(np.bincount(unit, weights=own), np.float64)
        units = len(own)
        variance += float(own @ own) / len(side.scores) ** 2 * units / max(1, units - 1)
    return float(np.sqrt(variance))


def _row_influence(side: Side, first: int, second: int) -> NDArray[np.float64]:
    """Return each row's influence on one coefficient of its sample, shape (n,), mean 0."""
    one, other = side.scores[:, first], side.scores[:, second]
    both = np.ones_like(one)
    if side.present is not None:
        both = side.present[:, first] * side.present[:, second]
    share = max(float(both.mean()), 1.0 / len(both))
    product = (one * other).astype(np.float64)
    influence = (product - both * (product.mean() / share)) / share
    for column, partner in ((first, other), (second, one)):
        own = np.flatnonzero(side.weights[:, column])
        slopes = side.carriers.T[own] @ partner / (share * len(both))
        influence -= (side.weights[own, column] * slopes) @ side.basis.T[own]
    return np.asarray(influence, np.float64)


def _comparable(
    sides: tuple[Side, Side], owners: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the coefficients that both samples have the rows for.

    A column's kurtosis less 2 says how few rows carry it: 1 for a normal column, near
    1 / share for a rare level. The rows over both are those expected where the two meet.
    """
    first, second = np.triu_indices(len(owners), 1)
    keep = owners[first] != owners[second]
    for side in sides:
        rows = _rows(side)
        square = np.square(side.scores)
        spread = np.maximum(square.sum(axis=0) / np.diagonal(rows), 1e-30)
        fourth = np.einsum("np,np->p", square, square) / np.diagonal(rows)
        heavy = np.maximum(1.0, fourth / np.square(spread, dtype=np.float64) - 2.0)
        keep &= (rows / np.outer(heavy, heavy))[first, second] >= EXPECTED
    return first[keep], second[keep]


def _bundled(
    sides: tuple[Side, Side],
    clusters: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    rng: np.random.Generator,
) -> tuple[Bundles, Bundles]:
    """Return both samples in bundles of one size, at least `_SMALLEST` where rows allow."""
    n, m = (len(side.scores) for side in sides)
    size = max(1, min(-(-(n + m) // _BUNDLES), min(n, m) // _SMALLEST))
    x, y = clusters if clusters is not None else (None, None)
    return bundle(n, size=size, rng=rng, clusters=x), bundle(m, size=size, rng=rng, clusters=y)


def _coefficients(side: Side) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean products of all scores, and of carriers with scores."""
    rows = _rows(side)
    owner = np.argmax(side.weights != 0, axis=1)
    return (
        (side.scores.T @ side.scores).astype(np.float64) / rows,
        (side.carriers.T @ side.scores).astype(np.float64) / rows[owner],
    )


def _rows(side: Side) -> NDArray[np.float64]:
    """Return the rows in which both score columns are there, at least 1, shape (p, p)."""
    if side.present is None:
        return np.full((side.scores.shape[1],) * 2, float(len(side.scores)))
    return np.maximum(side.present.T @ side.present, 1.0).astype(np.float64)


def _influence(
    side: Side,
    bundles: Bundles,
    coefficients: NDArray[np.float64],
    carried: NDArray[np.float64],
    chosen: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return the influence of each bundle on each chosen coefficient, shape (bundles, k).

    Both samples are measured from the pooled coefficients: what is permuted is then the
    same function of a row on either side, so that thin cells (a level pair seen in one
    sample only) are as surprising among the permutations as they are in the data.
    """
    scores, basis = side.scores.T[:, bundles.order], side.basis.T[:, bundles.order]
    present = None if side.present is None else side.present.T[:, bundles.order]
    center = coefficients.astype(np.float32)
    slopes = carried.astype(np.float32)
    share = (_rows(side) / len(bundles.order)).astype(np.float32)
    moved = np.add.reduceat(basis, bundles.starts, axis=1).T
    out = np.empty((len(bundles), len(chosen)), dtype=np.float32)
    for place, (start, rows) in enumerate(zip(bundles.starts, bundles.sizes, strict=True)):
        part = scores[:, start : start + rows]
        drag = (side.weights * moved[place][:, None]).T @ slopes
        product = part @ part.T
        if present is None:
            product -= rows * center
        else:
            there = present[:, start : start + rows]
            product = (product - center * (there @ there.T)) / share
        np.take(product - drag - drag.T, chosen, out=out[place])
    return out


def _summed(units: list[int]) -> float:
    """Return the number of coefficients up to which their sum of squares can be trusted.

    Linear influences miss one part in n of a variance, and a sum of k squares is judged to
    one part in the root of k: it helps while k is well below n squared.
    """
    return min(units) ** 2 / 400


def _pair_weights(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights that add up to 1 over the coefficients of each pair of columns."""
    _, place, counts = np.unique(
        np.stack([one, other]), axis=1, return_inverse=True, return_counts=True
    )
    weights: NDArray[np.float64] = 1.0 / counts[place.ravel()]
    return weights
