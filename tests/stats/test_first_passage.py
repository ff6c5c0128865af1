"""First passages: by hand, against the inverse Gaussian law, and how often intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats.first_passage import Passage, central, first_passage, interval_score
from tests.stats.loops import gaussian_loop, log_det_steps

HALF = 10 * np.log(0.5)


def straight(*, drift: float, noise: float, replicates: int, generations: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(drift, noise, (replicates, generations))
    return np.concatenate((np.zeros((replicates, 1)), np.cumsum(steps, axis=1)), axis=1)


def forecast(paths, *, threshold: float = HALF, horizon: int = 400, seed: int = 1) -> Passage:
    return first_passage(
        paths, threshold=threshold, horizon=horizon, rng=np.random.default_rng(seed)
    )


def test_a_walk_with_hardly_any_noise_passes_where_division_says() -> None:
    found = forecast(straight(drift=-1, noise=0.01, replicates=3, generations=8), threshold=-20.5)
    assert found.interval == (21, 21)
    assert found.median == 21
    assert found.share == 1.0


def test_many_steps_give_the_inverse_gaussian_quantiles() -> None:
    drift, noise, depth = 0.2, 0.5, 30.0
    found = forecast(
        straight(drift=-drift, noise=noise, replicates=50, generations=200), threshold=-depth
    )
    mean, shape = depth / drift, depth**2 / noise**2
    law = stats.invgauss(mean / shape, scale=shape)
    assert found.interval[1] is not None
    assert found.interval == pytest.approx(tuple(law.ppf((0.05, 0.95))), rel=0.04)
    assert found.median == pytest.approx(law.median(), rel=0.03)


def test_growth_is_forecast_like_loss() -> None:
    paths = straight(drift=-0.5, noise=0.3, replicates=3, generations=12)
    assert forecast(paths, threshold=-9.0).interval == forecast(-paths, threshold=9.0).interval


def test_a_drift_away_from_the_threshold_gets_no_forecast() -> None:
    found = forecast(straight(drift=0.5, noise=0.3, replicates=3, generations=12), threshold=-9.0)
    assert found.abstains
    assert found.interval == (1, None)
    assert found.needed is None
    assert found.because == (
        "the chains show no drift towards the threshold that lasts into their later half"
    )


def test_too_few_generations_say_how_many_are_needed() -> None:
    found = forecast(straight(drift=-1, noise=0.1, replicates=9, generations=3))
    assert found.because == (
        "9 chains of 3 generations are too few: 4 generations and 6 steps in all are needed"
    )


def test_broken_chains_are_left_out() -> None:
    paths = straight(drift=-0.5, noise=0.3, replicates=4, generations=12)
    broken = np.concatenate((paths, np.full((1, 13), np.nan)))
    assert forecast(paths) == forecast(broken)


def test_chains_that_never_vary_get_no_forecast() -> None:
    assert forecast(np.zeros((3, 9))).because == (
        "nothing varies from chain to chain or step to step"
    )


def test_steps_needed_grow_with_the_square_of_noise_over_drift() -> None:
    some = straight(drift=-0.05, noise=1.0, replicates=2, generations=8, seed=4)
    found = forecast(some)
    assert found.abstains
    assert found.drift is not None
    assert found.drift[1] < -0.05 < found.drift[2]
    if found.needed is not None:
        steps = np.diff(some, axis=1)
        expected = (3.612 * steps.std(ddof=1) / steps.mean()) ** 2 / 0.5
        assert found.needed == pytest.approx(expected, rel=0.01, abs=1)


@pytest.mark.parametrize("threshold", [0.0, np.nan, np.inf])
def test_a_threshold_that_is_no_change_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="give a log ratio other than 0"):
        forecast(np.zeros((3, 9)), threshold=threshold)


@given(values=st.lists(st.integers(1, 60), min_size=20, max_size=300))
def test_each_tail_keeps_at_most_one_and_a_half_times_its_part(values: list[int]) -> None:
    first = np.array(values)
    low, high = central(first, level=0.9)
    assert low <= high
    assert (first < low).mean() <= 0.075 + 1e-9
    assert (first > high).mean() <= 0.075 + 1e-9


def test_the_interval_score_charges_length_and_misses() -> None:
    assert interval_score((3.0, 9.0), 5.0) == pytest.approx(6.0)
    assert interval_score((3.0, 9.0), 2.0) == pytest.approx(26.0)


@pytest.mark.calibration
@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "columns", "replicates", "generations", "ratio"),
    [(100, 10, 3, 10, 0.5), (100, 10, 5, 20, 0.1), (50, 3, 10, 20, 0.3)],
)
def test_ninety_in_a_hundred_intervals_hold_the_chains_to_come(
    rows, columns, replicates, generations, ratio, calibration_runs
) -> None:
    runs, horizon = calibration_runs(bounded=200, full=1000), 1_000
    rng, threshold = np.random.default_rng(17), columns * np.log(ratio)
    held, made = 0, 0
    for seed in range(runs):
        seen = log_det_steps(replicates, generations, rows=rows, columns=columns, rng=rng)
        found = forecast(_paths(seen), threshold=threshold, horizon=horizon, seed=seed)
        if found.abstains:
            continue
        ahead = log_det_steps(1, horizon, rows=rows, columns=columns, rng=rng)[0].cumsum()
        truth = int(np.argmax(ahead <= threshold)) + 1 if (ahead <= threshold).any() else np.inf
        low, high = found.interval
        held += low <= truth <= (np.inf if high is None else high)
        made += 1
    law = stats.binom(made, 0.9)
    assert made >= 0.5 * runs
    assert law.ppf(0.0005) <= held <= law.ppf(0.9995)


@pytest.mark.calibration
@pytest.mark.slow
@pytest.mark.parametrize(
    ("regime", "share"), [("accumulate", 0.0), ("subsample", 0.0), ("fresh", 0.5)]
)
@pytest.mark.parametrize(("replicates", "generations"), [(1, 10), (3, 10), (3, 30)])
def test_loops_that_settle_get_no_finite_forecast(
    regime, share, replicates, generations, calibration_runs
) -> None:
    runs = calibration_runs(bounded=60, full=400)
    rng = np.random.default_rng(23)
    paths = gaussian_loop(
        runs * replicates, generations, rows=100, columns=10, regime=regime, share=share, rng=rng
    )
    found = [forecast(own) for own in np.split(paths, runs)]
    finite = sum(one.interval[1] is not None for one in found)
    assert finite <= stats.binom(runs, 0.05).ppf(0.9995)


def _paths(steps):
    return np.concatenate((np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)), axis=1)
