"""Levels: a two-sample test that rare levels do not fool, and intervals that cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats import categorical as c
from detector.stats.proportions import fisher_mid_p
from tests.stats.rates import assert_size

if TYPE_CHECKING:
    from collections.abc import Callable

tables = (
    st.integers(1, 30)
    .flatmap(lambda k: st.tuples(*[st.lists(st.integers(0, 40), min_size=k, max_size=k)] * 2))
    .filter(lambda table: sum(table[0]) > 0 < sum(table[1]))
)


def weights(shape: str, levels: int) -> np.ndarray:
    """Return the shares of the levels of a column."""
    ranks = np.arange(1, levels + 1.0)
    raw = {"even": np.ones(levels), "Zipf": ranks**-1.3, "halving": 0.5 ** np.minimum(ranks, 30)}
    return raw[shape] / raw[shape].sum()


def test_half_the_rows_in_another_level() -> None:
    assert c.total_variation(np.array([5, 5, 0]), np.array([5, 0, 5])) == 0.5


def test_one_row_each_of_one_level_moves_by_chance_alone() -> None:
    # Two levels with two rows: X is 0, 1, 2 with chances 1/4, 1/2, 1/4; mean deviation 1/2.
    # Drawn without replacement: times sqrt(2 / 3). Two levels, halved, over 2 rows a side.
    found = c.expected_by_chance(np.array([1, 1]), np.array([1, 1]))
    assert found == pytest.approx(np.sqrt(2 / 3) / 2)


def test_two_levels_are_fishers_exact_test() -> None:
    table = np.array([12, 30]), np.array([25, 20])
    assert c.equal_shares(*table) == fisher_mid_p(12, 42, 25, 45)


def test_one_level_is_no_evidence() -> None:
    assert c.equal_shares(np.array([10, 0]), np.array([7, 0])) == 1.0


@pytest.mark.parametrize("levels", [3, 10, 100])
def test_with_many_rows_it_is_the_chi_squared_test(levels: int) -> None:
    rng = np.random.default_rng(levels)
    table = rng.multinomial(10**6, weights("Zipf", levels), size=2)
    oracle = stats.chi2_contingency(table, correction=False)[1]
    assert c.equal_shares(*table) == pytest.approx(oracle, rel=0.02)


def test_mean_and_variance_are_those_of_all_tables() -> None:
    pooled, n = np.array([7, 4, 2, 1]), 6
    rows = np.repeat(np.arange(4), pooled)
    rng = np.random.default_rng(0)
    statistics = []
    for _ in range(20_000):
        held = np.bincount(rng.permutation(rows)[:n], minlength=4)
        chi = (held - pooled * n / 14) ** 2 / (pooled * (n / 14) * (8 / 14))
        statistics.append(chi.sum())
    assert np.mean(statistics) == pytest.approx(14 / 13 * 3, rel=0.02)
    found = c._variance(pooled.astype(float), n, 8)
    assert np.var(statistics) == pytest.approx(found, rel=0.05)


@given(table=tables, seed=st.integers(0, 99))
def test_order_and_sides_do_not_matter(table: tuple[list[int], list[int]], seed: int) -> None:
    one, two = np.array(table[0]), np.array(table[1])
    order = np.random.default_rng(seed).permutation(len(one))
    p_value = c.equal_shares(one, two)
    assert 0 < p_value <= 1
    assert c.equal_shares(one[order], two[order]) == pytest.approx(p_value)
    assert c.equal_shares(two, one) == pytest.approx(p_value)
    low, high = c.interval(one, two)
    value = c.total_variation(one, two)
    assert 0 <= low <= value <= high <= 1
    assert value == pytest.approx(c.total_variation(two, one))


@given(table=tables)
def test_levels_that_nobody_has_change_nothing(table: tuple[list[int], list[int]]) -> None:
    one, two = np.array(table[0]), np.array(table[1])
    padded = np.append(one, [0, 0]), np.append(two, [0, 0])
    assert c.equal_shares(*padded) == pytest.approx(c.equal_shares(one, two))
    assert c.expected_by_chance(*padded) == pytest.approx(c.expected_by_chance(one, two))


def test_a_new_vocabulary_is_found_among_ten_thousand_levels() -> None:
    one = np.repeat([3, 0], 10_000)
    assert c.equal_shares(one, one[::-1].copy()) < 1e-100


@pytest.mark.calibration
@pytest.mark.parametrize("levels", [2, 3, 8, 20, 100, 1000])
@pytest.mark.parametrize("shape", ["even", "Zipf", "halving"])
@pytest.mark.parametrize(("n", "m"), [(1000, 1000), (100, 1000), (1000, 100), (100_000, 300)])
def test_equal_samples_are_told_apart_in_five_percent(
    n: int, m: int, shape: str, levels: int, calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=400, full=1000)
    rng = np.random.default_rng([n, m, levels, len(shape)])
    one = rng.multinomial(n, weights(shape, levels), size=runs)
    two = rng.multinomial(m, weights(shape, levels), size=runs)
    p_values = [c.equal_shares(*pair) for pair in zip(one, two, strict=True)]
    assert_size(sum(p_value <= 0.05 for p_value in p_values), runs)


@pytest.mark.calibration
@pytest.mark.parametrize("levels", [2, 10, 200])
@pytest.mark.parametrize(("n", "m"), [(1000, 1000), (100, 1000)])
def test_the_interval_covers_and_chance_is_as_large_as_expected(
    n: int, m: int, levels: int
) -> None:
    rng = np.random.default_rng([n, m, levels, 2])
    law = rng.dirichlet(np.ones(levels))
    other = 0.8 * law + 0.2 * rng.dirichlet(np.ones(levels))
    for second in (law, other):
        one, two = rng.multinomial(n, law, size=300), rng.multinomial(m, second, size=300)
        truth = np.abs(law - second).sum() / 2
        pairs = list(zip(one, two, strict=True))
        ends = [c.interval(*pair) for pair in pairs]
        assert sum(low <= truth <= high for low, high in ends) >= 279
        if second is law:
            seen = [c.total_variation(*pair) for pair in pairs]
            expected = np.mean([c.expected_by_chance(*pair) for pair in pairs])
            assert np.mean(seen) == pytest.approx(expected, abs=4 * np.std(seen) / 17)


@pytest.mark.calibration
@pytest.mark.parametrize("levels", [2, 10, 100])
def test_a_detectable_change_is_detected(levels: int) -> None:
    rng = np.random.default_rng(levels)
    law = weights("even", levels)
    draws = rng.multinomial(500, law, size=2)
    change = c.change_seen(draws[0], draws[1])
    other = law * np.where(np.arange(levels) % 2 == 0, 1 + 2 * change, 1 - 2 * change)
    one, two = rng.multinomial(500, law, size=300), rng.multinomial(500, other, size=300)
    seen = sum(c.equal_shares(*pair) <= 0.05 for pair in zip(one, two, strict=True))
    assert seen >= 0.72 * 300
