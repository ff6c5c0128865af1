"""The same table gives the same canonical rows, whatever it came in."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import feather, parquet

from detector.data.opening import explain, open_data
from detector.data.schema import Kind, Role

ROWS = 300


def table(rows=ROWS):
    rng = np.random.default_rng(7)
    gaps = rng.random(rows) < 0.1
    return pa.table(
        {
            "price": pa.array(rng.normal(size=rows), mask=gaps),
            "count": pa.array(rng.integers(-50, 50, rows), mask=rng.random(rows) < 0.1),
            "sex": pa.array(rng.integers(1, 3, rows)),
            "color": pa.array(
                np.array(["red", "green", "blü"])[rng.integers(0, 3, rows)], mask=gaps
            ),
            "paid": pa.array(rng.random(rows) < 0.5),
            "day": pa.array(
                np.datetime64("2020-01-01", "s") + rng.integers(0, 10**7, rows).astype("m8[s]")
            ),
            "user_id": pa.array(rng.permutation(rows) + 1000),
            "token": pa.array([f"k{i:05x}" for i in rng.permutation(rows)]),
            "story": pa.array([f"Once upon a time, {i} mice" for i in rng.permutation(rows)]),
            "nothing": pa.nulls(rows, pa.float64()),
        }
    )


KINDS = {
    "price": Kind.NUMERIC,
    "count": Kind.INTEGER,
    "sex": Kind.CATEGORY,
    "color": Kind.CATEGORY,
    "paid": Kind.BOOLEAN,
    "day": Kind.DATETIME,
    "user_id": Kind.INTEGER,
    "token": Kind.TEXT,
    "story": Kind.TEXT,
    "nothing": Kind.NUMERIC,
}


def as_json_lines(rows):
    return "".join(json.dumps(row, default=lambda day: day.isoformat()) + "\n" for row in rows)


def write(kind, data, folder):
    path = folder / f"data.{kind}"
    match kind:
        case "csv":
            arrow_csv.write_csv(data, path)
        case "csv.gz":
            data.to_pandas(integer_object_nulls=True).to_csv(path, index=False)
        case "tsv" | "tab":
            pl.from_arrow(data).write_csv(path, separator="\t")
        case "parquet" | "pq":
            parquet.write_table(data, path, row_group_size=70)
        case "feather":
            feather.write_feather(data, path)
        case "arrow" | "ipc":
            with pa.ipc.new_stream(path, data.schema) as sink:
                sink.write_table(data, max_chunksize=90)
        case "jsonl":
            path.write_text(as_json_lines(data.to_pylist()))
        case "ndjson":
            path.write_text(as_json_lines(data.to_pylist()))
        case "jsonl.gz":
            path.write_bytes(gzip.compress(as_json_lines(data.to_pylist()).encode()))
    return path


def present(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def rows_of(dataset):
    """Return canonical rows; NaN and null are the same."""
    return [
        {name: present(value) for name, value in row.items()}
        for batch in dataset.batches()
        for row in batch.to_pylist()
    ]


FORMATS = (
    *("csv", "csv.gz", "tsv", "tab", "parquet", "pq", "feather", "arrow", "ipc"),
    *("jsonl", "ndjson", "jsonl.gz"),
)


@pytest.fixture(scope="module")
def expected():
    dataset = open_data(table())
    assert {spec.name: spec.kind for spec in dataset.schema.columns} == KINDS
    return dataset


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_rows(suffix, tmp_path, expected):
    dataset = open_data(write(suffix, table(), tmp_path))
    assert dataset.schema == expected.schema
    assert rows_of(dataset) == rows_of(expected)
    assert dataset.n_rows == ROWS
    assert dataset.name == f"data.{suffix}"


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather", "jsonl"])
def test_streaming_gives_the_same_rows_as_memory(suffix, tmp_path, expected, monkeypatch):
    monkeypatch.setattr("detector.data.opening.HOLD_BYTES", 0)
    dataset = open_data(write(suffix, table(), tmp_path))
    assert dataset.schema == expected.schema
    assert rows_of(dataset) == rows_of(expected)
    assert rows_of(dataset) == rows_of(expected), "it can be read again"


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather", "jsonl"])
def test_a_folder_is_its_files_together(suffix, tmp_path, expected):
    whole = table()
    for part in range(3):
        folder = tmp_path / "parts" / str(part)
        folder.mkdir(parents=True)
        write(suffix, whole.slice(part * 100, 100), folder)
    (tmp_path / "parts" / "_SUCCESS").touch()
    (tmp_path / "parts" / "README.md").write_text("not data")
    dataset = open_data(tmp_path / "parts")
    assert rows_of(dataset) == rows_of(expected)
    glob = open_data(str(tmp_path / "parts" / "*" / f"data.{suffix}"))
    assert rows_of(glob) == rows_of(expected)


FRAMES = {
    "pandas": lambda t: t.to_pandas(),
    "pandas arrow": lambda t: t.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas nullable": lambda t: t.to_pandas(integer_object_nulls=True).convert_dtypes(),
    "polars": pl.from_arrow,
    "reader": lambda t: t.to_reader(max_chunksize=50),
    "mapping": lambda t: {name: t[name].to_pylist() for name in t.column_names},
    "mapping of polars": lambda t: {name: pl.Series(t[name]) for name in t.column_names},
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_every_frame_gives_the_same_rows(make, expected):
    frame = make(table())
    like = open_data(frame, like=expected.schema)
    assert like.schema == expected.schema
    assert rows_of(like) == rows_of(expected)
    assert like.name == "data"


@pytest.mark.parametrize("make", [FRAMES["pandas arrow"], FRAMES["polars"]])
def test_typed_frames_have_the_same_kinds_without_a_reference(make, expected):
    assert open_data(make(table())).schema == expected.schema


def test_an_integer_with_gaps_is_a_float_in_pandas_and_takes_the_kind_of_the_reference(expected):
    frame = table().to_pandas()
    assert open_data(frame).schema["count"].kind is Kind.NUMERIC
    assert open_data(frame, like=expected.schema).schema["count"].kind is Kind.INTEGER


def test_a_record_batch_is_a_table(expected):
    (batch,) = table().combine_chunks().to_batches()
    assert rows_of(open_data(batch)) == rows_of(expected)


def test_a_pandas_index_is_left_out():
    frame = pd.DataFrame({"a": [1.5, 2.5]}, index=pd.Index(["x", "y"], name="key"))
    assert open_data(frame).schema.names == ("a",)


def test_a_two_dimensional_array_has_numbered_columns(tmp_path):
    array = np.arange(12.0).reshape(4, 3) + 0.5
    np.save(tmp_path / "x.npy", array)
    np.savez_compressed(tmp_path / "x.npz", array)
    for source in (array, tmp_path / "x.npy", tmp_path / "x.npz", np.asfortranarray(array)):
        dataset = open_data(source)
        assert dataset.schema.names == ("c0", "c1", "c2")
        assert [list(row.values()) for row in rows_of(dataset)] == array.tolist()


def test_a_structured_array_has_a_column_a_field(tmp_path):
    array = np.array([(1.5, "a", True), (2.5, "b", False)], [("x", "f4"), ("y", "U3"), ("z", "?")])
    np.save(tmp_path / "x.npy", array)
    for source in (array, tmp_path / "x.npy"):
        dataset = open_data(source)
        assert rows_of(dataset)[1] == {"x": 2.5, "y": "b", "z": "false"}


def test_images_become_one_vector_column(tmp_path):
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    np.save(tmp_path / "digits.npy", images)
    np.save(tmp_path / "more.npy", images)
    np.savez(tmp_path / "digits.npz", images=images)
    sources = [tmp_path / name for name in ("digits.npy", "more.npy", "digits.npz")]
    for dataset in map(open_data, [images, *sources]):
        (spec,) = dataset.schema.columns
        assert (spec.name, spec.kind, spec.width) == ("c0", Kind.VECTOR, 12)
        assert [row["c0"] for row in rows_of(dataset)] == images.reshape(2, 12).tolist()


def test_an_embedding_beside_labels_becomes_a_vector(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 8)).astype(np.float32), rng.integers(0, 2, 40)
    np.savez(tmp_path / "set.npz", embedding=x, label=y)
    dataset = open_data(tmp_path / "set.npz", roles={"label": Role.TARGET})
    assert dataset.schema["embedding"].width == 8
    assert dataset.schema["label"].kind is Kind.CATEGORY
    assert dataset.schema["label"].role is Role.TARGET
    got = np.array([row["embedding"] for row in rows_of(dataset)], np.float32)
    assert (got == x).all()


def test_byte_order_and_half_precision_do_not_matter():
    for dtype in (">f8", "<f2", ">i4", "u1", "f4"):
        array = np.array([[1, 2], [3, 4], [5, 6]], dtype)
        assert [row["c0"] for row in rows_of(open_data(array, kinds={"c0": "numeric"}))] == [
            1,
            3,
            5,
        ]


def test_lists_of_one_length_are_vectors_and_missing_ones_stay_missing():
    data = pa.table({"v": pa.array([[1, 2], None, [3, 4]]), "w": pa.array([[1.0], [1.0, 2.0], []])})
    dataset = open_data(data)
    assert dataset.schema["v"].kind is Kind.VECTOR
    assert dataset.schema["w"].kind is Kind.TEXT
    assert rows_of(dataset)[0] == {"v": [1.0, 2.0], "w": "[1.0]"}
    assert rows_of(dataset)[1]["v"] is None


def test_pandas_categories_keep_their_kind_and_declared_levels_need_not_occur():
    frame = pd.DataFrame({"c": pd.Categorical([3, 1, None, 3], categories=[1, 2, 3])})
    dataset = open_data(frame)
    assert dataset.schema["c"].kind is Kind.CATEGORY
    assert [row["c"] for row in rows_of(dataset)] == ["3", "1", None, "3"]


def test_ten_thousand_levels_are_a_category():
    codes = np.random.default_rng(0).integers(0, 10_000, 50_000)
    frame = pl.DataFrame({"c": [f"level {code}" for code in codes]})
    dataset = open_data(frame)
    assert dataset.schema["c"].kind is Kind.CATEGORY
    assert rows_of(dataset)[5]["c"] == f"level {codes[5]}"


def test_columns_can_be_asked_for_in_any_order(tmp_path):
    for suffix in FORMATS:
        dataset = open_data(write(suffix, table(), tmp_path))
        batch = next(dataset.batches(["color", "price"]))
        assert batch.schema.names == ["color", "price"]


def test_metadata_of_the_file_is_kept(tmp_path):
    data = table().replace_schema_metadata({"origin": "synthetic"})
    for suffix in ("parquet", "feather", "arrow"):
        assert open_data(write(suffix, data, tmp_path)).metadata["origin"] == "synthetic"


def test_a_data_set_is_returned_as_it_is_and_can_be_given_other_kinds(expected):
    assert open_data(expected).schema == expected.schema
    again = open_data(expected, name="b", kinds={"count": "category"}, roles={"paid": "target"})
    assert again.schema["count"].kind is Kind.CATEGORY
    assert again.schema["paid"].role is Role.TARGET
    assert again.schema["user_id"].role is Role.ID
    assert [row["price"] for row in rows_of(again)] == [r["price"] for r in rows_of(expected)]


def test_numbers_of_a_frame_are_not_copied():
    frame = pd.DataFrame({"x": np.arange(1_000.0) + 0.5})
    batch = next(open_data(frame).batches())
    assert batch.column(0).buffers()[1].address == frame["x"].to_numpy().ctypes.data


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "feather", "arrow", "jsonl", "npy"])
def test_opening_a_file_imports_neither_pandas_nor_polars(suffix, tmp_path):
    if suffix == "npy":
        np.save(tmp_path / "data.npy", np.eye(5))
    else:
        write(suffix, table(), tmp_path)
    code = (
        "import sys; from detector.data.opening import open_data\n"
        f"dataset = open_data({str(tmp_path / f'data.{suffix}')!r})\n"
        "for batch in dataset.batches(): pass\n"
        "print(sorted({'pandas', 'polars', 'pyarrow.dataset', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_was_decided_can_be_shown(expected):
    rows = {row.column: row for row in explain(expected)}
    assert rows["user_id"].role == "id"
    assert "named like an id" in rows["user_id"].reason
    assert rows["token"].role == "id"
    assert rows["story"] == (
        "story",
        "text",
        "feature",
        "text, at least 90% of its values are different",
    )
