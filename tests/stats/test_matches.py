"""Rows on a list, against the rows that are on it by chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from detector.stats.matches import Matches


def test_one_of_one_against_none_of_nine_is_one_chance_in_ten():
    found = Matches(known=1, looked_at=1, chance=0, real=9)
    assert (found.share, found.chance_share) == (1.0, 0.0)
    assert found.p_value == pytest.approx(0.1)


@pytest.mark.parametrize(
    "counts", [(3, 40, 2, 90), (0, 40, 5, 90), (40, 40, 0, 90), (7, 500, 0, 31)]
)
def test_it_agrees_with_fishers_test(counts):
    known, looked_at, chance, real = counts
    table = [[known, looked_at - known], [chance, real - chance]]
    oracle = fisher_exact(table, alternative="greater").pvalue
    found = Matches(known=known, looked_at=looked_at, chance=chance, real=real)
    assert found.p_value == pytest.approx(oracle)


def test_a_p_value_is_never_zero():
    assert Matches(known=9_000, looked_at=9_000, chance=0, real=60_000).p_value > 0


def test_nothing_looked_at_says_nothing():
    found = Matches(known=0, looked_at=0, chance=0, real=0)
    assert (found.share, found.p_value, found.interval) == (0.0, 1.0, (0.0, 1.0))
    assert found.detectable == 1.0


def test_what_is_detectable_is_detected_four_times_in_five():
    plain = Matches(known=0, looked_at=400, chance=2, real=900)
    rng = np.random.default_rng(0)
    drawn = rng.binomial(400, plain.detectable, 4_000)
    seen = [
        Matches(known=int(count), looked_at=400, chance=2, real=900).p_value <= 0.05
        for count in drawn
    ]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.03)


@pytest.mark.calibration
def test_chance_matches_are_seldom_called_known(calibration_runs):
    runs = calibration_runs(bounded=2_000, full=20_000)
    rng = np.random.default_rng(1)
    drawn = rng.binomial([300, 700], 0.01, (runs, 2))
    called = sum(
        Matches(known=int(own), looked_at=300, chance=int(other), real=700).p_value <= 0.05
        for own, other in drawn
    )
    assert called <= 0.05 * runs + 3.3 * np.sqrt(0.0475 * runs)
