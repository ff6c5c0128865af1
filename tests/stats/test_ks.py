"""The Kolmogorov-Smirnov test has its size on ties, spikes and rounded numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detector.profiles.binning import Binner, choose_edges
from detector.stats.ks import ks_test
from tests.stats.rates import assert_size

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[np.random.Generator, int], np.ndarray]

COLUMNS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "rounded": lambda rng, n: rng.standard_normal(n).round(1),
    "small integers": lambda rng, n: rng.poisson(2, n).astype(float),
    "hundred integers": lambda rng, n: rng.integers(0, 100, n).astype(float),
    "zero-inflated": lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, rng.exponential(size=n)),
    "spike inside": lambda rng, n: np.where(rng.random(n) < 0.4, 0.0, rng.standard_normal(n)),
    "two values": lambda rng, n: (rng.random(n) < 0.3).astype(float),
}
SIZES = [(200, 200), (1000, 1000), (100, 1000), (1000, 100), (3000, 1500)]


def counts(reference: np.ndarray, candidate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count both samples over the reference's edges."""
    binner = Binner.over(choose_edges(reference))
    return binner.counts(reference), binner.counts(candidate)


def by_permutation(reference: np.ndarray, candidate: np.ndarray, draws: int) -> float:
    """Return the mid-p value of the largest gap by shuffling labels: slow, obviously right."""
    pooled = np.sort(np.concatenate((reference, candidate)))
    ends = np.append(np.flatnonzero(np.diff(pooled)), len(pooled) - 1)
    n, m = len(reference), len(candidate)
    rng = np.random.default_rng(1)
    first = np.searchsorted(np.sort(reference), pooled[ends], side="right")
    second = np.searchsorted(np.sort(candidate), pooled[ends], side="right")
    seen = np.abs(first * m - second * n).max()
    labels = rng.permuted(np.tile(np.arange(n + m) < n, (draws, 1)), axis=1)
    held = np.cumsum(labels, axis=1)[:, ends]
    gaps = np.abs(held * m - (ends + 1 - held) * n).max(axis=1)
    return float((gaps > seen).mean() + (gaps == seen).mean() / 2)


def test_two_values_a_half_apart() -> None:
    assert ks_test(np.array([0, 4, 0, 0, 0]), np.array([0, 2, 0, 2, 0])).statistic == 0.5


def test_one_row_of_two_in_each_sample_by_hand() -> None:
    # Labels of a, b | c, d: six orders, of which two have a gap of one.
    found = ks_test(np.array([0, 1, 0, 1, 0]), np.array([0, 0, 0, 0, 2]))
    assert found.statistic == 1.0
    assert found.p_value == pytest.approx((2 / 6) / 2)


def test_the_same_counts_are_no_evidence() -> None:
    assert ks_test(np.array([0, 5, 0, 5, 0]), np.array([0, 5, 0, 5, 0])) == (0.0, 1.0)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 30), m=st.integers(2, 30))
def test_without_ties_it_lies_half_a_step_below_scipys_exact_p_value(
    seed: int, n: int, m: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.random(n), rng.random(m)
    exact = stats.ks_2samp(x, y, method="exact")
    found = ks_test(*counts(x, y))
    assert found.statistic == pytest.approx(exact.statistic)
    assert exact.pvalue / 2 * (1 - 1e-9) <= found.p_value <= exact.pvalue * (1 + 1e-9)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize(("n", "m"), [(40, 30), (60, 200), (300, 250)])
def test_it_agrees_with_shuffled_labels(name: str, n: int, m: int) -> None:
    rng = np.random.default_rng([n, m])
    x, y = COLUMNS[name](rng, n), COLUMNS[name](rng, m)
    found, slow = ks_test(*counts(x, y)).p_value, by_permutation(x, y, 4000)
    error = 4 * np.sqrt(slow * (1 - slow) / 4000)
    assert found == pytest.approx(slow, abs=error + 0.05 * slow + 0.002)


@given(
    reference=st.lists(st.integers(0, 50), min_size=5, max_size=41),
    seed=st.integers(0, 99),
)
def test_it_is_symmetric_and_a_probability(reference: list[int], seed: int) -> None:
    one = np.array([*reference[: len(reference) // 2 * 2 - 1], 1, 1])
    two = np.random.default_rng(seed).permutation(one)
    forth, back = ks_test(one, two), ks_test(two, one)
    assert forth.statistic == pytest.approx(back.statistic)
    assert forth.p_value == pytest.approx(back.p_value, rel=1e-6)
    assert 0 < forth.p_value <= 1


def test_a_lone_new_value_among_millions_is_as_likely_as_it_is() -> None:
    # One of a thousand candidate rows beyond a million equal ones: 1 in 1001, both ways.
    found = ks_test(np.array([0, 10**6, 0]), np.array([0, 999, 1]))
    assert found.p_value == pytest.approx(0.001 / 2, rel=0.01)


@pytest.mark.parametrize("place", [0, 5, 10])
def test_a_rare_value_beside_large_ties_does_not_cry_drift(place: int) -> None:
    # Departure times: ten values of twenty thousand rows, and one of two.
    pooled = np.insert(np.full(10, 20_000), place, 2)
    rng = np.random.default_rng(place)
    seen = []
    for _ in range(400):
        side = rng.multivariate_hypergeometric(pooled, int(pooled.sum()) // 2)
        held = np.zeros((2, 2 * len(pooled) + 1), np.int64)
        held[:, 1::2] = side, pooled - side
        seen.append(ks_test(*held).p_value)
    rejected = int((np.array(seen) <= 0.05).sum())
    assert stats.binom.ppf(0.0005, 400, 0.05) <= rejected <= stats.binom.ppf(0.9995, 400, 0.05)


def test_samples_apart_have_a_tiny_p_value_and_never_zero() -> None:
    for rows in (20, 2000, 10**6):
        p_value = ks_test(np.array([0, rows, 0, 0, 0]), np.array([0, 0, 0, rows, 0])).p_value
        assert 0 < p_value < 1e-9


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="need a row on each side"):
        ks_test(np.array([0, 0, 0]), np.array([0, 1, 0]))


@pytest.mark.calibration
@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_equal_samples_are_told_apart_in_five_percent(
    name: str, n: int, m: int, calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=200, full=1000)
    rng = np.random.default_rng([n, m, len(name)])
    rejected = 0
    for _ in range(runs):
        pair = counts(COLUMNS[name](rng, n), COLUMNS[name](rng, m))
        rejected += ks_test(*pair).p_value <= 0.05
    assert_size(rejected, runs)
