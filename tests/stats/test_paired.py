"""The change of a mean between two models: by hand, and as often right as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from detector.stats.paired import Change, paired_change
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_equal_scores_are_no_change():
    scores = np.ones((3, 20))
    found = paired_change(scores, scores, rng=rng())
    assert found == Change(1.0, 1.0, 0.0, (0.0, 0.0), 0.5, 0.5, 0.0)


def test_rows_that_both_models_miss_alike_cost_no_certainty():
    hard = np.tile(np.arange(50) % 2, (4, 1)).astype(float)
    found = paired_change(hard, hard - 0.25, rng=rng())
    assert found.value == -0.25
    assert found.error == pytest.approx(0, abs=1e-12)
    assert found.below < 1e-5


def test_the_error_of_rows_is_that_of_the_paired_differences():
    gain = np.random.default_rng(1).standard_normal(4000)
    found = paired_change(np.zeros((2, 4000)), np.tile(gain, (2, 1)), rng=rng())
    assert found.value == pytest.approx(gain.mean())
    assert found.error == pytest.approx(gain.std() / np.sqrt(4000), rel=0.1)


def test_the_spread_of_refits_by_hand():
    # Means of refits are 0 and 1 on one side: variance 1/2, times 1 + 1/2 for there being two.
    candidate = np.repeat([[0.0], [1.0]], 30, axis=1)
    found = paired_change(np.zeros((2, 30)), candidate, rng=rng())
    assert found.error == pytest.approx(np.sqrt(0.75))


def test_rows_of_a_cluster_count_once():
    gain = np.repeat(np.random.default_rng(2).standard_normal(100), 40)
    sides = np.zeros((2, 4000)), np.tile(gain, (2, 1))
    alone = paired_change(*sides, rng=rng())
    together = paired_change(*sides, rng=rng(), units=np.repeat(np.arange(100), 40))
    assert together.error / alone.error == pytest.approx(np.sqrt(40), rel=0.15)


@pytest.mark.calibration
def test_intervals_hold_the_truth_when_test_and_training_rows_are_drawn_anew(
    calibration_runs: Callable[..., int],
):
    """A model's mean is off by its training sample; refits scatter about that by as much."""
    runs, outside, below = calibration_runs(bounded=300, full=5000), 0, 0
    for seed in range(runs):
        own = np.random.default_rng([1, seed])
        common = own.standard_normal(300)
        sides = []
        for _ in range(2):
            sample = 0.08 * own.standard_normal() + 0.08 * own.standard_normal((4, 1))
            sides.append(common + sample + 0.7 * own.standard_normal(300))
        found = paired_change(*sides, rng=own, resamples=199)
        outside += not found.interval[0] <= 0 <= found.interval[1]
        below += found.below <= 0.05
    # Few refits make it err on the wide side a little.
    assert band(runs, level=0.03)[0] <= outside <= band(runs)[1]
    assert below <= band(runs)[1]
