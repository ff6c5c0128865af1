"""Do whole rows, all columns at once, come from one law? A kernel test with many bandwidths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.data.schema import Kind, Schema
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.checks._clusters import Clusters
    from detector.profiles.comparison import Comparison
    from detector.profiles.sample import RowSample
    from detector.rng import Streams
    from detector.stats.mmd import MmdTest

_CLUSTERED_ROWS = 5_000
_CLUSTERED_COUNT = 128

GAUSSIAN = "gaussian"
"""The kernel that needs nothing from elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Compares the joint law of all columns by the maximum mean discrepancy.

    Attributes:
        min_rows: Rows that each side needs.
        min_groups: Groups that each side needs where rows are clustered.
        permutations: Relabelings behind the p-value.
        max_rows_exact: Rows of both sides together up to which kernels are exact.
        max_rows: Sampled rows of each side that enter, at most. Where the data are larger,
            the distance is taken over all rows, and the sample only says what chance does.
        frequencies: Random frequencies where kernels are not exact.
        kernel: "gaussian" for the ladder of bandwidths, or the name of an installed kernel,
            for example "quantum": one whose scale is chosen on rows that then stay out.

    """

    name: ClassVar[str] = "joint"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE, Part.KERNEL})
    measures: ClassVar[frozenset[str]] = frozenset({"mmd"})

    min_rows: int = 10
    min_groups: int = 5
    permutations: int = 1_999
    max_rows_exact: int = 4_096
    max_rows: int = 16_384
    frequencies: int = 256
    kernel: str = GAUSSIAN

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(
            self,
            min_rows=2,
            min_groups=2,
            permutations=99,
            max_rows_exact=0,
            max_rows=100,
            frequencies=16,
        )
        if self.kernel != GAUSSIAN:
            from detector.checks._feature_maps import refuse_unknown

            refuse_unknown(self.kernel, plain=GAUSSIAN, check="joint", option="kernel")

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table."""
        names = comparison.columns(*(kind for kind in Kind if kind is not Kind.TEXT))
        sides = comparison.reference.sample, comparison.candidate.sample
        if not names:
            yield _gap(Reason.NO_COMMON_COLUMNS, "no column in common can be compared")
        elif sides[0] is None or sides[1] is None:
            yield _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
        elif (fewest := min(side.table.num_rows for side in sides if side)) < self.min_rows:
            detail = f"{fewest} rows on one side, {self.min_rows} needed"
            yield _gap(Reason.TOO_FEW_ROWS, detail, rows=(sides[0].total, sides[1].total))
        elif self.kernel != GAUSSIAN:
            yield self._learned(comparison, names, streams)
        elif comparison.group is not None:
            yield self._clustered(comparison, names, streams)
        else:
            yield self._alone(comparison, names, (sides[0], sides[1]), streams)

    def _alone(
        self,
        comparison: Comparison,
        names: tuple[str, ...],
        sides: tuple[RowSample, RowSample],
        streams: Streams,
    ) -> Finding:
        """Test rows that stand alone: all of them, or a sample against all."""
        from detector.data.encode import encode_dense
        from detector.stats.mmd import mmd_test

        if any(side.total > min(self.max_rows, side.table.num_rows) for side in sides):
            from detector.checks._all_rows import all_rows_test

            rng, permutations = streams("all"), self.permutations
            found = all_rows_test(comparison, names, permutations=permutations, rng=rng)
            if found is not None:
                return _finding(found, self.permutations)
        reference, candidate = (side.head(self.max_rows).table for side in sides)
        dense = encode_dense(reference, candidate, _schema(comparison, names))
        test = mmd_test(
            dense.x,
            dense.y,
            permutations=self.permutations,
            exact_rows=self.max_rows_exact,
            count=self.frequencies,
            rng=streams("rows"),
        )
        return _finding(test, self.permutations)

    def _clustered(
        self, comparison: Comparison, names: tuple[str, ...], streams: Streams
    ) -> Finding:
        """Test rows that come in groups: whole groups change sides."""
        from detector.checks._clusters import Clusters
        from detector.stats.handfuls import CALIBRATION

        drawn = Clusters.of(
            comparison,
            group=str(comparison.group),
            max_rows=min(self.max_rows, _CLUSTERED_ROWS),
            min_groups=self.min_groups,
            permutations=self.permutations + CALIBRATION,
            rng=streams("groups"),
        )
        if isinstance(drawn, Gap):
            return _gap(drawn.reason, drawn.detail)
        return _finding(self._test_clusters(drawn, comparison, names, streams), self.permutations)

    def _test_clusters(
        self, drawn: Clusters, comparison: Comparison, names: tuple[str, ...], streams: Streams
    ) -> MmdTest | None:
        from detector.data.encode import encode_dense
        from detector.stats.mmd import relabeled_test

        dense = encode_dense(drawn.reference, drawn.candidate, _schema(comparison, names))
        return relabeled_test(
            np.concatenate((dense.x, dense.y)),
            drawn.relabeling,
            exact_rows=self.max_rows_exact,
            count=min(self.frequencies, _CLUSTERED_COUNT),
            rng=streams("rows"),
        )

    def _learned(self, comparison: Comparison, names: tuple[str, ...], streams: Streams) -> Finding:
        """Test with a kernel from elsewhere."""
        from detector.checks._learned_kernel import learned_test

        made = learned_test(
            comparison,
            _schema(comparison, names),
            kernel=self.kernel,
            max_rows=self.max_rows,
            least=(self.min_rows, self.min_groups),
            permutations=self.permutations,
            streams=streams,
        )
        if made is None or isinstance(made, Gap):
            return _finding(None, 0) if made is None else _gap(made.reason, made.detail)
        found = _finding(made.test, self.permutations)
        evidence = {"kernel": self.kernel, "scale": made.scale, "split_rows": made.split}
        kept = ("strengths", "exact", "permutations")
        return replace(found, evidence=evidence | {key: found.evidence[key] for key in kept})


def _schema(comparison: Comparison, names: tuple[str, ...]) -> Schema:
    schema = comparison.reference.frame.schema
    return Schema(columns=tuple(schema[name] for name in names))


def _finding(test: MmdTest | None, permutations: int) -> Finding:
    if test is None:
        return _gap(Reason.CONSTANT_COLUMN, "all rows of both sides are equal")
    measured = Measurement(
        name="mmd",
        value=test.distance.value,
        worse=Worse.HIGHER,
        null_value=0.0,
        interval=test.distance.interval,
        p_value=test.p_value,
        detectable=test.distance.detectable,
    )
    evidence = {
        "bandwidths": test.bandwidths.tolist(),
        "strengths": test.strengths.tolist(),
        "loudest_bandwidth": float(test.bandwidths[test.loudest]),
        "exact": test.exact,
        "permutations": permutations,
    }
    found = _gap(Reason.CHECK_FAILED, "", rows=test.rows)
    return replace(found, outcome=measured, evidence=evidence)


def _gap(reason: Reason, detail: str, *, rows: tuple[int, int] = (0, 0)) -> Finding:
    gap = Gap(name="mmd", reason=reason, detail=detail)
    return Finding(
        check=Joint.name, subject=TABLE, outcome=gap, n_reference=rows[0], n_candidate=rows[1]
    )
