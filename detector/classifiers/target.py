"""Boosted trees that predict a target column, fitted again and again to resampled rows.

One thread, for the reason that `detector.classifiers.boosting` gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from detector.classifiers.boosting import MOST_LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ROUNDS = 30
LEAVES = 16
RATE = 0.2


def predictions(
    train: tuple[Numbers, Numbers],
    test: Numbers,
    *,
    categorical: NDArray[np.bool_],
    classes: bool,
    refits: int,
    rng: np.random.Generator,
) -> Numbers:
    """Return what models of resampled training rows say of the test rows.

    Args:
        train: Rows, shape (n, d), missing as NaN, and their targets, shape (n,): codes of classes
            or numbers.
        test: Shape (h, d).
        categorical: Shape (d,): columns of codes.
        classes: Whether the target is a class.
        refits: How many bootstrap samples to fit.
        rng: Draws them.

    Returns:
        Shape (refits, h).

    """
    rows, target = train
    found = np.empty((refits, len(test)))
    coded = categorical & (np.nanmax(rows, axis=0, initial=0) < MOST_LEVELS)
    with threadpool_limits(1, user_api="openmp"):
        for refit in range(refits):
            drawn = rng.integers(len(rows), size=len(rows))
            if len(np.unique(target[drawn])) == 1:
                found[refit] = target[drawn][0]
                continue
            model = _model(coded, classes=classes).fit(rows[drawn], target[drawn])
            found[refit] = model.predict(test)
    return found


def _model(coded: NDArray[np.bool_], *, classes: bool) -> Any:
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        early_stopping=False,
        categorical_features=coded if coded.any() else None,
        random_state=0,
    )
