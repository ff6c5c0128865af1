"""Two mixed tables as float rows: dense rows for distances, codes for trees.

Every number here is a function of the *pooled* rows, so swapping the two samples swaps
the answer and nothing else. That is what keeps tests on the encoded rows honest: a level
seen on one side only, coded by order of first appearance, would tell the samples apart by
its code alone.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.arrays import as_indices, as_numbers, as_vectors, positions
from detector.data.schema import NOMINAL, Kind

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec, Schema

CLIP = 30.0
"""Scaled numbers stop this many spreads from the median; infinities stop there too."""

DENSE_LEVELS = 32
"""Levels of a category that get a dimension of their own, at most."""

CODE_LEVELS = 64
"""Levels of a category that get a code of their own, at most."""

BUCKETS = 8
"""The other levels share this many buckets, by a hash of their names."""

DENSE_BUDGET = 4_096
"""Dimensions that the categories of a table share before each one gets fewer levels."""

_HUGE = 1e300
_SPREADS = ((0.25, 0.75, 1.349), (0.05, 0.95, 3.290), (0.01, 0.99, 4.653))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dense:
    """Rows on one scale for distances, kernels and linear models.

    Attributes:
        x: Reference rows, shape (n, d), float32, C-contiguous, finite.
        y: Candidate rows, shape (m, d), likewise.
        sources: The column each dimension came from, length d.

    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codes:
    """Rows in their own units for trees.

    Attributes:
        x: Reference rows, shape (n, d), float64; missing is NaN, the rest is finite.
        y: Candidate rows, shape (m, d), likewise.
        categorical: Shape (d,); true where the numbers are codes of levels. Code 0 is the
            pooled most frequent level, so the codes run from common to rare.
        names: The column each dimension came from, length d.

    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    categorical: NDArray[np.bool_]
    names: tuple[str, ...]


def encode_dense(reference: pa.Table, candidate: pa.Table, schema: Schema) -> Dense:
    """Return both tables as dense rows on one pooled scale.

    A number becomes its distance from the pooled median in robust spreads, clipped at
    `CLIP`. A category becomes one indicator per frequent level plus hashed buckets, scaled
    so that two random rows lie about as far apart in it as in a number. A vector becomes
    its dimensions. Missing becomes 0 and, where any is missing, one more dimension says so.

    Args:
        reference: Rows in the canonical Arrow types.
        candidate: Rows with the same columns and types.
        schema: The columns to use; text, ids, groups and times are left out.

    """
    specs = _usable(schema)
    nominal = sum(spec.kind in NOMINAL for spec in specs)
    levels = min(DENSE_LEVELS, max(1, DENSE_BUDGET // max(1, nominal) - BUCKETS))
    blocks = [_dense_block(reference, candidate, spec, levels=levels) for spec in specs]
    rows, sources = _together(blocks, specs, rows=len(reference) + len(candidate))
    x, y = np.split(rows.astype(np.float32, order="C", copy=False), [len(reference)])
    return Dense(x=x, y=y, sources=sources)


def encode_codes(reference: pa.Table, candidate: pa.Table, schema: Schema) -> Codes:
    """Return both tables with numbers as they are and levels as pooled-frequency ranks.

    Args:
        reference: Rows in the canonical Arrow types.
        candidate: Rows with the same columns and types.
        schema: The columns to use; text, ids, groups and times are left out.

    """
    specs = _usable(schema)
    blocks = [_code_block(reference, candidate, spec) for spec in specs]
    rows, names = _together(blocks, specs, rows=len(reference) + len(candidate))
    kinds = {spec.name: spec.kind for spec in specs}
    categorical = np.array([kinds[name] in NOMINAL for name in names], dtype=bool)
    x, y = np.split(rows.astype(np.float64, order="C", copy=False), [len(reference)])
    return Codes(x=x, y=y, categorical=categorical, names=names)


def _usable(schema: Schema) -> tuple[ColumnSpec, ...]:
    return tuple(spec for spec in schema.compared if spec.kind is not Kind.TEXT)


def _together(
    blocks: list[NDArray[Any]], specs: tuple[ColumnSpec, ...], *, rows: int
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Join the blocks of all columns; say which column each dimension came from."""
    joined = np.hstack(blocks) if blocks else np.empty((rows, 0))
    pairs = zip(specs, blocks, strict=True)
    return joined, tuple(spec.name for spec, block in pairs for _ in range(block.shape[1]))


def _dense_block(
    reference: pa.Table, candidate: pa.Table, spec: ColumnSpec, *, levels: int
) -> NDArray[np.float32]:
    """Encode one column, shape (n + m, its dimensions)."""
    both = reference[spec.name], candidate[spec.name]
    if spec.kind in NOMINAL:
        codes = _ranked(*both, levels=levels)
        missing = np.isnan(codes)
        block = _indicators(codes)
    else:
        values = _vectors(*both) if spec.kind is Kind.VECTOR else _numbers(*both)[:, None]
        missing = np.isnan(values).any(axis=1)
        block = np.column_stack([_scaled(values[:, i]) for i in range(values.shape[1])])
    if missing.any():
        block = np.column_stack([block, missing.astype(np.float32)])
    return block


def _code_block(reference: pa.Table, candidate: pa.Table, spec: ColumnSpec) -> NDArray[np.float64]:
    both = reference[spec.name], candidate[spec.name]
    if spec.kind in NOMINAL:
        return _ranked(*both, levels=CODE_LEVELS)[:, None]
    values = _vectors(*both) if spec.kind is Kind.VECTOR else _numbers(*both)[:, None]
    return np.clip(values, -_HUGE, _HUGE)


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return values in robust spreads from their median; missing is 0."""
    known = np.clip(values[np.isfinite(values)], -_HUGE, _HUGE)
    if not known.size:
        return np.nan_to_num(values, nan=0.0, posinf=CLIP, neginf=-CLIP).astype(np.float32)
    middle = float(np.median(known))
    with np.errstate(over="ignore"):
        scaled = (np.clip(values, -_HUGE, _HUGE) - middle) / _spread(known, middle)
    scaled[np.isnan(scaled)] = 0.0
    return np.clip(scaled, -CLIP, CLIP).astype(np.float32)


def _spread(known: NDArray[np.float64], middle: float) -> float:
    """Return the first positive spread: quartiles, outer quantiles, root mean square, 1."""
    for low, high, normal in _SPREADS:
        bottom, top = np.quantile(known, (low, high))
        if (spread := float(top - bottom) / normal) > 0:
            return spread
    farthest = float(np.abs(known - middle).max())
    if farthest == 0:
        return 1.0
    return farthest * float(np.sqrt(np.mean(np.square((known - middle) / farthest)))) or 1.0


def _indicators(codes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return one indicator per code, scaled like a number of unit variance."""
    known = ~np.isnan(codes)
    used, place = np.unique(codes[known], return_inverse=True)
    block = np.zeros((len(codes), max(1, len(used))), dtype=np.float32)
    share = np.bincount(place, minlength=1) / max(1, len(place))
    apart = max(0.25, 1.0 - float(np.square(share).sum()))
    block[np.flatnonzero(known), place] = 1.0 / np.sqrt(apart)
    return block


def _ranked(first: pa.ChunkedArray, second: pa.ChunkedArray, *, levels: int) -> NDArray[np.float64]:
    """Return the pooled-frequency rank of each row's level, NaN where it is missing.

    Ties of frequency break by name. Levels past the first `levels` share `BUCKETS`
    further codes by a hash of their names.
    """
    codes, names = _levels(first, second)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = np.lexsort((np.argsort(_argsort(names)), -counts))
    place = np.empty(len(names), dtype=np.float64)
    place[order] = np.arange(len(names))
    if len(names) > levels + 1:
        rare = order[levels:]
        hashes = [zlib.crc32(name.encode()) for name in names.take(positions(rare)).to_pylist()]
        place[rare] = levels + np.array(hashes) % BUCKETS
    return np.where(codes >= 0, np.append(place, np.nan)[codes], np.nan)


def _argsort(names: pa.Array) -> NDArray[np.int32]:
    import pyarrow.compute as pc

    return as_indices(pc.sort_indices(names).cast("int32"))


def _levels(first: pa.ChunkedArray, second: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.Array]:
    """Return each row's index into the distinct levels (-1 for missing), and the levels."""
    import pyarrow as pa

    chunks = [
        chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        for chunk in (*first.chunks, *second.chunks)
        if len(chunk)
    ]
    if not chunks:
        return np.empty(0, np.int64), pa.array([], pa.string())
    whole = pa.chunked_array(chunks).unify_dictionaries().combine_chunks()
    codes = as_indices(whole.indices)
    used, place = np.unique(codes[codes >= 0], return_inverse=True)
    places = np.full(len(codes), -1, np.int64)
    places[codes >= 0] = place
    return places, whole.dictionary.take(positions(used))


def _numbers(first: pa.ChunkedArray, second: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return the values of both sides as float64, NaN for missing, shape (n + m,)."""
    parts = [as_numbers(chunk) for chunk in (*first.chunks, *second.chunks)]
    return np.concatenate([np.empty(0), *parts])


def _vectors(first: pa.ChunkedArray, second: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return the vectors of both sides, shape (n + m, width), NaN rows for missing."""
    parts = [as_vectors(chunk) for chunk in (*first.chunks, *second.chunks)]
    return np.concatenate([np.empty((0, first.type.list_size)), *parts])
