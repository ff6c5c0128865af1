"""Many means at once: exact on few rows, valid on many, never a p-value of zero."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats.many_means import ManyMeans, many_means
from tests.stats.rates import assert_size


def run(sums: np.ndarray, *, first: int, permutations: int = 199, seed: int = 0) -> ManyMeans:
    """Test rows that are bundles of their own."""
    return many_means(
        sums.astype(np.float32),
        np.ones(len(sums), dtype=np.int64),
        first=first,
        weights=np.ones(sums.shape[1]),
        permutations=permutations,
        rng=np.random.default_rng(seed),
    )


def test_one_mean_is_welchs_t_test() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.standard_normal(40), 2 * rng.standard_normal(90) + 0.3])
    found = run(rows[:, None], first=40)
    welch = stats.ttest_ind(rows[:40], rows[40:], equal_var=False)
    assert found.difference[0] == pytest.approx(rows[:40].mean() - rows[40:].mean(), rel=1e-4)
    assert found.difference[0] / found.error[0] == pytest.approx(welch.statistic, rel=1e-3)


def test_the_p_value_is_the_share_of_divisions_that_do_as_much() -> None:
    rows = np.array([0.0, 0.1, 0.3, 2.0, 2.1, 2.4, 2.2])

    def t(first: tuple[int, ...]) -> float:
        inside = np.isin(np.arange(7), first)
        return abs(stats.ttest_ind(rows[inside], rows[~inside], equal_var=False).statistic)

    divisions = [t(first) for first in combinations(range(7), 3)]
    exact = np.mean([value >= t((0, 1, 2)) - 1e-9 for value in divisions])
    found = run((rows - rows.mean())[:, None], first=3, permutations=3999)
    assert found.p_values[0] == pytest.approx(exact, abs=0.01)


def test_far_beyond_every_permutation_the_p_value_goes_on_falling_but_not_to_zero() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 3))
    rows[:200, 1] += 30
    found = run(rows - rows.mean(axis=0), first=200)
    assert 0 < found.p_values[1] < 1e-50
    assert 0 < found.p_value < 1e-50
    assert found.p_values[0] > 0.05


@given(
    n=st.integers(2, 12),
    m=st.integers(2, 12),
    k=st.integers(1, 5),
    seed=st.integers(0, 50),
    grain=st.sampled_from([0, 1, 8]),
)
def test_p_values_lie_in_range_and_the_family_is_no_surer_than_its_members(
    n: int, m: int, k: int, seed: int, grain: int
) -> None:
    rows = np.random.default_rng(seed).standard_normal((n + m, k)).round(grain)
    found = run(rows, first=n, permutations=99, seed=seed)
    assert ((found.p_values > 0) & (found.p_values <= 1)).all()
    assert 0 < found.p_value <= 1
    assert found.critical >= 0
    worst = np.argmax(np.abs(found.difference / found.error))
    assert found.p_values[worst] == found.p_values.min()


def test_rows_that_do_not_vary_are_no_difference() -> None:
    found = run(np.zeros((30, 2)), first=10)
    assert found.p_values.tolist() == [1.0, 1.0]
    assert found.p_value == 1.0


@pytest.mark.calibration
@pytest.mark.parametrize(("n", "m"), [(20, 20), (15, 150)])
def test_unequal_spreads_do_not_make_a_difference_of_means(
    n: int, m: int, calibration_runs: object
) -> None:
    runs = calibration_runs(bounded=400, full=1000)  # type: ignore[operator]
    rng = np.random.default_rng([n, m])
    rejected = 0
    for seed in range(runs):
        rows = rng.standard_normal((n + m, 10))
        rows[n:] *= 2
        rejected += run(rows, first=n, permutations=99, seed=seed).p_value <= 0.05
    assert_size(rejected, runs)
