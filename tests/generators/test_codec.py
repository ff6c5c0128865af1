from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import open_data
from detector.data.export import canonical_table
from detector.errors import InputError
from generators.codec import Codec
from generators.ranks import granularity, quantiles
from tests.generators.tables import mixed


def learned(table, **given):
    dataset = open_data(table, **given)
    canonical = canonical_table(dataset)
    return Codec.learn(canonical, dataset.schema), canonical


def again(codec, table, *, seed=0):
    rows, _ = codec.encode(table, np.random.default_rng(seed))
    return pa.Table.from_batches([codec.decode(rows, np.random.default_rng(seed + 1))])


numbers = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, np.inf, -np.inf])
levels = st.none() | st.text(max_size=3)
tables = st.integers(1, 40).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "x": st.lists(st.none() | numbers, min_size=n, max_size=n),
            "count": st.lists(st.none() | st.integers(-(2**40), 2**40), min_size=n, max_size=n),
            "cents": st.lists(st.integers(0, 500), min_size=n, max_size=n),
            "level": st.lists(levels, min_size=n, max_size=n),
            "flag": st.lists(st.none() | st.booleans(), min_size=n, max_size=n),
        }
    )
)


@given(tables)
@settings(max_examples=150)
def test_what_is_written_is_read_back(columns):
    table = pa.table(
        {
            "x": pa.array(columns["x"], pa.float64()),
            "count": pa.array(columns["count"], pa.int64()),
            "cents": pa.array([value / 100 for value in columns["cents"]], pa.float64()),
            "level": pa.array(columns["level"], pa.string()).dictionary_encode(),
            "flag": pa.array(columns["flag"], pa.bool_()),
        }
    )
    codec, canonical = learned(table, kinds={"count": "integer"})
    found = again(codec, canonical)
    assert found.schema.names == canonical.schema.names
    assert found.schema.types == canonical.schema.types
    for name in ("cents", "level", "flag"):
        assert found[name].to_pylist() == canonical[name].to_pylist(), name
    assert_near(found["x"].to_pylist(), canonical["x"].to_pylist())
    assert_near(found["count"].to_pylist(), canonical["count"].to_pylist())


def assert_near(found, wanted):
    """Allow a thousandth of the gap between neighbours: positions are float32."""
    known = np.unique([value for value in wanted if value is not None and np.isfinite(value)])
    gap = np.diff(known).max(initial=0)
    for one, two in zip(found, wanted, strict=True):
        if two is None or not np.isfinite(two):
            assert one == two
        else:
            assert abs(one - two) <= 1e-3 * gap


def test_every_dimension_is_uniform_over_the_rows_it_was_learned_from():
    codec, table = learned(mixed(4_000))
    rows, known = codec.encode(table, np.random.default_rng(0))
    assert rows.dtype == np.float32
    assert rows.shape == known.shape == (4_000, len(codec.dimensions))
    for place in range(rows.shape[1]):
        share = np.histogram(rows[:, place], bins=8, range=(-1, 1))[0] / 4_000
        assert np.abs(share - 1 / 8).max() < 0.03, codec.dimensions[place]


def test_the_dimensions_say_what_they_mean():
    codec, _ = learned(mixed())
    found = [(one.column, one.label) for one in codec.dimensions]
    assert found == [
        ("height", "value"),
        ("price", "value"),
        ("age", "value"),
        ("bill", "value"),
        ("weight", "value"),
        ("weight", "missing"),
        ("color", "level"),
        ("flag", "level"),
        ("when", "value"),
        ("image", "0"),
        ("image", "1"),
        ("image", "3"),
    ]


def test_uniform_rows_keep_granularity_bounds_and_spikes():
    codec, table = learned(mixed(2_000))
    rows = np.random.default_rng(0).uniform(-1, 1, (5_000, len(codec.dimensions)))
    drawn = codec.decode(rows.astype(np.float32), np.random.default_rng(1))
    column = dict(zip(drawn.schema.names, drawn.columns, strict=True))
    for name in ("price", "bill", "age", "height"):
        real, made = (np.asarray(c, float) for c in (table[name], column[name]))
        assert real.min() <= made.min()
        assert made.max() <= real.max()
    assert np.array_equal(np.round(column["price"], 2), column["price"])
    assert column["age"].type == pa.int64()
    assert np.mean(np.asarray(column["bill"]) == 0.0) == pytest.approx(0.6, abs=0.03)
    assert column["weight"].null_count / 5_000 == pytest.approx(0.2, abs=0.03)
    assert set(column["same"].to_pylist()) == {7}
    assert column["gone"].null_count == 5_000
    days = np.asarray(column["when"]) / 86_400
    assert np.array_equal(days, np.round(days))
    image = np.asarray(column["image"].flatten()).reshape(-1, 4)
    assert not image[:, 2].any()
    assert np.array_equal(image, np.round(image))


def test_ids_and_texts_are_made_up():
    codec, table = learned(mixed())
    found = again(codec, table)
    assert not set(found["user_id"].to_pylist()) & set(table["user_id"].to_pylist())
    assert not set(found["comment"].to_pylist()) & set(table["comment"].to_pylist())
    assert len(set(found["user_id"].to_pylist())) == 600


def test_a_codec_survives_saving():
    codec, table = learned(mixed())
    facts, arrays = codec.save()
    other = Codec.restored(facts, arrays)
    assert other.schema == codec.schema
    assert again(other, table).equals(again(codec, table))


def test_a_category_with_ten_thousand_levels_is_read_back():
    names = [f"level {i}" for i in range(10_000)] * 2
    codec, table = learned(pa.table({"c": pa.array(names).dictionary_encode()}))
    assert again(codec, table)["c"].to_pylist() == names


def test_a_level_that_was_not_learned_is_missing_or_the_rarest():
    codec, _ = learned(pa.table({"c": ["a", "a", "b", None] * 5}))
    other = canonical_table(open_data(pa.table({"c": ["a", "zzz"] * 5})))
    assert again(codec, other)["c"].to_pylist() == ["a", None] * 5


def test_huge_numbers_do_not_overflow():
    codec, table = learned(pa.table({"x": np.linspace(-1, 1, 40) * 1.7e308}))
    found = np.asarray(again(codec, table)["x"])
    assert np.isfinite(found).all()
    assert found == pytest.approx(np.asarray(table["x"]), rel=1e-3, abs=1e305)


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="no rows to learn from"):
        learned(pa.table({"x": pa.array([], pa.float64())}))


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.0, 2.0, 5.0], (1.0, 0)),
        ([10.0, 30.0, 50.0], (20.0, 0)),
        ([0.05, 0.1, 0.2], (0.05, 2)),
        ([np.pi, np.e, 1.0], (0.0, 0)),
        ([1e300, 2e300], (0.0, 0)),
        ([3.0], (0.0, 0)),
    ],
)
def test_granularity_is_the_step_between_values(values, step):
    assert granularity(np.sort(values)) == pytest.approx(step)


def test_many_values_are_kept_as_a_fine_grid_with_their_spikes_and_extremes():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.standard_cauchy(50_000), np.zeros(5_000)])
    found = quantiles(values)
    assert len(found.values) < 4_200
    assert {values.min(), values.max(), 0.0} <= set(found.values.tolist())
    drawn = found.at(rng.random(50_000))
    assert np.mean(drawn == 0.0) == pytest.approx(1 / 11, abs=0.01)
    wanted = np.quantile(values, [0.01, 0.25, 0.75, 0.99])
    assert np.quantile(drawn, [0.01, 0.25, 0.75, 0.99]) == pytest.approx(wanted, rel=0.1)
