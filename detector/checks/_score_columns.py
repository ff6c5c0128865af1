"""Arrow columns of two row samples as score columns, each with a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.data.arrays import as_indices, as_numbers
from detector.data.schema import NOMINAL, Kind
from detector.stats.scored import Scored, score_levels, score_numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Sides = tuple[pa.Table, pa.Table]
    Codes = tuple[NDArray[np.int64], NDArray[np.int64]]

SUPPORT = 20
"""Rows that a level needs on each side to be looked at by itself."""

CLUSTERS = 10
"""Clusters that it needs on each side where rows are clustered: few clusters carry few facts."""

_LABEL = 80
_OTHER = "(other levels)"
_MISSING = "(missing)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreColumns:
    """The score columns that came from one table column.

    Attributes:
        scored: Both samples, p score columns.
        labels: For each score column the level that it stands for; None for the values
            of a number.

    """

    scored: Scored
    labels: tuple[str | None, ...]


def score_columns(
    sides: Sides, name: str, kind: Kind, *, levels: int, clusters: Codes | None = None
) -> list[ScoreColumns]:
    """Return the score columns of one table column; none where it says nothing.

    A column of levels gives one for each frequent level (at most `levels`), for all other
    levels together and for missing values. A number gives its normal scores and, where
    enough values are missing, one more that says which.

    Args:
        sides: Reference and candidate rows, canonical Arrow types.
        name: The column.
        kind: Its kind, ordered or nominal.
        levels: Levels to look at by themselves, at most.
        clusters: Cluster of each row of both sides, or None where rows stand alone.

    """
    if kind in NOMINAL:
        codes, names = _codes(sides, name)
        return _of_levels(codes, names, levels=levels, clusters=clusters)
    x, y = (as_numbers(_whole(side, name)) for side in sides)
    found: list[tuple[Scored | None, str | None]] = [(score_numbers(x, y), None)]
    gone = [np.isnan(values) for values in (x, y)]
    counts = _support((gone[0].astype(np.int64), gone[1].astype(np.int64)), 2, clusters)
    if counts.min() >= _needed(clusters):
        found.append((score_numbers(*(side.astype(np.float64) for side in gone)), _MISSING))
    return [
        ScoreColumns(scored=scored, labels=(label,))
        for scored, label in found
        if scored is not None
    ]


def _of_levels(
    codes: Codes, names: list[str], *, levels: int, clusters: Codes | None
) -> list[ScoreColumns]:
    buckets, labels = _buckets(codes, names, levels=levels, clusters=clusters)
    if len(labels) < 2:
        return []
    x, y = (buckets[side] for side in codes)
    scored = score_levels(x, y, levels=len(labels))
    shown = tuple(labels if len(labels) > 2 else labels[:1])
    return [] if scored is None else [ScoreColumns(scored=scored, labels=shown)]


def _codes(sides: Sides, name: str) -> tuple[Codes, list[str]]:
    """Return each row's level as a place in one list of names; missing is a level too."""
    names: dict[str | None, int] = {}
    codes = []
    for side in sides:
        column = _whole(side, name)
        held = [*column.dictionary.to_pylist(), None]
        place = np.array([names.setdefault(level, len(names)) for level in held], np.int64)
        codes.append(place[as_indices(column.indices)])
    return (codes[0], codes[1]), [_MISSING if level is None else level for level in names]


def _buckets(
    codes: Codes, names: list[str], *, levels: int, clusters: Codes | None
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the bucket of each level, and each bucket's label.

    The most frequent levels over both sides have a bucket each; the others share the last
    one. Every bucket holds `SUPPORT` rows of either side, or rows of `CLUSTERS` clusters;
    ties of frequency break by name.
    """
    rows = np.stack([np.bincount(side, minlength=len(names)) for side in codes])
    counts, least = _support(codes, len(names), clusters), _needed(clusters)
    share = (rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)).sum(axis=0)
    order = sorted(range(len(names)), key=lambda level: (-share[level], names[level]))
    kept = [level for level in order if counts[:, level].min() >= least][:levels]
    buckets = np.full(len(names), len(kept), dtype=np.int64)
    buckets[kept] = np.arange(len(kept))
    while kept:
        rest = _support((buckets[codes[0]], buckets[codes[1]]), len(kept) + 1, clusters)[:, -1]
        if rest.max() == 0 or rest.min() >= least:
            break
        buckets[kept.pop()] = len(kept)
        buckets[buckets > len(kept)] = len(kept)
    others = bool(kept) and rows[:, kept].sum() < rows.sum()
    labels = [names[level][:_LABEL] for level in kept]
    return buckets, [*labels, _OTHER] if others else labels


def _needed(clusters: Codes | None) -> int:
    return SUPPORT if clusters is None else CLUSTERS


def _support(codes: Codes, levels: int, clusters: Codes | None) -> NDArray[np.int64]:
    """Return how many rows, or clusters, of each side hold each level, shape (2, levels)."""
    if clusters is None:
        return np.stack([np.bincount(side, minlength=levels) for side in codes])
    found = []
    for side, own in zip(codes, clusters, strict=True):
        pairs = np.unique(np.stack([side, own]), axis=1)
        found.append(np.bincount(pairs[0], minlength=levels))
    return np.stack(found)


def _whole(side: pa.Table, name: str) -> pa.Array:
    import pyarrow as pa

    column = side[name].combine_chunks()
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
