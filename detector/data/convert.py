"""Raw Arrow arrays as the canonical arrays of `dataset`: one type for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.data import parse
from detector.data.build import primitive, strings
from detector.data.families import Family, decoded, family, simplified
from detector.data.levels import as_levels, as_text, without_nan
from detector.data.schema import Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from detector.data.schema import ColumnSpec


def canonical_type(spec: ColumnSpec, *, wide: bool = False) -> pa.DataType:
    """Return the Arrow type of a column of this kind; wide integers are float64."""
    import pyarrow as pa

    if spec.kind in {Kind.CATEGORY, Kind.BOOLEAN}:
        return pa.dictionary(pa.int32(), pa.string())
    if spec.kind is Kind.VECTOR:
        return pa.list_(pa.float32(), spec.width)
    if spec.kind is Kind.TEXT:
        return pa.string()
    if spec.kind is Kind.INTEGER and not wide:
        return pa.int64()
    return pa.float64()


def convert(column: pa.Array, *, kind: Kind, to: pa.DataType, untyped: bool = False) -> pa.Array:
    """Return a raw array as the canonical type of its kind, without a copy where possible.

    Args:
        column: The raw values.
        kind: The kind that was decided for the whole column.
        to: Its canonical type.
        untyped: The text comes from a file without types, so `1.0` may be the level `1`.

    Raises:
        pyarrow.ArrowInvalid: A value cannot be read as this kind.

    """
    import pyarrow as pa

    column = simplified(column)
    if column.type == to and kind not in {Kind.CATEGORY, Kind.BOOLEAN, Kind.TEXT}:
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column), to)
    match kind:
        case Kind.CATEGORY:
            converted = as_levels(column, untyped=untyped)
        case Kind.BOOLEAN:
            converted = _booleans(decoded(column))
        case Kind.TEXT:
            converted = as_text(decoded(column))
        case Kind.VECTOR:
            converted = _vectors(column, to)
        case _:
            converted = _numbers(decoded(column), kind=kind, to=to)
    return converted


def _numbers(column: pa.Array, *, kind: Kind, to: pa.DataType) -> pa.Array:
    import pyarrow as pa

    family_ = family(column.type)
    if family_ is Family.TEXT:
        column = _parsed(column, kind=kind)
    elif family_ in {Family.DATETIME, Family.SPAN}:
        column = parse.seconds(column)
    elif family_ is Family.BOOLEAN:
        column = column.cast(pa.int8())
    elif kind is Kind.DATETIME:
        raise pa.ArrowInvalid("numbers are not dates")
    if pa.types.is_floating(column.type) and pa.types.is_integer(to):
        return without_nan(column).cast(to)
    return column.cast(to, safe=pa.types.is_integer(to))


def _parsed(text: pa.Array, *, kind: Kind) -> pa.Array:
    """Read text as the first spelling of this kind that all of it has."""
    import pyarrow as pa

    readings: dict[Kind, tuple[parse.Reading, ...]] = {
        Kind.INTEGER: (parse.whole_numbers, parse.numbers),
        Kind.NUMERIC: (parse.numbers, parse.clock_times),
        Kind.DATETIME: (parse.local_instants, parse.zoned_instants),
    }
    *tried, last = readings[kind]
    for read in tried:
        try:
            return parse.trimmed(read, text)
        except pa.ArrowInvalid:
            continue
    return parse.trimmed(last, text)


def _booleans(column: pa.Array) -> pa.Array:
    """Return the levels `false` and `true` of booleans, 0 and 1, or their spellings."""
    import pyarrow as pa

    if family(column.type) is Family.TEXT:
        try:
            column = parse.trimmed(parse.truths, column)
        except pa.ArrowInvalid:
            column = parse.trimmed(parse.numbers, column)
    if not pa.types.is_boolean(column.type):
        column = _zero_one(column.cast(pa.float64())).cast(pa.bool_())
    return pa.DictionaryArray.from_arrays(
        column.cast(pa.int32()), strings(["false", "true"]), safe=False
    )


def _zero_one(column: pa.Array) -> pa.Array:
    """Return the numbers, without NaN, when they are 0 or 1."""
    import pyarrow as pa
    from pyarrow import compute

    column = without_nan(column)
    if compute.any(compute.not_equal(column, compute.multiply(column, column))).as_py():
        raise pa.ArrowInvalid("a number is neither 0 nor 1")
    return column


def _vectors(column: pa.Array, to: pa.DataType) -> pa.Array:
    """Return lists of one length as fixed-size lists of float32; a missing list is null."""
    import pyarrow as pa
    from pyarrow import compute

    if family(column.type) is not Family.LIST:
        raise pa.ArrowInvalid("not a list of numbers")
    present = column.drop_null()
    inner = compute.list_flatten(present).cast(pa.float32(), safe=False)
    if len(inner) != len(present) * to.list_size:
        raise pa.ArrowInvalid("lists of different lengths")
    packed = pa.FixedSizeListArray.from_arrays(inner, type=to)
    if len(present) == len(column):
        return packed
    rows = np.cumsum(np.frombuffer(column.is_valid().cast(pa.int8()).buffers()[1], np.int8)) - 1
    places = compute.if_else(
        column.is_valid(), primitive(rows.astype(np.int64)), pa.nulls(len(column), pa.int64())
    )
    return packed.take(places)
