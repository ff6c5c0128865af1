"""How far out rows lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stats.normal_scores import normal_scores
from detector.stats.surprise import surprise

NUMBERS = np.array([False, False])


def test_a_rare_level_is_far_out_by_its_share() -> None:
    score = surprise(np.array([[0.0]] * 9 + [[1.0]]), np.array([True]))
    assert score[-1] - score[0] == pytest.approx(2 * np.log(9))


def test_one_number_is_its_squared_normal_score() -> None:
    values = np.random.default_rng(0).standard_normal(50)
    found = normal_scores(values)
    expected = found.scores**2 / found.variance
    assert surprise(values[:, None], np.array([False])) == pytest.approx(expected)


def test_rows_off_a_tie_lie_further_out_than_rows_on_it() -> None:
    rng = np.random.default_rng(1)
    a = rng.standard_normal(400)
    rows = np.column_stack((a, a + rng.standard_normal(400) / 10))
    odd = np.array([[1.0, -1.0], [1.0, 1.0]])
    score = surprise(np.concatenate((rows, odd)), NUMBERS)
    assert score[-2] > 50 * score[-1]


def test_one_outlier_does_not_hide_the_others() -> None:
    rows = np.random.default_rng(2).standard_normal((200, 2))
    wild = rows.copy()
    wild[0] = 1e9
    order = surprise(rows, NUMBERS)[1:], surprise(wild, NUMBERS)[1:]
    assert np.corrcoef(*order)[0, 1] > 0.99


def test_missing_and_constant_numbers_say_nothing() -> None:
    rows = np.array([[1.0, np.nan], [1.0, np.nan], [1.0, np.nan]])
    assert surprise(rows, NUMBERS).tolist() == [0.0, 0.0, 0.0]


@given(seed=st.integers(0, 2**31))
def test_only_the_order_of_numbers_counts_and_not_that_of_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((40, 2))
    plain = surprise(rows, NUMBERS)
    turned = rng.permutation(40)
    assert surprise(np.exp(rows[turned]), NUMBERS) == pytest.approx(plain[turned], rel=1e-6)
