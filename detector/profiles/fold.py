"""One pass over one batch: everything a profile needs from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.data.schema import NOMINAL, ORDERED, Kind
from detector.profiles import hashing
from detector.profiles.aggregates import (
    ColumnSummary,
    LevelSummary,
    NumericSummary,
    OpaqueSummary,
)
from detector.profiles.columns import as_codes, as_numbers, as_vectors

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec
    from detector.profiles.binning import Binner

_BLOCK = 16_384

Levels = tuple["NDArray[np.int32]", list[str]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """One batch as numpy arrays, decoded once for all parts of the profile."""

    numbers: dict[str, NDArray[np.float64]]
    levels: dict[str, Levels]
    vectors: dict[str, NDArray[np.float32]]
    texts: dict[str, pa.Array]
    rows: int


def decode(batch: pa.RecordBatch, columns: tuple[ColumnSpec, ...]) -> Decoded:
    """Return the batch's columns as numpy arrays, by kind."""
    decoded = Decoded(numbers={}, levels={}, vectors={}, texts={}, rows=batch.num_rows)
    for spec in columns:
        column = batch.column(batch.schema.get_field_index(spec.name))
        if spec.kind in ORDERED:
            decoded.numbers[spec.name] = as_numbers(column)
        elif spec.kind in NOMINAL:
            decoded.levels[spec.name] = as_codes(column)
        elif spec.kind is Kind.VECTOR:
            decoded.vectors[spec.name] = as_vectors(column)
        else:
            decoded.texts[spec.name] = column
    return decoded


def row_hashes(decoded: Decoded) -> NDArray[np.uint64]:
    """Return the content hash of each row, shape (n,)."""
    import pyarrow as pa

    total = np.zeros(decoded.rows, np.uint64)
    tables = {
        name: hashing.texts(pa.array(levels, pa.string()))
        for name, (_, levels) in decoded.levels.items()
    }
    keys = {name: hashing.key("column", name) for name in (*decoded.numbers, *tables)}
    for start in range(0, decoded.rows, _BLOCK):
        block = slice(start, start + _BLOCK)
        part = total[block]
        for name, values in decoded.numbers.items():
            part += hashing.numbers(values[block], keys[name])
        for name, (codes, _) in decoded.levels.items():
            part += hashing.levels(codes[block], tables[name], keys[name])
    for name, text in decoded.texts.items():
        total += hashing.texts(text) * hashing.key("column", name)
    for name, vectors in decoded.vectors.items():
        total += hashing.vectors(vectors, hashing.key("column", name))
    return hashing.mix(total)


def summarize_numbers(values: NDArray[np.float64], binner: Binner) -> NumericSummary:
    """Summarize one batch of a numeric column, shape (n,), NaN for missing."""
    missing = negative = positive = 0
    finite = values
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum()
    if not np.isfinite(total):
        present = values[~np.isnan(values)]
        missing = len(values) - len(present)
        finite = present[np.isfinite(present)]
        negative = int(np.count_nonzero(present == -np.inf))
        positive = int(np.count_nonzero(present == np.inf))
    edges = binner.edges
    mean, m2 = _moments(finite, float(edges[len(edges) // 2]) if len(edges) else 0.0)
    return NumericSummary(
        n=len(finite),
        missing=missing,
        negative_infinite=negative,
        positive_infinite=positive,
        mean=mean,
        m2=m2,
        minimum=float(finite.min()) if len(finite) else None,
        maximum=float(finite.max()) if len(finite) else None,
        edges=binner.edges,
        counts=binner.counts(finite),
    )


def summarize_levels(codes: NDArray[np.int32], levels: list[str]) -> LevelSummary:
    """Summarize one batch of a level column, code -1 for missing."""
    counts = np.bincount(codes + 1, minlength=len(levels) + 1)
    present = np.flatnonzero(counts[1:])
    held: dict[str, int] = {}
    for place in present.tolist():
        held[levels[place]] = held.get(levels[place], 0) + int(counts[place + 1])
    return LevelSummary(n=len(codes) - int(counts[0]), missing=int(counts[0]), levels=held)


def summarize(
    decoded: Decoded, columns: tuple[ColumnSpec, ...], binners: dict[str, Binner]
) -> dict[str, ColumnSummary]:
    """Summarize every compared column of one batch."""
    found: dict[str, ColumnSummary] = {}
    for spec in columns:
        name = spec.name
        if name in decoded.numbers:
            found[name] = summarize_numbers(decoded.numbers[name], binners[name])
        elif name in decoded.levels:
            found[name] = summarize_levels(*decoded.levels[name])
        else:
            found[name] = _opaque(decoded, name)
    return found


def _opaque(decoded: Decoded, name: str) -> OpaqueSummary:
    if name in decoded.vectors:
        missing = int(np.isnan(decoded.vectors[name]).all(axis=1).sum())
    else:
        missing = decoded.texts[name].null_count
    return OpaqueSummary(n=decoded.rows - missing, missing=missing)


def _moments(finite: NDArray[np.float64], center: float) -> tuple[float, float]:
    """Return mean and sum of squared deviations, summed about a center among the values."""
    if len(finite) == 0:
        return 0.0, 0.0
    total = squares = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(finite), _BLOCK):
            shifted = finite[start : start + _BLOCK] - center
            total += float(shifted.sum())
            squares += float(shifted @ shifted)
    mean, m2 = center + total / len(finite), squares - total * (total / len(finite))
    if math.isfinite(mean) and math.isfinite(m2):
        return mean, max(m2, 0.0)
    scale = float(np.abs(finite).max())
    return float((finite / scale).mean()) * scale, float(np.finfo(np.float64).max)
