"""Gradient boosting on binned columns: scikit-learn's, with settings fit for a test.

Few, shallow rounds with strong shrinkage: a test needs a score that is a little right about
every row, not one that is sure of the rows it has seen.

One thread: at this size a second one saves little, and where other work shares the cores, OpenMP
threads that wait for each other in a spin turn a second into a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bins = NDArray[np.intp]

ROUNDS = 20
LEAVES = 16
RATE = 0.25
SHRINKAGE = 5.0
LEAST = 10
MOST_LEVELS = 255
"""Levels of one column that trees can tell apart; scikit-learn's limit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boosting:
    """Boosted trees: a score for each row, higher for rows like the candidate's."""

    model: Any

    def score(self, bins: Bins) -> NDArray[np.float64]:
        """Return the log odds of rows given as bins, shape (d, rows) to (rows,)."""
        with threadpool_limits(1, user_api="openmp"):
            return np.asarray(self.model.decision_function(bins.T.astype(np.float32)), np.float64)


def fit(bins: Bins, candidate: NDArray[np.bool_], *, categorical: NDArray[np.bool_]) -> Boosting:
    """Boost trees on the logistic loss.

    Args:
        bins: Shape (d, rows), bin 0 for missing.
        candidate: Shape (rows,), with both sides present.
        categorical: Shape (d,): columns whose bins have no order.

    Source: Friedman (2001), Annals of Statistics 29; histograms as in Ke et al. (2017), NeurIPS.
    """
    unordered = categorical & (bins.max(axis=1, initial=0) < MOST_LEVELS)
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST,
        l2_regularization=SHRINKAGE,
        early_stopping=False,
        categorical_features=unordered if unordered.any() else None,
        random_state=0,
    )
    with threadpool_limits(1, user_api="openmp"):
        return Boosting(model=model.fit(bins.T.astype(np.float32), candidate))
