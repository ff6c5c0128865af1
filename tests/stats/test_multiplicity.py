"""Adjusted p-values keep the promise of their authors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats.multiplicity import benjamini_hochberg, holm

p_values = st.lists(st.floats(1e-12, 1.0), min_size=1, max_size=40)


def test_holm_multiplies_the_smallest_by_all_and_the_next_by_one_less() -> None:
    assert holm([0.02, 0.01, 0.04]) == pytest.approx([0.04, 0.03, 0.04])


def test_nothing_is_adjusted_beyond_one() -> None:
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert benjamini_hochberg([0.9, 1.0]).tolist() == [1.0, 1.0]


def test_no_p_values_stay_none() -> None:
    assert len(holm([])) == len(benjamini_hochberg([])) == 0


@given(given_p=p_values)
def test_benjamini_hochberg_is_scipys(given_p: list[float]) -> None:
    oracle = stats.false_discovery_control(given_p, method="bh")
    assert benjamini_hochberg(given_p) == pytest.approx(oracle)


@given(given_p=p_values, seed=st.integers(0, 99))
def test_order_does_not_matter_and_holm_is_the_stricter(given_p: list[float], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(given_p))
    shuffled = np.asarray(given_p)[order]
    for adjust in (holm, benjamini_hochberg):
        assert adjust(given_p)[order] == pytest.approx(adjust(shuffled.tolist()))
    assert (holm(given_p) >= benjamini_hochberg(given_p) - 1e-12).all()
    assert (benjamini_hochberg(given_p) >= np.asarray(given_p) - 1e-12).all()


@pytest.mark.parametrize("wrong", [[0.0], [1.1], [float("nan")]])
def test_numbers_that_are_no_p_values_are_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match=r"p-values lie in \(0, 1\]"):
        holm(wrong)


@pytest.mark.calibration
def test_holm_makes_any_false_call_in_five_percent_of_families() -> None:
    rng = np.random.default_rng(0)
    families = 1 - rng.random((1000, 12))
    wrong = sum(bool((holm(family.tolist()) <= 0.05).any()) for family in families)
    assert 29 <= wrong <= 74
