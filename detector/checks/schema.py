"""Are the columns those of the reference, and do values lie where its values lay?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse, column
from detector.profiles.aggregates import LevelSummary, NumericSummary
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from detector.findings import Subject
    from detector.profiles.aggregates import ColumnSummary
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

    Measured = tuple[Measurement | Gap, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Counts what a schema would forbid: columns, levels, ranges, gaps.

    Attributes:
        min_rows: Values of a column that each side needs.

    """

    name: ClassVar[str] = "schema"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.COUNTS})
    measures: ClassVar[frozenset[str]] = frozenset(
        {
            "columns_missing",
            "columns_extra",
            "columns_retyped",
            "column_missing",
            "column_extra",
            "column_retyped",
            "same_rows",
            "missing_share",
            "unseen_levels_share",
            "out_of_range_share",
            "infinite_share",
        }
    )

    min_rows: int = 3

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, min_rows=1)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table, then every column."""
        rows = comparison.reference.n_rows, comparison.candidate.n_rows
        for subject, measurement, evidence in _presence(comparison):
            yield _finding(subject, measurement, evidence, rows)
        if comparison.reference.digest == comparison.candidate.digest:
            yield _finding(TABLE, _count("same_rows", rows[1]), {}, rows)
        for name in comparison.columns():
            reference = comparison.reference.columns[name]
            candidate = comparison.candidate.columns[name]
            for (outcome, evidence), sizes in self._shares(reference, candidate):
                said = outcome if comparison.group is None else _bare(outcome)
                yield _finding(column(name), said, evidence, sizes)

    def _shares(
        self, reference: ColumnSummary, candidate: ColumnSummary
    ) -> Iterator[tuple[Measured, tuple[int, int]]]:
        """Measure one column: its missing, infinite, unseen and out-of-range values."""
        rows = reference.rows, candidate.rows
        present = reference.n, candidate.n
        if reference.missing + candidate.missing:
            shares = reference.missing, candidate.missing
            yield self._share("missing_share", shares, rows), rows
        if isinstance(reference, LevelSummary) and isinstance(candidate, LevelSummary):
            measured = self._enough("unseen_levels_share", present)
            yield measured or _unseen(reference, candidate), present
        if isinstance(reference, NumericSummary) and isinstance(candidate, NumericSummary):
            measured = self._enough("out_of_range_share", present)
            yield measured or _out_of_range(reference, candidate), present
            infinite = reference.rows - reference.n - reference.missing
            shares = infinite, candidate.rows - candidate.n - candidate.missing
            if any(shares):
                yield self._share("infinite_share", shares, rows), rows

    def _share(self, name: str, counts: tuple[int, int], rows: tuple[int, int]) -> Measured:
        """Measure a share against the reference's; whether it changed, `marginals` tests."""
        if gap := self._enough(name, rows):
            return gap
        from detector.stats import proportions

        before = counts[0] / rows[0]
        measurement = Measurement(
            name=name,
            value=counts[1] / rows[1],
            worse=Worse.HIGHER,
            unit="share",
            null_value=before,
            interval=proportions.clopper_pearson(counts[1], rows[1]),
            detectable=proportions.difference_seen(before, *rows),
        )
        return measurement, {"reference_count": counts[0], "candidate_count": counts[1]}

    def _enough(self, name: str, sizes: tuple[int, int]) -> Measured | None:
        if min(sizes) >= self.min_rows:
            return None
        side = "reference" if sizes[0] < sizes[1] else "candidate"
        detail = f"too few values in the {side}: {min(sizes)}, {self.min_rows} are needed"
        return Gap(name=name, reason=Reason.TOO_FEW_ROWS, detail=detail), {}


def _presence(
    comparison: Comparison,
) -> Iterator[tuple[Subject, Measurement, Mapping[str, object]]]:
    """Count the columns that are missing, extra or of another kind; then name each."""
    kinds = {
        name: {"reference_kind": str(was), "candidate_kind": str(now)}
        for name, (was, now) in comparison.retyped.items()
    }
    found: dict[str, Sequence[str]] = {
        "missing": comparison.missing,
        "extra": comparison.extra,
        "retyped": tuple(kinds),
    }
    for fault, names in found.items():
        yield TABLE, _count(f"columns_{fault}", len(names)), {"columns": list(names)}
    for fault, names in found.items():
        for name in names:
            yield column(name), _count(f"column_{fault}", 1), kinds.get(name, {})


def _count(name: str, value: int) -> Measurement:
    return Measurement(name=name, value=float(value), worse=Worse.HIGHER, null_value=0.0)


def _unseen(reference: LevelSummary, candidate: LevelSummary) -> Measured:
    """Measure the share of candidate rows whose level the reference never has."""
    from detector.checks._nominal import aligned, level_evidence
    from detector.stats import proportions
    from detector.stats.unseen import unseen_rows

    name = "unseen_levels_share"
    if reference.spilled or candidate.spilled:
        detail = "there are more levels than a profile keeps, so new ones cannot be told"
        return Gap(name=name, reason=Reason.KIND_NOT_SUPPORTED, detail=detail), {}
    names, before, after = aligned(reference, candidate)
    found = unseen_rows(before, after)
    expected = found.expected / candidate.n
    needed = math.ceil(found.expected + 1.645 * found.deviation) + 1
    measurement = Measurement(
        name=name,
        value=found.rows / candidate.n,
        worse=Worse.HIGHER,
        unit="share",
        null_value=expected,
        interval=proportions.clopper_pearson(found.rows, candidate.n),
        p_value=found.p_value,
        detectable=max(0.0, proportions.share_seen(needed, candidate.n) - expected),
    )
    new = np.flatnonzero(before == 0)
    new = new[np.argsort(-after[new], kind="stable")]
    return measurement, level_evidence(names, before, after, new) | {"new_levels": len(new)}


def _out_of_range(reference: NumericSummary, candidate: NumericSummary) -> Measured:
    """Measure the share of candidate values beyond the reference's smallest and largest.

    When the edges were drawn from a sample of the reference they may lie inside its range.
    Then values beyond the edges are compared with the reference's own beyond them.
    """
    from detector.stats import proportions

    beyond, own = _beyond(reference, candidate)
    n, m = reference.n, candidate.n
    if own:
        expected = own / n
        p_value = proportions.upper_mid_p(own, n, beyond, m)
        detectable = proportions.difference_seen(expected, n, m)
    else:
        expected = min(1.0, 2 / (n + 1))
        needed = proportions.exceedances_needed(n, m)
        p_value = proportions.exceedance_mid_p(beyond, n, m)
        detectable = max(0.0, proportions.share_seen(needed, m) - expected)
    measurement = Measurement(
        name="out_of_range_share",
        value=beyond / m,
        worse=Worse.HIGHER,
        unit="share",
        null_value=expected,
        interval=proportions.clopper_pearson(beyond, m),
        p_value=p_value,
        detectable=detectable,
    )
    evidence = {
        "reference_range": [reference.minimum, reference.maximum],
        "candidate_range": [candidate.minimum, candidate.maximum],
        "candidate_count": beyond,
    }
    return measurement, evidence


def _beyond(reference: NumericSummary, candidate: NumericSummary) -> tuple[int, int]:
    """Return the values beyond the range: the candidate's, and the reference's beyond the edges."""
    own = int(reference.counts[0] + reference.counts[-1])
    low, high = reference.minimum, reference.maximum
    least, most = candidate.minimum, candidate.maximum
    if low is None or high is None or least is None or most is None:
        raise ValueError("a column without values has no range")
    if low <= least and most <= high:
        return 0, 0
    return int(candidate.counts[0] + candidate.counts[-1]), own


def _bare(outcome: Measurement | Gap) -> Measurement | Gap:
    """Return the share alone: clustered rows say less than their number promises."""
    if isinstance(outcome, Gap):
        return outcome
    return replace(outcome, interval=None, p_value=None, detectable=None)


def _finding(
    subject: Subject,
    outcome: Measurement | Gap,
    evidence: Mapping[str, object],
    sizes: tuple[int, int],
) -> Finding:
    return Finding(
        check=Schema.name,
        subject=subject,
        outcome=outcome,
        n_reference=sizes[0],
        n_candidate=sizes[1],
        evidence=evidence,
    )
