"""Normal scores: hand values, fixed by ranks alone, and an influence that is the real one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats.normal_scores import normal_scores

columns = st.lists(st.integers(-3, 3), min_size=2, max_size=40).map(
    lambda values: np.array(values, dtype=np.float64)
)


def test_two_halves_score_the_mean_of_half_a_normal() -> None:
    scores = normal_scores(np.array([0.0, 1.0])).scores
    assert scores == pytest.approx([-np.sqrt(2 / np.pi), np.sqrt(2 / np.pi)])


def test_a_zero_inflated_column_scores_its_zeros_by_their_share() -> None:
    zero, rest = 0.4, stats.truncnorm(stats.norm.ppf(0.4), np.inf).mean()
    found = normal_scores(np.array([0.0] * 4 + [1.0] * 6))
    assert found.scores[0] == pytest.approx(-rest * (1 - zero) / zero)
    assert found.scores[9] == pytest.approx(rest)


def test_distinct_values_score_nearly_as_expected_normal_order_statistics() -> None:
    scores = normal_scores(np.arange(200.0)).scores
    expected = stats.norm.ppf((np.arange(200) + 0.5) / 200)
    assert scores[1:-1] == pytest.approx(expected[1:-1], abs=0.02)
    assert np.square(scores).mean() == pytest.approx(1.0, abs=0.02)


def test_a_constant_or_empty_column_has_no_scores() -> None:
    for values in (np.ones(5), np.full(5, np.nan), np.empty(0)):
        found = normal_scores(values)
        assert found.variance == 0.0
        assert not found.scores.any()


def test_missing_values_score_nothing_and_infinities_are_the_extreme_ranks() -> None:
    found = normal_scores(np.array([np.nan, -np.inf, 0.0, np.inf]))
    assert found.scores[0] == found.drag[0] == 0.0
    assert found.scores[1:] == pytest.approx(normal_scores(np.arange(3.0)).scores)


@given(values=columns)
def test_scores_are_centered_and_rise_with_the_values(values: np.ndarray) -> None:
    found = normal_scores(values)
    assert found.scores.mean() == pytest.approx(0.0, abs=1e-12)
    assert found.drag.mean() == pytest.approx(0.0, abs=1e-12)
    assert np.square(found.scores).mean() == pytest.approx(found.variance)
    order = np.argsort(values, kind="stable")
    assert (np.diff(found.scores[order]) >= 0).all()


@given(values=columns)
def test_a_rising_transform_changes_nothing(values: np.ndarray) -> None:
    plain, bent = normal_scores(values), normal_scores(np.exp(values) * 3 - 1)
    assert np.array_equal(plain.scores, bent.scores)
    assert np.array_equal(plain.drag, bent.drag)


@pytest.mark.parametrize("cuts", [(0.0,), (0.7,), (-0.5, 0.2, 1.0)])
def test_cutting_one_side_of_a_normal_pair_keeps_its_correlation(cuts: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((100_000, 2))
    z[:, 1] = 0.6 * z[:, 0] + 0.8 * z[:, 1]
    one, other = normal_scores(np.digitize(z[:, 0], cuts).astype(float)), normal_scores(z[:, 1])
    latent = (one.scores * other.scores).mean() / one.variance / other.variance
    assert latent == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("decimals", [8, 0])
def test_the_drag_is_what_repeating_a_row_does_to_the_coefficient(decimals: int) -> None:
    # The influence of a row by doubling it: (coefficient with the row twice - without) * n.
    rng = np.random.default_rng(1)
    x = rng.standard_normal(3000).round(decimals)
    y = 0.6 * x + 0.8 * rng.standard_normal(3000)
    one, other = normal_scores(x), normal_scores(y)
    product = one.scores * other.scores / one.variance / other.variance
    linear = product - product.mean() * (1 + one.drag + other.drag)
    rows = rng.choice(3000, 60, replace=False)
    real = []
    for row in rows:
        twice = [normal_scores(np.append(values, values[row])) for values in (x, y)]
        after = (twice[0].scores * twice[1].scores).mean() / twice[0].variance / twice[1].variance
        real.append((after - product.mean()) * 3001)
    assert np.std(real) > 0.5
    assert np.std(linear[rows] - real) < 0.1
