"""Shares: intervals that cover, exact tests of the right size."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats import proportions as p

shares = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_nothing_in_ten_may_still_be_three_in_ten() -> None:
    assert p.clopper_pearson(0, 10) == pytest.approx((0.0, 1 - 0.025**0.1))


def test_ten_of_ten_against_none_of_ten_is_one_table_of_each_kind() -> None:
    # Two equally likely tables, both as extreme: each counts half.
    assert p.fisher_mid_p(10, 10, 0, 10) == pytest.approx(1 / comb(20, 10))


def test_where_only_one_table_is_possible_nothing_is_learned() -> None:
    assert p.fisher_mid_p(0, 10, 0, 10) == 1.0
    assert p.fisher_mid_p(10, 10, 10, 10) == 1.0


def test_one_value_out_of_range_beyond_ten_old_ones() -> None:
    assert p.exceedance_mid_p(1, 10, 1) == pytest.approx(2 / 11 / 2)


def test_a_change_of_a_share_is_seen_the_same_from_both_ends() -> None:
    assert p.difference_seen(0.1, 50, 70) == p.difference_seen(0.9, 50, 70)


@given(share=shares)
def test_intervals_of_one_share_are_scipys(share: tuple[int, int]) -> None:
    count, total = share
    exact = stats.binomtest(count, total)
    assert p.clopper_pearson(count, total) == pytest.approx(exact.proportion_ci(method="exact"))
    assert p.wilson(count, total) == pytest.approx(exact.proportion_ci(method="wilson"), abs=1e-12)


@given(one=shares, two=shares)
def test_the_mid_p_value_is_fishers_less_half_of_what_is_as_likely(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    exact = stats.fisher_exact([[one[0], one[1] - one[0]], [two[0], two[1] - two[0]]])[1]
    found = p.fisher_mid_p(*one, *two)
    assert 0 < found <= 1
    assert exact / 2 * (1 - 1e-6) <= found <= exact * (1 + 1e-6)
    assert found == pytest.approx(p.fisher_mid_p(*two, *one))


@given(one=shares, two=shares)
def test_the_upper_p_values_of_both_sides_make_one(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    assert p.upper_mid_p(*one, *two) + p.upper_mid_p(*two, *one) == pytest.approx(1.0)


@given(one=shares, two=shares)
def test_the_interval_of_a_difference_holds_it_and_turns_with_it(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    low, high = p.newcombe(*one, *two)
    assert -1 <= low <= two[0] / two[1] - one[0] / one[1] <= high <= 1
    assert p.newcombe(*two, *one) == pytest.approx((-high, -low))


def test_huge_tables_neither_overflow_nor_reach_zero() -> None:
    assert p.fisher_mid_p(0, 10**9, 10**9, 10**9) == p.SMALLEST_P
    assert p.fisher_mid_p(10**8, 10**9, 10**8, 10**9) > 0.5


@pytest.mark.parametrize("wrong", [(-1, 5), (6, 5), (0, 0)])
def test_a_count_that_is_no_share_is_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is no share"):
        p.wilson(*wrong)


@pytest.mark.calibration
@pytest.mark.parametrize(
    ("n", "m", "share"), [(200, 200, 0.05), (1000, 100, 0.5), (100, 1000, 0.1)]
)
def test_equal_shares_are_told_apart_in_five_percent(n: int, m: int, share: float) -> None:
    rng = np.random.default_rng([n, m])
    tables = zip(rng.binomial(n, share, 1000), rng.binomial(m, share, 1000), strict=True)
    found = [
        (p.fisher_mid_p(int(a), n, int(b), m), p.newcombe(int(a), n, int(b), m)) for a, b in tables
    ]
    assert 29 <= sum(p_value <= 0.05 for p_value, _ in found) <= 74
    assert sum(low <= 0 <= high for _, (low, high) in found) >= 926


@pytest.mark.calibration
@pytest.mark.parametrize(("n", "m"), [(100, 1000), (1000, 100), (20, 20)])
def test_new_extremes_are_as_rare_as_their_law_says(n: int, m: int) -> None:
    rng = np.random.default_rng([n, m, 1])
    old, new = rng.random((2000, n)), rng.random((2000, m))
    beyond = ((new < old.min(1)[:, None]) | (new > old.max(1)[:, None])).sum(1)
    error = beyond.std() / np.sqrt(2000)
    assert abs(beyond.mean() - 2 * m / (n + 1)) < 4 * error
    rejected = sum(p.exceedance_mid_p(int(count), n, m) <= 0.05 for count in beyond[:1000])
    # The p-value comes in steps; at 20 against 20 they are coarse.
    assert 15 <= rejected <= 74


@pytest.mark.calibration
def test_what_is_called_detectable_is_detected() -> None:
    rng = np.random.default_rng(5)
    change = p.difference_seen(0.02, 1000, 1000)
    counts = zip(rng.binomial(1000, 0.02, 500), rng.binomial(1000, 0.02 + change, 500), strict=True)
    seen = sum(p.fisher_mid_p(int(a), 1000, int(b), 1000) <= 0.05 for a, b in counts)
    assert 0.74 <= seen / 500 <= 0.88
