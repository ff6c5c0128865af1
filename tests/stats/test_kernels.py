"""Sums of exact kernels over units of rows, and the bandwidths they are made for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel

from detector.stats.kernels import MOST_BANDWIDTHS, choose_ladder, sum_kernels


def rows(count: int, columns: int = 3, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, columns)).astype(np.float32)


def test_two_points_two_apart_have_the_kernel_worked_by_hand() -> None:
    points = np.array([[0.0], [2.0]], np.float32)
    sums = sum_kernels(points, np.arange(2), np.array([2.0, 1.0]))
    far = np.exp([-0.5, -2.0])
    assert sums.grams[:, 0, 1] == pytest.approx(far, rel=1e-6)
    assert sums.grams[:, 0, 0] == pytest.approx([1.0, 1.0])
    # ||phi(0) - phi(2)||^2 = 2 - 2 k(0, 2)
    assert sums.forms(np.array([[1.0], [-1.0]], np.float32))[:, 0] == pytest.approx(2 - 2 * far)


@settings(max_examples=15)
@given(seed=st.integers(0, 99), units=st.integers(1, 40))
def test_sums_are_those_of_scikit_learns_kernel(seed: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    points = rows(700, seed=seed)
    unit = np.concatenate((np.arange(units), rng.integers(0, units, 700 - units)))
    bandwidths = 8.0 / 2.0 ** np.arange(6)
    sums = sum_kernels(points, unit, bandwidths)
    member = np.eye(units)[unit]
    for gram, width in zip(sums.grams, bandwidths, strict=True):
        expected = member.T @ rbf_kernel(points.astype(float), gamma=0.5 / width**2) @ member
        assert gram == pytest.approx(expected, rel=1e-3, abs=1e-2)
    mean = sums.grams.mean(0)
    weights = rng.standard_normal((units, 2)).astype(np.float32)
    assert sums.against(weights) == pytest.approx(mean @ weights, rel=1e-3, abs=0.1)
    assert sums.squares() == pytest.approx(np.diag(mean), rel=1e-5)


def test_a_ladder_spans_the_distances_in_octaves() -> None:
    points = rows(600, 2)
    ladder = choose_ladder(points)
    assert ladder is not None
    distances = np.sqrt(((points[:, None] - points) ** 2).sum(-1))[np.triu_indices(600, 1)]
    near, far = np.quantile(distances, (0.05, 0.95))
    assert ladder.bandwidths[-1] == pytest.approx(near / 2, rel=1e-4)
    assert 2 * far <= ladder.bandwidths[0] < 4 * far
    assert ladder.bandwidths[:-1] == pytest.approx(2 * ladder.bandwidths[1:])
    assert ladder.second_moments == pytest.approx(
        [np.exp(-((distances / width) ** 2)).mean() for width in ladder.bandwidths], rel=1e-4
    )


def test_a_ladder_scales_with_the_rows() -> None:
    one, two = choose_ladder(rows(200)), choose_ladder(8 * rows(200))
    assert one is not None
    assert two is not None
    assert two.bandwidths == pytest.approx(8 * one.bandwidths, rel=1e-5)
    assert two.second_moments == pytest.approx(one.second_moments, rel=1e-5)


def test_equal_rows_have_no_ladder() -> None:
    assert choose_ladder(np.full((50, 3), 7.7, np.float32)) is None
    assert choose_ladder(np.empty((1, 3), np.float32)) is None


def test_a_ladder_over_atoms_and_far_points_stays_short() -> None:
    points = np.zeros((600, 1), np.float32)
    points[::3] = np.random.default_rng(0).uniform(0, 1e-3, (200, 1))
    points[::7] = 1e6
    ladder = choose_ladder(points)
    assert ladder is not None
    assert len(ladder.bandwidths) <= MOST_BANDWIDTHS
    assert np.isfinite(ladder.second_moments).all()
