"""Text that spells something else: whole numbers, numbers, dates, times, true or false.

Each function takes a string array and returns an array of equal length, or raises
`pyarrow.ArrowInvalid` at the first value that is not of its sort. Missing stays missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.data.arrays import as_numbers
from detector.data.build import primitive

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    Reading = Callable[[pa.Array], pa.Array]

_SAMPLE = 100
_CLOCK = r"^(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d(?:\.\d{1,9})?))?$"


def trimmed(read: Reading, text: pa.Array) -> pa.Array:
    """Read text as it is or, when that fails, without the blanks around it."""
    import pyarrow as pa
    from pyarrow import compute

    sample = text.slice(0, _SAMPLE)  # a failing cast is slow: it goes on to the end
    try:
        parsed = read(sample)
        return parsed if len(sample) == len(text) else read(text)
    except pa.ArrowInvalid:
        read(compute.utf8_trim_whitespace(sample))
        return read(compute.utf8_trim_whitespace(text))


def whole_numbers(text: pa.Array) -> pa.Array:
    """Return int64, or float64 when a value is beyond it; `007`, `+7` and `7.0` are not whole."""
    import pyarrow as pa
    from pyarrow import compute

    try:
        numbers = text.cast(pa.int64())
    except pa.ArrowInvalid:
        _require(compute.match_substring_regex(text, r"^(0|-?[1-9]\d*)$"))
        return text.cast(pa.float64())
    _require(compute.equal(numbers.cast(text.type), text))
    return numbers


def numbers(text: pa.Array) -> pa.Array:
    """Return float64; text with a leading zero, as in `007`, is a code and not a number."""
    import pyarrow as pa
    from pyarrow import compute

    parsed = text.cast(pa.float64())
    zero = compute.starts_with(text, "0")
    if compute.any(zero).as_py():
        padded = compute.match_substring_regex(text.filter(zero), r"^0\d")
        _require(compute.invert(padded))
    return parsed


def local_instants(text: pa.Array) -> pa.Array:
    """Return seconds since 1970 of ISO 8601 dates and times without a zone."""
    return _instants(text, zone=None)


def zoned_instants(text: pa.Array) -> pa.Array:
    """Return seconds since 1970 of ISO 8601 times that name their offset from UTC."""
    return _instants(text, zone="UTC")


def clock_times(text: pa.Array) -> pa.Array:
    """Return seconds since midnight of `12:30`, `12:30:01` or `12:30:01.5`."""
    import pyarrow as pa
    from pyarrow import compute

    _require(compute.match_substring_regex(text, _CLOCK))
    parts = compute.extract_regex(text, pattern=_CLOCK)
    hours, minutes, seconds = (
        as_numbers(_blank_as_zero(compute.struct_field(parts, name)).cast(pa.float64()))
        for name in "hms"
    )
    return primitive(3600.0 * hours + 60.0 * minutes + seconds)


def truths(text: pa.Array) -> pa.Array:
    """Return booleans of `true` and `false`, in any case, and of `1` and `0`."""
    import pyarrow as pa

    return text.cast(pa.bool_())


def seconds(instants: pa.Array) -> pa.Array:
    """Return dates, timestamps, times or durations in seconds, float64, NaN for missing."""
    import pyarrow as pa

    if pa.types.is_date32(instants.type):
        return primitive(as_numbers(instants.cast(pa.int32())) * 86_400.0)
    if pa.types.is_time32(instants.type):
        ticks = instants.cast(pa.int32())
    else:
        ticks = instants.cast(pa.int64())
    unit = getattr(instants.type, "unit", "ms")
    per_second = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[unit]
    return primitive(as_numbers(ticks) / per_second)


def _instants(text: pa.Array, *, zone: str | None) -> pa.Array:
    """Parse with microseconds, then with nanoseconds."""
    import pyarrow as pa

    try:
        return seconds(text.cast(pa.timestamp("us", zone)))
    except pa.ArrowInvalid:
        return seconds(text.cast(pa.timestamp("ns", zone)))


def _blank_as_zero(text: pa.Array) -> pa.Array:
    """Return text with `0` for the empty string."""
    from pyarrow import compute

    return compute.replace_substring_regex(text, pattern="^$", replacement="0")


def _require(holds: pa.Array) -> None:
    """Refuse when a present value fails its test."""
    import pyarrow as pa
    from pyarrow import compute

    if compute.all(holds).as_py() is False:
        raise pa.ArrowInvalid("a value is spelled otherwise")
