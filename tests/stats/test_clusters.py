"""Clustered rows: the size holds for whole groups, and for groups on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from detector.stats import clusters as c
from tests.stats.rates import assert_size

if TYPE_CHECKING:
    from collections.abc import Callable


def draw(rng: np.random.Generator, groups: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return group codes and values that share half of their variance in a group."""
    group = np.repeat(np.arange(groups), 1 + rng.poisson(rows, groups))
    return group, rng.standard_normal(groups)[group] + rng.standard_normal(len(group))


def two_sides(rng: np.random.Generator, one: int, two: int) -> tuple[np.ndarray, ...]:
    """Return groups, values and sides of a reference and a candidate of other groups."""
    (first, x), (second, y) = draw(rng, one, 15), draw(rng, two, 15)
    sides = np.arange(len(x) + len(y)) >= len(x)
    return np.concatenate((first, second + one)), np.concatenate((x, y)), sides


def test_whole_groups_keep_together_and_shared_groups_keep_their_numbers() -> None:
    groups = np.array([0, 0, 1, 1, 2, 2, 2, 3])
    sides = np.array([False, False, True, True, False, True, True, False])
    drawn = c.relabel(groups, sides, permutations=200, rng=np.random.default_rng(0))
    rows = drawn.candidate[:, drawn.unit]
    assert rows[0].tolist() == sides.tolist()
    assert (rows[:, 0] == rows[:, 1]).all()
    assert (rows[:, 2] == rows[:, 3]).all()
    assert (rows[:, 4:7].sum(axis=1) == 2).all()
    assert (rows[:, [0, 2, 7]].sum(axis=1) == 1).all()
    assert len(np.unique(rows, axis=0)) == 9


def test_the_distance_over_few_values_is_scipys() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.poisson(3, 50).astype(float), rng.poisson(4, 70).astype(float)
    sides = np.arange(120) >= 50
    drawn = c.relabel(np.arange(120), sides, permutations=99, rng=rng)
    found = c.shift_test(*c.cells_of(np.concatenate((x, y))), drawn)
    assert found.value == pytest.approx(stats.wasserstein_distance(x, y))


def test_missing_values_have_no_cell() -> None:
    codes, places = c.cells_of(np.array([2.0, np.nan, 1.0, 2.0]))
    assert codes.tolist() == [1, -1, 0, 1]
    assert places.tolist() == [1.0, 2.0]


def test_a_share_that_only_one_side_has_is_found() -> None:
    rng = np.random.default_rng(0)
    groups, _, sides = two_sides(rng, 30, 30)
    drawn = c.relabel(groups, sides, permutations=199, rng=rng)
    found = c.share_test(sides & (rng.random(len(sides)) < 0.5), drawn)
    assert found.p_value < 1 / 200
    assert 0 < found.interval[0] < found.value < found.interval[1] <= 1


def test_the_tail_beyond_all_relabelings_goes_on_as_it_falls() -> None:
    # An exponential law: one in a thousand lies above log 1000, one in a million twice as far.
    drawn = -np.log((np.arange(999) + 0.5) / 999)
    seen = [c.permuted_p_value(np.array([np.log(10.0) * power, *drawn])) for power in (1, 4, 6)]
    assert seen[0] == pytest.approx(0.1, rel=0.02)
    assert np.log10(seen[1:]) == pytest.approx([-4, -6], abs=0.3)


@pytest.mark.calibration
@pytest.mark.parametrize("law", ["half normal", "chi-squared", "uniform"])
def test_small_p_values_are_not_too_small(law: str, calibration_runs: Callable[..., int]) -> None:
    runs = calibration_runs(bounded=20_000, full=100_000)
    rng = np.random.default_rng(4)
    small = 0
    for _ in range(runs // 500):
        drawn = np.abs(rng.standard_normal((500, 1000)))
        if law != "half normal":
            drawn = rng.random(drawn.shape) if law == "uniform" else drawn**2
        small += sum(c.permuted_p_value(row) <= 0.001 for row in drawn)
    assert small <= stats.binom.ppf(0.9995, runs, 0.0015)


@pytest.mark.calibration
@pytest.mark.parametrize(("one", "two"), [(30, 30), (15, 60)])
def test_equal_clustered_samples_are_told_apart_in_five_percent(
    one: int, two: int, calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=300, full=1000)
    rng = np.random.default_rng([one, two])
    counted = np.zeros(3, int)
    naive = 0
    for _ in range(runs):
        groups, values, sides = two_sides(rng, one, two)
        drawn = c.relabel(groups, sides, permutations=99, rng=rng)
        levels = np.digitize(values, [-1.0, 0.0, 1.5])
        tests = (
            c.shift_test(*c.cells_of(values), drawn),
            c.levels_test(levels, 4, drawn),
            c.share_test(levels == 3, drawn),
        )
        counted += [test.p_value <= 0.05 for test in tests]
        naive += stats.ks_2samp(values[~sides], values[sides]).pvalue <= 0.05
    for rejected in counted:
        assert_size(int(rejected), runs)
    assert naive > 0.3 * runs  # what rows taken as independent would have said


@pytest.mark.calibration
def test_rows_split_within_groups_are_told_apart_in_five_percent(
    calibration_runs: Callable[..., int],
) -> None:
    runs = calibration_runs(bounded=300, full=1000)
    rng = np.random.default_rng(8)
    rejected = 0
    for _ in range(runs):
        groups, values = draw(rng, 30, 15)
        drawn = c.relabel(groups, rng.random(len(groups)) < 0.3, permutations=99, rng=rng)
        rejected += c.shift_test(*c.cells_of(values), drawn).p_value <= 0.05
    assert_size(rejected, runs)
