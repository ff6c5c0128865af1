"""How far columns lie apart: exact on counts, with intervals that cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.profiles.binning import Binner, choose_edges
from detector.stats import wasserstein as w
from detector.stats.binned import Binned, coarse_bins
from detector.stats.ks import ks_test

if TYPE_CHECKING:
    from collections.abc import Callable

integers = st.lists(st.integers(-50, 50), min_size=2, max_size=80)


def binned(edges: np.ndarray, values: np.ndarray) -> Binned:
    """Return a sample over given edges, as a profile would know it."""
    return Binned.of(
        Binner.over(edges).counts(values),
        edges,
        mean=float(values.mean()),
        m2=float(((values - values.mean()) ** 2).sum()),
        minimum=float(values.min()),
        maximum=float(values.max()),
    )


def pair(reference: np.ndarray, candidate: np.ndarray) -> tuple[Binned, Binned]:
    """Return both samples over the reference's edges."""
    edges = choose_edges(reference)
    return binned(edges, reference), binned(edges, candidate)


def test_half_the_rows_moved_by_two_are_one_away() -> None:
    one, two = pair(np.array([0.0, 0.0, 2.0, 2.0]), np.array([0.0, 2.0, 2.0, 2.0]))
    assert w.wasserstein(one, two) == pytest.approx(0.5)


def test_a_lone_giant_counts_with_its_own_distance() -> None:
    one, two = pair(np.arange(100.0), np.append(np.arange(99.0), 1e6))
    assert w.wasserstein(one, two) == pytest.approx((1e6 - 99) / 100)


def test_a_code_for_missing_far_below_the_range_is_measured_exactly() -> None:
    reference, candidate = np.arange(100.0), np.arange(100.0)
    candidate[:30] = -999.0
    oracle = stats.wasserstein_distance(reference, candidate)
    assert w.wasserstein(*pair(reference, candidate)) == pytest.approx(oracle)


@pytest.mark.parametrize("shift", [0.05, 0.3, 0.5, -0.2])
def test_integers_moved_by_a_fraction_are_a_fraction_away(shift: float) -> None:
    values = np.random.default_rng(0).poisson(3, 5000).astype(float)
    assert w.wasserstein(*pair(values, values + shift)) == pytest.approx(abs(shift), rel=0.02)


@given(reference=integers, candidate=integers)
def test_over_all_values_as_edges_it_is_scipys(reference: list[int], candidate: list[int]) -> None:
    one, two = np.array(reference, float), np.array(candidate, float)
    edges = np.unique(np.concatenate((one, two)))
    found = w.wasserstein(binned(edges, one), binned(edges, two))
    assert found == pytest.approx(stats.wasserstein_distance(one, two), abs=1e-9)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e9])
def test_over_quantile_edges_it_is_close_to_scipys(scale: float) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.lognormal(size=5000) * scale, rng.lognormal(0.2, 1.1, size=4000) * scale
    oracle = stats.wasserstein_distance(x, y)
    assert w.wasserstein(*pair(x, y)) == pytest.approx(oracle, rel=0.01)


@given(
    seed=st.integers(0, 999),
    n=st.integers(3, 40),
    scale=st.floats(0.01, 100),
    start=st.floats(-9, 9),
)
def test_it_scales_with_the_unit_and_ignores_the_origin(
    seed: int, n: int, scale: float, start: float
) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.random(n), rng.random(n) + 0.5
    plain, moved = pair(x, y), pair(start + scale * x, start + scale * y)
    assert w.wasserstein(*moved) == pytest.approx(scale * w.wasserstein(*plain), rel=1e-6)
    assert moved[0].spread == pytest.approx(scale * plain[0].spread, rel=1e-6)


def test_the_spread_of_a_normal_column_is_nearly_its_standard_deviation() -> None:
    one, _ = pair(np.random.default_rng(0).standard_normal(100_000), np.zeros(1))
    assert one.spread == pytest.approx(0.982, abs=0.01)


def test_one_stray_value_does_not_stretch_the_spread() -> None:
    values = np.random.default_rng(0).standard_normal(1000)
    strayed = np.append(values[:-1], 1e9)
    assert pair(strayed, values)[0].spread == pytest.approx(
        pair(values, values)[0].spread, rel=0.05
    )


def test_nearly_constant_columns_fall_back_to_the_standard_deviation() -> None:
    values = np.zeros(1000)
    values[0] = 1.0
    assert pair(values, values)[0].spread == pytest.approx(values.std(ddof=1))


def test_quantiles_and_shares_undo_each_other() -> None:
    one, _ = pair(np.arange(10.0), np.arange(10.0))
    assert one.shares_upto(np.array([-1.0, 0.0, 4.5, 9.0, 10.0])).tolist() == pytest.approx(
        [0.0, 0.1, 0.5, 1.0, 1.0]
    )
    assert one.quantiles(np.array([0.5]))[0] == pytest.approx(4.0, abs=1.0)


@pytest.mark.parametrize("distinct", [2, 7, 40, 5000])
def test_coarse_bins_share_out_every_row(distinct: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, distinct, 3000).astype(float)
    edges, before, after = coarse_bins(*pair(x, rng.permutation(x) + 0.5))
    assert len(before) == len(after) <= 40
    assert len(before) in {len(edges) - 1, len(edges) + 1}
    assert before.sum() == pytest.approx(1.0)
    assert after.sum() == pytest.approx(1.0)
    assert (np.diff(edges) > 0).all()


LAWS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "zero-inflated": lambda rng, n: np.where(rng.random(n) < 0.8, 0.0, rng.exponential(size=n)),
    "small integers": lambda rng, n: rng.poisson(3, n).astype(float),
}


@pytest.mark.calibration
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("n", "m"), [(100, 100), (1000, 1000), (300, 3000)])
def test_the_interval_covers_and_chance_is_as_large_as_expected(
    law: str, n: int, m: int, calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=100, full=500)
    rng = np.random.default_rng([n, m, len(law)])
    covered = dict.fromkeys((0.0, 0.05, 0.3), 0)
    seen, expected = [], []
    for _ in range(runs):
        x, y = LAWS[law](rng, n), LAWS[law](rng, m)
        for shift in covered:
            one, two = pair(x, y + shift)
            low, high = w.interval(one, two)
            covered[shift] += low <= shift <= high
            if shift == 0:
                seen.append(w.wasserstein(one, two))
                expected.append(w.expected_by_chance(one, two))
    assert min(covered.values()) >= 0.93 * runs
    error = np.std(seen) / np.sqrt(runs)
    assert np.mean(seen) == pytest.approx(np.mean(expected), abs=4 * error)


@pytest.mark.calibration
@pytest.mark.parametrize("law", ["normal", "exponential"])
@pytest.mark.parametrize(("n", "m"), [(300, 300), (5000, 500)])
def test_a_detectable_shift_is_detected(
    law: str, n: int, m: int, calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=100, full=500)
    rng = np.random.default_rng([n, m, len(law), 1])
    seen = 0
    for _ in range(runs):
        x, y = LAWS[law](rng, n), LAWS[law](rng, m)
        edges = choose_edges(x)
        moved = y + w.shift_seen(binned(edges, x), w.gap_seen(n, m))
        count = Binner.over(edges).counts
        seen += ks_test(count(x), count(moved)).p_value <= 0.05
    assert seen >= 0.72 * runs
