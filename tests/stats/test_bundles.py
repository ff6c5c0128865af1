"""Bundles: every row once, whole clusters, about the size asked for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.stats.bundles import bundle


@given(rows=st.integers(1, 200), size=st.integers(1, 20), seed=st.integers(0, 5))
def test_rows_alone_come_once_each_in_bundles_of_the_size(rows: int, size: int, seed: int) -> None:
    found = bundle(rows, size=size, rng=np.random.default_rng(seed))
    assert sorted(found.order) == list(range(rows))
    assert found.sizes.sum() == rows
    assert (found.sizes[:-1] == size).all()
    assert len(found) == -(-rows // size)


@given(
    clusters=st.lists(st.integers(0, 12), min_size=1, max_size=80).map(np.array),
    size=st.integers(1, 10),
)
def test_a_cluster_is_never_torn_apart(clusters: np.ndarray, size: int) -> None:
    found = bundle(len(clusters), size=size, rng=np.random.default_rng(0), clusters=clusters)
    assert sorted(found.order) == list(range(len(clusters)))
    held = np.split(clusters[found.order], found.starts[1:])
    assert sum(len(np.unique(part)) for part in held) == len(np.unique(clusters))


def test_a_giant_cluster_leaves_bundles_for_the_others() -> None:
    clusters = np.repeat(np.arange(10), [1] * 9 + [991])
    found = bundle(1000, size=10, rng=np.random.default_rng(0), clusters=clusters)
    assert len(found) == 10
