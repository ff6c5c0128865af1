"""Keyed 64-bit hashes of rows: stable across formats, batches and row order.

A row's hash is a keyed sum over its columns, so it depends on what the row holds and on
the column names, not on the order of columns or rows. Numbers are hashed by their float64
value (1 and 1.0 agree), levels and text by their UTF-8 bytes, missing by a constant.
These hashes choose samples and count equal rows; they are not a defense against an
adversary who forges collisions.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from detector.data.hashing import mix, text_hashes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
__all__ = ["key", "levels", "mix", "numbers", "occurrence", "texts", "vectors"]

_MISSING = np.uint64(0xA5A5D1CE5EED0001)


def key(*path: str) -> np.uint64:
    """Return the odd 64-bit key that belongs to a name."""
    digest = hashlib.blake2b("\x1f".join(path).encode("utf-8", "surrogatepass"), digest_size=8)
    return np.uint64(int.from_bytes(digest.digest(), "little") | 1)


def occurrence(content: Hashes, number: int, *, salt: int) -> Hashes:
    """Return the sampling hash of one occurrence of each content.

    Args:
        content: Row hashes, shape (n,).
        number: Which copy of the content it is, from 0.
        salt: Keeps the samples of two data sets independent.

    """
    offset = (int(_GOLDEN) * (number + 1) + (salt + 1) * 0xD1B54A32D192ED03) % 2**64
    return mix(content + np.uint64(offset))


def numbers(values: NDArray[np.float64], column_key: np.uint64) -> Hashes:
    """Hash numbers by value; NaN is missing, -0.0 is 0.0. Shape (n,) to (n,)."""
    bits = (values + 0.0).view(np.uint64)
    folded = bits ^ (bits >> np.uint64(32))
    folded *= column_key
    folded ^= folded >> np.uint64(29)
    absent = np.isnan(values)
    if absent.any():
        folded[absent] = np.uint64(int(_MISSING) * int(column_key) % 2**64)
    return folded


def levels(codes: NDArray[np.int32], of_level: Hashes, column_key: np.uint64) -> Hashes:
    """Hash dictionary codes by their level's hash; code -1 is missing."""
    table = np.append(of_level, _MISSING) * column_key
    table ^= table >> np.uint64(29)
    return table[codes]


def texts(values: pa.Array) -> Hashes:
    """Hash strings by their UTF-8 bytes, shape (n,); missing hashes like nothing else."""
    hashes = text_hashes(values.fill_null("") if values.null_count else values)
    if values.null_count:
        hashes[values.is_null().to_numpy(zero_copy_only=False)] = _MISSING
    return hashes


def vectors(values: NDArray[np.float32], column_key: np.uint64) -> Hashes:
    """Hash vectors by their float32 values, shape (n, width) to (n,)."""
    keys = mix(column_key + np.arange(1, values.shape[1] + 1, dtype=np.uint64) * _GOLDEN)
    bits = (values + np.float32(0)).view(np.uint32).astype(np.uint64)
    total = np.zeros(len(values), np.uint64)
    for place in range(values.shape[1]):
        total += mix(bits[:, place] + keys[place])
    return total * column_key
