"""A data set: a name, a schema and a replayable stream of Arrow record batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from detector.errors import DetectorError

if TYPE_CHECKING:
    import pyarrow as pa

    from detector.data.schema import Schema

BATCH_ROWS = 131_072
"""Rows per record batch that readers aim at: large enough for numpy, small enough for memory."""

Batches = Callable[[Sequence[str]], Iterator["pa.RecordBatch"]]
"""Open the data again and stream these columns, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Rows that can be read again and again, in bounded memory.

    Batches hold canonical Arrow types, by the kind in the schema:

    | kind | Arrow type |
    | --- | --- |
    | numeric, datetime (seconds since 1970, UTC) | float64 |
    | integer | int64, or float64 when a value is beyond its range or unsigned 64-bit |
    | category, boolean | dictionary<int32, string> (booleans: `false`, `true`) |
    | text | string |
    | vector | fixed_size_list<float32>[width] |

    Null is missing, and so is NaN in a float64 column; infinities stay. Each batch of a
    category has a dictionary of its own.

    Attributes:
        name: What reports call it: a file name or `reference`, never a full path.
        schema: The columns.
        read: Opens the stream again; called once per pass.
        n_rows: The number of rows when it is known without reading.
        metadata: Key-value text found in the file (Parquet or Arrow schema metadata).
        source: The path it came from, if it is a file; only used to find its manifest.
        notes: Why each column has its kind, by name.

    """

    name: str
    schema: Schema
    read: Batches
    n_rows: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Stream the rows from the start, as canonical record batches."""
        return self.read(self.schema.names if columns is None else columns)

    def to_arrow(self) -> pa.Table:
        """Return all rows in memory: booleans as such, dates as timestamps, levels as text."""
        from detector.data.export import natural_table

        return natural_table(self)

    def to_pandas(self) -> Any:
        """Return all rows as a pandas frame.

        Raises:
            DetectorError: pandas is not installed; nothing here depends on it.

        """
        try:
            return self.to_arrow().to_pandas()
        except ModuleNotFoundError as error:
            raise DetectorError(
                "pandas is not installed.", hint="Run `pip install pandas`, or use `to_arrow()`."
            ) from error


def of_table(table: pa.Table, schema: Schema, *, name: str, **about: Any) -> Dataset:
    """Return a canonical table as a data set; `about` are further attributes of it."""
    batches = table.combine_chunks().to_batches()

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return (batch.select(list(columns)) for batch in batches)

    return Dataset(name=name, schema=schema, read=read, n_rows=table.num_rows, **about)
