"""A kernel learned on rows that then stay out gives an honest test of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from detector.stats.chosen_kernel import chosen_kernel_test, split_rows
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Gaussian:
    """A kernel in the spread of the rows that it learned from."""

    scales: ClassVar[Sequence[float]] = (0.1, 0.3, 1.0, 3.0)
    learned: ClassVar[list[np.ndarray]] = []

    def __init__(self, rows):
        Gaussian.learned[:] = [rows]
        spread = rows.std(axis=0)
        self.unit = np.where(spread > 0, spread, 1.0)

    def gram(self, rows, *, scale):
        scaled = rows / self.unit
        apart = ((scaled[:, None] - scaled[None]) ** 2).sum(axis=2)
        return np.exp(-apart * scale**2 / 2)


class Alone:
    """A kernel under which no two rows are alike."""

    scales: ClassVar[Sequence[float]] = (1.0, 2.0)

    def gram(self, rows, *, scale):
        return scale * np.eye(len(rows)) / scale


def drawn(rng, *, n=40, m=40, shift=0.0):
    rows = rng.standard_normal((n + m, 2)).astype(np.float32)
    rows[n:] += np.float32(shift)
    return rows, np.arange(n + m) >= n


def measured(rows, candidate, rng, **options):
    plain = {"permutations": 99, "learn": Gaussian}
    return chosen_kernel_test(rows, candidate, rng=rng, **plain | options)


def test_a_quarter_of_either_side_chooses_and_the_rest_is_tested():
    found = measured(*drawn(np.random.default_rng(0), n=40, m=80), np.random.default_rng(1))
    assert found.split == 30
    assert found.test.rows == (30, 60)
    assert found.scale in Gaussian.scales
    assert Gaussian.learned[0].shape == (10, 2)


def test_rows_of_the_split_do_not_enter_the_test():
    rng = np.random.default_rng(0)
    rows, candidate = drawn(rng)
    split = split_rows(candidate, None, rng=np.random.default_rng(7))
    before = measured(rows, candidate, np.random.default_rng(7))
    # As long as they choose the same scale, it does not matter what they are.
    moved = rows.copy()
    moved[split & candidate] += np.float32(0.01)
    after = measured(moved, candidate, np.random.default_rng(7))
    assert after.scale == before.scale
    assert (after.test.p_value, after.test.distance) == (before.test.p_value, before.test.distance)


def test_a_large_shift_is_found_and_the_p_value_is_never_zero():
    found = measured(*drawn(np.random.default_rng(0), shift=4.0), np.random.default_rng(1))
    assert found.test.p_value == 0.01
    assert found.test.distance.value > 0.5


def test_whole_groups_are_in_the_split_or_out_of_it():
    groups = np.repeat(np.arange(24), 5)
    candidate = np.arange(120) >= 60
    split = split_rows(candidate, groups, rng=np.random.default_rng(0))
    assert split.sum() == 30
    assert all(len(np.unique(split[groups == group])) == 1 for group in range(24))


def test_groups_that_cannot_be_cut_are_refused():
    groups = np.repeat([0, 1], 10)
    with pytest.raises(ValueError, match="a part of the split lacks a side"):
        split_rows(groups == 1, groups, rng=np.random.default_rng(0))


def test_equal_rows_have_no_test():
    rows = np.ones((40, 2), np.float32)
    assert measured(rows, np.arange(40) >= 20, np.random.default_rng(0)) is None


def test_a_kernel_that_sees_every_row_alone_has_nothing_to_say():
    rows, candidate = drawn(np.random.default_rng(0))
    found = measured(rows * 1e6, candidate, np.random.default_rng(1), learn=lambda _rows: Alone())
    assert found.test.p_value == 1.0


@pytest.mark.calibration
@pytest.mark.parametrize("clustered", [False, True])
def test_five_percent_of_equal_samples_are_called_different(
    clustered: bool, calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=200, full=2000)
    rejected = 0
    for seed in range(runs):
        rng = np.random.default_rng([3, clustered, seed])
        rows, candidate = drawn(rng, n=48, m=48)
        groups = np.repeat(np.arange(24), 4) if clustered else None
        if groups is not None:
            rows += 2 * rng.standard_normal((24, 2)).astype(np.float32)[groups]
        found = measured(rows, candidate, rng, groups=groups)
        rejected += found.test.p_value <= 0.05
    low, high = band(runs)
    assert low <= rejected <= high
