"""What sort of raw values a file holds, before their kind is decided."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class Family(enum.StrEnum):
    """A group of Arrow types that are read alike."""

    NOTHING = "no values"
    BOOLEAN = "true or false"
    INTEGER = "whole numbers"
    FLOAT = "numbers"
    DATETIME = "dates"
    SPAN = "times of day or durations"
    TEXT = "text"
    CODED = "categories"
    LIST = "lists of numbers"
    OTHER = "nested or binary values"


def family(type_: pa.DataType) -> Family:
    """Return the family of a column by its declared Arrow type."""
    from pyarrow import types

    type_ = storage_type(type_)
    tests = {
        Family.NOTHING: types.is_null,
        Family.BOOLEAN: types.is_boolean,
        Family.INTEGER: types.is_integer,
        Family.CODED: types.is_dictionary,
        Family.TEXT: _is_text,
        Family.FLOAT: lambda t: types.is_floating(t) or types.is_decimal(t),
        Family.DATETIME: lambda t: types.is_timestamp(t) or types.is_date(t),
        Family.SPAN: lambda t: types.is_time(t) or types.is_duration(t),
        Family.LIST: _is_list_of_numbers,
    }
    return next((name for name, test in tests.items() if test(type_)), Family.OTHER)


def simplified(column: pa.Array) -> pa.Array:
    """Return an array without extension type, run-length coding or views into text."""
    import pyarrow as pa
    from pyarrow import compute

    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_run_end_encoded(column.type):
        column = compute.run_end_decode(column)
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.string())  # few kernels know views
    return column


def storage_type(type_: pa.DataType) -> pa.DataType:
    """Return the type that `simplified` gives."""
    import pyarrow as pa

    if isinstance(type_, pa.BaseExtensionType):
        type_ = type_.storage_type
    return type_.value_type if pa.types.is_run_end_encoded(type_) else type_


def decoded(column: pa.Array) -> pa.Array:
    """Return an array without dictionary."""
    import pyarrow as pa

    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _is_text(type_: pa.DataType) -> bool:
    from pyarrow import types

    return bool(
        types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_)
    )


def _is_list_of_numbers(type_: pa.DataType) -> bool:
    from pyarrow import types

    if not (types.is_list(type_) or types.is_large_list(type_) or types.is_fixed_size_list(type_)):
        return False
    inner = type_.value_type
    return bool(types.is_floating(inner) or types.is_integer(inner) or types.is_boolean(inner))
