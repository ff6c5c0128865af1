"""Copies told from likeness: by hand, by oracle, and as often right as it says."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats.copying import cells_of, data_copying, foremost, repeats
from tests.stats.rates import assert_size

Runs = Callable[..., int]


def front(*marked: int) -> np.ndarray:
    return np.array(marked, bool)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_all_of_the_first_eight_by_hand():
    # Of 16 rows the first 4, 5, 6 and 8 are looked at; 8 of 8 has 1 / C(16, 8).
    found = foremost(front(*[1] * 8, *[0] * 8), rng=rng())
    assert (found.depth, found.held) == (8, 8)
    assert found.p_value == pytest.approx(2 / math.comb(16, 8), rel=0.6)


def test_beyond_what_relabelings_count_bonferroni_speaks():
    found = foremost(front(*[1] * 64, *[0] * 936, *[1] * 936, *[0] * 64), rng=rng())
    assert found.held == found.depth
    assert 50 < found.depth <= 64
    assert found.p_value < 40 * stats.hypergeom(2000, 1000, found.depth).pmf(found.depth)


def test_the_holdouts_rows_in_front_are_no_alarm():
    assert foremost(front(*[0] * 50, *[1] * 50), rng=rng()).p_value > 0.9


@given(order=st.lists(st.booleans(), max_size=70))
def test_any_order_has_a_p_value(order):
    found = foremost(np.array(order, bool), rng=rng(), permutations=99) if order else None
    assert found is None or 0 < found.p_value <= 1


@pytest.mark.calibration
def test_five_percent_of_random_orders_are_called_copied(calibration_runs: Runs):
    runs, rejected = calibration_runs(bounded=400, full=4000), 0
    for seed in range(runs):
        own = np.random.default_rng([1, seed])
        order = own.permutation(700) < 300
        rejected += foremost(order, rng=own, permutations=999).p_value <= 0.05
    assert_size(rejected, runs)


def test_two_cells_are_divided_by_the_root_of_their_squared_weights():
    x, y = np.arange(20.0), np.arange(20.0) - 100
    cells = np.zeros(20, int), np.zeros(20, int)
    alone = data_copying(y, x, cells)
    z = stats.mannwhitneyu(y, x, method="asymptotic", use_continuity=False)
    assert alone is not None
    assert alone.p_value == pytest.approx(z.pvalue / 2)
    both = data_copying(
        np.tile(y, 2), np.tile(x, 2), (np.repeat([0, 1], 20), np.repeat([0, 1], 20))
    )
    assert both is not None
    # Two equal scores z of weight 1/2: their mean is z, and its null SD is root 1/2.
    assert both.value == pytest.approx(alone.value * math.sqrt(2))


def test_cells_with_few_rows_are_left_out():
    x = np.arange(40.0)
    cells = np.repeat([0, 1], [21, 19]), np.repeat([0, 1], [21, 19])
    found = data_copying(x, x, cells)
    assert found is not None
    assert [cell[:2] for cell in found.cells] == [(21, 21)]
    assert data_copying(x[:19], x[:19], (np.zeros(19, int), np.zeros(19, int))) is None


def test_equal_distances_are_no_evidence():
    cells = np.zeros(30, int), np.zeros(30, int)
    found = data_copying(np.zeros(30), np.zeros(30), cells)
    assert found is not None
    assert (found.value, found.p_value) == (0.0, 0.5)


@pytest.mark.calibration
def test_its_null_law_is_standard_normal(calibration_runs: Runs):
    values, plain = [], []
    for seed in range(calibration_runs(bounded=500, full=2000)):
        own = np.random.default_rng([2, seed])
        found = data_copying(
            own.exponential(size=300),
            own.exponential(size=300),
            (own.integers(0, 5, 300), own.integers(0, 5, 300)),
        )
        assert found is not None
        values.append(found.value)
        weight = np.array([cell[0] for cell in found.cells])
        plain.append(np.average([cell[2] for cell in found.cells], weights=weight))
    assert stats.kstest(values, "norm").pvalue > 0.001
    assert np.std(plain) == pytest.approx(math.sqrt(0.2), rel=0.1)


def test_separate_clouds_get_cells_of_their_own():
    own = rng()
    clouds = np.concatenate([own.standard_normal((50, 2)) + 20 * place for place in range(4)])
    (cells,) = cells_of(clouds.astype(np.float32), clouds.astype(np.float32), cells=4, rng=own)
    assert [len(set(part)) for part in np.split(cells, 4)] == [1] * 4
    assert len(set(cells)) == 4


def test_equal_rows_fill_one_cell():
    rows = np.ones((30, 2), np.float32)
    (cells,) = cells_of(rows, rows, cells=5, rng=rng())
    assert set(cells) == {0}


def test_a_pair_falls_to_the_candidate_as_often_as_by_hand():
    # Of 10 rows two are equal, and 5 are the candidate's: both fall there with 5 4 / (10 9).
    found = repeats(
        np.array([0, *[1] * 5, *[0] * 3]),
        np.array([2, *[0] * 5, *[1] * 3]),
        rng=rng(),
        permutations=4000,
    )
    chance = 20 / 90
    assert found.value == 0.2
    assert found.expected == pytest.approx(chance / 5, rel=0.1)
    assert found.p_value == pytest.approx(chance / 2, rel=0.1)


def test_twice_the_same_rows_are_found():
    found = repeats(
        np.append(np.ones(100, int), np.zeros(40, int)),
        np.append(np.zeros(100, int), np.full(40, 2)),
        rng=rng(),
    )
    assert found.value == 0.5
    # Each pair is the candidate's with a chance of about (80 / 180)^2.
    assert 0.1 < found.p_value / (80 * 79 / 180 / 179) ** 40 < 10


@pytest.mark.calibration
def test_five_percent_of_equal_laws_repeat_too_much(calibration_runs: Runs):
    runs, rejected = calibration_runs(bounded=400, full=2000), 0
    for seed in range(runs):
        own = np.random.default_rng([3, seed])
        sides = [np.bincount(own.geometric(0.01, 200), minlength=2000) for _ in range(2)]
        rejected += repeats(sides[0], sides[1], rng=own, permutations=199).p_value <= 0.05
    assert_size(rejected, runs)
