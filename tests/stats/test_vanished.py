"""Levels that are gone: by hand, by simulation, and as often right as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats import vanished as v
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable

    Runs = Callable[..., int]

pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20)


def test_one_row_of_two_samples_alike_is_as_often_in_either() -> None:
    assert v.chance_of_absence(np.array([1]), 5, 5).tolist() == pytest.approx([0.5])


def test_a_level_of_five_rows_in_a_hundred_is_just_missed() -> None:
    # C(100, 5) / C(200, 5) = 0.0297, and of four rows 0.0606.
    assert v.chance_of_absence(np.array([4, 5]), 100, 100) == pytest.approx(
        [0.0606, 0.0297], abs=1e-4
    )
    assert v.rarest_visible(100, 100) == 0.05


def test_too_small_samples_cannot_show_any_loss() -> None:
    assert v.rarest_visible(3, 3) == 1.0
    assert v.rarest_visible(2, 2) is None
    assert v.rarest_visible(0, 10) is None
    assert v.rarest_visible(10, 0) is None


@given(n=st.integers(1, 80), m=st.integers(1, 80), held=st.integers(0, 90))
def test_the_chance_is_scipys_hypergeometric(n: int, m: int, held: int) -> None:
    held = min(held, n + m)
    expected = stats.hypergeom(n + m, held, m).pmf(0)
    assert v.chance_of_absence(np.array([held]), n, m)[0] == pytest.approx(expected, abs=1e-9)


@given(pairs=pairs)
def test_every_number_is_in_its_range(pairs: list[tuple[int, int]]) -> None:
    reference, candidate = np.array(pairs).T
    if not (reference.any() and candidate.any()):
        return
    found = v.vanished_levels(reference, candidate)
    assert 0 < found.p_value <= 1
    assert found.levels <= found.rows
    assert found.rows == reference[candidate == 0].sum()


def test_a_common_level_that_is_gone_is_noticed_among_many_rare_ones() -> None:
    rng = np.random.default_rng(0)
    rare = rng.multinomial(400, np.full(400, 1 / 400), size=2)
    reference, candidate = np.append(rare[0], 20), np.append(rare[1], 0)
    assert v.vanished_levels(reference, candidate).p_value < 1e-3


def test_many_rare_levels_that_are_gone_are_noticed() -> None:
    reference = np.append(np.full(40, 2), 120)
    assert v.vanished_levels(reference, np.append(np.zeros(40, int), 200)).p_value < 1e-6


@pytest.mark.calibration
@pytest.mark.parametrize("law", ["zipf", "even", "long"])
def test_at_most_five_percent_of_equal_samples_have_lost_levels(
    law: str, calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=1000, full=10_000)
    rng = np.random.default_rng(len(law))
    weights = {
        "zipf": 1 / np.arange(1, 301) ** 1.5,
        "even": np.ones(50),
        "long": np.append(np.ones(2000) / 2000, 1.0),
    }[law]
    rejected, lost, expected = 0, 0, 0.0
    for _ in range(runs):
        one, two = (rng.multinomial(rows, weights / weights.sum()) for rows in (300, 200))
        found = v.vanished_levels(one, two)
        rejected += found.p_value <= 0.05
        lost += found.levels
        expected += found.levels_expected
    assert rejected <= band(runs)[1]
    assert lost == pytest.approx(expected, rel=0.05)
