"""How near candidate rows lie to reference rows, and how near real rows lie to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.checks._clusters import group_codes
from detector.data.encode import encode_dense
from detector.data.schema import Kind, Schema
from detector.findings import Gap, Reason
from detector.stats.neighbours import nearest

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.profiles.comparison import Comparison
    from detector.profiles.profile import Profile
    from detector.stats.neighbours import Nearest

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]

MIN_ROWS = 100
_LEAST_REACH = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearRows:
    """Encoded rows of the sides; real rows are scaled without knowing which side they are of.

    Attributes:
        reference: Shape (n, d).
        candidate: Shape (m, d).
        holdout: Shape (h, d); no rows where there is no holdout.

    """

    reference: Rows
    candidate: Rows
    holdout: Rows

    @classmethod
    def of(cls, comparison: Comparison, *, rows: int) -> NearRows | Gap:
        """Encode sampled rows; with a group column, one row of each group."""
        sides = [comparison.reference, comparison.candidate]
        if comparison.holdout is not None:
            sides.append(comparison.holdout)
        names = _names(comparison, sides)
        if not names:
            return _gap(Reason.NO_COMMON_COLUMNS, "no column in common has distances")
        tables = []
        for side in sides:
            if side.sample is None:
                return _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
            tables.append(_alone(side.sample.head(rows).table, comparison.group, rows))
        fewest = min(len(table) for table in tables)
        if fewest < MIN_ROWS:
            return _gap(Reason.TOO_FEW_ROWS, f"{fewest} rows on one side, {MIN_ROWS} needed")
        return cls._encoded(comparison, names, tables)

    @classmethod
    def _encoded(
        cls, comparison: Comparison, names: tuple[str, ...], tables: list[pa.Table]
    ) -> NearRows | Gap:
        import pyarrow as pa

        schema = comparison.reference.frame.schema
        own = Schema(columns=tuple(schema[name] for name in names))
        reference, candidate, *rest = (table.select(names) for table in tables)
        real = pa.concat_tables([reference, *rest]).unify_dictionaries().combine_chunks()
        dense = encode_dense(real, candidate, own)
        if not (dense.x != dense.x[0]).any():
            return _gap(Reason.CONSTANT_COLUMN, "all rows of the real sides are equal")
        one, other = np.split(dense.x, [len(reference)])
        return cls(reference=one, candidate=dense.y, holdout=other)

    @property
    def rows(self) -> tuple[int, int]:
        """Return the reference and candidate rows."""
        return len(self.reference), len(self.candidate)

    def distances(self) -> Distances:
        """Return the distances that all questions share: each block of rows is compared once."""
        reference, holdout = self.reference, self.holdout
        own, held_out = nearest(reference, reference, same=True), None
        real = [own.distance]
        if len(holdout):
            held_out = nearest(holdout, reference)
            real = [
                np.minimum(own.distance, nearest(reference, holdout).distance),
                np.minimum(held_out.distance, nearest(holdout, holdout, same=True).distance),
            ]
        return Distances(
            own=own.distance,
            candidate=nearest(self.candidate, reference),
            holdout=held_out,
            real=np.concatenate(real),
        )

    def closeness(self, real: Numbers) -> Numbers:
        """Return how near a candidate row lies to each real row, reference rows first.

        In units of the distance from the real row to its nearest other real row, so that
        crowded and empty regions count alike, and a row that real rows repeat is no copy.

        Args:
            real: Distance of each real row to its nearest other one, shape (n + h,).

        Returns:
            Shape (n + h,); near 0 for a copy.

        """
        rows = np.concatenate((self.reference, self.holdout))
        to_candidate = nearest(rows, self.candidate).distance
        least = _LEAST_REACH * (float(np.median(real[real > 0])) if real.any() else 1.0)
        return (to_candidate + least) / (real + least)


class Distances(NamedTuple):
    """Distances between the sides.

    Attributes:
        own: Of each reference row to its nearest other reference row, shape (n,).
        candidate: Of each candidate row to its nearest reference row, shape (m,).
        holdout: Of each holdout row to its nearest reference row, shape (h,), or None.
        real: Of each real row to its nearest other real row, shape (n + h,).

    """

    own: Numbers
    candidate: Nearest
    holdout: Nearest | None
    real: Numbers


def _names(comparison: Comparison, sides: list[Profile]) -> tuple[str, ...]:
    kinds = (kind for kind in Kind if kind is not Kind.TEXT)
    return tuple(
        name for name in comparison.columns(*kinds) if all(name in side.columns for side in sides)
    )


def _alone(table: pa.Table, group: str | None, rows: int) -> pa.Table:
    """Return the first row of each group, in sample order: rows that count as independent."""
    if group is None or group not in table.column_names:
        return table
    codes = group_codes(table, table.slice(0, 0), group)
    _, first = np.unique(codes, return_index=True)
    return table.take(np.sort(first)[:rows])


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name="", reason=reason, detail=detail)
