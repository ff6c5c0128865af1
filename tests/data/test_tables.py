from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from detector.data.tables import refuse_suffix, write_table
from detector.errors import DetectorError

TABLE = pa.table({"row": [1, 2], "reason": ['a "b", c', "é\n"]})


def test_csv_and_parquet_hold_the_table(tmp_path):
    write_table(TABLE, tmp_path / "a.csv")
    write_table(TABLE, tmp_path / "a.PARQUET")
    options = csv.ParseOptions(newlines_in_values=True)
    assert csv.read_csv(tmp_path / "a.csv", parse_options=options).equals(TABLE)
    assert parquet.read_table(tmp_path / "a.PARQUET").equals(TABLE)


def test_other_suffixes_are_refused_in_one_line(tmp_path):
    with pytest.raises(DetectorError) as caught:
        refuse_suffix(tmp_path / "a.xlsx")
    assert str(caught.value) == "`a.xlsx` names no format of tables. End it in .parquet or .csv."


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DetectorError, match="Create the folder"):
        write_table(TABLE, tmp_path / "no" / "a.csv")
