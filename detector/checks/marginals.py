"""Has a column's own distribution moved? One question for each column, and one for its gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from detector.checks._options import at_least
from detector.data.schema import NOMINAL, ORDERED
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse, column
from detector.profiles.aggregates import LevelSummary, NumericSummary
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from detector.checks._clusters import Clusters
    from detector.data.schema import Kind
    from detector.profiles.aggregates import ColumnSummary
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

_MISSING = "missing_rate_change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginals:
    """Compares every column by itself, on exact counts.

    Attributes:
        min_rows: Present values that each side needs.
        min_groups: Groups that each side needs where rows are clustered.
        permutations: Relabelings of groups where rows are clustered.
        max_rows: Sampled rows of each side that enter where rows are clustered.

    """

    name: ClassVar[str] = "marginals"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.COUNTS, Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset(
        {"wasserstein", "total_variation", "missing_rate_change"}
    )

    min_rows: int = 10
    min_groups: int = 5
    permutations: int = 999
    max_rows: int = 10_000

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, min_rows=3, min_groups=2, permutations=99, max_rows=10)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure every compared column."""
        schema = comparison.reference.frame.schema
        for name in comparison.missing:
            detail = "the candidate has no such column"
            yield _finding(name, _gap(schema[name].kind, Reason.COLUMN_ABSENT, detail))
        for name, (was, now) in comparison.retyped.items():
            detail = f"{was} in the reference, {now} in the candidate"
            yield _finding(name, _gap(was, Reason.KIND_NOT_SUPPORTED, detail))
        names = comparison.columns()
        if not names:
            detail = "the candidate has none of the reference's columns"
            gap = Gap(name=self.name, reason=Reason.NO_COMMON_COLUMNS, detail=detail)
            yield Finding(check=self.name, subject=TABLE, outcome=gap, n_reference=0, n_candidate=0)
            return
        clusters = self._clusters(comparison, streams)
        for name in names:
            reference = comparison.reference.columns[name]
            candidate = comparison.candidate.columns[name]
            yield self._values(name, schema[name].kind, reference, candidate, clusters)
            if reference.missing + candidate.missing:
                yield self._missing(name, reference, candidate, clusters)

    def _clusters(self, comparison: Comparison, streams: Streams) -> Clusters | Gap | None:
        """Return the rows to relabel, None where rows stand alone, or why there are none."""
        if comparison.group is None:
            return None
        from detector.checks._clusters import Clusters

        return Clusters.of(
            comparison,
            group=comparison.group,
            max_rows=self.max_rows,
            min_groups=self.min_groups,
            permutations=self.permutations,
            rng=streams("groups"),
        )

    def _values(
        self,
        name: str,
        kind: Kind,
        reference: ColumnSummary,
        candidate: ColumnSummary,
        clusters: Clusters | Gap | None,
    ) -> Finding:
        """Measure how far the column's present values have moved."""
        sizes = reference.n, candidate.n
        if kind not in ORDERED | NOMINAL:
            detail = f"a {kind} column has no values to count"
            return _finding(name, _gap(kind, Reason.KIND_NOT_SUPPORTED, detail), sizes=sizes)
        if min(sizes) < self.min_rows:
            return _finding(name, _too_few(kind, reference, candidate, self.min_rows), sizes=sizes)
        if isinstance(clusters, Gap):
            return _finding(name, _gap(kind, clusters.reason, clusters.detail), sizes=sizes)
        found = None
        if clusters is not None:
            found = clusters.shift(name) if kind in ORDERED else clusters.levels(name)
            sizes = clusters.rows
            if found is None:
                detail = "no sampled row of one side has a value"
                return _finding(name, _gap(kind, Reason.TOO_FEW_ROWS, detail), sizes=sizes)
        if isinstance(reference, NumericSummary) and isinstance(candidate, NumericSummary):
            from detector.checks._ordered import measure as measure_numbers

            return _finding(name, *measure_numbers(reference, candidate, found), sizes=sizes)
        if isinstance(reference, LevelSummary) and isinstance(candidate, LevelSummary):
            from detector.checks._nominal import measure as measure_levels

            return _finding(name, *measure_levels(reference, candidate, found), sizes=sizes)
        raise TypeError(f"{name!r} is {kind} and summarized as {type(reference).__name__}")

    def _missing(
        self,
        name: str,
        reference: ColumnSummary,
        candidate: ColumnSummary,
        clusters: Clusters | Gap | None,
    ) -> Finding:
        """Measure how the share of missing values has changed."""
        from detector.stats import proportions

        sizes = reference.rows, candidate.rows
        if min(sizes) < self.min_rows:
            detail = f"too few rows on one side: {min(sizes)}, {self.min_rows} are needed"
            gap = Gap(name=_MISSING, reason=Reason.TOO_FEW_ROWS, detail=detail)
            return _finding(name, gap, sizes=sizes)
        if isinstance(clusters, Gap):
            gap = Gap(name=_MISSING, reason=clusters.reason, detail=clusters.detail)
            return _finding(name, gap, sizes=sizes)
        before, after = reference.missing / sizes[0], candidate.missing / sizes[1]
        if clusters is not None:
            found = clusters.missing(name)
            value, interval, p_value = found.value, found.interval, found.p_value
            detectable, sizes = found.detectable, clusters.rows
        else:
            table = reference.missing, sizes[0], candidate.missing, sizes[1]
            value, interval = after - before, proportions.newcombe(*table)
            p_value = proportions.fisher_mid_p(*table)
            detectable = proportions.difference_seen(before, *sizes)
        change = Measurement(
            name=_MISSING,
            value=value,
            worse=Worse.BOTH,
            unit="share",
            null_value=0.0,
            interval=interval,
            p_value=p_value,
            detectable=detectable,
        )
        evidence = {
            "levels": ["missing", "present"],
            "reference_share": [before, 1 - before],
            "candidate_share": [after, 1 - after],
        }
        return _finding(name, change, evidence, sizes=sizes)


def _finding(
    name: str,
    outcome: Measurement | Gap,
    evidence: Mapping[str, object] | None = None,
    *,
    sizes: tuple[int, int] = (0, 0),
) -> Finding:
    return Finding(
        check=Marginals.name,
        subject=column(name),
        outcome=outcome,
        n_reference=sizes[0],
        n_candidate=sizes[1],
        evidence=evidence or {},
    )


def _gap(kind: Kind, reason: Reason, detail: str) -> Gap:
    name = "total_variation" if kind in NOMINAL else "wasserstein"
    return Gap(name=name, reason=reason, detail=detail)


def _too_few(kind: Kind, reference: ColumnSummary, candidate: ColumnSummary, needed: int) -> Gap:
    """Return why there are too few present values."""
    side, summary = min(
        (("reference", reference), ("candidate", candidate)), key=lambda side: side[1].n
    )
    if 0 < summary.rows == summary.missing:
        return _gap(kind, Reason.ALL_MISSING, f"every value of the {side} is missing")
    detail = f"too few values in the {side}: {summary.n}, {needed} are needed"
    return _gap(kind, Reason.TOO_FEW_ROWS, detail)
