"""Rows are known again whatever happened to the file, and other rows are not."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv, feather, parquet

from detector.data.fingerprints import Fingerprint
from detector.data.opening import open_data
from detector.data.row_cells import row_hashes
from detector.data.schema import Kind, Role


def rows(seed: int, count: int = 500) -> pa.Table:
    """Return a table with every kind of value that files hold."""
    rng = np.random.default_rng(seed)
    gaps = np.where(rng.random(count) < 0.1, np.nan, rng.standard_normal(count))
    return pa.table(
        {
            "price": rng.lognormal(3, 1, count),
            "gap": pa.array(gaps, from_pandas=True),
            "count": rng.integers(0, 40, count),
            "level": rng.choice(["a", "bé", "c d"], count),
            "flag": rng.random(count) < 0.3,
            "day": pa.array(rng.integers(0, 10**9, count), pa.timestamp("s")),
        }
    )


def canonical(source: object) -> pa.Table:
    """Return the rows as every check sees them."""
    return pa.Table.from_batches(list(open_data(source).batches())).unify_dictionaries()


def known(made: Fingerprint, source: object) -> list[float]:
    """Return the share of rows that each lattice knows."""
    table = canonical(source)
    shares = []
    for lattice in made.lattices:
        hashes = row_hashes(table, made.columns, bits=lattice.bits)
        hashes = hashes[hashes <= np.uint64(lattice.threshold)]
        shares.append(float(np.isin(hashes, lattice.hashes).mean()))
    return shares


def of(source: object, **options: int) -> Fingerprint:
    """Return the fingerprint of rows."""
    return Fingerprint.of(open_data(source), **options)


def test_rows_are_known_in_any_order_and_with_columns_in_any_order():
    table = rows(0)
    turned = table.take(np.random.default_rng(0).permutation(500)).select(table.column_names[::-1])
    assert known(of(table), turned) == [1.0, 1.0]
    assert of(turned).digest == of(table).digest


def test_every_format_holds_the_same_rows(tmp_path):
    table, made = rows(1), of(rows(1))
    csv.write_csv(table, tmp_path / "a.csv")
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=37)
    feather.write_feather(table, str(tmp_path / "a.feather"))
    lines = [json.dumps({**row, "day": str(row["day"])}) for row in table.to_pylist()]
    (tmp_path / "a.jsonl").write_text("".join(f"{line}\n" for line in lines))
    for name in ("a.csv", "a.parquet", "a.feather", "a.jsonl"):
        assert known(made, str(tmp_path / name)) == [1.0, 1.0], name


def test_float32_is_the_same_row():
    table = rows(2)
    narrow = table.set_column(0, "price", table["price"].cast(pa.float32()))
    assert min(known(of(table), narrow)) > 0.99


def test_rows_rounded_to_three_decimals_are_known_on_the_coarse_lattice():
    table = rows(3)
    rounded = table.set_column(0, "price", pa.array(np.round(np.asarray(table["price"]), 3)))
    rounded = rounded.set_column(
        1,
        "gap",
        pa.array(np.round(np.asarray(table["gap"].fill_null(np.nan)), 3), from_pandas=True),
    )
    assert known(of(table), rounded)[0] > 0.98


def test_other_rows_of_the_same_law_are_not_known():
    assert known(of(rows(4, 5000)), rows(5, 5000)) == [pytest.approx(0, abs=2e-3), 0.0]


def test_numbers_written_as_words_are_numbers():
    table = pa.table({"a": [1.5, 2.0, 3.25] * 50, "b": list(range(150))})
    words = pa.table({"a": ["1.50", "2", "3.250"] * 50, "b": [str(i) for i in range(150)]})
    assert known(of(table), words) == [1.0, 1.0]


def test_a_changed_value_is_another_row():
    table = rows(6)
    price = np.asarray(table["price"]) * 1.5
    assert max(known(of(table), table.set_column(0, "price", pa.array(price)))) < 0.02


def test_ids_do_not_belong_to_a_row():
    table = rows(7).append_column("id", pa.array([f"n{i}" for i in range(500)]))
    opened = open_data(table, roles={"id": Role.ID}, kinds={"id": Kind.TEXT})
    assert "id" not in Fingerprint.of(opened).columns


def test_a_sketch_is_bounded_and_holds_all_hashes_up_to_its_threshold():
    table = rows(8, 3000)
    made = of(table, most=100)
    for lattice in made.lattices:
        hashes = np.unique(row_hashes(canonical(table), made.columns, bits=lattice.bits))
        assert lattice.hashes.tolist() == hashes[:100].tolist()
        assert lattice.threshold == int(hashes[99])
    assert known(made, table) == [1.0, 1.0]


def test_batches_do_not_matter(tmp_path):
    table = rows(9, 3000)
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=111)
    assert of(str(tmp_path / "a.parquet")).to_plain() == of(table).to_plain()


def test_it_survives_json():
    made = of(rows(10))
    again = Fingerprint.from_plain(json.loads(json.dumps(made.to_plain())))
    assert again.to_plain() == made.to_plain()


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x": [1.0] * 40}),
        pa.table({"x": pa.array([None] * 40, pa.float64())}),
        pa.table({"x": [np.inf, -np.inf, 1e308, -1e308, 0.0] * 8}),
        pa.table({"x": ["", " ", "nan", "1", "x"] * 8}),
        pa.table({"x": [3]}),
    ],
)
def test_odd_columns_are_known_as_themselves(table):
    assert known(of(table), table) == [1.0, 1.0]


def test_vectors_are_rows_too():
    vectors = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    made = of(vectors)
    assert known(made, vectors) == [1.0, 1.0]
    assert max(known(made, -vectors)) < 0.1


def test_no_rows_have_no_fingerprint():
    with pytest.raises(ValueError, match="a data set without rows has no fingerprint"):
        of(rows(0).slice(0, 0))


@given(st.data())
def test_damage_is_a_value_error_or_a_fingerprint(data):
    plain = of(rows(11, 40)).to_plain()
    spoiled = st.sampled_from(
        [None, -1, 10**30, "x", [], {}, [None], [{}], {"x": "y"}, True, 1e999]
    )
    target = data.draw(st.sampled_from([plain, plain["lattices"][0]]))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(spoiled)
    try:
        made = Fingerprint.from_plain(plain)
    except ValueError:
        return
    assert made.rows >= 0
