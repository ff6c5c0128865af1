from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.data.encode import (
    BUCKETS,
    CLIP,
    CODE_LEVELS,
    DENSE_LEVELS,
    encode_codes,
    encode_dense,
)
from detector.data.schema import ColumnSpec, Kind, Role, Schema


def _category(values):
    return pa.array(values, pa.string()).dictionary_encode()


def _schema(**kinds):
    return Schema(columns=tuple(ColumnSpec(name=name, kind=kind) for name, kind in kinds.items()))


def _one(values, other, kind):
    wrap = _category if kind in {Kind.CATEGORY, Kind.BOOLEAN} else pa.array
    return pa.table({"a": wrap(values)}), pa.table({"a": wrap(other)}), _schema(a=kind)


def _mixed(rng, rows, *, levels=200):
    numbers = rng.standard_cauchy(rows)
    return pa.table(
        {
            "number": pa.array(numbers, mask=rng.random(rows) < 0.1),
            "count": pa.array(rng.integers(0, 4, rows)),
            "level": _category([f"level {i}" for i in rng.integers(0, levels, rows)]),
            "point": pa.FixedSizeListArray.from_arrays(
                pa.array(rng.normal(size=3 * rows).astype(np.float32)), 3
            ),
            "note": pa.array(["free text"] * rows),
        }
    )


MIXED = _schema(
    number=Kind.NUMERIC,
    count=Kind.INTEGER,
    level=Kind.CATEGORY,
    point=Kind.VECTOR,
    note=Kind.TEXT,
)


def test_a_number_is_its_distance_from_the_pooled_median_in_normal_quartile_spreads():
    dense = encode_dense(*_one([0.0, 1.0, 2.0], [3.0, 4.0], Kind.NUMERIC))
    np.testing.assert_allclose(dense.x[:, 0], np.array([-2, -1, 0]) * 1.349 / 2, rtol=1e-6)
    np.testing.assert_allclose(dense.y[:, 0], np.array([1, 2]) * 1.349 / 2, rtol=1e-6)


def test_rows_are_float32_contiguous_and_finite():
    rng = np.random.default_rng(0)
    dense = encode_dense(_mixed(rng, 300), _mixed(rng, 200), MIXED)
    for rows, length in ((dense.x, 300), (dense.y, 200)):
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous
        assert rows.shape == (length, len(dense.sources))
        assert np.isfinite(rows).all()
        assert np.abs(rows).max() <= CLIP


def test_infinities_and_enormous_numbers_stop_at_the_clip():
    values = [-np.inf, -1.7e308, 0.0, 0.5, 1.0, 1.5, 2.0, 1.7e308, np.inf]
    dense = encode_dense(*_one(values, [0.2, 0.7, 1.3], Kind.NUMERIC))
    np.testing.assert_array_equal(dense.x[[0, 1, 7, 8], 0], [-CLIP, -CLIP, CLIP, CLIP])
    codes = encode_codes(*_one(values, [0.2, 0.7, 1.3], Kind.NUMERIC))
    assert np.isfinite(codes.x).all()


def test_only_infinities_is_still_finite():
    dense = encode_dense(*_one([np.inf, -np.inf], [np.inf], Kind.NUMERIC))
    np.testing.assert_array_equal(dense.x[:, 0], [CLIP, -CLIP])


def test_a_spike_with_a_few_other_values_keeps_them_apart_but_bounded():
    dense = encode_dense(*_one([0.0] * 999 + [5.0], [0.0] * 1000, Kind.NUMERIC))
    assert 1 < dense.x[999, 0] <= CLIP
    assert not dense.x[:999].any()


def test_a_constant_column_is_zero():
    dense = encode_dense(*_one([7.0, 7.0], [7.0], Kind.NUMERIC))
    assert not dense.x.any()


def test_missing_is_zero_and_says_so_in_one_more_dimension():
    dense = encode_dense(*_one([1.0, None, 3.0], [2.0], Kind.NUMERIC))
    assert dense.sources == ("a", "a")
    np.testing.assert_array_equal(dense.x[:, 1], [0, 1, 0])
    assert dense.x[1, 0] == 0


def test_an_all_missing_column_is_encoded_without_a_warning():
    first, second = (pa.table({"a": pa.nulls(n, pa.float64())}) for n in (3, 2))
    dense = encode_dense(first, second, _schema(a=Kind.NUMERIC))
    np.testing.assert_array_equal(dense.x, [[0, 1]] * 3)
    levels = [pa.table({"a": _category([None] * n)}) for n in (3, 2)]
    dense = encode_dense(*levels, _schema(a=Kind.CATEGORY))
    np.testing.assert_array_equal(dense.y, [[0, 1]] * 2)


def test_two_balanced_levels_lie_as_far_apart_on_average_as_two_unit_normals():
    dense = encode_dense(*_one(["u", "v"] * 50, ["u", "v"] * 50, Kind.CATEGORY))
    gaps = dense.x[:, None, :] - dense.y[None, :, :]
    assert np.square(gaps).sum(axis=2).mean() == pytest.approx(2.0, rel=1e-5)


def test_frequent_levels_get_their_own_dimension_and_the_rest_share_buckets():
    names = [f"level {i}" for i in range(500) for _ in range(500 - i)]
    dense = encode_dense(*_one(names, names[:10], Kind.CATEGORY))
    assert dense.x.shape[1] == DENSE_LEVELS + BUCKETS
    assert (np.count_nonzero(dense.x, axis=1) == 1).all()
    codes = encode_codes(*_one(names, names[:10], Kind.CATEGORY))
    assert codes.x[0, 0] == 0
    assert codes.x.max() == CODE_LEVELS + BUCKETS - 1


def test_many_categories_share_the_budget_of_dimensions():
    columns = {f"c{i}": _category([f"l{j}" for j in range(60)]) for i in range(600)}
    schema = _schema(**dict.fromkeys(columns, Kind.CATEGORY))
    dense = encode_dense(pa.table(columns), pa.table(columns), schema)
    assert dense.x.shape[1] <= 600 * (BUCKETS + 1)


def test_vectors_become_their_dimensions_and_a_missing_vector_is_one_missing_value():
    kind = pa.list_(pa.float32(), 2)
    first = pa.table({"a": pa.array([[0, 1], None, [2, 5]], kind).slice(0, 3)})
    second = pa.table({"a": pa.array([[9, 9], [1, 3]], kind).slice(1)})
    dense = encode_dense(first, second, _schema(a=Kind.VECTOR))
    assert dense.sources == ("a", "a", "a")
    np.testing.assert_array_equal(dense.x[:, 2], [0, 1, 0])
    np.testing.assert_array_equal(dense.y[0], [0, 0, 0])


def test_text_and_other_roles_are_left_out():
    table = pa.table({"a": [1.0], "b": ["x"], "c": [2.0]})
    columns = (
        ColumnSpec(name="a", kind=Kind.NUMERIC),
        ColumnSpec(name="b", kind=Kind.TEXT),
        ColumnSpec(name="c", kind=Kind.NUMERIC, role=Role.ID),
    )
    assert encode_dense(table, table, Schema(columns=columns)).sources == ("a",)


def test_no_usable_column_gives_rows_of_no_dimensions():
    table = pa.table({"b": ["x", "y"]})
    assert encode_dense(table, table, _schema(b=Kind.TEXT)).x.shape == (2, 0)
    assert encode_codes(table, table, _schema(b=Kind.TEXT)).x.shape == (2, 0)


@given(seed=st.integers(0, 2**32 - 1), levels=st.sampled_from([2, 30, 100, 1000]))
def test_swapping_the_samples_swaps_the_rows_and_nothing_else(seed, levels):
    rng = np.random.default_rng(seed)
    first, second = _mixed(rng, 60, levels=levels), _mixed(rng, 40, levels=levels)
    there, back = encode_dense(first, second, MIXED), encode_dense(second, first, MIXED)
    np.testing.assert_array_equal(there.x, back.y)
    np.testing.assert_array_equal(there.y, back.x)
    coded, back = encode_codes(first, second, MIXED), encode_codes(second, first, MIXED)
    np.testing.assert_array_equal(coded.x, back.y)
    np.testing.assert_array_equal(coded.y, back.x)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_and_chunks_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    first, second = _mixed(rng, 50), _mixed(rng, 30)
    order = rng.permutation(50)
    shuffled = first.take(order)
    chunked = pa.concat_tables([shuffled.slice(0, 7), shuffled.slice(7)])
    np.testing.assert_array_equal(
        encode_dense(chunked, second, MIXED).x, encode_dense(first, second, MIXED).x[order]
    )
    np.testing.assert_array_equal(
        encode_codes(chunked, second, MIXED).x, encode_codes(first, second, MIXED).x[order]
    )


def test_levels_unseen_on_one_side_do_not_get_the_highest_codes():
    rng = np.random.default_rng(1)
    differences = []
    for _ in range(200):
        names = [[f"l{i}" for i in rng.integers(0, 1000, 500)] for _ in range(2)]
        codes = encode_codes(*_one(*names, Kind.CATEGORY))
        differences.append(codes.x.mean() - codes.y.mean())
    assert abs(np.mean(differences)) < 4 * np.std(differences) / np.sqrt(len(differences))


def test_encoding_does_not_import_pandas():
    program = (
        "import io, sys, pyarrow as pa\n"
        "from pyarrow.csv import read_csv\n"
        "from detector.data.encode import encode_dense, encode_codes\n"
        "from detector.data.schema import ColumnSpec, Kind, Schema\n"
        "rows = ''.join(f'{i},x{i}\\n' for i in range(200))\n"
        "t = read_csv(io.BytesIO(f'a,b\\n,x\\n{rows}'.encode()))\n"
        "s = Schema(columns=(ColumnSpec(name='a', kind=Kind.NUMERIC),"
        " ColumnSpec(name='b', kind=Kind.CATEGORY)))\n"
        "encode_dense(t, t, s); encode_codes(t, t, s)\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_tables_without_rows_are_encoded_without_rows():
    rng = np.random.default_rng(0)
    empty, full = _mixed(rng, 5).slice(0, 0), _mixed(rng, 5)
    assert encode_dense(empty, full, MIXED).x.shape[0] == 0
    assert encode_codes(empty, empty, MIXED).y.shape[0] == 0


def test_levels_that_no_row_uses_take_no_place():
    table = pa.table({"a": _category([f"l{i}" for i in range(300)])}).slice(290)
    assert encode_dense(table, table, _schema(a=Kind.CATEGORY)).x.shape == (10, 10)
