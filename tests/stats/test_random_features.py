"""Random features stand in for exact kernels."""

from __future__ import annotations

import numpy as np
import pytest

from detector.stats.kernels import sum_kernels
from detector.stats.random_features import frequencies, octaves, sum_features

BANDWIDTHS = 16.0 / 2.0 ** np.arange(8)


def rows(count: int, columns: int = 3) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((count, columns)).astype(np.float32)


def test_doubled_angles_are_the_angles_of_half_the_bandwidth() -> None:
    projected = 30 * rows(50, 7)
    found = [waves.copy() for waves in octaves(projected, BANDWIDTHS)]
    assert len(found) == len(BANDWIDTHS)
    for waves, width in zip(found, BANDWIDTHS, strict=True):
        angle = projected.astype(np.float64) / width
        assert waves[0] == pytest.approx(np.cos(angle), abs=1e-3)
        assert waves[1] == pytest.approx(np.sin(angle), abs=1e-3)


def test_features_approach_the_exact_kernel() -> None:
    points = rows(300)
    unit = np.arange(300) // 20
    exact = sum_kernels(points, unit, BANDWIDTHS)
    sums = sum_features(points, unit, BANDWIDTHS, frequencies(3, 4000, np.random.default_rng(1)))
    estimate = np.einsum("kuf,kvf->kuv", sums.sums, sums.sums)
    assert estimate == pytest.approx(exact.grams, abs=400 * 5 / np.sqrt(4000))
    weights = np.random.default_rng(2).standard_normal((15, 4)).astype(np.float32)
    assert sums.forms(weights) == pytest.approx(exact.forms(weights), rel=0.15, abs=20)
    assert sums.against(weights) == pytest.approx(exact.against(weights), abs=60)
    assert sums.squares() == pytest.approx(exact.squares(), rel=0.1)


def test_against_is_the_projection_on_a_weighted_sum() -> None:
    sums = sum_features(rows(90), np.arange(90) // 3, BANDWIDTHS, rows(3, 16))
    weights = np.random.default_rng(0).standard_normal((30, 2)).astype(np.float32)
    points = np.einsum("uc,kuf->kcf", weights, sums.sums).astype(np.float64)
    assert sums.against(weights) == pytest.approx(sums.project(points), rel=1e-3, abs=1e-3)


def test_rows_may_come_projected_and_in_any_order() -> None:
    points, frequency = rows(1000), rows(3, 32)
    unit = np.random.default_rng(0).integers(0, 500, 1000)
    unit[:500] = np.arange(500)
    one = sum_features(points, unit, BANDWIDTHS, frequency)
    order = np.random.default_rng(1).permutation(1000)
    two = sum_features((points @ frequency)[order], unit[order], BANDWIDTHS, None)
    assert one.sums == pytest.approx(two.sums, abs=2e-3)


def test_single_rows_are_units_too() -> None:
    points, frequency = rows(300), rows(3, 8)
    alone = sum_features(points, np.arange(300), BANDWIDTHS, frequency)
    pairs = sum_features(points, np.arange(300) // 2, BANDWIDTHS, frequency)
    assert alone.sums[:, ::2] + alone.sums[:, 1::2] == pytest.approx(pairs.sums, abs=1e-5)
