"""Bin counts are exact whatever the column looks like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detector.profiles.binning import MAX_EDGES, Binner, choose_edges

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
columns = hnp.arrays(np.float64, st.integers(0, 300), elements=finite)


def searched(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Count by binary search: slow, obviously right."""
    left = np.searchsorted(edges, values, side="left")
    right = np.searchsorted(edges, values, side="right")
    return np.bincount(left + right, minlength=2 * len(edges) + 1)


def test_four_values_over_two_edges_by_hand() -> None:
    counts = Binner.over(np.array([1.0, 2.0])).counts(np.array([0.0, 1.0, 1.5, 2.0, 2.0, 9.0]))
    assert counts.tolist() == [1, 1, 1, 2, 1]


@given(reference=columns, values=columns, most=st.integers(2, 40))
def test_counts_equal_a_binary_search(reference: np.ndarray, values: np.ndarray, most: int) -> None:
    edges = choose_edges(reference, most=most)
    both = np.concatenate([values, reference])
    assert np.array_equal(Binner.over(edges).counts(both), searched(edges, both))


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.standard_normal(40_000),
        lambda rng: np.exp(3 * rng.standard_normal(40_000)),
        lambda rng: rng.standard_cauchy(40_000),
        lambda rng: 1e12 + rng.random(40_000),
        lambda rng: rng.poisson(3, 40_000).astype(float),
        lambda rng: np.where(rng.random(40_000) < 0.6, 0.0, rng.random(40_000)),
        lambda rng: rng.standard_normal(40_000) * 1e307,
        lambda rng: rng.random(40_000) * 5e-324,
    ],
)
def test_counts_are_exact_on_awkward_shapes(draw: object) -> None:
    values = draw(np.random.default_rng(5))  # type: ignore[operator]
    edges = choose_edges(values[:20_000])
    assert np.array_equal(Binner.over(edges).counts(values), searched(edges, values))


def test_few_distinct_values_are_all_edges() -> None:
    values = np.repeat(np.arange(MAX_EDGES, dtype=float), 3)
    assert choose_edges(values).tolist() == list(range(MAX_EDGES))


def test_a_heavy_value_is_always_an_edge() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(100_000)
    values[:200] = 0.123
    assert 0.123 in choose_edges(values)


def test_no_edges_leave_one_place_for_everything() -> None:
    assert Binner.over(np.empty(0)).counts(np.array([1.0, 2.0])).tolist() == [2]
