from __future__ import annotations

import sys
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from detector import open_data
from detector.errors import DetectorError
from tests.generators.tables import mixed


def test_every_kind_comes_back_as_people_expect_it():
    found = open_data(mixed(60)).to_arrow()
    types = {
        name: str(type_) for name, type_ in zip(found.schema.names, found.schema.types, strict=True)
    }
    assert types == {
        "height": "double",
        "price": "double",
        "age": "int64",
        "bill": "double",
        "weight": "double",
        "color": "dictionary<values=string, indices=int32, ordered=0>",
        "flag": "bool",
        "when": "timestamp[us]",
        "same": "int64",
        "gone": "double",
        "image": "fixed_size_list<item: float>[4]",
        "user_id": "int64",
        "comment": "string",
    }


def test_values_and_gaps_come_back():
    table = mixed(60)
    found = open_data(table).to_arrow()
    for name in ("height", "age", "color", "flag", "when", "same", "image", "comment"):
        assert found[name].to_pylist() == table[name].to_pylist(), name
    missing = np.isnan(np.asarray(found["weight"], float))
    assert np.array_equal(missing, np.asarray(table["weight"].is_null()))


def test_reading_it_again_gives_the_same_kinds():
    dataset = open_data(mixed(60))
    again = open_data(dataset.to_arrow())
    assert [s.kind for s in again.schema.columns] == [s.kind for s in dataset.schema.columns]


def test_dates_keep_their_microseconds_and_what_is_no_date_is_missing():
    moments = [datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(2100, 2, 28), None]  # noqa: DTZ001
    found = open_data(pa.table({"t": pa.array(moments, pa.timestamp("us"))})).to_arrow()
    assert found["t"].to_pylist() == moments


def test_several_batches_become_one_table(tmp_path):
    import pyarrow.parquet as pq

    table = pa.table({"c": ["a", "b", "c"] * 100, "x": np.arange(300.0)})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=70)
    found = open_data(str(tmp_path / "t.parquet")).to_arrow()
    assert found["c"].to_pylist() == table["c"].to_pylist()


def test_no_rows_keep_their_columns():
    found = open_data(mixed(5).slice(0, 0)).to_arrow()
    assert found.num_rows == 0
    assert found.schema.names == mixed(5).schema.names


def test_metadata_come_along():
    table = pa.table({"x": [1.0]}).replace_schema_metadata({"who": "me"})
    assert open_data(table).to_arrow().schema.metadata == {b"who": b"me"}


def test_a_pandas_frame():
    frame = open_data(mixed(60)).to_pandas()
    assert list(frame.columns) == mixed(60).schema.names
    assert str(frame["when"].dtype) == "datetime64[us]"
    assert str(frame["color"].dtype) == "category"


def test_without_pandas_one_line_says_so(monkeypatch):
    dataset = open_data(pa.table({"x": [1.0]}))
    monkeypatch.setitem(sys.modules, "pandas", None)

    def missing(*_):
        raise ModuleNotFoundError("No module named 'pandas'")

    monkeypatch.setattr("detector.data.export.natural_table", missing)
    with pytest.raises(DetectorError, match=r"pandas is not installed\. Run `pip install pandas`"):
        dataset.to_pandas()
