"""Sampled rows of both sides in one pool, and their sides drawn anew: what collapse marks need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.data.schema import Kind, Schema
from detector.findings import Gap, Reason
from detector.stats.clusters import relabel

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.profiles.comparison import Comparison
    from detector.stats.clusters import Relabeling


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pooled:
    """Rows of both sides; the reference's come first.

    Attributes:
        reference: Sampled reference rows.
        candidate: Sampled candidate rows.
        schema: The columns that both sides have, texts left out.
        relabeling: Sides drawn anew; whole groups change sides where rows are clustered.
        groups: The group of each pooled row, shape (r,); its own number where it stands alone.

    """

    reference: pa.Table
    candidate: pa.Table
    schema: Schema
    relabeling: Relabeling
    groups: NDArray[np.int64]

    @property
    def rows(self) -> tuple[int, int]:
        """Return the rows of each side."""
        return self.reference.num_rows, self.candidate.num_rows

    @property
    def sides(self) -> NDArray[np.bool_]:
        """Return the candidate's rows, as observed and redrawn, shape (1 + permutations, r)."""
        return self.relabeling.candidate[:, self.relabeling.unit] > 0

    def folds(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return a random fold for each row, groups kept whole, shape (r,)."""
        _, place = np.unique(self.groups, return_inverse=True)
        return np.asarray((rng.permutation(int(place.max()) + 1) % count)[place])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """How rows are pooled.

    Attributes:
        min_rows: Rows that each side needs.
        min_groups: Groups that each side needs where rows are clustered.
        max_rows: Sampled rows of each side that enter, at most.
        permutations: Relabelings.
        largest_ratio: Rows of the larger side for each of the smaller one, at most.

    """

    min_rows: int
    min_groups: int
    max_rows: int
    permutations: int
    largest_ratio: int | None = None

    def of(self, comparison: Comparison, rng: np.random.Generator, *, name: str) -> Pooled | Gap:
        """Return the pooled rows, or why there are none.

        Args:
            comparison: The two sides.
            rng: Draws sides anew.
            name: The measurement that a gap stands for.

        """
        names = comparison.columns(*(kind for kind in Kind if kind is not Kind.TEXT))
        sides = comparison.reference.sample, comparison.candidate.sample
        if not names:
            detail = "no column in common can be compared"
            return Gap(name=name, reason=Reason.NO_COMMON_COLUMNS, detail=detail)
        if sides[0] is None or sides[1] is None:
            return Gap(name=name, reason=Reason.NEEDS_ROWS, detail="a profile keeps no rows")
        fewest = min(side.table.num_rows for side in sides if side)
        if fewest < self.min_rows:
            detail = f"{fewest} rows on one side, {self.min_rows} needed"
            return Gap(name=name, reason=Reason.TOO_FEW_ROWS, detail=detail)
        specs = comparison.reference.frame.schema
        schema = Schema(columns=tuple(specs[column] for column in names))
        if comparison.group is not None:
            return self._clustered(comparison, schema, rng, name=name)
        most = self.max_rows
        if self.largest_ratio is not None:
            most = min(most, fewest * self.largest_ratio)
        heads = [side.head(most).table for side in sides if side]
        groups = np.arange(sum(len(head) for head in heads))
        return Pooled(
            reference=heads[0],
            candidate=heads[1],
            schema=schema,
            relabeling=relabel(
                groups, groups >= len(heads[0]), permutations=self.permutations, rng=rng
            ),
            groups=groups,
        )

    def _clustered(
        self, comparison: Comparison, schema: Schema, rng: np.random.Generator, *, name: str
    ) -> Pooled | Gap:
        from detector.checks._clusters import Clusters, group_codes

        group = str(comparison.group)
        drawn = Clusters.of(
            comparison,
            group=group,
            max_rows=self.max_rows,
            min_groups=self.min_groups,
            permutations=self.permutations,
            rng=rng,
        )
        if isinstance(drawn, Gap):
            return Gap(name=name, reason=drawn.reason, detail=drawn.detail)
        return Pooled(
            reference=drawn.reference,
            candidate=drawn.candidate,
            schema=schema,
            relabeling=drawn.relabeling,
            groups=group_codes(drawn.reference, drawn.candidate, group),
        )
