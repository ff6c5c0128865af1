"""64-bit hashes of values: the same on every machine, in every order, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_RADIX = 0x100000001B3C1D2F
_UNROLLED = pow(_RADIX, -1, 2**64)
_SLICE_BYTES = 1 << 18


def mix(values: Hashes) -> Hashes:
    """Return the splitmix64 finalizer of each value: every bit depends on every bit.

    Source: Steele, Lea and Flood (2014), OOPSLA 49, "Fast splittable PRNGs".
    """
    z = values ^ (values >> np.uint64(30))
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def text_hashes(column: pa.Array) -> Hashes:
    """Hash strings by their UTF-8 bytes, shape (n,); there must be no nulls.

    A string is a polynomial in an odd radix, modulo 2**64, read off a running sum over
    a quarter of a megabyte of text at a time, then mixed with its length.
    """
    import pyarrow as pa

    column = column.cast(pa.large_string())
    if not len(column):
        return np.empty(0, np.uint64)
    _, offset_buffer, data_buffer = column.buffers()
    stop = column.offset + len(column) + 1
    offsets = np.frombuffer(offset_buffer, np.int64)[column.offset : stop]
    data = np.frombuffer(data_buffer or b"", np.uint8)
    hashes = np.diff(offsets).astype(np.uint64) * _GOLDEN
    first = 0
    while first < len(column):
        last = int(np.searchsorted(offsets, offsets[first] + _SLICE_BYTES, side="right")) - 1
        last = min(max(last, first + 1), len(column))
        hashes[first:last] += _polynomials(data, offsets[first : last + 1])
        first = last
    return mix(hashes)


def _polynomials(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Hashes:
    """Return each string's sum of byte times radix to the power of its place."""
    start, stop = int(offsets[0]), int(offsets[-1])
    terms = data[start:stop].astype(np.uint64) + np.uint64(1)
    running = np.zeros(stop - start + 1, np.uint64)
    np.cumsum(terms * _powers(_RADIX, stop - start), out=running[1:])
    ends = running[offsets - start]
    sums: Hashes = (ends[1:] - ends[:-1]) * _powers(_UNROLLED, stop - start + 1)[
        offsets[:-1] - start
    ]
    return sums


def _powers(radix: int, count: int) -> Hashes:
    """Return the first `count` powers of an odd number modulo 2**64."""
    powers = np.full(max(count, 1), radix % 2**64, np.uint64)
    powers[0] = 1
    np.multiply.accumulate(powers, out=powers)
    return powers[:count]
