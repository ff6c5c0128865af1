"""Bounds on how often a test of level 0.05 may reject."""

from __future__ import annotations

from scipy import stats


def band(runs: int, *, level: float = 0.05) -> tuple[int, int]:
    """Return the central 99.9 % of a binomial count; 29 and 74 for 1000 runs at 0.05."""
    law = stats.binom(runs, level)
    return int(law.ppf(0.0005)), int(law.ppf(0.9995))


def assert_size(rejected: int, runs: int) -> None:
    """Assert that so many rejections in so many runs fit the level 0.05."""
    low, high = band(runs)
    assert low <= rejected <= high, f"{rejected} of {runs} rejected, {low} to {high} expected"
