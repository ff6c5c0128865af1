"""A data set as one table in memory, in the types that people expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.data.arrays import as_numbers
from detector.data.build import primitive
from detector.data.convert import canonical_type
from detector.data.schema import Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from detector.data.dataset import Dataset
    from detector.data.schema import ColumnSpec

MICROSECONDS = 1_000_000


def canonical_table(dataset: Dataset) -> pa.Table:
    """Return all rows in the canonical types of `Dataset`, one dictionary a category."""
    import pyarrow as pa

    batches = list(dataset.batches())
    if not batches:
        fields = [(spec.name, canonical_type(spec)) for spec in dataset.schema.columns]
        return pa.schema(fields).empty_table()
    return pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()


def natural_table(dataset: Dataset) -> pa.Table:
    """Return all rows with booleans as booleans and dates as timestamps (UTC, without zone).

    Categories stay dictionaries of text: written to a file and read again, every column
    has the kind that it has here. The key-value metadata come along.
    """
    import pyarrow as pa

    table = canonical_table(dataset)
    columns = [_natural(table[spec.name], spec) for spec in dataset.schema.columns]
    metadata = dict(dataset.metadata) or None
    named = pa.Table.from_arrays(columns, names=list(dataset.schema.names))
    return named.replace_schema_metadata(metadata)


def _natural(column: pa.ChunkedArray, spec: ColumnSpec) -> pa.ChunkedArray:
    import pyarrow as pa

    if spec.kind is Kind.BOOLEAN:
        return column.cast(pa.string()).cast(pa.bool_())
    if spec.kind is Kind.DATETIME:
        return pa.chunked_array([_instants(chunk) for chunk in column.chunks], pa.timestamp("us"))
    return column


def _instants(seconds: pa.Array) -> pa.Array:
    """Return seconds since 1970 as timestamps; what no timestamp can hold is missing."""
    import pyarrow as pa
    from pyarrow import compute

    values = as_numbers(seconds) * MICROSECONDS
    fits = np.abs(values) < np.iinfo(np.int64).max  # false for NaN
    whole = primitive(np.rint(np.where(fits, values, 0)).astype(np.int64)).cast(pa.timestamp("us"))
    present = primitive(fits.astype(np.int8)).cast(pa.bool_())
    return compute.if_else(present, whole, pa.nulls(len(whole), whole.type))
