"""Every broken file is answered with one line: what is wrong, where, what to do."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from detector.data.opening import explain, open_data
from detector.data.schema import Kind
from detector.errors import InputError

BROKEN = Path(__file__).resolve().parents[2] / "fixtures" / "broken"
SUPPORTED = (
    "Supported: .arrow, .csv, .feather, .ipc, .jsonl, .ndjson, .npy, .npz, .parquet, .pq, .tab, "
    ".tsv; .csv, .tsv and .jsonl also with .gz, .bz2 or .zst after it."
)
DAMAGED = "It is damaged or was cut short; write or copy it again."
ONE_OBJECT = 'Put one object such as {"a": 1} on each line.'
COMPLETE = "Put one complete JSON object on each line."
QUOTE = "Quote cells that hold the delimiter or a quote, or mend the row."
HEADER = "Rename one; a file without a header row needs one."
PICKLED = "They are never loaded; save numbers or text."
ICONV = "Convert it, for example with `iconv -f {} -t utf-8`."
ZEROS = (
    "is not text in UTF-8: its first line holds zero bytes. "
    "It is a binary file, or UTF-16 without a byte order mark; save it as UTF-8."
)

REFUSED = {
    "empty.csv": "`{}` is empty: 0 bytes. Write it again.",
    "empty.parquet": "`{}` is empty: 0 bytes. Write it again.",
    "empty_inside.csv.gz": "`{}` is empty once it is unpacked. Write it again.",
    "blank.csv": "`{}` holds blank lines only. It needs a header row.",
    "blank.jsonl": f"`{{}}` holds no keys and no values. {ONE_OBJECT}",
    "truncated.csv.gz": f"`{{}}` cannot be read to its end: Truncated compressed stream. {DAMAGED}",
    "ragged.csv": f"`{{}}`, line 5: the header has 2 cells, and this row 3. {QUOTE}",
    "short_row.csv": f"`{{}}`, line 5: the header has 2 cells, and this row 1. {QUOTE}",
    "unclosed_quote.csv": (
        "`{}`: a quote is opened in line 5 and never closed. "
        "Close it, or double it where it is meant as a character."
    ),
    "latin1.csv": (
        f"`{{}}`, line 2: the text is not UTF-8; it may be Latin-1 (ISO 8859-1). "
        f"{ICONV.format('latin1')}"
    ),
    "windows1252.csv": (
        f"`{{}}`, line 3: the text is not UTF-8; it may be Windows-1252. {ICONV.format('cp1252')}"
    ),
    "latin1_header.csv": (
        f"`{{}}`, line 1: the text is not UTF-8; it may be Latin-1 (ISO 8859-1). "
        f"{ICONV.format('latin1')}"
    ),
    "latin1.jsonl": (
        f"`{{}}`, line 2: the text is not UTF-8; it may be Latin-1 (ISO 8859-1). "
        f"{ICONV.format('latin1')}"
    ),
    "utf16.jsonl": f"`{{}}` is UTF-16; JSON lines are UTF-8. {ICONV.format('utf-16')}",
    "utf16_no_mark.csv": f"`{{}}` {ZEROS}",
    "binary.csv": f"`{{}}` {ZEROS}",
    "duplicate_columns.csv": f"`{{}}` has two columns named `age`: 1 and 3. {HEADER}",
    "duplicate_columns.parquet": f"`{{}}` has two columns named `age`: 1 and 2. {HEADER}",
    "no_header.csv": f"`{{}}` has two columns named `5`: 1 and 2. {HEADER}",
    "long_row.csv.gz": ("`{}` holds a row of more than 4 MiB. Perhaps a quote is never closed."),
    "long_name.csv.gz": (
        "`{}`: the name of column 2 has 65,536 characters. "
        "Shorten it to 1,000; perhaps the header row is missing."
    ),
    "too_wide.csv.gz": (
        "`{}` has 10,001 columns; at most 10,000 can be compared. "
        "Keep those you mean, or turn an embedding into one vector column (.npy)."
    ),
    "data.cvs": (
        f"`{{}}` has the suffix `.cvs`, which no reader knows. Did you mean `.csv`? {SUPPORTED}"
    ),
    "data": f"`{{}}` has no suffix. {SUPPORTED}",
    "book.xlsx": f"`{{}}` has the suffix `.xlsx`, which no reader knows. {SUPPORTED}",
    "truncated.jsonl": (
        f"`{{}}`, line 4: not JSON at character 13: Unterminated string starting at. {COMPLETE}"
    ),
    "not_json.jsonl": f"`{{}}`, line 2: not JSON at character 1: Expecting value. {COMPLETE}",
    "whole_array.jsonl": f"`{{}}`, line 1: not JSON at character 2: Expecting value. {COMPLETE}",
    "not_objects.jsonl": f"`{{}}`, line 1: a list, not an object. {ONE_OBJECT}",
    "duplicate_key.jsonl": "`{}`, line 2: the key `age` comes twice. Mend the line.",
    "deep.jsonl": "`{}`, line 1: a value is too deep or long. Mend the line.",
    "text.parquet": "`{}` is no Parquet file. Give it the suffix of its own format.",
    "truncated.parquet": (
        f"`{{}}` cannot be read to its end: Parquet magic bytes not found in footer. Either the "
        f"file is corrupted or this is not a parquet file. {DAMAGED}"
    ),
    "corrupt_page.parquet": f"`{{}}` cannot be read to its end: *. {DAMAGED}",
    "bad_utf8.parquet": f"`{{}}` cannot be read to its end: Invalid UTF8 sequence*. {DAMAGED}",
    "no_columns.parquet": "`{}` has no columns. A table needs at least one.",
    "truncated.feather": f"`{{}}` cannot be read to its end: Not an Arrow file. {DAMAGED}",
    "version1.feather": (
        "`{}` is Feather version 1, which is no longer read. "
        "Write it again as version 2 or as Parquet."
    ),
    "truncated.arrow": f"`{{}}` cannot be read to its end: Expected to be *. {DAMAGED}",
    "bad_offsets.arrow": f"`{{}}` cannot be read to its end: In column 0: *. {DAMAGED}",
    "truncated.npy": "`{}` was cut short: its header promises more values. Write it again.",
    "not_numpy.npy": "`{}` is no NPY file. Write it with numpy.save.",
    "pickled.npy": f"`{{}}` holds pickled Python objects. {PICKLED}",
    "pickled.npz": f"`{{}}`: the array `x` holds pickled Python objects. {PICKLED}",
    "complex.npy": (
        "`{}` holds values of type complex128, which are not read. Save numbers, text or dates."
    ),
    "single_value.npy": ("`{}` is a single value, not rows. Leave it out, or give it one per row."),
    "truncated.npz": "`{}` is no complete NPZ (zip) file. Write it with numpy.savez.",
    "no_arrays.npz": "`{}` holds no arrays. Write it with numpy.savez.",
    "lengths.npz": (
        "`{}` holds arrays of different lengths: `x` 3, `y` 5. "
        "Each array must have one entry (or row) per row of the table."
    ),
    "bomb.npz": (
        "`{}` would unpack to 4.0 GiB in 1 arrays. "
        "If that is meant, save the arrays as .npy, which are not read into memory."
    ),
    "promise.npz": (
        "`{}`: the header of `x` promises 1,599,984 bytes, and 176 are there. "
        "Write it again with numpy.savez."
    ),
    "broken_header.npz": "`{}`: `x` has no readable header. Write it again.",
    "mixed_formats": (
        "`{}` holds files of different formats, such as `a.csv` and `b.parquet`. "
        "Name the files that you mean, for example with a glob."
    ),
    "mixed_columns": (
        "`a.csv` has the column `city`, and `b.csv` has not. "
        "Files that are read together must have the same columns."
    ),
    "mixed_types": (
        "Column `age` is int64 in `a.parquet` and string in `b.parquet`. "
        "Files that are read together must have the same types."
    ),
    "no_data": f"The folder `{{}}` holds no data file. {SUPPORTED}",
}

READ = {
    "header_only.csv": 0,
    "zero_rows.parquet": 0,
    "zero_rows.feather": 0,
    "zero_rows.npy": 0,
    "utf16.csv": 2,
    "utf8_mark.csv": 3,
    "infinities.csv": 5,
    "huge_integers.csv": 3,
    "huge_integers.jsonl": 3,
    "hostile_names.csv": 1,
    "hostile_values.csv": 6,
    "long_cell.csv.gz": 2,
    "wide.csv.gz": 2,
    "mixed.jsonl": 4,
    "surrogate.jsonl": 1,
    "nested.parquet": 3,
}


def opened(name):
    return open_data(BROKEN / name)


def column(dataset, name):
    return [
        None if isinstance(value, float) and math.isnan(value) else value
        for batch in dataset.batches([name])
        for value in batch.column(0).to_pylist()
    ]


def test_every_fixture_is_answered():
    assert {path.name for path in BROKEN.iterdir()} == {*REFUSED, *READ}
    assert not {*REFUSED} & {*READ}


def test_fixtures_are_small():
    sizes = [path.stat().st_size for path in BROKEN.rglob("*") if path.is_file()]
    assert max(sizes) < 50_000


def test_the_script_writes_these_fixtures(tmp_path):
    script = BROKEN.parent / "make_broken.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "again")], check=True)
    again = {path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*")}
    assert again == {path.relative_to(BROKEN) for path in BROKEN.rglob("*")}
    for path in again:
        if path.suffix in {".csv", ".jsonl", ".npy", ".npz", ".cvs"}:
            assert (tmp_path / "again" / path).read_bytes() == (BROKEN / path).read_bytes()


@pytest.mark.parametrize(("name", "expected"), REFUSED.items(), ids=REFUSED)
def test_what_a_broken_file_is_answered_with(name, expected):
    with pytest.raises(InputError) as caught:
        opened(name)
    said = str(caught.value)
    before, _, after = expected.replace("{}", name).partition("*")
    assert said.startswith(before) if after else said == before
    assert said.endswith(after)
    assert caught.value.hint, "it says what to do"
    assert "\n" not in said
    assert said.isprintable()
    assert str(BROKEN) not in said, "base names only"
    assert len(said) < 400


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("name", "rows"), READ.items(), ids=READ)
def test_what_only_looks_broken_is_read(name, rows, streamed, monkeypatch):
    if streamed:
        monkeypatch.setattr("detector.data.opening.HOLD_BYTES", 0)
    dataset = opened(name)
    assert sum(batch.num_rows for batch in dataset.batches()) == rows
    assert len(explain(dataset)) == len(dataset.schema.columns)


def test_infinities_are_kept():
    assert column(opened("infinities.csv"), "x") == [1.5, math.inf, -math.inf, math.inf, None]


def test_huge_integers_are_rounded_beyond_64_bits_only():
    dataset = opened("huge_integers.csv")
    assert column(dataset, "x") == [98765432109876543210.0, 1.0, 2.0]
    assert column(dataset, "y") == [9007199254740993, 2, 3]
    assert column(opened("huge_integers.jsonl"), "x") == [98765432109876543210.0, 1.0, None]


def test_hostile_names_are_kept_apart():
    names = opened("hostile_names.csv").schema.names
    assert len(set(names)) == 9
    assert {"a", " a", "a.b", "", "=1+1"} <= set(names)


def test_hostile_values_are_levels_like_others():
    assert "<img src=x onerror=alert(1)>" in column(opened("hostile_values.csv"), "x")
    assert "\0" in column(opened("hostile_values.csv"), "x")


def test_a_long_level_is_cut_and_told_apart_by_a_digest():
    level = column(opened("long_cell.csv.gz"), "city")[0]
    assert level.startswith("xxx")
    assert level.endswith(")")
    assert "1,048,576 characters" in level
    assert len(level) < 256
    near = open_data({"x": ["a" * 1_000 + "b", "a" * 1_000 + "c", "a" * 1_000 + "b"]})
    assert len(set(column(near, "x"))) == 2


def test_utf16_with_its_mark_is_read():
    assert column(opened("utf16.csv"), "city") == ["Malmö", "Lima"]


def test_values_of_many_types_become_text():
    dataset = opened("mixed.jsonl")
    assert column(dataset, "x") == ["1", "a", "2", None]
    assert column(dataset, "y") == [None, None, None, '{"a": [1], "b": 1}']
    assert "different types" in explain(dataset)[0].reason


def test_nested_values_become_text():
    dataset = opened("nested.parquet")
    assert dataset.schema["nested"].kind is Kind.TEXT
    assert column(dataset, "nested") == ['{"a": [1, 2], "b": 1}', None, '{"a": [], "b": 2}']


def test_a_missing_file_comes_with_a_near_miss(tmp_path):
    (tmp_path / "candidate.csv").write_text("a\n1\n")
    with pytest.raises(InputError) as caught:
        open_data(tmp_path / "candidat.csv")
    assert str(caught.value) == "There is no file `candidat.csv`. Did you mean `candidate.csv`?"
    with pytest.raises(InputError, match=r"There is no folder `nowhere` either\."):
        open_data(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(InputError, match=r"No file matches `\*\.pq`\."):
        open_data(tmp_path / "*.pq")
    with pytest.raises(InputError, match="Only files of this machine"):
        open_data("s3://bucket/a.csv")


def test_a_link_to_nothing_says_so_and_suggests_not_itself(tmp_path):
    (tmp_path / "a.csv").symlink_to("gone.csv")
    with pytest.raises(InputError) as caught:
        open_data(tmp_path / "a.csv")
    assert str(caught.value) == (
        "There is no file `a.csv`. It is a link to a file that is not there."
    )


@pytest.mark.parametrize("name", ["", " "])
def test_no_file_name_is_not_the_working_directory(name):
    with pytest.raises(InputError, match="There is no file name"):
        open_data(name)


def test_what_is_no_table_is_refused():
    with pytest.raises(InputError, match=r"A int is not read as rows and columns\. Give a path"):
        open_data(5)
    with pytest.raises(InputError, match=r"Column `x` is a float, not a sequence of values\."):
        open_data({"x": 1.5})
    with pytest.raises(InputError, match="`x` has 1 rows, `y` has 2"):
        open_data({"x": [1], "y": [1, 2]})
    with pytest.raises(InputError, match="`data` has two columns named `x`"):
        open_data(pa.table([[1], [2]], names=["x", "x"]))


def test_a_file_that_changes_between_two_passes_is_an_input_error(tmp_path, monkeypatch):
    monkeypatch.setattr("detector.data.opening.HOLD_BYTES", 0)
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n2\n3\n")
    dataset = open_data(path)
    path.write_text("x\none\n")
    with pytest.raises(InputError, match="cannot be read to its end"):
        list(dataset.batches())
    path.unlink()
    with pytest.raises(InputError, match="cannot be read to its end"):
        list(dataset.batches())
