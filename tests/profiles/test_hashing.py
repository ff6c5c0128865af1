"""Row hashes depend on what a row holds, and on nothing else."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.profiles import hashing
from detector.profiles.fold import decode, row_hashes
from tests.profiles.tables import SCHEMA, mixed_table

words = st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=30)


def hashes(table: pa.Table) -> np.ndarray:
    """Return the row hashes of a small table."""
    batch = table.combine_chunks().to_batches()[0]
    return row_hashes(decode(batch, SCHEMA.columns))


@given(values=words)
def test_equal_texts_hash_equal_and_others_differ(values: list[str | None]) -> None:
    found = hashing.texts(pa.array(values, pa.string()))
    by_text = dict(zip(values, found.tolist(), strict=True))
    assert [by_text[value] for value in values] == found.tolist()
    assert len(set(by_text.values())) == len(by_text)


def test_a_sliced_array_hashes_like_a_copy() -> None:
    whole = pa.array(["a", None, "", "bc", "日本"])
    assert hashing.texts(whole.slice(1, 3)).tolist() == hashing.texts(whole).tolist()[1:4]


def test_one_hash_for_one_and_for_one_point_zero() -> None:
    key = hashing.key("column", "x")
    whole = hashing.numbers(np.array([1, 0], np.int64).astype(np.float64), key)
    assert whole.tolist() == hashing.numbers(np.array([1.0, -0.0]), key).tolist()


def test_row_hashes_do_not_depend_on_order_or_batches() -> None:
    table = mixed_table(500, seed=1)
    order = np.random.default_rng(2).permutation(500)
    assert np.array_equal(hashes(table)[order], hashes(table.take(order)))
    parts = [hashes(table.slice(0, 123)), hashes(table.slice(123))]
    assert np.array_equal(np.concatenate(parts), hashes(table))


def test_different_rows_have_different_hashes() -> None:
    table = mixed_table(3000, seed=3)
    distinct = {str(row) for row in table.to_pylist()}
    assert len(np.unique(hashes(table))) == len(distinct)


def test_whole_numbers_in_two_columns_do_not_collide() -> None:
    first, second = np.divmod(np.arange(1 << 20), 1024)
    keys = hashing.key("column", "a"), hashing.key("column", "b")
    total = hashing.numbers(first.astype(float), keys[0])
    total = total + hashing.numbers(second.astype(float), keys[1])
    assert len(np.unique(total)) == 1 << 20


def test_swapped_columns_are_another_row() -> None:
    keys = hashing.key("column", "a"), hashing.key("column", "b")
    one, two = np.array([1.0]), np.array([2.0])
    there = hashing.numbers(one, keys[0]) + hashing.numbers(two, keys[1])
    back = hashing.numbers(two, keys[0]) + hashing.numbers(one, keys[1])
    assert there.tolist() != back.tolist()
