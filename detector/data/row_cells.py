"""Row hashes that survive rounding, words for numbers, and the order of columns.

Each number falls into a cell of a lattice whose origin comes from the column's name; levels and
text keep their letters, and words that are numbers count as numbers.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.arrays import as_indices, as_numbers, as_vectors
from detector.data.hashing import mix, text_hashes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.float64]

_MISSING = np.uint64(0xA5A5D1CE5EED0001)
_INFINITE = np.uint64(0xA5A5D1CE5EED0002)
_LARGEST = 2.0**62
_HUGE = 1e300
_TRUTH = {"true": 1.0, "false": 0.0}


def row_hashes(rows: pa.Table, columns: Mapping[str, float | None], *, bits: int) -> Hashes:
    """Return the hash of each row on a lattice, shape (n,).

    Args:
        rows: Canonical Arrow columns, those named at least.
        columns: The spread of each column of numbers, None for words.
        bits: How fine the lattice is.

    """
    total = np.zeros(len(rows), np.uint64)
    for name, spread in columns.items():
        own = _cells(rows[name], _key(name), None if spread is None else spread * 2.0**-bits)
        total += mix(own * _key(name))
    return mix(total)


def spread_of(column: Any) -> float | None:
    """Return the spread of a column of numbers, None for a column of words.

    The first that is positive: quartiles, outer quantiles, the range, a part of the value.
    """
    import pyarrow as pa

    parts = []
    for chunk in column.chunks:
        if pa.types.is_fixed_size_list(chunk.type):
            parts.append(as_vectors(chunk).ravel())
        elif _is_words(chunk):
            levels = _levels(chunk)[1]
            found = [_number(level) for level in levels]
            if any(value is None for value in found):
                return None
            codes = _levels(chunk)[0]
            parts.append(np.array([*found, np.nan], np.float64)[codes])
        else:
            parts.append(as_numbers(chunk))
    known = np.concatenate([np.empty(0), *parts])
    known = np.sort(np.clip(known[np.isfinite(known)], -_HUGE, _HUGE))
    if not len(known):
        return 1.0
    for share, normal in ((4, 1.349), (20, 3.290), (100, 4.653)):
        skip = len(known) // share
        width = float(known[len(known) - 1 - skip] - known[skip]) / normal
        if width > 0:
            return width
    width = float(known[-1] - known[0])
    return width or max(1.0, abs(float(known[0])) * 1e-6)


def _cells(column: Any, key: np.uint64, step: float | None) -> Hashes:
    """Return a hash of the cell or the word of each value, shape (n,)."""
    import pyarrow as pa

    found = [np.empty(0, np.uint64)]
    for chunk in column.chunks:
        if pa.types.is_fixed_size_list(chunk.type):
            vectors = as_vectors(chunk)
            total = np.zeros(len(vectors), np.uint64)
            for place in range(vectors.shape[1]):
                total = mix(total) + _lattice_cells(vectors[:, place], key, step or 0.0)
            found.append(total)
        elif _is_words(chunk):
            codes, levels = _levels(chunk)
            found.append(np.append(_words(levels, key, step), _MISSING)[codes])
        elif step is None:
            held, places = np.unique(as_numbers(chunk), return_inverse=True)
            hashes = text_hashes(pa.array([_written(value) for value in held], pa.string()))
            found.append(np.where(np.isnan(held), _MISSING, hashes)[places])
        else:
            found.append(_lattice_cells(as_numbers(chunk), key, step))
    return np.concatenate(found)


def _lattice_cells(values: Numbers, key: np.uint64, step: float) -> Hashes:
    # The origin is shifted, so that round numbers do not lie on the edge of two cells.
    origin = float(mix(np.array([key]))[0]) / 2.0**64
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        place = np.floor(values / step + origin)
    wide = np.abs(place) > _LARGEST
    cells = np.where(np.isfinite(place) & ~wide, place, 0.0).astype(np.int64).view(np.uint64)
    hashes = mix(cells + np.uint64(1))
    hashes[wide] = mix(_INFINITE + (values[wide] > 0).astype(np.uint64))
    hashes[np.isnan(values)] = _MISSING
    return hashes


def _words(levels: list[str], key: np.uint64, step: float | None) -> Hashes:
    """Return the hash of each level: as a number where it is one, else by its letters."""
    import pyarrow as pa

    values = [_number(level) for level in levels]
    if step is None:
        cleaned = [
            _clean(level) if value is None else _written(value)
            for level, value in zip(levels, values, strict=True)
        ]
        return text_hashes(pa.array(cleaned, pa.string()))
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    words = text_hashes(pa.array([_clean(level) for level in levels], pa.string()))
    none = np.array([value is None for value in values], bool)
    return np.where(none, words, _lattice_cells(numbers, key, step))


def _is_words(chunk: Any) -> bool:
    import pyarrow as pa

    kind = chunk.type
    return bool(
        pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    )


def _levels(chunk: Any) -> tuple[NDArray[np.int32], list[str]]:
    """Return the code of each row, -1 for missing, and the levels."""
    coded = chunk if hasattr(chunk, "indices") else chunk.dictionary_encode()
    return as_indices(coded.indices), coded.dictionary.to_pylist()


def _number(word: str) -> float | None:
    """Return the number that a word writes, if it does.

    >>> _number(" 1.50"), _number("TRUE"), _number("nan"), _number("12a")
    (1.5, 1.0, None, None)
    """
    plain = word.strip().casefold()
    if plain in _TRUTH:
        return _TRUTH[plain]
    try:
        value = float(plain) if "_" not in plain else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _written(value: float) -> str:
    return format(float(value), ".6g")


def _clean(word: str) -> str:
    return unicodedata.normalize("NFC", word).strip()


def _key(name: str) -> np.uint64:
    """Return the odd key that belongs to a column's name."""
    cleaned = _clean(name).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(b"fingerprint\x1f" + cleaned, digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little") | 1)
