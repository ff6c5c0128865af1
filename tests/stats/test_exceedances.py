"""Mass beyond an order statistic: by hand, by oracle, and as often right as it says."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats import exceedances as e
from detector.stats.proportions import exceedance_mid_p
from tests.stats.rates import assert_size, band

if TYPE_CHECKING:
    from collections.abc import Callable

    Runs = Callable[..., int]

sizes = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(
    lambda nm: st.tuples(st.just(nm[0]), st.just(nm[1]), st.integers(1, nm[0]))
)


def counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return how many values lie between and at the edges."""
    places = np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right")
    return np.bincount(places, minlength=2 * len(edges) + 1)


def cut(x: np.ndarray, y: np.ndarray, rank: int) -> e.Cut:
    """Return the lower tail at a rank, every value an edge."""
    edges = np.unique(x)
    found = e.low_cut(edges, counts(x, edges), counts(y, edges), rank)
    assert found is not None
    return found


def test_three_new_values_below_one_of_three_old_ones_by_hand() -> None:
    # Of C(6, 3) = 20 orders one has all three new values first: P = 1/20, and it counts half.
    assert e.mid_p_above(3, 1, 3, 3) == pytest.approx(1 / 40)


def test_the_cut_is_the_references_value_of_that_rank() -> None:
    found = cut(np.array([4.0, 1, 3, 2]), np.array([0.0, 2.5, 3, 9]), 3)
    assert found == e.Cut(place=3.0, rank=3, least=2, most=3, shared=2.5)


def test_ties_with_the_cut_count_in_part() -> None:
    found = cut(np.array([0.0, 0, 0, 1]), np.array([-1.0, 0, 0, 2]), 1)
    # Before the first of three equal old values lies one new one in four.
    assert found == e.Cut(place=0.0, rank=1, least=1, most=3, shared=1.5)


def test_where_no_edge_has_the_rank_the_next_one_does() -> None:
    reference, candidate = np.array([2, 1, 4, 1, 0]), np.array([1, 0, 0, 0, 9])
    found = e.low_cut(np.array([1.0, 2.0]), reference, candidate, 5)
    assert found == e.Cut(place=2.0, rank=8, least=1, most=1, shared=1.0)


def test_without_values_there_is_no_cut() -> None:
    assert e.low_cut(np.empty(0), np.zeros(1, int), np.zeros(1, int), 1) is None


@given(size=sizes, count=st.integers(0, 60))
def test_the_law_is_scipys_beta_binomial(size: tuple[int, int, int], count: int) -> None:
    n, m, gaps = size
    count = min(count, m)
    law = stats.betabinom(m, gaps, n + 1 - gaps)
    expected = law.sf(count) + law.pmf(count) / 2
    assert e.mid_p_above(count, gaps, n, m) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(size=sizes, data=st.data())
def test_the_law_counts_orders(size: tuple[int, int, int], data: st.DataObject) -> None:
    n, m, gaps = size
    seen = data.draw(st.integers(0, m))
    ways = [
        comb(c + gaps - 1, c) * comb(n - gaps + m - c, m - c) / comb(n + m, m)
        for c in range(seen, m + 1)
    ]
    assert e.mid_p_above(seen, gaps, n, m) == pytest.approx(sum(ways) - ways[0] / 2)


@given(n=st.integers(2, 60), m=st.integers(1, 60), data=st.data())
def test_both_extremes_are_those_of_the_range(n: int, m: int, data: st.DataObject) -> None:
    beyond = data.draw(st.integers(0, m))
    assert e.mid_p_above(beyond, 2, n, m) == pytest.approx(exceedance_mid_p(beyond, n, m))


@given(seed=st.integers(0, 2**31), rank=st.integers(1, 30))
def test_turning_the_line_round_turns_the_tail_round(seed: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.poisson(3, 30).astype(float), rng.poisson(3, 40).astype(float)
    edges = np.unique(x)
    low = e.low_cut(edges, counts(x, edges), counts(y, edges), rank)
    turned = np.unique(-x)
    high = e.high_cut(turned, counts(-x, turned), counts(-y, turned), rank)
    assert low is not None
    assert high == low._replace(place=-low.place)


@given(size=sizes, data=st.data())
def test_every_number_is_in_its_range(size: tuple[int, int, int], data: st.DataObject) -> None:
    n, m, rank = size
    least = data.draw(st.integers(0, m))
    most = data.draw(st.integers(least, m))
    found = e.exceedance([e.Cut(0.0, rank, least, most, (least + most) / 2)], n, m)
    assert 0 < found.p_value <= 1
    assert 0 <= found.interval[0] <= found.interval[1] <= 1
    assert 0 <= found.exact[0] <= found.share <= found.exact[1] <= 1


def test_a_tail_that_is_cut_off_is_certain() -> None:
    found = e.exceedance([e.Cut(0.0, 100, 0, 0, 0.0)], 10_000, 10_000)
    assert not found.fatter
    assert found.p_value < 1e-25
    assert found.interval[1] < found.expected / 2


def test_more_than_can_be_is_as_unlikely_as_a_number_can_say() -> None:
    found = e.exceedance([e.Cut(0.0, 1000, 1000_000, 1000_000, 1e6)], 1000_000, 1000_000)
    assert 0 < found.p_value < 1e-200


@pytest.mark.calibration
@pytest.mark.parametrize(("n", "m", "rank"), [(200, 200, 10), (1000, 300, 50), (300, 1000, 30)])
def test_five_percent_of_equal_samples_are_called_different(
    n: int, m: int, rank: int, calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=1000, full=10_000)
    rng = np.random.default_rng([n, m])
    rejected = held = 0
    for _ in range(runs):
        found = e.exceedance([cut(rng.standard_normal(n), rng.standard_normal(m), rank)], n, m)
        rejected += found.p_value <= 0.05
        held += found.interval[0] <= rank / n <= found.interval[1]
    assert_size(rejected, runs)
    assert held >= runs - band(runs)[1]


@pytest.mark.calibration
def test_ties_never_raise_false_alarms(calibration_runs: Runs) -> None:
    runs = calibration_runs(bounded=1000, full=10_000)
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(runs):
        x, y = rng.poisson(3, 300).astype(float), rng.poisson(3, 300).astype(float)
        rejected += e.exceedance([cut(x, y, 15)], 300, 300).p_value <= 0.05
    assert rejected <= band(runs)[1]


@pytest.mark.calibration
def test_what_is_detectable_is_detected_four_times_in_five(calibration_runs: Runs) -> None:
    runs = calibration_runs(bounded=500, full=5_000)
    rng = np.random.default_rng(8)
    expected = e.exceedance([e.Cut(0.0, 50, 0, 0, 0.0)], 1000, 1000)
    share = expected.expected + expected.detectable
    seen = 0
    for _ in range(runs):
        y = rng.random(1000)
        # A share of the candidate's values beyond the true quantile, spread as before within.
        y = np.where(rng.random(1000) < share, 0.05 * y, 0.05 + 0.95 * y)
        found = e.exceedance([cut(rng.random(1000), y, 50)], 1000, 1000)
        seen += found.p_value <= 0.05
    assert 0.72 <= seen / runs <= 0.9
