"""Merging: the other half of the profile's algebra. Associative and commutative."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from detector.profiles import hashing
from detector.profiles.aggregates import (
    ColumnSummary,
    LevelSummary,
    NumericSummary,
    OpaqueSummary,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_LEVELS = 100_000


def merge_columns(parts: Sequence[Mapping[str, ColumnSummary]]) -> dict[str, ColumnSummary]:
    """Merge the summaries of each column over all parts."""
    return {name: reduce(merge_column, [part[name] for part in parts]) for name in parts[0]}


def merge_column(a: ColumnSummary, b: ColumnSummary) -> ColumnSummary:
    """Merge two summaries of one column made over the same frame."""
    if isinstance(a, NumericSummary) and isinstance(b, NumericSummary):
        return _merge_numeric(a, b)
    if isinstance(a, LevelSummary) and isinstance(b, LevelSummary):
        return cap_levels(_merge_levels(a, b))
    if isinstance(a, OpaqueSummary) and isinstance(b, OpaqueSummary):
        return OpaqueSummary(n=a.n + b.n, missing=a.missing + b.missing)
    msg = f"cannot merge {type(a).__name__} with {type(b).__name__}"
    raise TypeError(msg)


def cap_levels(summary: LevelSummary, *, most: int = MAX_LEVELS) -> LevelSummary:
    """Keep the `most` levels with the smallest hash, so that capped parts merge exactly."""
    if len(summary.levels) <= most:
        return summary
    import pyarrow as pa

    names = np.array(list(summary.levels), dtype=object)
    order = np.argsort(hashing.texts(pa.array(names, pa.string())), kind="stable")[:most]
    kept = {str(name): summary.levels[name] for name in names[order]}
    spilled = summary.n - sum(kept.values())
    return LevelSummary(n=summary.n, missing=summary.missing, levels=kept, spilled=spilled)


def _merge_numeric(a: NumericSummary, b: NumericSummary) -> NumericSummary:
    """Merge counts by addition and moments by Chan's pairwise update (exact to rounding)."""
    n = a.n + b.n
    mean, m2 = a.mean + b.mean, a.m2 + b.m2
    if a.n and b.n:
        gap = b.mean - a.mean
        mean = a.mean * (a.n / n) + b.mean * (b.n / n)
        m2 = min(a.m2 + b.m2 + gap * gap * (a.n / n) * b.n, float(np.finfo(np.float64).max))
    lows = [s.minimum for s in (a, b) if s.minimum is not None]
    highs = [s.maximum for s in (a, b) if s.maximum is not None]
    return NumericSummary(
        n=n,
        missing=a.missing + b.missing,
        negative_infinite=a.negative_infinite + b.negative_infinite,
        positive_infinite=a.positive_infinite + b.positive_infinite,
        mean=mean,
        m2=m2,
        minimum=min(lows, default=None),
        maximum=max(highs, default=None),
        edges=a.edges,
        counts=a.counts + b.counts,
    )


def _merge_levels(a: LevelSummary, b: LevelSummary) -> LevelSummary:
    total = dict(a.levels)
    for name, count in b.levels.items():
        total[name] = total.get(name, 0) + count
    return LevelSummary(
        n=a.n + b.n,
        missing=a.missing + b.missing,
        levels=total,
        spilled=a.spilled + b.spilled,
    )
