"""Row contents of the sides of a comparison, matched by hash: all rows, where they are known.

A profile keeps the contents whose sampling hash is smallest. Whether a content is in the other
side is then known for certain when it would be among the kept ones there, and not known
otherwise. What decides that is a hash of the content: it knows nothing of copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.checks._clusters import group_codes
from detector.findings import Gap, Reason
from detector.profiles import hashing
from detector.profiles.fold import decode, row_hashes
from detector.profiles.frame import kept_columns
from detector.profiles.sample import LANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec
    from detector.profiles.profile import Profile
    from detector.profiles.sample import SampleState

    Hashes = NDArray[np.uint64]
    Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contents:
    """The distinct rows of one side, as far as its profile keeps them.

    Attributes:
        content: Hashes, shape (k,), rising.
        count: Rows that hold each, shape (k,).
        drawn: Rows of a uniform row sample that hold each, shape (k,).
        total: Rows of the whole side.
        threshold: Contents whose sampling hash is at most this are all known; None where
            every content is.
        salt: The salt of the sampling hashes.

    """

    content: Hashes
    count: Counts
    drawn: Counts
    total: int
    threshold: np.uint64 | None
    salt: int

    def knows(self, content: Hashes) -> NDArray[np.bool_]:
        """Tell of each content whether this side would have kept it, had it any."""
        if self.threshold is None:
            return np.ones(len(content), bool)
        return _smallest(content, self.salt) <= self.threshold

    @property
    def complete(self) -> bool:
        """Tell whether every content is kept."""
        return self.threshold is None

    def counts(self, content: Hashes) -> Counts:
        """Return how many of the kept rows hold each content."""
        if not len(self.content):
            return np.zeros(len(content), np.int64)
        place = np.minimum(np.searchsorted(self.content, content), len(self.content) - 1)
        return np.where(self.content[place] == content, self.count[place], 0)

    def seen_in(self, other: Contents) -> tuple[int, int]:
        """Return the sampled rows whose content the other side has, of how many that is known."""
        known = other.knows(self.content)
        held = known & (other.counts(self.content) > 0)
        return int(self.drawn[held].sum()), int(self.drawn[known].sum())

    def lone_seen_in(
        self, other: Contents, *, rate: float, rng: np.random.Generator
    ) -> tuple[int, int]:
        """Return the lone rows whose content the other side has, of how many that is known.

        A content that many rows hold is kept or left out with all of them, which no test of
        rows can bear. A lone row is the only one with its content, after a share of the rows has
        been drawn.

        Args:
            other: The side to look in.
            rate: The share of rows to draw first.
            rng: Draws them.

        """
        count = self.count if rate >= 1 else rng.binomial(self.count, rate)
        known = other.knows(self.content) & (count == 1)
        return int((known & (other.counts(self.content) > 0)).sum()), int(known.sum())


def contents(sides: Sequence[Profile]) -> list[Contents] | Gap:
    """Return the contents of each side over the columns that all have."""
    states = [side.state for side in sides]
    if any(state is None for state in states):
        return _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
    kept = [state for state in states if state is not None]
    held = [set(state.rows.column_names) for state in kept]
    columns = kept_columns(sides[0].frame.schema)
    shared = tuple(spec for spec in columns if all(spec.name in names for names in held))
    if not shared:
        return _gap(Reason.NO_COMMON_COLUMNS, "no column in common")
    if len(shared) == len(columns):
        return [_whole(state) for state in kept]
    if any(state.threshold is not None for state in kept):
        absent = next(spec.name for spec in columns if spec not in shared)
        detail = f"{absent!r} is absent, and so many rows are matched by all columns or not at all"
        return _gap(Reason.COLUMN_ABSENT, detail)
    return [_over(state, shared) for state in kept]


def groups_seen(
    reference: Profile, holdout: Profile, candidate: Contents, *, group: str
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the groups of which the candidate has a row, of how many: reference, then holdout.

    Rows are the sampled ones. A group that is on both sides tells nothing of either.
    """
    tables = [side.sample.table for side in (reference, holdout) if side.sample is not None]
    codes = group_codes(tables[0], tables[1], group)
    columns = kept_columns(reference.frame.schema)
    hashes = np.concatenate([_hashes(table, columns) for table in tables])
    of_holdout = np.arange(len(codes)) >= len(tables[0])
    known = candidate.knows(hashes)
    seen = known & (candidate.counts(hashes) > 0)
    groups = [
        np.bincount(codes, weights=rows, minlength=codes.max(initial=-1) + 1) > 0
        for rows in (known & ~of_holdout, known & of_holdout, seen)
    ]
    alone = groups[0] ^ groups[1]
    one, other = alone & groups[0], alone & groups[1]
    return (
        (int((one & groups[2]).sum()), int(one.sum())),
        (int((other & groups[2]).sum()), int(other.sum())),
    )


def _hashes(rows: pa.Table, columns: tuple[ColumnSpec, ...]) -> Hashes:
    present = tuple(spec for spec in columns if spec.name in rows.column_names)
    batches = rows.combine_chunks().to_batches()
    hashes = [row_hashes(decode(batch, present)) for batch in batches]
    return np.concatenate([np.empty(0, np.uint64), *hashes])


def _whole(state: SampleState) -> Contents:
    return _contents(state, state.content, state.count, _drawn(state))


def _over(state: SampleState, columns: tuple[ColumnSpec, ...]) -> Contents:
    """Return the contents over fewer columns; some may become equal."""
    content, place = np.unique(_hashes(state.rows, columns), return_inverse=True)
    count = np.bincount(place, weights=state.count, minlength=len(content)).astype(np.int64)
    return _contents(state, content, count, count)


def _contents(state: SampleState, content: Hashes, count: Counts, drawn: Counts) -> Contents:
    order = np.argsort(content)
    return Contents(
        content=content[order],
        count=count[order],
        drawn=drawn[order],
        total=state.total,
        threshold=state.threshold,
        salt=state.salt,
    )


def _drawn(state: SampleState) -> Counts:
    """Return how many rows of each content a uniform sample of rows has."""
    if state.threshold is None:
        return state.count
    drawn = np.zeros(len(state.count), np.int64)
    for lane in range(LANES):
        inside = hashing.occurrence(state.content, lane, salt=state.salt) <= state.threshold
        drawn += np.where(inside, (state.count + LANES - 1 - lane) // LANES, 0)
    return drawn


def _smallest(content: Hashes, salt: int) -> Hashes:
    lanes = [hashing.occurrence(content, lane, salt=salt) for lane in range(LANES)]
    smallest: Hashes = np.minimum.reduce(lanes)
    return smallest


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name="", reason=reason, detail=detail)
