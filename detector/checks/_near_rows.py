"""How near candidate rows lie to reference rows, and how near real rows lie to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

    def closeness(self) -> Numbers:
        """Return how near a candidate row lies to each real row, reference rows first.

        In units of the distance from the real row to its nearest other real row, so that
        crowded and empty regions count alike, and a row that real rows repeat is no copy.
        Shape (n + h,); near 0 for a copy.
        """
        real = np.concatenate((self.reference, self.holdout))
        to_candidate = nearest(real, self.candidate).distance
        own = nearest(real, real, same=True).distance
        least = _LEAST_REACH * (float(np.median(own[own > 0])) if own.any() else 1.0)
        return (to_candidate + least) / (own + least)


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
