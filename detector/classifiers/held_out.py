"""Scores of rows by models that were fitted to other rows: five folds, each left out in turn.

Every row gets a score, and no row trains the model that scores it. Pooled over the folds the
scores are good for *estimates*. They are not exchangeable (each row trains the models of the
other folds), so tests and bounds use the blocks in turn of `cross_fit` instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.classifiers.cross_fit import LEARNERS, fit, learner_weights, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.classifiers.features import Features

    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

FOLDS = 5
_LOOSE = 100.0
"""The inverse penalty of the calibration: it only keeps perfect separation finite."""


def held_out_scores(
    features: Features, candidate: Mask, *, rng: np.random.Generator, asked: Mask | None = None
) -> Numbers:
    """Return each learner's score of every row, higher for the candidate's, shape (2, rows).

    Args:
        features: Of all rows, blind to the sides.
        candidate: Shape (rows,): which rows are the candidate's.
        rng: Draws the folds; each has its share of either side.
        asked: Shape (rows,): rows that are scored and never fitted to. They are dealt to the
            folds as well, so that their scores have the law of the others'.

    Raises:
        ValueError: A side has fewer rows than there are folds.

    """
    asked = np.zeros(len(candidate), bool) if asked is None else asked
    kind = np.where(asked, 2, candidate)
    if min(np.count_nonzero(kind == side) for side in (0, 1)) < FOLDS:
        raise ValueError(f"each side needs {FOLDS} rows")
    fold = np.empty(len(kind), np.int64)
    for which in np.unique(kind):
        drawn = rng.permutation(np.flatnonzero(kind == which))
        fold[drawn] = np.arange(len(drawn)) % FOLDS
    scores = np.empty((len(LEARNERS), len(kind)))
    for number in range(FOLDS):
        held = fold == number
        models = fit(features, candidate, ~held & ~asked, weights=np.ones(len(LEARNERS)))
        scores[:, held] = models.raw(features.scores[held], features.bins[:, held])
    return scores


def combined(scores: Numbers, candidate: Mask) -> Numbers:
    """Return one score of each row: both learners, weighed by how well they tell apart.

    Args:
        scores: Shape (2, rows).
        candidate: Shape (rows,).

    """
    scaled = (scores - scores.mean(axis=1, keepdims=True)) / spread(scores)
    information = 1 / (1 / candidate.sum() + 1 / (~candidate).sum())
    apart = scaled[:, candidate].mean(axis=1) - scaled[:, ~candidate].mean(axis=1)
    weights = learner_weights(information * apart, float(information))
    return np.asarray(weights @ scaled)


def density_ratio(scores: Numbers, candidate: Mask, asked: Mask) -> Numbers:
    """Return the candidate's density over the reference's at each row's scores, above 0.

    A logistic curve of both scores, fitted to rows whose side is known.

    Args:
        scores: Shape (2, rows).
        candidate: Shape (rows,).
        asked: Shape (rows,): rows of no known side.

    """
    from sklearn.linear_model import LogisticRegression

    known = ~asked
    side = candidate[known]
    middle = scores[:, known].mean(axis=1, keepdims=True)
    scaled = ((scores - middle) / spread(scores[:, known])).T
    model = LogisticRegression(C=_LOOSE).fit(scaled[known], side)
    log_odds = model.decision_function(scaled) + np.log((~side).sum() / side.sum())
    return np.asarray(np.exp(np.clip(log_odds, -30.0, 30.0)))
