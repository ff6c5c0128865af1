"""Score columns: correlations that move when a link moves, not when one column does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stats.scored import Scored, score_levels, score_numbers, together

levels = st.lists(st.integers(0, 2), min_size=3, max_size=60).map(
    lambda rows: np.array([0, 1, 2, *rows], dtype=np.int64)
)


def coefficient(column: Scored, values: tuple[np.ndarray, np.ndarray], level: int) -> list[float]:
    """Return the mean product of one score column with plain values on both sides."""
    sides = (column.reference, column.candidate)
    return [float((s.scores[:, level] * v).mean()) for s, v in zip(sides, values, strict=True)]


def found(x: np.ndarray, y: np.ndarray) -> Scored:
    """Return the score columns of three levels."""
    column = score_levels(x, y, levels=3)
    assert column is not None
    return column


@given(x=levels)
def test_with_equal_shares_a_level_scores_as_a_standardized_indicator(x: np.ndarray) -> None:
    scores = found(x, x).reference.scores
    for level in range(3):
        indicator = (x == level).astype(float)
        expected = (indicator - indicator.mean()) / indicator.std()
        assert scores[:, level] == pytest.approx(expected, abs=1e-4)


@given(x=levels, y=levels)
def test_a_level_that_only_became_more_frequent_moves_no_coefficient(
    x: np.ndarray, y: np.ndarray
) -> None:
    mean = np.array([-1.0, 0.5, 2.0])
    for level in range(3):
        before, after = coefficient(found(x, y), (mean[x], mean[y]), level)
        assert before == pytest.approx(after, abs=1e-4)


def test_two_levels_are_one_number_that_rises_to_the_first() -> None:
    x = np.array([0, 0, 1, 1, 1])
    column = score_levels(x, x, levels=2)
    assert column is not None
    assert column.reference.scores.shape == (5, 1)
    assert column.reference.scores[0, 0] > 0 > column.reference.scores[4, 0]


def test_a_column_that_varies_on_one_side_only_has_no_scores() -> None:
    assert score_numbers(np.arange(5.0), np.ones(5)) is None


def test_a_shift_on_one_side_changes_no_score() -> None:
    x = np.random.default_rng(0).standard_normal(50)
    column = score_numbers(x, np.exp(x + 3))
    assert column is not None
    assert np.array_equal(column.reference.scores, column.candidate.scores)


def test_columns_stand_side_by_side_with_their_own_basis() -> None:
    x = np.arange(6.0)
    number = score_numbers(x, x)
    gappy = score_numbers(np.array([0, 1, 2, 3, 4, np.nan]), x)
    level = found(np.arange(6) % 3, np.arange(6) % 3)
    assert number is not None
    assert gappy is not None
    both = together([number, level, gappy]).reference
    assert both.scores.shape == (6, 5)
    assert both.weights.shape == (5, 5)
    assert np.array_equal(both.weights[0] != 0, [True, False, False, False, False])
    assert both.present is not None
    assert both.present.sum(axis=0).tolist() == [6, 6, 6, 6, 5]
    assert both.basis.mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-6)
