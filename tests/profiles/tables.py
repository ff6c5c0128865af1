"""Small data sets built in memory for the profile's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from detector.data.dataset import Dataset
from detector.data.schema import ColumnSpec, Kind, Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = Schema(
    columns=(
        ColumnSpec(name="price", kind=Kind.NUMERIC),
        ColumnSpec(name="rooms", kind=Kind.INTEGER),
        ColumnSpec(name="city", kind=Kind.CATEGORY),
        ColumnSpec(name="note", kind=Kind.TEXT),
        ColumnSpec(name="place", kind=Kind.VECTOR, width=2),
    )
)


def mixed_table(rows: int, *, seed: int) -> pa.Table:
    """Return a table with ties, missing values, an infinity and every kind of column."""
    rng = np.random.default_rng(seed)
    price = rng.lognormal(size=rows).round(2)
    price[rng.random(rows) < 0.05] = np.nan
    if rows > 3:
        price[0] = np.inf
    city = np.array(["north", "south", "east", None], dtype=object)[rng.integers(0, 4, rows)]
    notes = [None if i % 7 == 0 else f"note {rng.integers(0, 50)}" for i in range(rows)]
    vectors = rng.integers(0, 3, (rows, 2)).astype(np.float32)
    return pa.table(
        {
            "price": pa.array(price, from_pandas=True),
            "rooms": pa.array(rng.integers(0, 5, rows)),
            "city": pa.array(city, pa.string()).dictionary_encode(),
            "note": pa.array(notes, pa.string()),
            "place": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 2),
        }
    )


def dataset(table: pa.Table, *, schema: Schema = SCHEMA, batch_rows: int = 1000) -> Dataset:
    """Return a data set that streams a table."""

    def read(names: Sequence[str]) -> object:
        return iter(table.select(list(names)).to_batches(max_chunksize=batch_rows))

    return Dataset(name="table", schema=schema, read=read, n_rows=table.num_rows)  # type: ignore[arg-type]


def numeric_dataset(values: np.ndarray, *, name: str = "x") -> Dataset:
    """Return a data set of one numeric column."""
    schema = Schema(columns=(ColumnSpec(name=name, kind=Kind.NUMERIC),))
    return dataset(pa.table({name: values.astype(np.float64)}), schema=schema, batch_rows=5000)
