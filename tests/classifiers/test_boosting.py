"""Boosted trees on bins: what has no order is not taken to have one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from detector.classifiers import boosting

ROWS = 3000


def sides(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return labels by levels: the candidate's are three times as likely at odd ones."""
    return rng.random(len(levels)) < np.where(levels % 2 == 1, 0.75, 0.25)


def area(levels: int, *, unordered: bool) -> float:
    """Return the area on new rows of a rule that knows one column only."""
    rng = np.random.default_rng(levels)
    bins = rng.integers(1, levels, (2, 1, ROWS))
    labels = [sides(own[0], rng) for own in bins]
    model = boosting.fit(bins[0], labels[0], categorical=np.array([unordered]))
    return float(roc_auc_score(labels[1], model.score(bins[1])))


def test_levels_without_order_are_split_by_what_they_are() -> None:
    # The best possible area of such labels is 0.75.
    assert area(60, unordered=True) > 0.72


def test_more_levels_than_trees_can_hold_apart_are_taken_in_order() -> None:
    assert 0.5 < area(boosting.MOST_LEVELS + 200, unordered=True) < 0.7


def test_missing_is_a_value_of_its_own() -> None:
    rng = np.random.default_rng(0)
    bins = rng.integers(1, 30, (1, ROWS))
    side = rng.random(ROWS) < 0.5
    bins[0, side & (rng.random(ROWS) < 0.5)] = 0
    scores = boosting.fit(bins, side, categorical=np.array([False])).score(bins)
    assert scores[bins[0] == 0].min() > scores[bins[0] > 0].max()


def test_equal_rows_give_equal_models() -> None:
    rng = np.random.default_rng(1)
    bins, side = rng.integers(0, 30, (4, ROWS)), rng.random(ROWS) < 0.3
    flat = np.zeros(4, bool)
    one, two = (boosting.fit(bins, side, categorical=flat).score(bins) for _ in range(2))
    assert np.array_equal(one, two)
    order = rng.permutation(ROWS)
    mixed = boosting.fit(bins[:, order], side[order], categorical=flat).score(bins)
    assert mixed == pytest.approx(one, abs=1e-4)
