"""Modes that are gone: by hand, by oracle, and as often right as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.stats import modes as md
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable

    Runs = Callable[..., int]

counts = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(any), min_size=1, max_size=8
)


def test_a_mode_that_is_gone_has_nothing_left_by_hand() -> None:
    # One mode of two. All ten rows of it on one side of 20 each: C(20, 10) / C(40, 10), halved.
    found = md.modes(np.array([10, 10]), np.array([20, 0]))
    assert found.left.tolist() == [2.0, 0.0]
    law = stats.hypergeom(40, 10, 20)
    assert found.p_value[1] == pytest.approx(law.pmf(0) / 2)
    # Clopper and Pearson for none of ten at level 0.05 / 2 / 2, as odds.
    share = 1 - 0.0125**0.1
    assert found.high[1] == pytest.approx(share / (1 - share))


def test_unequal_samples_are_compared_by_their_shares() -> None:
    found = md.modes(np.array([100, 300]), np.array([10, 30]))
    assert found.left == pytest.approx([1.0, 1.0])
    assert np.all((found.low < 1) & (found.high > 1))


@given(counts=counts)
def test_every_number_is_in_its_range(counts: list[tuple[int, int]]) -> None:
    reference, candidate = np.array(counts).T
    if not (reference.any() and candidate.any()):
        return
    found = md.modes(reference, candidate)
    assert np.all((found.p_value > 0) & (found.p_value <= 1))
    assert np.all(found.low <= found.high)
    seen = reference > 0
    assert np.all((found.low <= found.left + 1e-9) & (found.left <= found.high + 1e-9) | ~seen)


def test_four_heaps_are_four_cells() -> None:
    rng = np.random.default_rng(0)
    heap = rng.integers(0, 4, 400)
    middle = np.array([[-3.0, -3], [3, 3], [-3, 3], [3, -3]])
    rows = (middle[heap] + rng.standard_normal((400, 2)) / 5).astype(np.float32)
    cell = md.cut_modes(rows, 4, rng)
    assert len({(a, b) for a, b in zip(heap.tolist(), cell.tolist(), strict=True)}) == 4


def test_fewer_different_rows_than_cells_are_a_cell_each() -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)
    cell = md.cut_modes(rows, 9, np.random.default_rng(1))
    assert sorted(np.bincount(cell)) == [5, 5, 5]
    assert set(md.cut_modes(np.zeros((6, 2), np.float32), 3, np.random.default_rng(2))) == {0}


def test_an_outlier_has_no_cell_to_itself() -> None:
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((300, 2)).astype(np.float32)
    rows[0] = 1e6
    assert np.bincount(md.cut_modes(rows, 3, rng)).min() > 10


@pytest.mark.calibration
@pytest.mark.parametrize(("n", "m"), [(300, 300), (1000, 400)])
def test_at_most_five_percent_of_equal_samples_have_lost_a_mode(
    n: int, m: int, calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=400, full=4_000)
    rng = np.random.default_rng([n, m])
    rejected = missed = 0
    for _ in range(runs):
        rows = rng.standard_normal((n + m, 3)).astype(np.float32)
        cell = md.cut_modes(rows, (n + m) // 100, rng)
        sides = [np.bincount(part, minlength=cell.max() + 1) for part in np.split(cell, [n])]
        found = md.modes(*sides)
        rejected += len(sides[0]) * found.p_value.min() <= 0.05
        missed += bool(np.any((found.low > 1) | (found.high < 1)))
    assert rejected <= band(runs)[1]
    assert missed <= band(runs)[1]
