"""The kernel test with a kernel from elsewhere, learned on rows that do not enter the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.checks._feature_maps import feature_map
from detector.findings import Gap, Reason

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams
    from detector.stats.chosen_kernel import ChosenTest

MOST_ROWS = 2_048
"""Sampled rows of each side that enter, at most: every pair of rows has its kernel value."""

TIMES = 2
"""How many times the rows and groups of the plain test are needed: some only choose the kernel."""


def learned_test(
    comparison: Comparison,
    schema: Schema,
    *,
    kernel: str,
    max_rows: int,
    least: tuple[int, int],
    permutations: int,
    streams: Streams,
) -> ChosenTest | Gap | None:
    """Return the test, the gap, or None where all rows are equal.

    Args:
        comparison: Both sides keep rows.
        schema: The compared columns.
        kernel: Its name in the entry-point group.
        max_rows: Rows of each side, at most.
        least: Rows and groups that each side needs in the plain test.
        permutations: Relabelings behind the p-value.
        streams: Where to draw.

    """
    from detector.data.encode import encode_dense
    from detector.stats.chosen_kernel import chosen_kernel_test

    learn = feature_map(kernel, measurement="mmd")
    if isinstance(learn, Gap):
        return learn
    most = min(max_rows, MOST_ROWS)
    drawn = _rows(comparison, most=most, least=least, rng=streams("groups"))
    if isinstance(drawn, Gap):
        return drawn
    reference, candidate, groups = drawn
    dense = encode_dense(reference, candidate, schema)
    try:
        return chosen_kernel_test(
            np.concatenate((dense.x, dense.y)),
            np.arange(len(dense.x) + len(dense.y)) >= len(dense.x),
            groups=groups,
            learn=learn,
            permutations=permutations,
            rng=streams("rows"),
        )
    except ValueError as error:
        return _gap(Reason.TOO_FEW_GROUPS, str(error))


def _rows(
    comparison: Comparison, *, most: int, least: tuple[int, int], rng: np.random.Generator
) -> tuple[pa.Table, pa.Table, NDArray[np.int64] | None] | Gap:
    """Return the sampled rows of both sides, and their groups where rows are clustered."""
    from detector.checks._clusters import Clusters, group_codes

    if comparison.group is not None:
        made = Clusters.of(
            comparison,
            group=comparison.group,
            max_rows=most,
            min_groups=TIMES * least[1],
            permutations=1,
            rng=rng,
        )
        if isinstance(made, Gap):
            return _gap(made.reason, made.detail)
        codes = group_codes(made.reference, made.candidate, comparison.group)
        return made.reference, made.candidate, codes
    sides = comparison.reference.sample, comparison.candidate.sample
    reference, candidate = (side.head(most).table for side in sides if side is not None)
    if (fewest := min(len(reference), len(candidate))) < TIMES * least[0]:
        detail = f"{fewest} rows on one side, {TIMES * least[0]} needed to choose a kernel"
        return _gap(Reason.TOO_FEW_ROWS, detail)
    return reference, candidate, None


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name="mmd", reason=reason, detail=detail)
