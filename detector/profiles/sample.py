"""A uniform sample of rows that does not depend on file order, splits or merge order.

Each distinct row content has up to `LANES` sampling hashes, one for each of its first
copies (later copies share them in turn). A sample keeps the `KEPT` contents with the
smallest hash, each with its exact count; a copy is in the sample when its own hash is
below the threshold so found. Two states merge exactly: a content among the smallest of
the whole is among the smallest of every part that holds it, so its counts simply add.

Consequences: every row has the same chance; copies of a row are drawn apart, so a data
set full of equal rows is not sampled in clumps (beyond `LANES` copies, only in fractions
of 1/LANES); data with at most `KEPT` distinct contents are known completely.

Source: bottom-k (k minimum values) sampling, Cohen and Kaplan (2007), PODC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.profiles import hashing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

LANES = 4
KEPT = 65_536
MAX_ROWS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowSample:
    """Sampled rows in hash order: any prefix is itself a uniform sample.

    Attributes:
        table: Canonical Arrow columns, one row for each sampled row.
        total: Rows of the whole data set.

    """

    table: pa.Table
    total: int

    @property
    def complete(self) -> bool:
        """Tell whether every row of the data set is in the sample."""
        return bool(self.table.num_rows == self.total)

    def head(self, rows: int) -> RowSample:
        """Return the first rows: a smaller uniform sample."""
        return RowSample(table=self.table.slice(0, rows), total=self.total)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleState:
    """The mergeable state behind a sample.

    Attributes:
        content: Row hashes of the kept contents, shape (k,), in order of `smallest`.
        smallest: Smallest sampling hash of each kept content, shape (k,), rising.
        count: Exact number of rows with each kept content, shape (k,).
        rows: One row for each kept content, k rows.
        total: Rows seen.
        salt: The salt of the sampling hashes.

    """

    content: NDArray[np.uint64]
    smallest: NDArray[np.uint64]
    count: NDArray[np.int64]
    rows: pa.Table
    total: int
    salt: int

    @property
    def threshold(self) -> np.uint64 | None:
        """Return the largest kept hash, or None when every content is kept."""
        return self.smallest[-1] if len(self.smallest) >= KEPT else None

    def draw(self) -> RowSample:
        """Return the sampled rows, at most `MAX_ROWS`."""
        place, number = _copies(self.count)
        content = self.content[place]
        if self.threshold is None:
            order = _lane_hashes(content, number, lanes=None, salt=self.salt)
        else:
            order = _lane_hashes(content, number, lanes=LANES, salt=self.salt)
            inside = order <= self.threshold
            place, number, order = place[inside], number[inside], order[inside]
        chosen = np.lexsort((number, order))[:MAX_ROWS]
        return RowSample(table=self.rows.take(place[chosen]), total=self.total)


def fold_rows(
    rows: pa.RecordBatch, content: NDArray[np.uint64], *, salt: int, bound: np.uint64 | None = None
) -> SampleState:
    """Return the state of one batch.

    Args:
        rows: The columns to keep, n rows.
        content: The row hashes, shape (n,).
        salt: The salt of the sampling hashes.
        bound: An upper bound on the final threshold, if one is known: contents
            above it can be left out at once.

    """
    import pyarrow as pa

    lanes = [hashing.occurrence(content, lane, salt=salt) for lane in range(LANES)]
    smallest = np.minimum.reduce(lanes)
    near = np.flatnonzero(smallest <= bound) if bound is not None else np.arange(len(content))
    content, smallest = content[near], smallest[near]
    order = np.lexsort((content, smallest))
    first, count = _runs(content[order])
    keep = first[:KEPT]
    chosen = order[keep]
    return SampleState(
        content=content[chosen],
        smallest=smallest[chosen],
        count=count[: len(keep)],
        rows=pa.Table.from_batches([rows]).take(near[chosen]),
        total=len(lanes[0]),
        salt=salt,
    )


def merge_samples(parts: Sequence[SampleState]) -> SampleState:
    """Return the state of all parts together; associative and commutative."""
    import pyarrow as pa

    if len(parts) == 1:
        return parts[0]
    content = np.concatenate([part.content for part in parts])
    smallest = np.concatenate([part.smallest for part in parts])
    counts = np.concatenate([part.count for part in parts])
    order = np.lexsort((content, smallest))
    first, _ = _runs(content[order])
    summed = np.add.reduceat(counts[order], first) if len(first) else counts
    keep = first[:KEPT]
    chosen = order[keep]
    rows = pa.concat_tables([part.rows for part in parts]).unify_dictionaries()
    return SampleState(
        content=content[chosen],
        smallest=smallest[chosen],
        count=summed[: len(keep)],
        rows=rows.take(chosen).combine_chunks(),
        total=sum(part.total for part in parts),
        salt=parts[0].salt,
    )


def _runs(ordered: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each run of equal values starts, and its length."""
    if len(ordered) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return first, np.diff(np.append(first, len(ordered)))


def _copies(count: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for every copy of every content, the content's place and the copy's number."""
    place = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
    return place, number


def _lane_hashes(
    content: NDArray[np.uint64], number: NDArray[np.int64], *, lanes: int | None, salt: int
) -> NDArray[np.uint64]:
    """Return each copy's sampling hash; copies beyond `lanes` share hashes in turn."""
    if len(number) == 0:
        return np.empty(0, np.uint64)
    lane = number if lanes is None else number % lanes
    distinct = np.unique(lane)
    if len(distinct) == 1:
        return hashing.occurrence(content, int(distinct[0]), salt=salt)
    offsets = (lane.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    offsets += np.uint64((salt + 1) * 0xD1B54A32D192ED03 % 2**64)
    return hashing.mix(content + offsets)
