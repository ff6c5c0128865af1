"""Intervals of what drawn rows keep."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from generators.comparing.chance import Side, ratio, reached

SIDES = (Side.of(1_000), Side.of(1_000))


def test_a_part_that_chance_could_have_emptied_counts_at_the_upper_end_only():
    assert reached(np.array([10.0]), np.array([0.0]), SIDES) == (0.0, 1.0)
    assert reached(np.array([60.0]), np.array([0.0]), SIDES) == (0.0, 0.0)
    assert reached(np.array([60.0, 60.0]), np.array([60.0, 0.0]), SIDES) == (0.5, 0.5)


def test_the_ratio_of_two_counts_has_its_exact_interval():
    # Given 50 rows in both, a part is surely reached once y rows would be too many for a tenth.
    surely = [y for y in range(51) if reached(np.array([50.0 - y]), np.array([float(y)]), SIDES)[0]]
    by_hand = [y for y in range(51) if binom.sf(y - 1, 50, 0.1 / 1.1) <= 0.025]
    assert surely == by_hand


def test_rows_of_groups_count_for_less():
    due, held = np.array([40.0]), np.array([12.0])
    grouped = (Side.of(1_000, np.arange(1_000) // 10), Side.of(1_000))
    assert reached(due, held, SIDES) == (1.0, 1.0)
    assert reached(due, np.array([3.0]), grouped)[1] == 1.0
    x = np.arange(1_000.0) % 7
    wide, narrow = (ratio(x, x, sides) for sides in (grouped, SIDES))
    assert np.diff(np.log(wide)) > 2 * np.diff(np.log(narrow))


def test_nothing_beyond_is_a_ratio_of_zero_with_an_upper_end():
    x = np.repeat([1.0, 0.0], 500)
    low, high = ratio(x, np.zeros(1_000), SIDES)
    assert low == 0.0
    assert high == pytest.approx(3.689 / 500)


@pytest.mark.calibration
def test_ratios_of_equal_laws_hold_one_in_nineteen_of_twenty(calibration_runs):
    runs = calibration_runs(bounded=400, full=4_000)
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(runs):
        x, y = (rng.binomial(4, 0.1, 300).astype(float) for _ in range(2))
        low, high = ratio(x, y, (Side.of(300), Side.of(300)))
        held += low <= 1.0 <= high
    assert binom.cdf(held, runs, 0.95) > 0.001
    assert binom.sf(held - 1, runs, 0.95) > 0.001
