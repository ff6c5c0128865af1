"""Fingerprints of rows that survive shuffling, joining, rounding and other file formats.

Rows are hashed on two lattices (see `row_cells`): a coarse one, just fine enough to tell the rows
from each other, which survives rounding; and one 16 times finer, on which hardly any two rows
meet by chance. A set of hashes does not know the order of rows.

A sketch holds the smallest hashes, all of them up to its threshold: which rows are in it is a
matter of their content, so the same rows of another file can be asked for.

Source: Broder (1997), Compression and Complexity of Sequences, for the smallest hashes.
"""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.hashing import mix
from detector.data.row_cells import row_hashes, spread_of
from detector.data.schema import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.dataset import Dataset

    Hashes = NDArray[np.uint64]

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
        columns = {name: spread_of(sample[name]) for name in names}
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
        columns = {name: spread_of(rows[name]) for name in rows.column_names}
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
