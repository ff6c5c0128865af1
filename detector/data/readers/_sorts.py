"""What sorts of values the keys of JSON objects hold."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from detector.data.levels import text_form

if TYPE_CHECKING:
    import pyarrow as pa


class Sort(enum.StrEnum):
    """What the values of a key are; a key with several sorts is mixed."""

    TRUTH = "truth"
    WHOLE = "whole"
    NUMBER = "number"
    TEXT = "text"
    LIST = "list"
    NESTED = "nested"
    MIXED = "mixed"


def joined(sorts: set[Sort]) -> Sort | None:
    """Return the sort of a key over the whole file; None when it is always missing."""
    if sorts == {Sort.WHOLE, Sort.NUMBER}:
        return Sort.NUMBER
    if sorts == {Sort.LIST, Sort.NESTED}:
        return Sort.NESTED
    return Sort.MIXED if len(sorts) > 1 else next(iter(sorts), None)


def arrow_type(sort: Sort | None) -> pa.DataType:
    import pyarrow as pa

    return {
        None: pa.null(),
        Sort.TRUTH: pa.bool_(),
        Sort.WHOLE: pa.int64(),
        Sort.NUMBER: pa.float64(),
        Sort.LIST: pa.list_(pa.float64()),
    }.get(sort, pa.string())


def sort_of_type(type_: pa.DataType) -> set[Sort]:
    from pyarrow import types

    if types.is_null(type_):
        return set()
    if types.is_list(type_):
        inner = sort_of_type(type_.value_type)
        return {Sort.LIST if inner <= {Sort.WHOLE, Sort.NUMBER} else Sort.NESTED}
    tests = {
        Sort.TRUTH: types.is_boolean,
        Sort.WHOLE: types.is_integer,
        Sort.NUMBER: types.is_floating,
        Sort.TEXT: lambda t: types.is_string(t) or types.is_timestamp(t),
    }
    return {next((sort for sort, test in tests.items() if test(type_)), Sort.NESTED)}


def sort_of_value(value: Any) -> set[Sort]:
    if value is None:
        return set()
    if isinstance(value, int) and not isinstance(value, bool):
        return {Sort.WHOLE if -(2**63) <= value < 2**63 else Sort.NUMBER}
    if isinstance(value, list):
        inner = {sort for part in value for sort in sort_of_value(part)}
        return {Sort.LIST if inner <= {Sort.WHOLE, Sort.NUMBER} else Sort.NESTED}
    names = {bool: Sort.TRUTH, float: Sort.NUMBER, str: Sort.TEXT}
    return {names.get(type(value), Sort.NESTED)}


def as_sort(value: Any, sort: Sort | None) -> Any:
    """Return a value as the sort of its column wants it."""
    if value is None:
        return None
    if sort is Sort.NUMBER:
        return float(value)
    if sort in {Sort.TEXT, Sort.MIXED, Sort.NESTED}:
        return text_form(value).encode("utf-8", "replace").decode()
    return value
