"""Scales that trusted rows freeze: the same numbers batch by batch, finite for any row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import ndtri

from detector.classifiers.frozen import Frozen
from detector.data.opening import open_data


def canonical(table: object, like: object = None) -> tuple[pa.Table, object]:
    """Return rows in canonical types, and their schema."""
    dataset = open_data(table, like=like)  # type: ignore[arg-type]
    return pa.Table.from_batches(list(dataset.batches())), dataset.schema


def frozen(table: object) -> tuple[Frozen, object]:
    """Return the scales of a table, and its schema."""
    rows, schema = canonical(table)
    return Frozen.of(rows, schema), schema  # type: ignore[arg-type]


def encode(table: object, other: object):
    """Return one table on the scales of another."""
    made, schema = frozen(table)
    return made.encode(canonical(other, schema)[0])


def test_a_number_has_its_normal_score_and_the_share_of_its_tail():
    found = encode({"x": np.arange(99.0)}, {"x": [49.0, 0.0, 98.0]})
    assert found.scores[:, 0] == pytest.approx(ndtri([0.5, 0.01, 0.99]), abs=1e-6)
    # The smallest of 99: 2 * 1 / 100 of the rows are as far out, counting both sides.
    assert found.surprise[:, 0] == pytest.approx(-np.log([1.0, 0.02, 0.02]), abs=1e-6)


def test_a_number_out_of_range_is_stranger_the_farther_out_it_is():
    found = encode({"x": np.arange(99.0)}, {"x": [98.0, 99.0, 1e4, 1e300, np.inf, -np.inf]})
    up = found.surprise[:5, 0]
    assert (np.diff(up[:4]) > 0).all()
    assert up[3] == up[4] == found.surprise[5, 0]
    assert up[1] > np.log(100)
    assert np.isfinite(found.scores).all()


def test_a_level_never_seen_is_stranger_than_any_other():
    found = encode({"k": ["a"] * 6 + ["b"] * 3 + ["c"]}, {"k": ["a", "b", "c", "new"]})
    assert found.surprise[:, 0] == pytest.approx(-np.log(np.array([7, 4, 2, 1]) / 11), abs=1e-6)
    assert found.codes[:, 0].tolist() == [0, 1, 2, 3]


def test_missing_is_strange_where_it_never_was():
    never = encode({"x": np.arange(99.0)}, {"x": [np.nan, 1.0]})
    often = encode({"x": [np.nan, *range(98)]}, {"x": [np.nan, 1.0]})
    assert never.surprise[0, 0] == pytest.approx(np.log(100), abs=1e-6)
    assert often.surprise[0, 0] == pytest.approx(np.log(50), abs=1e-6)
    assert np.isnan(never.codes[0, 0])
    assert never.scores.shape[1] == 1
    assert often.scores.shape[1] == 2


def test_rows_do_not_depend_on_their_batch():
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.standard_normal(300), "k": rng.integers(0, 30, 300).astype(str)})
    made, schema = frozen(table)
    rows = canonical(table, schema)[0]
    whole, half = made.encode(rows), made.encode(rows.slice(100, 50))
    for name in ("codes", "scores", "surprise"):
        assert (getattr(whole, name)[100:150] == getattr(half, name)).all()


def test_each_dimension_knows_its_column():
    table = {
        "x": [1.0, 2.0, np.nan],
        "k": ["a", "b", "c"],
        "v": pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float32(), 2)),
    }
    made, _ = frozen(pa.table({name: pa.array(value) for name, value in table.items()}))
    assert made.sources == ("x", "k", "v", "v")
    assert made.dimensions.tolist() == [0, 0, 1, 1, 1, 2, 3]


@pytest.mark.parametrize(
    "column",
    [[1.0] * 5, [None] * 5, ["a"] * 5, [1e308, -1e308, 0.0, 1.0, np.inf], [True, False] * 3],
)
def test_odd_columns_stay_finite(column):
    table = pa.table({"x": pa.array(column, pa.float64() if column[0] is None else None)})
    found = encode(table, table)
    assert np.isfinite(found.scores).all()
    assert np.isfinite(found.surprise).all()
