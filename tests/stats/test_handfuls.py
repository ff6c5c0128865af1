"""Handfuls of rows that trade sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stats.handfuls import CALIBRATION, mean_differences, relabel_handfuls


@given(n=st.integers(1, 3000), m=st.integers(1, 3000))
def test_handfuls_have_one_size_and_one_side(n: int, m: int) -> None:
    kept, drawn = relabel_handfuls(n, m, permutations=19, rng=np.random.default_rng(0))
    held = np.bincount(drawn.unit)
    assert len(set(held.tolist())) == 1
    assert len(kept) == len(np.unique(kept)) == held.sum()
    assert ((kept >= n) == (drawn.candidate[0, drawn.unit] > 0)).all()
    assert drawn.candidate.shape == (20 + CALIBRATION, len(held))
    sides = drawn.candidate.sum(axis=1)
    assert (sides == sides[0]).all()
    assert len(held) < 16 * 64 + 64


@given(n=st.integers(32, 3000), m=st.integers(32, 3000))
def test_hardly_a_row_is_left_over_where_sides_are_alike(n: int, m: int) -> None:
    kept, _ = relabel_handfuls(n, m, permutations=19, rng=np.random.default_rng(0))
    entered = (kept < n).sum(), (kept >= n).sum()
    for rows, all_rows, other in zip(entered, (n, m), (m, n), strict=True):
        assert rows > 0.93 * min(all_rows, 16 * other)


def test_weights_make_differences_of_means() -> None:
    values = np.random.default_rng(0).standard_normal(60)
    kept, drawn = relabel_handfuls(20, 40, permutations=19, rng=np.random.default_rng(1))
    held = np.bincount(drawn.unit).astype(float)
    weights, rows = mean_differences(drawn, held)
    sums = np.bincount(drawn.unit, weights=values[kept])
    assert rows == (20, 40)
    assert sums @ weights[:, 0] == pytest.approx(values[20:].mean() - values[:20].mean(), abs=1e-6)
    sides = drawn.candidate[7, drawn.unit] > 0
    expected = values[kept][sides].mean() - values[kept][~sides].mean()
    assert sums @ weights[:, 7] == pytest.approx(expected, abs=1e-6)
