"""Marks of a column of numbers: by hand, and seldom where nothing is marked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats.lattice import (
    chance_of_powers,
    even_digits,
    is_round,
    lattice,
    piled_edges,
    power_of_two,
)
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable


def test_sixteen_even_levels_have_fifteen_steps():
    found = lattice(np.linspace(-1.3, 2.9, 16))
    assert found is not None
    assert found.step == pytest.approx(4.2 / 15)
    assert found.places == 16
    assert found.p_value == pytest.approx(16 * 0.01**14)


@given(bits=st.integers(3, 9), low=st.floats(-100, 100), width=st.floats(0.013, 900))
def test_every_register_is_a_lattice_unless_its_step_is_round(bits, low, width):
    levels = np.linspace(low, low + width, 2**bits)
    found = lattice(levels)
    if is_round(width / (2**bits - 1)) or width / 2**bits * 0.005 < 1e-7 * np.abs(levels).max():
        return
    assert found is not None
    assert found.places == 2**bits


def test_levels_missing_in_the_tails_keep_their_places():
    levels = np.delete(np.linspace(0, 1, 32), [1, 2, 29])
    found = lattice(levels)
    assert found is not None
    assert found.places == 32


def test_single_precision_is_enough():
    levels = np.linspace(0, 1, 64).astype(np.float32).astype(float)
    found = lattice(levels)
    assert found is not None
    assert found.places == 64


@pytest.mark.parametrize(
    "levels",
    [
        np.arange(50.0),
        np.arange(50) / 4,
        np.arange(10, 90) / 100,
        np.linspace(0, 1, 7),
        np.sort(np.random.default_rng(0).standard_normal(500)),
        np.sort(np.random.default_rng(0).standard_normal(500).astype(np.float32)).astype(float),
        1e9 + np.linspace(0, 1, 16),
    ],
)
def test_rounded_and_continuous_values_are_no_lattice(levels):
    assert lattice(levels) is None


def test_powers_of_two_by_hand():
    assert [n for n in range(70) if power_of_two(n)] == [8, 16, 32, 64]
    # Two columns near 16 levels: both hit with (1.414 / 16)^2, one at least with the rest.
    one = math.sqrt(2) / 16
    assert chance_of_powers([16, 16], 2) == pytest.approx(one**2)
    assert chance_of_powers([16, 14], 1) == pytest.approx(1 - (1 - one) ** 2)
    assert chance_of_powers([], 0) == 1


def test_a_pile_at_the_top_by_hand():
    levels, counts = np.arange(1.0, 101.0), np.ones(100, int)
    counts[-1] = 40
    (found,) = piled_edges(levels, counts)
    assert (found.value, found.rows) == (100.0, 40)
    assert found.p_value == pytest.approx(stats.binom(45, 1 / 6).sf(39))


def test_zero_and_repeating_columns_have_no_piles():
    counts = np.ones(100, int)
    counts[0] = 40
    assert piled_edges(np.arange(100.0), counts) == []
    assert piled_edges(np.arange(1.0, 101.0), np.full(100, 3) + counts) == []
    assert piled_edges(np.arange(1.0, 9.0), np.ones(8, int)) == []


def test_perfectly_even_digits_by_hand():
    values = np.arange(1000) / 100
    assert even_digits(values) == pytest.approx(1e-300)
    one_off = values.copy()
    one_off[0] = 0.01
    # Counts of 99 and 101 beside eights of 100: the statistic is 2 / 100.
    assert even_digits(one_off) == pytest.approx(stats.chi2(9).cdf(0.02))


def test_full_precision_and_short_ranges_have_no_last_digit():
    rng = np.random.default_rng(0)
    assert even_digits(rng.standard_normal(500)) is None
    assert even_digits(rng.integers(0, 100, 500).astype(float)) is None
    assert even_digits(np.zeros(5)) is None


@pytest.mark.calibration
@pytest.mark.parametrize("shares", ["equal", "heaped"])
def test_random_digits_are_too_even_in_five_percent_at_most(
    shares: str, calibration_runs: Callable[..., int]
):
    runs = calibration_runs(bounded=500, full=4000)
    weight = np.ones(10) if shares == "equal" else np.array([4, 1, 1, 1, 1, 3, 1, 1, 1, 2])
    rejected = 0
    for seed in range(runs):
        rng = np.random.default_rng([1, seed])
        digits = rng.choice(10, 2000, p=weight / weight.sum())
        chance = even_digits(10.0 * rng.integers(0, 100, 2000) + digits)
        assert chance is not None
        rejected += chance <= 0.05
    assert rejected <= band(runs)[1]
    if shares == "equal":
        assert rejected >= band(runs)[0]
