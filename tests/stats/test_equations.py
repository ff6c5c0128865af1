"""Columns that follow from others: by hand, and not where there is noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stats.equations import (
    agreement,
    chance_of_equation,
    determined,
    equations,
    twins,
)


def test_a_sum_is_told_by_its_terms():
    rng = np.random.default_rng(0)
    b, c = rng.standard_normal((2, 200))
    (found,) = equations(np.column_stack((b, c, b + 2 * c + 3)))
    assert {found.column, *found.terms} == {0, 1, 2}
    assert found.misses(np.column_stack((b, c, b + 2 * c + 3))).max() < 1e-9
    own = dict(zip(found.terms, found.factors, strict=True))
    if found.column == 2:
        assert own == pytest.approx({0: 1.0, 1: 2.0})
        assert found.constant == pytest.approx(3.0)


def test_a_multiple_is_told_by_its_column():
    x = np.random.default_rng(1).exponential(size=300)
    (found,) = equations(np.column_stack((x, 2.54 * x)))
    assert found.factors[0] == pytest.approx(2.54 if found.column else 1 / 2.54)


@given(seed=st.integers(0, 2**31), rank=st.integers(1, 4))
def test_there_are_as_many_equations_as_columns_too_many(seed, rank):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((100, rank)) @ rng.standard_normal((rank, 6))
    assert len(equations(values)) == 6 - rank


def test_a_little_noise_is_no_equation():
    rng = np.random.default_rng(2)
    b, c, noise = rng.standard_normal((3, 200))
    assert equations(np.column_stack((b, c, b + c + 1e-2 * noise))) == []
    assert equations(np.zeros((20, 3))) == []


def test_the_bound_of_an_accident_falls_with_the_rows():
    assert chance_of_equation(10, 8) == pytest.approx(1e-3)
    assert chance_of_equation(5, 8) == 1
    assert chance_of_equation(1000, 8) == 1e-300


def test_two_rows_a_level_fall_together_as_often_as_by_hand():
    by = np.array([0, 0, 1, 1, 2])
    assert determined(by, np.array([0, 0, 1, 1, 1])) == pytest.approx((0.4**2 + 0.6**2) ** 2)
    assert determined(by, np.array([0, 1, 1, 1, 1])) is None
    assert agreement(by, np.array([0, 1, 1, 1, 1])) == 0.8


def test_a_determined_column_of_many_rows_has_no_zero_chance():
    by = np.arange(20_000) % 7
    assert 1e-300 <= (determined(by, by // 2) or 0) < 1e-200


def test_twins_are_counted_by_hand():
    codes = np.column_stack((np.arange(100), np.arange(100)))
    assert twins(codes)[:3] == (0, 0, -1)
    codes[1] = codes[0]
    found = twins(codes)
    assert found[:2] == (2, 1)
    # One pair expected in 4950 x (1 / 4950)^2.
    assert found.p_value == pytest.approx(1 / 4950, rel=1e-3)


def test_twins_in_all_columns_but_one_are_found():
    rng = np.random.default_rng(3)
    codes = np.column_stack([rng.permutation(500) for _ in range(4)])
    codes[:50, [0, 1, 3]] = codes[50:100, [0, 1, 3]]
    found = twins(codes)
    assert (found.rows, found.groups, found.without) == (100, 50, 2)
    assert found.p_value < 1e-100
    assert twins(codes, without=0).rows == 0


def test_rows_that_never_repeat_a_value_have_no_twins():
    assert twins(np.column_stack((np.arange(9), np.arange(9)))).p_value == 1
