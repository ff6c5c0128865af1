"""How far out a row lies among all rows: the depth of its values taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.stats.normal_scores import normal_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_SINGULAR = 1e-6


def surprise(rows: Numbers, categorical: NDArray[np.bool_]) -> Numbers:
    """Return how unlikely each row is among the pooled rows, shape (r,).

    Twice the negative log-likelihood, up to a constant, under a Gaussian copula of the
    numbers and independent levels: the Mahalanobis distance of normal scores, so that no
    outlier can hide the others, plus -2 ln(share) for each level. Rows in sparse corners
    score high, and so do rows of rare levels. It knows nothing of which sample a row is of;
    that is what keeps a test of its ranks exact.

    Args:
        rows: Both samples pooled, shape (r, d), NaN where missing.
        categorical: Shape (d,); true where the numbers are codes of levels.

    Cost: O(r d (d + log r)).

    >>> surprise(np.array([[0.0], [1.0], [0.0], [0.0]]), np.array([True])).round(3).tolist()
    [0.575, 2.773, 0.575, 0.575]

    """
    total = np.zeros(len(rows))
    for codes in rows[:, categorical].T:
        _, place, counts = np.unique(codes, return_inverse=True, return_counts=True)
        total += -2 * np.log(counts / len(codes))[place]
    scored = [normal_scores(column) for column in rows[:, ~categorical].T]
    kept = [found.scores / np.sqrt(found.variance) for found in scored if found.variance > 0]
    return total + _mahalanobis(np.column_stack(kept)) if kept else total


def _mahalanobis(scores: Numbers) -> Numbers:
    """Return squared distances from the middle, along directions that vary."""
    values, vectors = np.linalg.eigh(scores.T @ scores / len(scores))
    kept = values > _SINGULAR * values[-1]
    return np.asarray(np.square(scores @ vectors[:, kept] / np.sqrt(values[kept])).sum(1))
