"""Arrow columns as numpy arrays, read from their buffers.

`Array.to_numpy`, `fill_null(float)` and `take(numpy array)` import pandas when it is
installed, which costs half a second and buys nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def as_numbers(column: pa.Array) -> NDArray[np.float64]:
    """Return numbers as float64 with NaN for missing, shape (n,).

    The result may share memory with the column: treat it as read-only.
    """
    import pyarrow as pa

    column = column.cast(pa.float64(), safe=False)
    values = _buffer(column, np.float64)
    if column.null_count:
        values = np.where(_missing(column), np.nan, values)
    return values


def as_indices(column: pa.Array) -> NDArray[np.int32]:
    """Return the int32 indices of a dictionary, -1 for missing, shape (n,)."""
    values = _buffer(column, np.int32)
    if column.null_count:
        values = np.where(_missing(column), np.int32(-1), values)
    return values


def as_vectors(column: pa.Array) -> NDArray[np.float64]:
    """Return fixed-size lists as float64, shape (n, width), NaN where any part is missing."""
    width = column.type.list_size
    start = column.offset * width
    inner = as_numbers(column.values.slice(start, len(column) * width))
    rows = inner.reshape(len(column), width)
    gone = _missing(column) | np.isnan(rows).any(axis=1)
    return np.where(gone[:, None], np.nan, rows)


def positions(places: NDArray[np.int64]) -> pa.Array:
    """Return places as an Arrow array, for `take`."""
    import pyarrow as pa

    places = np.ascontiguousarray(places, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)])


def _buffer(column: pa.Array, dtype: Any) -> NDArray[Any]:
    """Return the values of a primitive array as they lie in memory."""
    if not len(column):
        return np.empty(0, dtype)
    values: NDArray[Any] = np.frombuffer(column.buffers()[1], dtype)
    return values[column.offset : column.offset + len(column)]


def _missing(column: pa.Array) -> NDArray[np.bool_]:
    """Return true where the column is null, shape (n,)."""
    if not column.null_count:
        return np.zeros(len(column), bool)
    bits = np.unpackbits(np.frombuffer(column.buffers()[0], np.uint8), bitorder="little")
    absent: NDArray[np.bool_] = bits[column.offset : column.offset + len(column)] == 0
    return absent
