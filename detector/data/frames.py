"""Tables that live in Python: pandas, polars, pyarrow, numpy, mappings of columns."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.levels import text_form
from detector.data.matrix import array_source, arrow_column
from detector.data.source import Source, shown, table_source
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ACCEPTED = (
    "Give a path, a pandas, polars or pyarrow table, a numpy array, a mapping of columns "
    "or anything with `__arrow_c_stream__`."
)
MIXED = "values of different types, read as text"
BEYOND = "whole numbers, some beyond 64 bits and rounded"


def frame_source(frame: Any) -> Source:
    """Return a table in memory as a source.

    Raises:
        InputError: It is no table, or its columns differ in length.

    """
    import pyarrow as pa

    if isinstance(frame, np.ndarray):
        objects = frame.dtype.kind == "O"
        return _objects(frame) if objects else array_source({"data": frame}, label="data")
    if _from(frame, "pandas") and getattr(frame, "ndim", 0) == 2:
        names = [str(name) for name in frame.columns]
        return _from_columns((n, frame.iloc[:, i]) for i, n in enumerate(names))
    if hasattr(frame, "__arrow_c_stream__"):
        return table_source(pa.RecordBatchReader.from_stream(frame).read_all())
    if isinstance(frame, Mapping):
        return _from_columns((str(name), values) for name, values in frame.items())
    hint = "Call `.collect()` first." if hasattr(frame, "collect") else _ACCEPTED
    raise InputError(f"A {type(frame).__name__} is not read as rows and columns.", hint=hint)


def _objects(array: np.ndarray[Any, Any]) -> Source:
    """Return an array of Python objects, column by column."""
    if array.ndim > 2:
        raise InputError(f"An object array with {array.ndim} dimensions is not read.")
    columns = array.reshape(len(array), -1).T
    return _from_columns((f"c{place}", values) for place, values in enumerate(columns))


def _from_columns(pairs: Iterable[tuple[str, Any]]) -> Source:
    import pyarrow as pa

    names, columns, remarks = [], [], {}
    for name, values in pairs:
        column, remark = _column(name, values)
        names.append(name)
        columns.append(column)
        if remark:
            remarks[name] = remark
        if len(column) != len(columns[0]):
            raise InputError(
                f"Columns differ in length: {shown(names[0])} has {len(columns[0]):,} rows, "
                f"{shown(name)} has {len(column):,}."
            )
    return replace(table_source(pa.Table.from_arrays(columns, names=names)), remarks=remarks)


def _column(name: str, values: Any) -> tuple[Any, str]:
    """Return a column as Arrow, and what was changed in it."""
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values, ""
    array = values if isinstance(values, np.ndarray) else _unpacked(values)
    if array is not None and (array.dtype.kind in "biuf" or array.ndim > 1):
        return arrow_column(array), ""
    if hasattr(values, "__arrow_c_stream__") and not _from(values, "pandas"):
        return pa.chunked_array(values), ""
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        raise InputError(
            f"Column {shown(name)} is a {type(values).__name__}, not a sequence of values."
        )
    try:
        return pa.array(values, from_pandas=True), ""
    except (pa.ArrowException, TypeError, OverflowError, ValueError):
        return _mixed(list(values))


def _unpacked(values: Any) -> Any:
    """Return the numpy array of a pandas column that is one, without a copy."""
    if _from(values, "pandas") and isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    return None


def _mixed(values: list[Any]) -> tuple[Any, str]:
    """Return Python objects of several types as text; whole numbers beyond int64 as float64."""
    from detector.data.build import primitive

    present = [value for value in values if not _is_missing(value)]
    if all(isinstance(value, int) and not isinstance(value, bool) for value in present):
        with contextlib.suppress(OverflowError):
            numbers = [math.nan if _is_missing(value) else float(value) for value in values]
            return primitive(np.array(numbers)), BEYOND
    import pyarrow as pa

    forms = [None if _is_missing(value) else text_form(value) for value in values]
    return pa.array(forms, pa.string()), MIXED


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float) and math.isnan(value)


def _from(value: Any, package: str) -> bool:
    """Tell whether an object comes from a package, without importing it."""
    return type(value).__module__.partition(".")[0] == package
