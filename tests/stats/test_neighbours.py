"""The nearest row: by hand, by oracle, and exactly zero for a copy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from detector.stats import neighbours
from detector.stats.neighbours import nearest


def test_three_points_on_a_line_by_hand():
    rows = np.array([[0.0], [1.0], [5.0]], np.float32)
    found = nearest(rows, rows, same=True)
    assert found.place.tolist() == [1, 0, 1]
    assert found.distance.tolist() == [1.0, 1.0, 4.0]


@given(seed=st.integers(0, 2**31), columns=st.integers(1, 6))
def test_it_finds_what_a_tree_finds(seed, columns):
    rng = np.random.default_rng(seed)
    queries, rows = (rng.standard_normal((n, columns)).astype(np.float32) for n in (30, 50))
    assert nearest(queries, rows).distance == pytest.approx(cKDTree(rows).query(queries)[0])
    own = cKDTree(rows).query(rows, k=2)[0][:, 1]
    assert nearest(rows, rows, same=True).distance == pytest.approx(own)


def test_a_copy_far_from_the_origin_is_exactly_zero_away(monkeypatch):
    monkeypatch.setattr(neighbours, "_BLOCK_BYTES", 1_000)
    rows = np.random.default_rng(0).standard_normal((500, 40)).astype(np.float32) + 20
    found = nearest(rows[::7], rows)
    assert not found.distance.any()
    assert found.place.tolist() == list(range(0, 500, 7))


def test_a_row_alone_has_no_neighbour():
    one = np.zeros((1, 2), np.float32)
    with pytest.raises(ValueError, match="1 rows, and each query needs one beside itself"):
        nearest(one, one, same=True)
