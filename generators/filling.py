"""Numbers for missing values, drawn from what a normal copula expects of them.

A model that learns whole rows needs some number where a value is missing. A random one would
thin out every correlation of its column; this one keeps them. Whether a value is missing is a
dimension of its own, so a filled number is never seen in a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.latent import NormalScores, correlations
from generators.whitening import normal_scores, of_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.codec import Dimension

    Rows = NDArray[np.float32]

PATTERNS = 512
"""Combinations of missing values that are filled, the commonest first; the rest stay random."""


def filled(
    rows: Rows,
    known: NDArray[np.bool_],
    dimensions: Sequence[Dimension],
    rng: np.random.Generator,
) -> Rows:
    """Return the rows with unknown numbers drawn given the known ones, shape (n, d)."""
    if known.all():
        return rows
    matrix = correlations(NormalScores.of(dimensions), rows, known)
    scores = normal_scores(rows)
    made = rows.copy()
    gaps = np.flatnonzero(~known.all(axis=1))
    for members in _alike(known[gaps][:, ~known.all(axis=0)])[:PATTERNS]:
        places = gaps[members]
        there = known[places[0]]
        drawn = _given(scores[np.ix_(places, there)], matrix, there, rng)
        made[np.ix_(places, ~there)] = of_scores(drawn)
    return made


def _alike(known: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the rows of each combination of known and missing, the commonest first."""
    packed = np.ascontiguousarray(np.packbits(known, axis=1))
    words = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, owner, counts = np.unique(words, return_inverse=True, return_counts=True)
    groups = np.split(np.argsort(owner, kind="stable"), np.cumsum(counts)[:-1])
    return [groups[place] for place in np.argsort(-counts, kind="stable")]


def _given(
    scores: NDArray[np.float64],
    matrix: NDArray[np.float64],
    there: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw the missing scores of rows given their known ones, shape (k, missing)."""
    across = matrix[np.ix_(~there, there)]
    weights = np.linalg.solve(matrix[np.ix_(there, there)], across.T).T
    left = matrix[np.ix_(~there, ~there)] - weights @ across.T
    values, vectors = np.linalg.eigh(left)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = rng.standard_normal((len(scores), len(left)))
    drawn: NDArray[np.float64] = scores @ weights.T + noise @ root.T
    return drawn
