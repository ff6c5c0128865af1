"""Changes between neighbours, against every order of the same values."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from detector.stats.runs import changes_p_value, expected_changes

if TYPE_CHECKING:
    from collections.abc import Callable


def changes(rows: np.ndarray) -> np.ndarray:
    """Return the changes of each sequence, shape (b, n) to (b,)."""
    return (rows[:, 1:] != rows[:, :-1]).sum(axis=1)


def test_two_of_seventy_orders_have_one_change() -> None:
    assert changes_p_value(1, [4, 4]) == pytest.approx(2 * 2 / 70)


def test_two_of_seventy_orders_change_every_time() -> None:
    assert changes_p_value(7, [4, 4]) == pytest.approx(2 * 2 / 70)


def test_one_side_or_nothing_but_single_values_tell_nothing() -> None:
    assert changes_p_value(0, [9, 0]) is None
    assert changes_p_value(3, [1, 1, 1, 1]) is None
    assert changes_p_value(0, []) is None


@settings(deadline=None, max_examples=30)
@given(counts=st.lists(st.integers(1, 4), min_size=2, max_size=2))
def test_two_sides_have_the_law_of_all_orders(counts: list[int]) -> None:
    every = np.array(list(permutations(np.repeat([0, 1], counts))))
    found = changes(every)
    assert found.mean() == pytest.approx(expected_changes(counts))
    if max(counts) > 1:
        for seen in np.unique(found):
            tail = min((found <= seen).mean(), (found >= seen).mean())
            assert changes_p_value(int(seen), counts) == pytest.approx(min(1.0, 2 * tail))


def test_many_sides_have_the_mean_and_spread_of_all_orders() -> None:
    rng = np.random.default_rng(0)
    counts = [30, 50, 40]
    drawn = changes(rng.permuted(np.tile(np.repeat([0, 1, 2], counts), (40_000, 1)), axis=1))
    assert drawn.mean() == pytest.approx(expected_changes(counts), abs=0.15)
    seen = round(drawn.mean() - 2 * drawn.std())
    normal = 2 * norm.cdf((seen + 0.5 - drawn.mean()) / drawn.std())
    assert changes_p_value(seen, counts) == pytest.approx(normal, rel=0.1)


def test_a_large_sample_is_as_near_as_an_exact_one() -> None:
    exact, near = changes_p_value(4850, [5000, 5000]), changes_p_value(4850, [5001, 5000])
    assert exact is not None
    assert near == pytest.approx(exact, rel=0.1)


@pytest.mark.calibration
@pytest.mark.parametrize(
    "counts",
    [[50, 50], [97, 3], [34, 33, 33], [60, 20, 20], [90, 5, 5], [450, 50, 50], [10] * 10, [2] * 50],
    ids=str,
)
def test_shuffled_values_seldom_look_ordered(
    counts: list[int], calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=4_000, full=40_000)
    rng = np.random.default_rng(len(counts) + counts[0])
    values = np.repeat(np.arange(len(counts)), counts)
    found = changes(rng.permuted(np.tile(values, (runs, 1)), axis=1))
    chances = {int(seen): changes_p_value(int(seen), counts) for seen in np.unique(found)}
    p_values = np.array([chances[int(seen)] for seen in found])
    for level in (0.05, 0.001):
        most = runs * level + 3.3 * np.sqrt(runs * level)
        assert (p_values <= level).sum() <= most
