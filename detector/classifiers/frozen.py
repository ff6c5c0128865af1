"""Rows on scales that trusted rows have frozen, so that rows can be scored batch by batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from detector.data.arrays import as_indices, as_numbers, as_vectors
from detector.data.schema import NOMINAL, Kind

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec, Schema

    Numbers = NDArray[np.float64]

EDGES = 512
"""Quantiles that a number's scale keeps."""

OUTER = 64
"""Of the smallest and largest values, this many are kept one by one."""

LEVELS = 12
"""Levels of a category that get a dimension of their own."""

MOST_BEYOND = 1e12
_HUGE = 1e300


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """Rows as a score sees them.

    Attributes:
        codes: Shape (rows, d), float32: one number a dimension for trees, NaN for missing.
        scores: Shape (rows, q), float32: normal scores and indicators, for distances.
        surprise: Shape (rows, d), float32: minus the log of the share of trusted rows that
            are at least as far out (numbers) or have the level, so 0 is nothing special.

    """

    codes: NDArray[np.float32]
    scores: NDArray[np.float32]
    surprise: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frozen:
    """The scales of all columns.

    Attributes:
        columns: One scale a column.
        sources: The column of each dimension of `codes` and `surprise`, length d.
        dimensions: The place in `sources` of each dimension of `scores`, shape (q,).

    """

    columns: tuple[_Numbers | _Levels, ...]
    sources: tuple[str, ...]
    dimensions: NDArray[np.intp]

    @classmethod
    def of(cls, rows: pa.Table, schema: Schema) -> Frozen:
        """Freeze the scales of trusted rows; text is left out.

        Args:
            rows: At least one row, in the canonical Arrow types.
            schema: The columns to use.

        """
        specs = [spec for spec in schema.compared if spec.kind is not Kind.TEXT]
        columns = tuple(_scale(rows[spec.name], spec) for spec in specs)
        widths = [column.width for column in columns]
        pairs = zip(specs, widths, strict=True)
        sources = tuple(spec.name for spec, width in pairs for _ in range(width))
        starts = np.cumsum([0, *widths])
        places = [
            start + own
            for start, column in zip(starts, columns, strict=False)
            for own in column.dimensions
        ]
        return cls(columns=columns, sources=sources, dimensions=np.array(places, np.intp))

    def encode(self, rows: pa.Table) -> Encoded:
        """Return rows on these scales."""
        parts = [column.encode(rows[column.name]) for column in self.columns]
        return Encoded(
            codes=_joined([part.codes for part in parts], len(rows)),
            scores=_joined([part.scores for part in parts], len(rows)),
            surprise=_joined([part.surprise for part in parts], len(rows)),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Line:
    """The scale of one dimension of numbers."""

    edges: Numbers
    normal: Numbers
    tail: Numbers
    spread: float
    unusual: float
    share_missing: float

    @classmethod
    def of(cls, values: Numbers) -> _Line:
        known = np.sort(np.clip(values[~np.isnan(values)], -_HUGE, _HUGE))
        n = max(1, len(values))
        missing = 1.0 - len(known) / n
        if not len(known):
            known = np.zeros(1)
        places = np.unique(
            np.concatenate(
                (
                    np.linspace(0, len(known) - 1, EDGES).round().astype(np.int64),
                    np.arange(min(OUTER, len(known))),
                    len(known) - 1 - np.arange(min(OUTER, len(known))),
                )
            )
        )
        edges = np.unique(known[places])
        below = np.searchsorted(known, edges, side="left")
        upto = np.searchsorted(known, edges, side="right")
        size = len(known)
        tail = 2.0 * np.minimum(upto, size - below) / (size + 1)
        low, high = known[size // 4], known[size - 1 - size // 4]
        spread = float(high - low) or float(known[-1] - known[0]) or max(1.0, abs(float(high)))
        return cls(
            edges=edges,
            normal=ndtri((below + upto + 1) / 2 / (size + 1)),
            tail=-np.log(np.minimum(1.0, tail)),
            spread=spread,
            unusual=float(-np.log((n * missing + 1) / (n + 1))),
            share_missing=missing,
        )

    def encode(self, values: Numbers) -> tuple[Numbers, Numbers]:
        """Return normal scores (NaN for missing) and surprise, each shape (rows,)."""
        inside = np.clip(values, -_HUGE, _HUGE)
        normal = np.interp(inside, self.edges, self.normal)
        tail = np.interp(inside, self.edges, self.tail)
        with np.errstate(invalid="ignore"):
            past = np.maximum(values - self.edges[-1], self.edges[0] - values)
            beyond = np.log1p(np.clip(past / self.spread, 0.0, MOST_BEYOND))
        beyond[np.isnan(values)] = 0.0
        normal += np.where(values > self.edges[-1], beyond, -beyond)
        tail += beyond + (beyond > 0) * np.log(2.0)
        tail[np.isnan(values)] = self.unusual
        normal[np.isnan(values)] = np.nan
        return normal, tail


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Numbers:
    """A column of numbers, or of vectors."""

    name: str
    kind: Kind
    lines: tuple[_Line, ...]

    @property
    def width(self) -> int:
        return len(self.lines)

    @property
    def dimensions(self) -> list[int]:
        """Return the place of each score: each dimension's own, then the one for missing."""
        return [*range(self.width), *([0] if self._gaps else [])]

    @property
    def _gaps(self) -> bool:
        return 0 < self.lines[0].share_missing < 1

    def encode(self, column: Any) -> Encoded:
        values = _values(column, self.kind)
        each = [line.encode(values[:, place]) for place, line in enumerate(self.lines)]
        codes = np.column_stack([normal for normal, _ in each])
        scores = [np.nan_to_num(codes)]
        if self._gaps:
            scores.append(_indicator(np.isnan(values[:, 0]), self.lines[0].share_missing)[:, None])
        surprise = np.column_stack([tail for _, tail in each])
        return _encoded(codes, np.hstack(scores), surprise)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Levels:
    """A column of levels."""

    name: str
    places: dict[str, int]
    shares: Numbers
    unusual: Numbers
    share_missing: float

    width = 1

    @property
    def dimensions(self) -> list[int]:
        return [0] * (len(self.shares) + (0 < self.share_missing < 1))

    def encode(self, column: Any) -> Encoded:
        codes = self._codes(column)
        missing = codes < 0
        scores = [_indicator(codes == place, share) for place, share in enumerate(self.shares)]
        if 0 < self.share_missing < 1:
            scores.append(_indicator(missing, self.share_missing))
        numbers = np.where(missing, np.nan, codes)[:, None]
        stacked = np.column_stack(scores) if scores else np.empty((len(codes), 0))
        return _encoded(numbers, stacked, self.unusual[codes][:, None])

    def _codes(self, column: Any) -> NDArray[np.int64]:
        """Return the rank of each row's level: -1 for missing, the last for one never seen."""
        unseen = len(self.places)
        found = [np.empty(0, np.int64)]
        for chunk in column.chunks:
            coded = chunk.dictionary_encode() if not hasattr(chunk, "indices") else chunk
            names = coded.dictionary.to_pylist()
            places = np.array([*(self.places.get(name, unseen) for name in names), -1], np.int64)
            found.append(places[as_indices(coded.indices)])
        return np.concatenate(found)


def _scale(column: Any, spec: ColumnSpec) -> _Numbers | _Levels:
    """Freeze the scale of one column."""
    if spec.kind not in NOMINAL:
        values = _values(column, spec.kind)
        lines = tuple(_Line.of(values[:, place]) for place in range(values.shape[1]))
        return _Numbers(name=spec.name, kind=spec.kind, lines=lines)
    from pyarrow import compute

    counted = compute.value_counts(column.cast("string")).to_pylist()
    held = {pair["values"]: pair["counts"] for pair in counted if pair["values"] is not None}
    names = sorted(held, key=lambda name: (-held[name], name))
    n = max(1, len(column))
    counts = np.array([held[name] for name in names], np.float64)
    missing = n - counts.sum()
    shares = counts / n
    shown = shares[:LEVELS] if len(names) > 2 else shares[: len(names) - 1]
    return _Levels(
        name=spec.name,
        places={name: place for place, name in enumerate(names)},
        shares=shown,
        # A level never seen, then one that is missing: place -1.
        unusual=-np.log((np.array([*counts, 0.0, missing]) + 1.0) / (n + 1.0)),
        share_missing=float(missing / n),
    )


def _values(column: Any, kind: Kind) -> Numbers:
    """Return a column of numbers or vectors, shape (rows, width)."""
    if kind is Kind.VECTOR:
        parts = [as_vectors(chunk) for chunk in column.chunks]
        return np.concatenate([np.empty((0, column.type.list_size)), *parts])
    numbers: Numbers = np.concatenate([np.empty(0), *(as_numbers(c) for c in column.chunks)])
    return numbers[:, None]


def _indicator(held: NDArray[np.bool_], share: float) -> Numbers:
    """Return a mark of rows of a property, with mean 0 and variance 1 among trusted rows."""
    marks: Numbers = (held - share) / math.sqrt(max(share * (1.0 - share), 1e-6))
    return marks


def _encoded(codes: Numbers, scores: Numbers, surprise: Numbers) -> Encoded:
    return Encoded(
        codes=codes.astype(np.float32),
        scores=scores.astype(np.float32),
        surprise=surprise.astype(np.float32),
    )


def _joined(parts: list[NDArray[np.float32]], rows: int) -> NDArray[np.float32]:
    return np.hstack(parts) if parts else np.empty((rows, 0), np.float32)
