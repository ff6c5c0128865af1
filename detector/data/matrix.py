"""Numpy arrays as Arrow columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.build import primitive
from detector.data.source import Source, batch_rows, shown
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[Any]


def array_source(arrays: Mapping[str, Array], *, label: str) -> Source:
    """Return named arrays of equal length as a source; their rows are read block by block.

    One array alone: each of its columns (2-D) or fields (structured) is a column, named
    `c0`, `c1` and so on or by its field; with more than two dimensions, its rows are the
    vectors `c0`. Beside others, each row of an array with dimensions of its own is one
    vector, in a column of the array's name. So a file's name is never a column's: two
    batches are two files.
    """
    columns: dict[str, Array] = {}
    for name, array in arrays.items():
        columns |= _columns(name, array, alone=len(arrays) == 1, label=label)
    lengths = {name: len(array) for name, array in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{shown(name)} {size:,}" for name, size in list(lengths.items())[:4])
        raise InputError(
            f"`{label}` holds arrays of different lengths: {listed}.",
            hint="Each array must have one entry (or row) per row of the table.",
        )
    n_rows = next(iter(lengths.values()), 0)
    block = batch_rows(sum(array.itemsize * _width(array) for array in columns.values()))

    def read(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for start in range(0, n_rows, block):
            parts = [arrow_column(columns[name][start : start + block]) for name in names]
            yield pa.RecordBatch.from_arrays(parts, names=list(names))

    return Source(schema=_schema(columns), read=read, n_rows=n_rows)


def _columns(name: str, array: Array, *, alone: bool, label: str) -> dict[str, Array]:
    """Return the columns of one array, as views."""
    where = f"`{label}`" if alone else f"`{label}`: the array {shown(name)}"
    if array.ndim == 0:
        raise InputError(
            f"{where} is a single value, not rows.", hint="Leave it out, or give it one per row."
        )
    if array.dtype.names:
        if array.ndim > 1:
            raise InputError(f"{where} is structured and has {array.ndim} dimensions.")
        parts = {field: array[field] for field in array.dtype.names}
        return {
            (field if alone else f"{name}.{field}"): column
            for part, values in parts.items()
            for field, column in _columns(part, values, alone=False, label=label).items()
        }
    if array.dtype.kind not in "biufUSMm":
        raise InputError(
            f"{where} holds values of type {array.dtype}, which are not read.",
            hint="Save numbers, text or dates.",
        )
    if array.ndim > 1 and not _width(array):
        raise InputError(f"{where} has the shape {array.shape}: no columns.")
    if array.ndim == 1:
        return {"c0" if alone else name: array}
    if alone and array.ndim == 2:
        return {f"c{place}": array[:, place] for place in range(array.shape[1])}
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where} has {array.ndim} dimensions and holds no numbers.")
    return {"c0" if alone else name: array}


def _width(array: Array) -> int:
    """Return the number of entries in a row."""
    return int(np.prod(array.shape[1:]))


def _schema(columns: Mapping[str, Array]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, arrow_column(array[:0]).type) for name, array in columns.items()])


def arrow_column(array: Array) -> pa.Array:
    """Return an array as an Arrow column; rows with dimensions of their own become vectors."""
    import pyarrow as pa

    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.ndim > 1:
        inner = np.ascontiguousarray(array, np.float32).reshape(-1)
        return pa.FixedSizeListArray.from_arrays(primitive(inner), _width(array))
    if array.dtype.kind == "b":
        bits = np.packbits(array, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(array), [None, pa.py_buffer(bits)])
    if array.dtype == np.longdouble:
        array = array.astype(np.float64)
    if array.dtype.kind in "iuf":
        return primitive(array)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    return pa.array(array)
