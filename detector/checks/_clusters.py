"""Clustered rows of a comparison: the sampled rows, and their groups drawn anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.findings import Gap, Reason
from detector.profiles.columns import as_codes, as_numbers
from detector.stats import clusters

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.profiles.comparison import Comparison
    from detector.profiles.sample import RowSample
    from detector.stats.clusters import ClusterTest, Relabeling


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """Rows of both sides, pooled, and their sides drawn anew group by group.

    Attributes:
        reference: Sampled reference rows.
        candidate: Sampled candidate rows, the same share of all as of the reference.
        relabeling: One set of relabelings for every column.

    """

    reference: pa.Table
    candidate: pa.Table
    relabeling: Relabeling

    @classmethod
    def of(
        cls,
        comparison: Comparison,
        *,
        group: str,
        max_rows: int,
        min_groups: int,
        permutations: int,
        rng: np.random.Generator,
    ) -> Clusters | Gap:
        """Draw relabelings, or say why there can be none.

        Both sides are thinned to one rate: then a group is as large in either sample as
        it is in the data, which is what makes groups exchangeable.
        """
        sides = comparison.reference.sample, comparison.candidate.sample
        if sides[0] is None or sides[1] is None:
            detail = f"rows are clustered by {group!r}, and a profile keeps no rows"
            return Gap(name="", reason=Reason.NEEDS_ROWS, detail=detail)
        reference, candidate = _thinned(sides[0], sides[1], max_rows)
        groups = group_codes(reference, candidate, group)
        of_candidate = np.arange(len(groups)) >= reference.num_rows
        fewest = min(clusters.groups_by_side(groups, of_candidate))
        if fewest < min_groups:
            detail = f"{fewest} groups of {group!r} on one side, {min_groups} needed"
            return Gap(name="", reason=Reason.TOO_FEW_GROUPS, detail=detail)
        drawn = clusters.relabel(groups, of_candidate, permutations=permutations, rng=rng)
        return cls(reference=reference, candidate=candidate, relabeling=drawn)

    @property
    def rows(self) -> tuple[int, int]:
        """Return the rows of each side."""
        return self.reference.num_rows, self.candidate.num_rows

    def shift(self, name: str) -> ClusterTest | None:
        """Test an ordered column; None when no row of a side has a value."""
        values = np.concatenate([_numbers(side, name) for side in self._sides])
        present = np.isfinite(values)
        if not self._both(present):
            return None
        codes, places = clusters.cells_of(np.where(present, values, np.nan))
        return clusters.shift_test(codes, places, self.relabeling)

    def levels(self, name: str) -> ClusterTest | None:
        """Test a column of levels; None when no row of a side has a value."""
        parts: list[NDArray[np.int64]] = []
        names: dict[str, int] = {}
        for side in self._sides:
            own, levels = as_codes(side[name].combine_chunks())
            known = [names.setdefault(level, len(names)) for level in levels]
            # Code -1, of a missing value, takes the last place.
            parts.append(np.array([*known, -1], np.int64)[own])
        codes = np.concatenate(parts)
        if not self._both(codes >= 0):
            return None
        return clusters.levels_test(codes, len(names), self.relabeling)

    def missing(self, name: str) -> ClusterTest:
        """Test a column's share of missing values."""
        marked = np.concatenate(
            [np.asarray(side[name].combine_chunks().is_null()) for side in self._sides]
        )
        return clusters.share_test(marked, self.relabeling)

    @property
    def _sides(self) -> tuple[pa.Table, pa.Table]:
        return self.reference, self.candidate

    def _both(self, present: NDArray[np.bool_]) -> bool:
        first = self.reference.num_rows
        return bool(present[:first].any() and present[first:].any())


def _thinned(one: RowSample, two: RowSample, most: int) -> tuple[pa.Table, pa.Table]:
    rates = [min(side.table.num_rows, most) / max(side.total, 1) for side in (one, two)]
    rate = min(rates)
    kept = [side.head(round(rate * side.total)).table for side in (one, two)]
    return kept[0], kept[1]


def group_codes(reference: pa.Table, candidate: pa.Table, group: str) -> NDArray[np.int64]:
    """Return a code for each pooled row's group; a row without one is a group of its own.

    Groups are numbered as rows come, and rows come in the order of their sample: no code
    depends on how a file was sorted or what its groups are called.
    """
    import pyarrow as pa

    sides = [side[group].combine_chunks().cast(pa.string()) for side in (reference, candidate)]
    encoded = pa.concat_arrays(sides).dictionary_encode()
    codes, levels = as_codes(encoded)
    lone = codes < 0
    result = codes.astype(np.int64)
    result[lone] = len(levels) + np.arange(int(lone.sum()))
    return result


def _numbers(side: pa.Table, name: str) -> NDArray[np.float64]:
    return as_numbers(side[name].combine_chunks())
