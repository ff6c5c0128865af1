"""A linear rule on products of columns: means, pairs, and threes where columns are few."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]

MOST_DIMENSIONS = 256
CUBIC_DIMENSIONS = 14

_RIDGE = 0.05
_LEAST_SPREAD = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Polynomial:
    """A fitted rule: a score for each row, higher for rows like the candidate's.

    Attributes:
        chosen: Shape (q,): the score dimensions it looks at.
        whiten: Shape (q, q): makes them uncorrelated.
        linear: Shape (q,): weights of the whitened scores.
        square: Shape (q, q), symmetric: weights of their pairwise products.
        triples: Shape (t, 3): the threes of plain scores in use, t = 0 when there are many.
        cubic: Shape (t,): their weights.

    """

    chosen: NDArray[np.intp]
    whiten: Rows
    linear: Rows
    square: Rows
    triples: NDArray[np.intp]
    cubic: Rows

    def score(self, scores: Rows) -> Numbers:
        """Return the score of rows given as normal scores, shape (rows, all dimensions)."""
        plain = scores[:, self.chosen]
        white = plain @ self.whiten
        total = white @ self.linear + np.einsum("ij,ij->i", white @ self.square, white)
        if len(self.triples):
            total = total + _products(plain, self.triples) @ self.cubic
        return np.asarray(total, np.float64)


def fit(scores: Rows, candidate: NDArray[np.bool_]) -> Polynomial:
    """Fit the rule by comparing the sides' mean products.

    On whitened normal scores the products are nearly uncorrelated, so their differences of
    means are the weights of Fisher's rule; no large matrix is inverted. Each degree is
    shrunk by how far its differences exceed what chance gives (James and Stein), so a
    lost mean is not drowned by hundreds of products. The threes are taken of plain
    scores: whitening would spread what one strong common factor carries.

    Args:
        scores: Training rows, shape (rows, q).
        candidate: Shape (rows,), with both sides present.

    Cost: O(rows q^2 + q^3), and O(rows q^3) for the threes.
    Source: Fisher (1936), Annals of Eugenics 7; James and Stein (1961), Fourth Berkeley
    Symposium, block by block.
    """
    chosen = _screen(scores, candidate)
    plain = scores[:, chosen]
    whiten = _whitening(plain)
    white = plain @ whiten
    triples = _triples(len(chosen))
    products = _products(plain, triples)
    rate = 1 / candidate.sum() + 1 / (~candidate).sum()
    first = _Degree.of(_contrast(white, candidate), white.var(axis=0), rate)
    second = _Degree.of(_second_contrast(white, candidate), _second_variance(white), rate)
    third = _Degree.of(_contrast(products, candidate), products.var(axis=0), rate)
    shares = _shares((first, second, third))
    return Polynomial(
        chosen=chosen,
        whiten=whiten,
        linear=shares[0] * first.weights,
        square=shares[1] * _symmetric(second.weights, len(chosen)),
        triples=triples,
        cubic=shares[2] * third.weights,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Degree:
    """The products of one degree: their weights, and how far they are beyond chance.

    excess: Squared length of the differences over what chance gives; about 1 for nothing.
    """

    weights: Rows
    excess: float

    @classmethod
    def of(cls, contrast: Rows, variance: Rows, rate: float) -> _Degree:
        spread = variance + _LEAST_SPREAD
        length = float((contrast**2 / spread).sum())
        chance = rate * float((variance / spread).sum())
        return cls(weights=contrast / spread, excess=length / chance if chance > 0 else 0.0)


def _shares(degrees: tuple[_Degree, ...]) -> list[np.float32]:
    """Return how much of each degree to believe; the likeliest one when none stands out."""
    shares = [max(0.0, 1.0 - 1.0 / degree.excess) if degree.excess else 0.0 for degree in degrees]
    if not any(shares):
        best = max(range(len(degrees)), key=lambda place: degrees[place].excess)
        shares[best] = 1.0
    return [np.float32(share) for share in shares]


def _screen(scores: Rows, candidate: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the dimensions to use: all, or those whose means differ most in these rows."""
    if scores.shape[1] <= MOST_DIMENSIONS:
        return np.arange(scores.shape[1])
    apart = np.abs(_contrast(scores, candidate))
    return np.sort(np.argsort(-apart, kind="stable")[:MOST_DIMENSIONS])


def _whitening(rows: Rows) -> Rows:
    """Return W with cov(rows @ W) near the identity; directions of no spread stay small."""
    if not rows.shape[1]:
        return np.empty((0, 0), np.float32)
    centered = rows - rows.mean(axis=0)
    values, vectors = np.linalg.eigh(centered.T @ centered / np.float32(len(rows)))
    scale = np.sqrt((1 + _RIDGE) / (np.maximum(values, 0.0) + _RIDGE))
    whiten: Rows = ((vectors * scale) @ vectors.T).astype(np.float32)
    return whiten


def _contrast(rows: Rows, candidate: NDArray[np.bool_]) -> Rows:
    weights = np.where(candidate, 1 / candidate.sum(), -1 / (~candidate).sum())
    return weights.astype(np.float32) @ rows


def _second_contrast(white: Rows, candidate: NDArray[np.bool_]) -> Rows:
    """Return the differences of mean products, upper triangle."""
    y, x = white[candidate], white[~candidate]
    return _upper(y.T @ y / np.float32(len(y)) - x.T @ x / np.float32(len(x)))


def _second_variance(white: Rows) -> Rows:
    """Return the variances of the products, upper triangle."""
    rows = np.float32(len(white))
    squares = white**2
    return _upper(np.maximum(squares.T @ squares / rows - (white.T @ white / rows) ** 2, 0))


def _upper(matrix: Rows) -> Rows:
    return matrix[np.triu_indices(len(matrix))]


def _symmetric(weights: Rows, dimensions: int) -> Rows:
    """Return the symmetric matrix whose quadratic form has these weights of products."""
    matrix = np.zeros((dimensions, dimensions), np.float32)
    matrix[np.triu_indices(dimensions)] = weights
    return (matrix + matrix.T) / 2


def _triples(dimensions: int) -> NDArray[np.intp]:
    """Return all i <= j <= k, shape (t, 3); none when there are too many dimensions."""
    if dimensions > CUBIC_DIMENSIONS:
        return np.empty((0, 3), np.intp)
    threes = list(combinations_with_replacement(range(dimensions), 3))
    return np.array(threes, np.intp).reshape(-1, 3)


def _products(plain: Rows, triples: NDArray[np.intp]) -> Rows:
    """Return Hermite's products of three: z_i z_j z_k less the part that one score explains."""
    i, j, k = triples.T
    result = plain[:, i] * plain[:, j]
    result *= plain[:, k]
    result -= plain[:, k] * (i == j) + plain[:, i] * ((j == k) & (i != j))
    alike = np.where((i == j) & (j == k), 3, 1).astype(np.float32)
    result -= plain[:, i] * (alike - 1)
    return result
