"""Which kind a column gets, and that row order has no say in it."""

from __future__ import annotations

import datetime as dt
import decimal
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.data import repeats
from detector.data.evidence import named_like_id
from detector.data.opening import explain, open_data
from detector.data.schema import ColumnSpec, Kind, Role, Schema
from detector.errors import InputError


def spec_of(values, name="x", **options):
    return open_data({name: values}, **options).schema[name]


def values_of(dataset, name="x"):
    return [
        None if isinstance(value, float) and math.isnan(value) else value
        for batch in dataset.batches([name])
        for value in batch.column(0).to_pylist()
    ]


def csv_file(folder, lines, name="data.csv"):
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def spec_in_csv(folder, cells, header="x"):
    return open_data(csv_file(folder, [f"{header},y", *(f"{cell},1" for cell in cells)])).schema[
        header
    ]


MIDNIGHT = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

TYPED = [
    ([1.5, 2.5, None], Kind.NUMERIC),
    ([1.0, 2.0, 3.0], Kind.NUMERIC),
    ([True, False, None], Kind.BOOLEAN),
    ([True, True], Kind.BOOLEAN),
    ([0, 1, 0], Kind.CATEGORY),
    ([1, 2, None, 2], Kind.CATEGORY),
    ([7, 7, 7], Kind.INTEGER),
    ([1, 2, 3], Kind.INTEGER),
    (list(range(100)), Kind.INTEGER),
    (["a", "b", "a"], Kind.CATEGORY),
    (["1", "2", "3"], Kind.CATEGORY),
    ([f"{i}.5" for i in range(50)], Kind.NUMERIC),
    ([f"name {i}" for i in range(50)], Kind.TEXT),
    ([f"k{i}" for i in range(50)], Kind.TEXT),
    ([f"name {i}" for i in range(19)], Kind.CATEGORY),
    (["same"] * 30, Kind.CATEGORY),
    (["2020-01-01", "2021-12-31T10:00:00", None], Kind.DATETIME),
    (["2020-01-01T10:00:00Z", "2020-01-01T10:00:00+02:00"], Kind.DATETIME),
    (["2020-01-01T10:00:00Z", "2020-01-01"], Kind.CATEGORY),
    (["12:30", "23:59:59.5"], Kind.NUMERIC),
    (["12:30", "24:30"], Kind.CATEGORY),
    ([dt.date(2020, 1, 1), None], Kind.DATETIME),
    ([dt.datetime(2020, 1, 1, 12)], Kind.DATETIME),  # noqa: DTZ001 - without a zone on purpose
    ([MIDNIGHT], Kind.DATETIME),
    ([dt.time(12, 30)], Kind.NUMERIC),
    ([dt.timedelta(hours=1)], Kind.NUMERIC),
    ([decimal.Decimal("1.50")], Kind.NUMERIC),
    ([None, None], Kind.NUMERIC),
    ([[1.0, 2.0], [3.0, 4.0]], Kind.VECTOR),
    ([[1, 2], [3, 4, 5]], Kind.TEXT),
    ([{"a": 1}, {"a": 2}], Kind.TEXT),
    ([b"\x00\xff", b"a"], Kind.TEXT),
    ([1, "a", 2.5, None], Kind.CATEGORY),
    ([2**70, 1, None], Kind.NUMERIC),
]


@pytest.mark.parametrize(("values", "kind"), TYPED)
def test_kind_of_typed_values(values, kind):
    assert spec_of(values).kind is kind


CELLS = [
    (["1.5", "2", ""], Kind.NUMERIC),
    (["1e3", "-inf", "nan"], Kind.NUMERIC),
    ([" 1.5", "2.5 "], Kind.NUMERIC),
    ([" 1", " 2", " 3"], Kind.INTEGER),
    (["1", "2", "3", "NA"], Kind.INTEGER),
    (["5", "5"], Kind.INTEGER),
    (["0", "1"], Kind.CATEGORY),
    (["1.0", "2.0"], Kind.NUMERIC),
    (["007", "123"], Kind.CATEGORY),
    (["00.5", "1.5"], Kind.CATEGORY),
    (["0.5", "0"], Kind.NUMERIC),
    (["0x10", "1"], Kind.CATEGORY),
    (["12345678901234567890", "1", "2"], Kind.INTEGER),
    (["true", "FALSE", ""], Kind.BOOLEAN),
    (["yes", "no"], Kind.CATEGORY),
    (["2020-01-01", "2020-01-02"], Kind.DATETIME),
    (["2020-01-01 10:00:00.123456789"], Kind.DATETIME),
    (["01/02/2020", "02/02/2020"], Kind.CATEGORY),
    (["10:00", "11:30"], Kind.NUMERIC),
    (["a", "1"], Kind.CATEGORY),
    (["", "NA", "null", "None", "<NA>"], Kind.NUMERIC),
]


@pytest.mark.parametrize(("cells", "kind"), CELLS)
def test_kind_of_the_cells_of_a_csv(cells, kind, tmp_path):
    assert spec_in_csv(tmp_path, cells).kind is kind


@pytest.mark.parametrize(
    "name", ["id", "ID", "user_id", "flightId", "uuid", "rownames", "Unnamed: 0", ""]
)
def test_names_of_ids(name):
    assert named_like_id(name)


@pytest.mark.parametrize("name", ["paid", "valid", "identity", "android", "index_of_prices"])
def test_names_that_only_look_like_ids(name):
    assert not named_like_id(name)


def test_an_id_is_named_so_and_has_no_value_twice(tmp_path):
    assert spec_of([3, 1, 2], "user_id").role is Role.ID
    assert spec_of([3, 1, 3], "user_id").role is Role.FEATURE
    assert spec_of([3, 1, 2], "visits").role is Role.FEATURE
    assert spec_of(["b", "a", None], "uuid").role is Role.ID
    assert spec_in_csv(tmp_path, ["3", "1", "2"], "id").role is Role.ID
    assert spec_in_csv(tmp_path, ["3", "1", "3"], "id").role is Role.FEATURE


def test_keys_are_ids_whatever_their_name():
    assert spec_of([f"{i:08x}" for i in range(50)]).role is Role.ID
    assert spec_of([f"{i:08x} " for i in range(50)]).role is Role.FEATURE
    assert spec_of(["x" * 70 + str(i) for i in range(50)]).role is Role.FEATURE


def test_dates_are_seconds_since_1970_in_utc():
    cases = {
        "text": ["1970-01-02"],
        "zone": ["1970-01-02T02:00:00+02:00"],
        "date": [dt.date(1970, 1, 2)],
        "utc": [MIDNIGHT.replace(year=1970, day=2)],
        "ns": pa.array([86_400 * 10**9], pa.timestamp("ns")),
        "date64": pa.array([86_400_000], pa.date64()),
    }
    dataset = open_data(cases)
    for name in cases:
        assert values_of(dataset, name) == [86_400.0], name


def test_times_of_day_and_durations_are_seconds():
    assert values_of(open_data({"x": ["12:30", "01:02:03.5"]})) == [45_000.0, 3_723.5]
    assert values_of(open_data({"x": [dt.time(12, 30)]})) == [45_000.0]
    assert values_of(open_data({"x": [dt.timedelta(minutes=2)]})) == [120.0]


def test_mixed_values_are_read_as_text_and_it_is_said():
    dataset = open_data({"x": [1, "a", 2.0, True, None, 0.5]})
    assert values_of(dataset) == ["1", "a", "2", "true", None, "0.5"]
    assert "different types" in explain(dataset)[0].reason


def test_every_value_missing_is_said(tmp_path):
    dataset = open_data(csv_file(tmp_path, ["x,y", ",1", ",2"]))
    assert explain(dataset)[0] == ("x", "numeric", "feature", "every value is missing")
    assert values_of(dataset) == [None, None]


def test_whole_numbers_beyond_64_bits_are_rounded_and_it_is_said(tmp_path):
    dataset = open_data(csv_file(tmp_path, ["x", "98765432109876543210", "1", "2"]))
    assert values_of(dataset) == [98765432109876543210.0, 1.0, 2.0]
    assert "beyond 64 bits" in explain(dataset)[0].reason
    unsigned = open_data({"x": np.array([2**64 - 1, 1, 2], np.uint64)})
    assert values_of(unsigned) == [float(2**64), 1.0, 2.0]


def test_few_whole_numbers_come_with_advice():
    (row,) = explain(open_data({"x": [1, 2, 3]}))
    assert row.reason == "whole numbers, 3 different; if they are codes, call it a category"
    (row,) = explain(open_data({"x": list(range(21))}))
    assert row.reason == "whole numbers"


def test_infinities_stay():
    assert values_of(open_data({"x": [np.inf, -np.inf, np.nan]})) == [np.inf, -np.inf, None]


LEVELS = [[1, 2, 3, None], [1.0, 2.0, 3.0, np.nan], ["1", "2", "3", None]]


@pytest.mark.parametrize("values", LEVELS)
def test_one_is_the_level_one_in_every_type(values):
    assert values_of(open_data({"x": values}, kinds={"x": Kind.CATEGORY})) == ["1", "2", "3", None]


@pytest.mark.parametrize("cells", [["1", "2", "3", ""], ["1.0", "2.0", "3.0", ""]])
def test_one_is_the_level_one_in_a_csv_too(cells, tmp_path):
    path = csv_file(tmp_path, ["x,y", *(f"{cell},1" for cell in cells)])
    assert values_of(open_data(path, kinds={"x": Kind.CATEGORY})) == ["1", "2", "3", None]


def test_levels_that_become_equal_are_one_level(tmp_path):
    path = csv_file(tmp_path, ["x", "1", "1.0", "a"])
    (batch,) = open_data(path, kinds={"x": "category"}).batches()
    assert batch.column(0).dictionary.to_pylist() == ["1", "a"]


# --- against a reference ---------------------------------------------------------------


def reference(kind, **options):
    return Schema(columns=(ColumnSpec(name="x", kind=kind, **options),))


ALIKE = [
    (Kind.CATEGORY, [1, 2, 3]),
    (Kind.CATEGORY, [1.0, 2.0, None]),
    (Kind.CATEGORY, ["a", "b"]),
    (Kind.CATEGORY, [f"{i} {i}" for i in range(50)]),
    (Kind.INTEGER, [1.0, 2.0, None]),
    (Kind.INTEGER, ["1", "2"]),
    (Kind.INTEGER, [0, 1]),
    (Kind.NUMERIC, [1, 2, 3]),
    (Kind.NUMERIC, ["1.5", "2"]),
    (Kind.NUMERIC, ["12:30"]),
    (Kind.BOOLEAN, [0, 1]),
    (Kind.BOOLEAN, [0.0, 1.0]),
    (Kind.BOOLEAN, ["True", "false"]),
    (Kind.DATETIME, ["2020-01-01"]),
    (Kind.TEXT, ["a", "a"]),
    *((kind, [None, None]) for kind in Kind),
]


@pytest.mark.parametrize(("kind", "values"), ALIKE)
def test_a_candidate_takes_the_kind_of_the_reference(kind, values):
    dataset = open_data({"x": values}, like=reference(kind))
    assert dataset.schema["x"].kind is kind
    assert explain(dataset)[0].reason == "as in the reference"
    assert len(values_of(dataset)) == len(values)


UNLIKE = [
    (Kind.CATEGORY, [1.5, 2.5], Kind.NUMERIC),
    (Kind.CATEGORY, [True, False], Kind.BOOLEAN),
    (Kind.INTEGER, [1.5, 2.0], Kind.NUMERIC),
    (Kind.INTEGER, ["a", "1"], Kind.CATEGORY),
    (Kind.NUMERIC, ["a", "1"], Kind.CATEGORY),
    (Kind.BOOLEAN, [0, 1, 2], Kind.INTEGER),
    (Kind.DATETIME, [1, 2, 3], Kind.INTEGER),
    (Kind.DATETIME, ["2020-01-01", "soon"], Kind.CATEGORY),
    (Kind.VECTOR, [1.5], Kind.NUMERIC),
    (Kind.TEXT, [1.5], Kind.NUMERIC),
]


@pytest.mark.parametrize(("wanted", "values", "kind"), UNLIKE)
def test_a_candidate_that_cannot_keeps_its_own_kind(wanted, values, kind):
    dataset = open_data({"x": values}, like=reference(wanted))
    assert dataset.schema["x"].kind is kind
    assert f"the reference has {wanted}" in explain(dataset)[0].reason


def test_a_vector_of_another_width_keeps_its_width():
    dataset = open_data({"x": [[1.0, 2.0]]}, like=reference(Kind.VECTOR, width=3))
    assert (dataset.schema["x"].kind, dataset.schema["x"].width) == (Kind.VECTOR, 2)


def test_a_csv_candidate_takes_the_kinds_of_a_typed_reference(tmp_path):
    typed = open_data({"n": [1.5], "c": ["1"], "i": [1, 2, 3][:1], "b": [True], "d": [MIDNIGHT]})
    path = csv_file(tmp_path, ["n,c,i,b,d", "1,1.0,2.0,1,2020-01-01", "2,2.0,3.0,0,2020-01-02"])
    dataset = open_data(path, like=typed.schema)
    assert dataset.schema == typed.schema
    assert values_of(dataset, "c") == ["1", "2"]
    assert values_of(dataset, "i") == [2, 3]
    assert values_of(dataset, "b") == ["true", "false"]


def test_roles_come_from_the_reference_too():
    like = Schema(
        columns=(
            ColumnSpec(name="x", kind=Kind.NUMERIC, role=Role.TARGET),
            ColumnSpec(name="id", kind=Kind.INTEGER),
        )
    )
    schema = open_data({"x": [1.5, 2.5], "id": [1, 2], "extra_id": [3, 4]}, like=like).schema
    assert [spec.role for spec in schema.columns] == [Role.TARGET, Role.FEATURE, Role.ID]


# --- what was asked for ------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.CATEGORY, Kind.TEXT])
@pytest.mark.parametrize("values", [values for values, _ in TYPED])
def test_anything_can_be_read_as_text(values, kind):
    dataset = open_data({"x": values}, kinds={"x": kind})
    assert dataset.schema["x"].kind is kind
    assert len(values_of(dataset)) == len(values)


def test_a_kind_that_does_not_fit_names_the_row():
    values = [str(number) for number in range(1_000)] + ["oops", "1"]
    with pytest.raises(InputError) as caught:
        open_data({"x": values}, name="a.csv", kinds={"x": Kind.NUMERIC})
    assert str(caught.value) == (
        "`a.csv`: column `x` cannot be read as numeric: data row 1,001 is something else. "
        "It holds text; left alone it is read as text."
    )


def test_a_kind_that_was_asked_for_makes_no_id():
    assert spec_of([1, 2, 3], "id", kinds={"id": "category"}).role is Role.FEATURE


def test_unknown_columns_kinds_and_roles_are_named():
    with pytest.raises(InputError, match=r"`data` has no column `colour`\. Did you mean `color`\?"):
        open_data({"color": ["a"]}, kinds={"colour": "category"})
    with pytest.raises(
        InputError, match=r"`x` is given the kind `categorical`\. There are: numeric"
    ):
        open_data({"x": ["a"]}, kinds={"x": "categorical"})
    with pytest.raises(InputError, match="`x` and `y` all have the role target"):
        open_data({"x": [1], "y": [2]}, roles={"x": "target", "y": "target"})


def test_columns_of_the_reference_may_be_given_kinds_when_the_candidate_lacks_them():
    open_data({"y": [1]}, kinds={"x": "category"}, like=reference(Kind.CATEGORY))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kinds": {"x": "category"}}, "`x` is given the kind category, and .* it as integer"),
        ({"roles": {"x": "group"}}, "`x` is given the role group, and .* it as feature"),
    ],
)
def test_a_reference_that_was_read_before_is_not_read_otherwise_now(asked, said):
    like = reference(Kind.INTEGER)
    with pytest.raises(InputError, match=said):
        open_data({"x": [1, 2, 3]}, like=like, **asked)
    open_data({"x": [1, 2, 3]}, like=like, kinds={"x": "integer"}, roles={"x": "feature"})


# --- row order ----------------------------------------------------------------------------

cells = st.sampled_from(
    [
        "",
        "1",
        "2",
        "2.5",
        "007",
        "a",
        "b c",
        "true",
        "0",
        "2020-01-01",
        "12:30",
        "2020-01-01T00:00Z",
    ]
)


@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=60), seed=st.integers(0, 9))
def test_row_order_has_no_say_in_the_schema(rows, seed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("order")
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    first, second = (
        open_data(csv_file(folder, ["a,user_id", *(",".join(row) for row in order)]))
        for order in (rows, shuffled)
    )
    assert first.schema == second.schema
    assert first.notes == second.notes


@pytest.mark.parametrize("odd", ["007", "x", "1.5", "2020-01-01"])
@pytest.mark.parametrize("place", [0, 150_000, 299_999])
def test_one_odd_cell_counts_wherever_it_lies(odd, place, tmp_path, monkeypatch):
    monkeypatch.setattr("detector.data.opening.HOLD_BYTES", 0)
    cells = [str(number) for number in range(300_000)]
    cells[place] = odd
    spec = spec_in_csv(tmp_path, cells)
    assert (spec.kind, spec.role) == {
        "1.5": (Kind.NUMERIC, Role.FEATURE),
        "007": (Kind.TEXT, Role.ID),
        "x": (Kind.TEXT, Role.ID),
        "2020-01-01": (Kind.TEXT, Role.ID),
    }[odd]


def test_repeats_beyond_the_limit_are_judged_alike_in_every_order(monkeypatch):
    monkeypatch.setattr(repeats, "LIMIT", 64)
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 2**64, 2_000, np.uint64)
    pool = np.concatenate((hashes, hashes[:500]))
    answers = set()
    for _ in range(10):
        counter = repeats.Repeats()
        for part in np.array_split(rng.permutation(pool), rng.integers(1, 40)):
            counter.add(part)
        answers.add((counter.distinct, counter.rows, counter.exact))
    assert len(answers) == 1
    ((distinct, rows, exact),) = answers
    assert not exact
    assert distinct / rows == pytest.approx(0.8, abs=0.15)
