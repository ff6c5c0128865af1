"""Columns of two samples as score columns whose mean products are correlations.

A correlation should change when the link between two columns changes, and not when a
column alone does. So numbers are scored by their ranks within their own sample
(`normal_scores`), and levels by contrasts that weigh every level alike in both samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.stats.normal_scores import NormalScores, normal_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """One sample, n rows, as p score columns; q basis columns carry what was estimated.

    The mean product of two score columns is their coefficient. Its influence in a row is
    the product, less what the row did to the scores: the sum over basis columns c of
    `basis[c] * weights[c, i] * E[carriers[c] * scores[j]]`, and the same for j and i.

    Attributes:
        scores: Shape (n, p); 0 where missing.
        present: Shape (n, p), 1 where the value is there; None when nothing is missing.
        basis: Shape (n, q), each column of mean 0.
        carriers: Shape (n, q).
        weights: Shape (q, p).

    """

    scores: NDArray[np.float32]
    present: NDArray[np.float32] | None
    basis: NDArray[np.float32]
    carriers: NDArray[np.float32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Both samples over the same score columns.

    Attributes:
        reference: Side of n rows.
        candidate: Side of m rows.

    """

    reference: Side
    candidate: Side


def score_numbers(x: NDArray[np.float64], y: NDArray[np.float64]) -> Scored | None:
    """Return one score column: normal scores within each sample, on one common scale.

    Args:
        x: Reference values, shape (n,), NaN where missing.
        y: Candidate values, shape (m,), likewise.

    Returns:
        The score column, or None when a sample holds fewer than two distinct values.

    """
    first, second = normal_scores(x), normal_scores(y)
    if min(first.variance, second.variance) == 0:
        return None
    scale = (first.variance * second.variance) ** 0.25
    complete = not (np.isnan(x).any() or np.isnan(y).any())
    return Scored(
        reference=_ranked(x, first, scale, complete=complete),
        candidate=_ranked(y, second, scale, complete=complete),
    )


def score_levels(x: NDArray[np.int64], y: NDArray[np.int64], *, levels: int) -> Scored | None:
    """Return one score column a level: that level against all, levels weighted alike.

    With p the share of each level in a sample and w its mean share over both samples, a
    row of level c scores (1[c = l] - w_c) / p_c for level l, in units that make the mean
    square 1 when p = w. Its mean product with b is then the difference between the mean of
    b at level l and the w-weighted mean of b over all levels: if a level only becomes more
    frequent, and rows within levels stay alike, it does not move. Two levels have an order
    either way, so they are one number: level 0 against level 1.

    Args:
        x: Reference levels, shape (n,), from 0 to `levels` - 1.
        y: Candidate levels, shape (m,), likewise.
        levels: Their number, at least 2; every one occurs on both sides.

    Source: importance weighting to a common label distribution (post-stratification).

    """
    if levels == 2:
        return score_numbers((x == 0).astype(np.float64), (y == 0).astype(np.float64))
    shares = [np.bincount(rows, minlength=levels) / len(rows) for rows in (x, y)]
    common = (shares[0] + shares[1]) / 2
    contrasts = (np.eye(levels) - common) * np.sqrt(common / (1 - common))[:, None]
    sides = [
        _contrasted(rows, share, contrasts) for rows, share in zip((x, y), shares, strict=True)
    ]
    return Scored(reference=sides[0], candidate=sides[1])


def together(columns: Sequence[Scored]) -> Scored:
    """Return all score columns side by side."""
    return Scored(
        reference=_joined([column.reference for column in columns]),
        candidate=_joined([column.candidate for column in columns]),
    )


def _ranked(
    values: NDArray[np.float64], ranks: NormalScores, scale: float, *, complete: bool
) -> Side:
    scores = _column(ranks.scores * (scale / ranks.variance))
    present = ~np.isnan(values)
    return Side(
        scores=scores,
        present=None if complete else _column(present),
        basis=_column(ranks.drag / present.mean()),
        carriers=scores,
        weights=np.ones((1, 1), dtype=np.float32),
    )


def _contrasted(
    levels: NDArray[np.int64], share: NDArray[np.float64], contrasts: NDArray[np.float64]
) -> Side:
    """Return one side of `score_levels`; contrasts has shape (score columns, levels)."""
    carriers = (np.eye(len(share)) / share)[levels]
    return Side(
        scores=(contrasts / share).T[levels].astype(np.float32),
        present=None,
        basis=(carriers - 1.0).astype(np.float32),
        carriers=carriers.astype(np.float32),
        weights=contrasts.T.astype(np.float32),
    )


def _joined(sides: Sequence[Side]) -> Side:
    missing = any(side.present is not None for side in sides)
    weights = np.zeros(
        tuple(sum(side.weights.shape[axis] for side in sides) for axis in (0, 1)), np.float32
    )
    row = column = 0
    for side in sides:
        height, width = side.weights.shape
        weights[row : row + height, column : column + width] = side.weights
        row, column = row + height, column + width
    return Side(
        scores=_beside([side.scores for side in sides]),
        present=_beside([_presence(side) for side in sides]) if missing else None,
        basis=_beside([side.basis for side in sides]),
        carriers=_beside([side.carriers for side in sides]),
        weights=weights,
    )


def _beside(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the columns side by side, each column contiguous in memory."""
    return np.concatenate([part.T for part in parts]).T


def _presence(side: Side) -> NDArray[np.float32]:
    return np.ones_like(side.scores) if side.present is None else side.present


def _column(values: NDArray[np.float64] | NDArray[np.bool_]) -> NDArray[np.float32]:
    return values.astype(np.float32)[:, None]
