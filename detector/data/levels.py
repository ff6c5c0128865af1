"""Values as text: one level for one value, whatever its type, and never too long."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from detector.data.build import strings
from detector.data.families import Family, family

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

MAX_LEVEL = 256
"""Characters of a category's level; of a longer one the start and a digest are kept."""

_KEPT = 200
_EXACT = 1e15


def as_levels(column: pa.Array, *, untyped: bool) -> pa.Array:
    """Return text levels: the same whole number has one level, whatever its type."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        if family(column.type) not in {Family.TEXT, Family.INTEGER, Family.FLOAT}:
            column = as_text(column)
        column = column.dictionary_encode(null_encoding="mask")
    dictionary = _short(as_text(column.dictionary), untyped=untyped)
    if dictionary.null_count or len(dictionary.unique()) < len(dictionary):
        flat = pa.DictionaryArray.from_arrays(column.indices, dictionary).dictionary_decode()
        return _with_index(flat.dictionary_encode(null_encoding="mask"))
    return _with_index(pa.DictionaryArray.from_arrays(column.indices, dictionary))


def _with_index(column: pa.Array) -> pa.Array:
    """Return a dictionary array with int32 indices."""
    import pyarrow as pa

    if column.type.index_type == pa.int32():
        return column
    return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), column.dictionary)


def _short(text: pa.Array, *, untyped: bool) -> pa.Array:
    """Return levels of bounded length; in untyped files `1.0` is the level `1`."""
    from pyarrow import compute

    if untyped:
        text = compute.replace_substring_regex(text, pattern=r"^(-?\d+)\.0+$", replacement=r"\1")
    longest = compute.min_max(compute.utf8_length(text))["max"].as_py()
    if (longest or 0) <= MAX_LEVEL:
        return text
    return _mapped(text, _shortened)


def _shortened(level: str) -> str:
    if len(level) <= MAX_LEVEL:
        return level
    digest = hashlib.blake2b(level.encode(), digest_size=6).hexdigest()
    return f"{level[:_KEPT]}… ({len(level):,} characters, {digest})"


def as_text(column: pa.Array) -> pa.Array:
    """Return the text form of any values."""
    import pyarrow as pa

    if family(column.type) is Family.TEXT:
        column = column.cast(pa.string())
        column.validate(full=True)
        return column
    if pa.types.is_floating(column.type):
        return _mapped(without_nan(column), text_form)
    if _castable(column.type):
        return column.cast(pa.string())
    return _mapped(column, text_form)


def _castable(type_: pa.DataType) -> bool:
    from pyarrow import types

    return bool(
        (types.is_primitive(type_) and not types.is_interval(type_)) or types.is_decimal(type_)
    )


def _mapped(column: pa.Array, form: Callable[[Any], str]) -> pa.Array:
    """Return the text form of each value, one by one; for rare types only."""
    import pyarrow as pa
    from pyarrow import compute

    text = strings(["" if value is None else form(value) for value in column.to_pylist()])
    return compute.if_else(column.is_null(), pa.nulls(len(text), pa.string()), text)


def text_form(value: Any) -> str:
    """Return the text of one present Python value: 1, 1.0 and "1" are all `1`.

    >>> [text_form(value) for value in (1, 1.0, "1", True, 0.5, [1, "a"], {"b": 2, "a": 1})]
    ['1', '1', '1', 'true', '0.5', '[1, "a"]', '{"a": 1, "b": 2}']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else str(value)
    if isinstance(value, bool | int | list | tuple | dict):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return str(value)


def without_nan(column: pa.Array) -> pa.Array:
    """Return floats with null for NaN."""
    import pyarrow as pa
    from pyarrow import compute

    return compute.if_else(column.is_nan(), pa.nulls(len(column), column.type), column)
