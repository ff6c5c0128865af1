"""Fingerprints of rows that survive shuffling, joining, rounding and other file formats.

Each number falls into a cell of a lattice whose step comes from the column's spread and whose
origin comes from its name; levels and text keep their words, and words that are numbers
count as numbers. A row's hash is a keyed sum over its columns, so the order of columns does not
matter, and a set of hashes does not know the order of rows. Two lattices are kept: a coarse one,
just fine enough to tell the rows from each other, which survives rounding; and one 16 times
finer, on which hardly any two rows meet by chance.

A sketch holds the smallest hashes, all of them up to its threshold: which rows are in it is a
matter of their content, so the same rows of another file can be asked for.

Source: Broder (1997), Compression and Complexity of Sequences, for the smallest hashes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.arrays import as_indices, as_numbers, as_vectors
from detector.data.hashing import mix, text_hashes
from detector.data.schema import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.dataset import Dataset

    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.float64]

VERSION = 1
IN_MANIFESTS = 4_096
"""Hashes of each lattice that a manifest carries, at most."""

IN_REGISTRIES = 16_384
"""Hashes of each lattice that a registry keeps of a file, at most."""

MOST_HASHES = 65_536
MOST_COLUMNS = 10_000
MOST_LATTICES = 3
EVERY = 2**64 - 1
"""The threshold of a sketch that holds all rows."""

_SAMPLE = 20_000
_BITS = (0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18)
_FINER = 4
_MOST_BITS = 22
_APART = 0.999
_MISSING = np.uint64(0xA5A5D1CE5EED0001)
_INFINITE = np.uint64(0xA5A5D1CE5EED0002)
_LARGEST = 2.0**62
_HUGE = 1e300
_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lattice:
    """The rows of a data set on one lattice.

    Attributes:
        bits: How fine: steps of a spread over 2 to this power.
        threshold: The largest hash that the sketch could hold.
        hashes: The different row hashes up to the threshold, rising.

    """

    bits: int
    threshold: int
    hashes: Hashes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingerprint:
    """What is kept of the rows of a data set.

    Attributes:
        rows: Its number of rows.
        digest: Order-free digest of its rows on the finest lattice, 32 hexadecimal digits.
        columns: The spread of each column of numbers, and None for a column of words.
        lattices: The sketches, the coarsest first.

    """

    rows: int
    digest: str
    columns: Mapping[str, float | None]
    lattices: tuple[Lattice, ...]

    @classmethod
    def of(cls, dataset: Dataset, *, most: int = IN_REGISTRIES) -> Fingerprint:
        """Return the fingerprint of a data set, in bounded memory; ids are left out.

        Args:
            dataset: At least one row.
            most: Hashes that each sketch holds, at most.

        Cost: two passes.
        """
        names = [spec.name for spec in dataset.schema.columns if spec.role is not Role.ID]
        sample = _sample(dataset, names)
        columns = {name: _spread(sample[name]) for name in names}
        bits = _bits(sample, columns)
        sketches = [_Sketch(most) for _ in bits]
        rows, first, second = 0, 0, 0
        for batch in dataset.batches(names):
            table = _table(batch)
            rows += len(table)
            for fine, sketch in zip(bits, sketches, strict=True):
                hashes = row_hashes(table, columns, bits=fine)
                sketch.add(hashes)
            first = (first + int(np.add.reduce(mix(hashes + np.uint64(1))))) % 2**64
            second = (second + int(np.add.reduce(mix(hashes ^ np.uint64(2**63 + 1))))) % 2**64
        lattices = tuple(s.lattice(fine) for fine, s in zip(bits, sketches, strict=True))
        digest = f"{first:016x}{second:016x}"
        return cls(rows=rows, digest=digest, columns=columns, lattices=lattices)

    @classmethod
    def of_table(cls, rows: pa.Table, *, most: int = MOST_HASHES) -> Fingerprint:
        """Return the fingerprint of canonical columns in memory, at least one row."""
        columns = {name: _spread(rows[name]) for name in rows.column_names}
        lattices = []
        for bits in _bits(rows, columns):
            sketch = _Sketch(most)
            sketch.add(row_hashes(rows, columns, bits=bits))
            lattices.append(sketch.lattice(bits))
        return cls(rows=len(rows), digest="", columns=columns, lattices=tuple(lattices))

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "version": VERSION,
            "rows": self.rows,
            "digest": self.digest,
            "columns": dict(self.columns),
            "lattices": [
                {
                    "bits": lattice.bits,
                    "threshold": f"{lattice.threshold:016x}",
                    "hashes": base64.b64encode(lattice.hashes.astype("<u8").tobytes()).decode(),
                }
                for lattice in self.lattices
            ],
        }

    @classmethod
    def from_plain(cls, plain: object) -> Fingerprint:
        """Read it back.

        Raises:
            ValueError: It is not a fingerprint, is damaged, or is larger than one can be.

        """
        if not isinstance(plain, dict) or plain.get("version") != VERSION:
            raise ValueError(f"not a fingerprint of version {VERSION}")
        rows, digest, columns = (plain.get(key) for key in ("rows", "digest", "columns"))
        if not isinstance(rows, int) or rows < 0 or not isinstance(digest, str):
            raise ValueError("a fingerprint without rows or digest")
        if not isinstance(columns, dict) or not 0 < len(columns) <= MOST_COLUMNS:
            raise ValueError("a fingerprint without columns")
        if not all(spread is None or _positive(spread) for spread in columns.values()):
            raise ValueError("a fingerprint with a spread that is none")
        lattices = plain.get("lattices")
        if not isinstance(lattices, list) or not 0 < len(lattices) <= MOST_LATTICES:
            raise ValueError("a fingerprint without lattices")
        read = tuple(_lattice(lattice) for lattice in lattices)
        return cls(rows=rows, digest=digest, columns=columns, lattices=read)


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


def _table(batch: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _sample(dataset: Dataset, names: list[str]) -> pa.Table:
    """Return up to `_SAMPLE` rows, those of the smallest exact hashes, in that order."""
    import pyarrow as pa

    exact = dict.fromkeys(names)
    held: list[pa.Table] = []
    hashes = np.empty(0, np.uint64)

    def compact() -> None:
        nonlocal hashes
        order = np.argsort(hashes, kind="stable")[:_SAMPLE]
        whole = pa.concat_tables(held).unify_dictionaries()
        held[:], hashes = [whole.take(order)], hashes[order]

    for batch in dataset.batches(names):
        table = _table(batch)
        held.append(table)
        hashes = np.concatenate((hashes, row_hashes(table, exact, bits=0)))
        compact()
    if not len(hashes):
        raise ValueError("a data set without rows has no fingerprint")
    return held[0]


def _spread(column: Any) -> float | None:
    """Return the spread of a column of numbers, None for a column of words."""
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


def _bits(sample: pa.Table, columns: Mapping[str, float | None]) -> tuple[int, ...]:
    """Return how fine the lattices are: the coarsest that tells rows apart, and a finer one."""
    apart = len(np.unique(row_hashes(sample, columns, bits=_MOST_BITS)))
    coarse = next(
        (
            bits
            for bits in _BITS
            if len(np.unique(row_hashes(sample, columns, bits=bits))) >= _APART * apart
        ),
        _BITS[-1],
    )
    return coarse + 1, min(coarse + 1 + _FINER, _MOST_BITS)


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


class _Sketch:
    """The smallest different hashes, batch by batch."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = np.empty(0, np.uint64)
        self._cut = False

    def add(self, hashes: Hashes) -> None:
        both = np.union1d(self._held, hashes)
        self._cut = self._cut or len(both) > self._most
        self._held = both[: self._most]

    def lattice(self, bits: int) -> Lattice:
        threshold = int(self._held[-1]) if self._cut else EVERY
        return Lattice(bits=bits, threshold=threshold, hashes=self._held)


def _lattice(plain: object) -> Lattice:
    """Read one lattice back."""
    if not isinstance(plain, dict):
        raise ValueError("a lattice that is none")  # noqa: TRY004 - read from a file
    bits, written = plain.get("bits"), plain.get("hashes")
    if not isinstance(bits, int) or not 0 <= bits <= _MOST_BITS:
        raise ValueError("a lattice without bits")
    if not isinstance(written, str) or len(written) > MOST_HASHES * 11:
        raise ValueError("a lattice without hashes, or with too many")
    try:
        hashes = np.frombuffer(base64.b64decode(written, validate=True), "<u8").astype(np.uint64)
        threshold = int(str(plain.get("threshold")), 16)
    except (ValueError, binascii.Error) as error:
        raise ValueError("a lattice that is damaged") from error
    rising = (hashes[1:] > hashes[:-1]).all() if len(hashes) > 1 else True
    if not rising or not 0 <= threshold <= EVERY or (len(hashes) and int(hashes[-1]) > threshold):
        raise ValueError("a lattice that is damaged")
    return Lattice(bits=bits, threshold=threshold, hashes=hashes)


def _positive(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value > 0
