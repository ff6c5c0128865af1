"""The row sample is uniform, and merging parts equals one pass."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profiles import hashing, sample
from detector.profiles.sample import SampleState, fold_rows, merge_samples


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "KEPT", 64)


def state(values: np.ndarray, *, salt: int = 0) -> SampleState:
    """Return the state of one batch of whole numbers."""
    batch = pa.record_batch({"x": pa.array(values, pa.int64())})
    content = hashing.mix(hashing.numbers(values.astype(float), hashing.key("x")))
    return fold_rows(batch, content, salt=salt)


def drawn(part: SampleState) -> list[int]:
    """Return the sampled values, in order."""
    return part.draw().table["x"].to_pylist()  # type: ignore[no-any-return]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(0, 300), min_size=1, max_size=400),
    cuts=st.lists(st.integers(0, 400), max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_any_split_in_any_order_equals_one_pass(
    values: list[int], cuts: list[int], order: object
) -> None:
    column = np.array(values)
    parts = list(np.split(column, sorted(c for c in cuts if c < len(column))))
    order.shuffle(parts)  # type: ignore[attr-defined]
    merged = merge_samples([state(part) for part in parts])
    whole = state(column)
    assert np.array_equal(merged.content, whole.content)
    assert np.array_equal(merged.count, whole.count)
    assert drawn(merged) == drawn(whole)
    pairwise = merge_samples([merge_samples([state(p)]) for p in parts[::-1]])
    assert drawn(pairwise) == drawn(whole)


def test_data_with_few_distinct_rows_are_known_completely() -> None:
    values = np.repeat(np.arange(40), 25)
    found = state(values).draw()
    assert found.complete
    assert Counter(found.table["x"].to_pylist()) == Counter(values.tolist())


def test_every_row_has_the_same_chance() -> None:
    values = np.repeat(np.arange(400), [1, 2, 4, 8] * 100)
    taken = np.zeros(400)
    for salt in range(300):
        taken += np.bincount(drawn(state(values, salt=salt)), minlength=400)
    by_copies = taken.reshape(100, 4).sum(axis=0) / np.array([1, 2, 4, 8])
    spread = np.sqrt(by_copies.sum() / 4)
    assert np.all(np.abs(by_copies - by_copies.mean()) < 4 * spread)


def test_copies_are_not_drawn_all_or_none() -> None:
    values = np.repeat(np.arange(1000), 4)
    counts = Counter(
        n for salt in range(50) for n in Counter(drawn(state(values, salt=salt))).values()
    )
    assert counts[1] > 20 * counts[4]


def test_two_salts_give_two_samples() -> None:
    values = np.arange(5000)
    first, second = set(drawn(state(values, salt=0))), set(drawn(state(values, salt=1)))
    assert len(first & second) < len(first) / 4


def test_a_prefix_is_itself_uniform() -> None:
    heads = [drawn(state(np.arange(1000), salt=s))[:8] for s in range(400)]
    assert abs(np.mean(heads) - 499.5) < 4 * 288.7 / np.sqrt(3200)
