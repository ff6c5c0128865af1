"""Means that can only rise: by hand, against scikit-learn, and as often right as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stats.rising import Mean, crossing_interval, mean_with_control, rising_fit
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Runs = Callable[..., int]

pairs = st.lists(st.tuples(st.floats(-9, 9), st.floats(0.1, 9)), min_size=1, max_size=12)


def test_a_fall_is_spread_over_both_by_their_weights() -> None:
    fit = rising_fit(np.array([3.0, 1.0, 5.0]), np.array([1.0, 3.0, 1.0]))
    assert fit.tolist() == [1.5, 1.5, 5.0]


@given(pairs=pairs)
def test_the_fit_is_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    from sklearn.isotonic import IsotonicRegression

    values, weights = np.array(pairs).T
    places = np.arange(len(values))
    expected = IsotonicRegression().fit(places, values, sample_weight=weights).predict(places)
    assert rising_fit(values, weights) == pytest.approx(expected, abs=1e-9)


@given(pairs=pairs)
def test_the_fit_rises_and_keeps_the_weighted_mean(pairs: list[tuple[float, float]]) -> None:
    values, weights = np.array(pairs).T
    fit = rising_fit(values, weights)
    assert (np.diff(fit) >= -1e-9).all()
    assert fit @ weights == pytest.approx(values @ weights, abs=1e-6)


def test_a_control_that_never_varies_leaves_the_plain_mean() -> None:
    found = mean_with_control(np.array([1.0, 2.0, 3.0, 6.0]), np.zeros(4))
    assert found == (3.0, pytest.approx(np.sqrt(14 / 3 / 4)), 3)


def test_the_mean_with_a_control_is_the_intercept_of_a_regression() -> None:
    from scipy import stats

    rng = np.random.default_rng(0)
    control = rng.standard_normal(12)
    values = 2.0 + 0.7 * control + 0.1 * rng.standard_normal(12)
    line = stats.linregress(control, values)
    assert mean_with_control(values, control) == pytest.approx(
        (line.intercept, line.intercept_stderr, 10)
    )


def test_known_means_cross_where_the_line_between_them_does() -> None:
    means = [Mean(value, 0.0, 9) for value in (0.1, 0.2, 0.6)]
    rng = np.random.default_rng(0)
    found = crossing_interval(np.array([0.0, 1.0, 3.0]), means, 0.5, rng=rng, share=0.95)
    assert found == pytest.approx((2.5, 2.5, 2.5))


def test_what_is_never_reached_lies_at_infinity_and_what_always_is_at_the_first_place() -> None:
    means = [Mean(value, 0.01, 9) for value in (0.1, 0.2)]
    for level, place in ((0.9, np.inf), (-0.5, 3.0)):
        rng = np.random.default_rng(0)
        found = crossing_interval(np.array([3.0, 4.0]), means, level, rng=rng, share=0.95)
        assert found == (place, place, place)


@pytest.mark.calibration
@pytest.mark.parametrize("level", [0.25, 0.5, 0.8])
def test_the_interval_holds_the_crossing_nineteen_times_in_twenty(
    level: float, calibration_runs: Runs
) -> None:
    places = np.linspace(0.0, 3.0, 10)
    runs = calibration_runs(bounded=100, full=1000)
    missed = 0
    for run in range(runs):
        rng = np.random.default_rng([run, 3])
        means = [_mean(place, rng) for place in places]
        _, low, high = crossing_interval(places, means, level, rng=rng, share=0.95)
        missed += not low <= -np.log1p(-level) <= high
    assert missed <= band(runs)[1]


def _mean(place: float, rng: np.random.Generator) -> Mean:
    """Return the mean of ten noisy values with a noisy control."""
    luck: NDArray[np.float64] = rng.standard_normal(10)
    values = 1.0 - np.exp(-place) + 0.5 * luck + 0.2 * rng.standard_normal(10)
    return mean_with_control(values, luck)
