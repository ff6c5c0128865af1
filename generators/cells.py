"""Cells of canonical Arrow columns: which are missing, their numbers, and writing them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.data.arrays import as_indices, as_numbers, as_vectors
from detector.data.build import primitive
from detector.data.schema import Kind

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_LEAST, _MOST = -(2.0**63), float(np.nextafter(2.0**63, 0))


def absent(column: pa.Array) -> Mask:
    """Return which values are missing, shape (n,): null, NaN, or a vector with a gap."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        gone = as_indices(column.indices) < 0
    elif pa.types.is_string(column.type):
        gone = as_numbers(column.is_null().cast(pa.int8())) > 0
    else:
        gone = np.isnan(read_numbers(column)).any(axis=1)
    return gone


def read_numbers(column: pa.Array) -> Numbers:
    """Return an ordered or vector column as float64, shape (n, width), NaN for missing."""
    import pyarrow as pa

    if pa.types.is_fixed_size_list(column.type):
        return as_vectors(column)
    return as_numbers(column)[:, None]


def ordered_cells(values: Numbers, missing: Mask, *, spec: ColumnSpec, wide: bool) -> pa.Array:
    """Return the canonical column of an ordered or vector kind.

    Args:
        values: Shape (n, width), no NaN.
        missing: Shape (n,); these rows become null.
        spec: The column.
        wide: Whole numbers are held as float64.

    """
    import pyarrow as pa

    if spec.kind is Kind.VECTOR:
        flat = primitive(values.astype(np.float32).reshape(-1))
        packed = pa.FixedSizeListArray.from_arrays(flat, spec.width)
        if not missing.any():
            return packed
        return packed.take(with_gaps(primitive(np.arange(len(values))), missing))
    numbers = values[:, 0]
    if spec.kind is Kind.INTEGER and not wide:
        whole = np.clip(np.rint(numbers), _LEAST, _MOST).astype(np.int64)
        return with_gaps(primitive(whole), missing)
    if spec.kind is Kind.DATETIME:
        numbers = np.round(numbers, 6)  # what a timestamp in a file holds
    return with_gaps(primitive(numbers), missing)


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, whatever pieces it came in."""
    import pyarrow as pa

    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def with_gaps(column: pa.Array, missing: Mask) -> pa.Array:
    """Return the column with nulls where `missing` is true."""
    import pyarrow as pa
    from pyarrow import compute

    if not missing.any():
        return column
    gone = primitive(missing.astype(np.int8)).cast(pa.bool_())
    return compute.if_else(gone, pa.nulls(len(column), column.type), column)
