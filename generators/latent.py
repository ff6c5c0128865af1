"""Correlations of latent normal variables, from what thresholds left of them.

A tie (a level, a repeated value, a gap) only says between which thresholds its latent normal
variable lies. Each row gets the mean of that variable given the tie; the covariance of such
scores is a known, rising function of the latent correlation, a series in Hermite polynomials,
which is inverted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generators.whitening import normal_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.codec import Dimension

    Numbers = NDArray[np.float64]
    Rows = NDArray[np.float32]

TERMS = 16
"""Terms of the Hermite series."""

GRID = 8_192
"""Places at which a score function is looked at."""

STRONGEST = 0.9999
HALVINGS = 30
SMALLEST = 1e-6
"""Smallest eigenvalue of a returned matrix."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalScores:
    """The normal score of each number of a row; within a tie, the mean score of the tie.

    Attributes:
        ties: For each dimension its tied intervals on [-1, 1], shape (k, 2).

    """

    ties: tuple[Numbers, ...]

    @staticmethod
    def of(dimensions: Sequence[Dimension]) -> NormalScores:
        """Return the scores of these dimensions."""
        return NormalScores(ties=tuple(dimension.ties for dimension in dimensions))

    def of_rows(self, rows: Rows) -> Numbers:
        """Return the scores of rows, shape (n, d)."""
        scores = normal_scores(rows)
        for place, ties in enumerate(self.ties):
            if len(ties):
                scores[:, place] = _tied(scores[:, place], rows[:, place], ties)
        return scores

    def series(self) -> Numbers:
        """Return the Hermite coefficients 1 to `TERMS` of each score function, (d, TERMS).

        The score functions are scaled to unit variance first.
        """
        grid = ((np.arange(GRID) + 0.5) / GRID * 2.0 - 1.0).astype(np.float32)
        latent = normal_scores(grid)
        basis = _hermite(latent / np.sqrt(np.mean(np.square(latent))))
        found = np.empty((len(self.ties), TERMS))
        for place, ties in enumerate(self.ties):
            scores = _tied(latent.copy(), grid, ties) if len(ties) else latent
            found[place] = basis @ scores / GRID / np.sqrt(np.mean(np.square(scores)) or 1.0)
        return found


def correlations(scores: NormalScores, rows: Rows, known: NDArray[np.bool_]) -> Numbers:
    """Return the latent correlations of rows, shape (d, d), positive definite.

    Args:
        scores: The score functions of the dimensions.
        rows: Shape (n, d), within [-1, 1].
        known: Shape (n, d); pairs are measured where both are known.

    """
    values = scores.of_rows(rows)
    weights = known.astype(np.float64)
    pairs = np.maximum(weights.T @ weights, 1.0)
    centered = np.where(known, values - _means(values, weights), 0.0)
    moments = centered.T @ centered / pairs
    spread = np.sqrt(np.maximum(np.diag(moments), 1e-12))
    latent = _inverted(moments / np.outer(spread, spread), scores.series())
    return positive_definite(latent)


def positive_definite(matrix: Numbers) -> Numbers:
    """Return the correlation matrix with its eigenvalues lifted to `SMALLEST` at least."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    if len(values) and values[0] < SMALLEST:
        matrix = (vectors * np.maximum(values, SMALLEST)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    scaled: Numbers = matrix / np.outer(scale, scale)
    return scaled


def _means(values: Numbers, weights: Numbers) -> Numbers:
    means: Numbers = (values * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1.0)
    return means


def _tied(scores: Numbers, rows: Rows, ties: Numbers) -> Numbers:
    """Return the scores with those inside a tie replaced by the tie's mean."""
    from scipy.special import ndtri

    ends = np.clip((ties + 1.0) / 2.0, 0.0, 1.0)
    density = np.exp(-0.5 * np.square(ndtri(ends))) / np.sqrt(2.0 * np.pi)
    means = (density[:, 0] - density[:, 1]) / (ends[:, 1] - ends[:, 0])
    place = np.maximum(np.searchsorted(ties[:, 0], rows, side="right") - 1, 0)
    inside = (rows >= ties[place, 0]) & (rows <= ties[place, 1])
    return np.where(inside, means[place], scores)


def _hermite(latent: Numbers) -> Numbers:
    """Return the orthonormal Hermite polynomials 1 to `TERMS`, shape (TERMS, grid)."""
    found = [np.ones_like(latent), latent]
    for degree in range(1, TERMS):
        last, before = found[-1], found[-2]
        found.append((latent * last - np.sqrt(degree) * before) / np.sqrt(degree + 1.0))
    return np.array(found[1:])


def _inverted(target: Numbers, series: Numbers) -> Numbers:
    """Return the correlation at which each pair's series reaches its target, by halving."""
    low = np.full(target.shape, -STRONGEST)
    high = np.full(target.shape, STRONGEST)
    products = np.einsum("ik,jk->kij", series, series)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        reached = np.zeros_like(middle)
        for coefficients in products[::-1]:
            reached = (reached + coefficients) * middle
        low = np.where(reached < target, middle, low)
        high = np.where(reached < target, high, middle)
    found: Numbers = (low + high) / 2.0
    np.fill_diagonal(found, 1.0)
    return found
