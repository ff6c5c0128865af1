"""Does the batch fill the places that the reference fills, and which modes has it lost?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from detector.checks._pooled import Pooled
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

_FOLDS = 20
_STUDENT = 2.093  # 97.5 % of Student's law with 19 degrees of freedom
_LARGEST_RATIO = 8
_SEEN = 1.645 + 0.842
_ORDER = ("precision", "recall", "density", "coverage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Compares neighbourhoods of rows, and the shares of modes.

    Attributes:
        min_rows: Rows that each side needs.
        min_groups: Groups that each side needs where rows are clustered.
        max_rows: Sampled rows of each side that enter, at most.
        neighbours: Which neighbour of its own side a row's ball reaches to.
        permutations: Relabelings behind the p-values.
        rows_per_mode: Pooled rows for each mode that is looked for.
        max_modes: Modes that are looked for, at most.

    """

    name: ClassVar[str] = "coverage"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({*_ORDER, "mode_left", "modes_lost"})

    min_rows: int = 50
    min_groups: int = 10
    max_rows: int = 3_000
    neighbours: int = 5
    permutations: int = 299
    rows_per_mode: int = 100
    max_modes: int = 50

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(
            self,
            neighbours=1,
            min_rows=2 * self.neighbours + 1,
            min_groups=2,
            max_rows=self.min_rows,
            permutations=99,
            rows_per_mode=10,
            max_modes=2,
        )

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table."""
        from detector.checks._pooled import Pool
        from detector.data.encode import encode_dense

        pool = Pool(
            min_rows=self.min_rows,
            min_groups=self.min_groups,
            max_rows=self.max_rows,
            permutations=self.permutations,
            largest_ratio=_LARGEST_RATIO,
        )
        pooled = pool.of(comparison, streams("sides"), name="coverage")
        if isinstance(pooled, Gap):
            yield _finding((pooled, {}), (0, 0))
            return
        dense = encode_dense(pooled.reference, pooled.candidate, pooled.schema)
        rows = np.concatenate((dense.x, dense.y))
        if not np.ptp(rows, axis=0).any():
            detail = "all rows of both sides are equal"
            gap = Gap(name="coverage", reason=Reason.CONSTANT_COLUMN, detail=detail)
            yield _finding((gap, {}), pooled.rows)
            return
        for measured in self._neighbourhoods(rows, pooled, streams):
            yield _finding((measured, {"neighbours": self.neighbours}), pooled.rows)
        from detector.checks._modes import lost_modes

        count = len(rows) // self.rows_per_mode
        count = min(max(2, count), self.max_modes)
        for outcome, evidence in lost_modes(rows, pooled, count=count, rng=streams("modes")):
            yield _finding((outcome, evidence), pooled.rows)

    def _neighbourhoods(
        self, rows: NDArray[np.float32], pooled: Pooled, streams: Streams
    ) -> Iterator[Measurement]:
        """Measure precision, recall, density and coverage."""
        from detector.stats.clusters import permuted_p_value
        from detector.stats.prdc import (
            expected_coverage,
            full_prdc,
            list_length,
            nearest,
            prdc,
        )

        k, (n, m) = self.neighbours, pooled.rows
        # Equally near rows are taken in a random order, that no side is favoured.
        order = streams("order").permutation(n + m)
        shuffled, sides = rows[order], pooled.sides[:, order]
        near = nearest(shuffled, list_length(n, m, k))
        full = full_prdc(shuffled, near, sides[0], k)
        alone = len(np.unique(pooled.groups)) == n + m
        # Sides dealt out row by row hardly ever need more than the lists hold; whole groups may.
        seen_first = full if alone else prdc(near, sides[0], k)
        drawn = np.array([seen_first, *(prdc(near, side, k) for side in sides[1:])])
        fold = pooled.folds(_FOLDS, streams("folds"))[order]
        kept = [prdc(near, sides[0], k, present=fold != out) for out in range(_FOLDS)]
        spread = np.std(np.array(kept), axis=0) * np.sqrt(_FOLDS - 1)
        exact = {"density": 1.0, "coverage": expected_coverage(n, m, k)} if alone else {}
        for place, name in enumerate(_ORDER):
            value, seen = full[place], drawn[:, place]
            below = permuted_p_value(seen.max() - seen)
            above = permuted_p_value(seen - seen.min())
            either = name == "density"
            reach = _STUDENT * float(spread[place])
            yield Measurement(
                name=name,
                value=value,
                worse=Worse.BOTH if either else Worse.LOWER,
                null_value=exact.get(name, float(seen[1:].mean())),
                interval=(
                    max(0.0, value - reach),
                    value + reach if either else min(1.0, value + reach),
                ),
                p_value=min(1.0, 2 * min(below, above)) if either else below,
                detectable=_SEEN * float(seen[1:].std()),
            )


def _finding(
    measured: tuple[Measurement | Gap, Mapping[str, object]], sizes: tuple[int, int]
) -> Finding:
    outcome, evidence = measured
    return Finding(
        check=Coverage.name,
        subject=TABLE,
        outcome=outcome,
        n_reference=sizes[0],
        n_candidate=sizes[1],
        evidence=evidence,
    )
