"""Are the rare cases still there? Tails of columns, rare levels, and far-out rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.data.schema import NOMINAL, ORDERED
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse, column
from detector.profiles.aggregates import LevelSummary, NumericSummary
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from detector.checks._pooled import Pooled
    from detector.findings import Subject
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

    Measured = tuple[Measurement | Gap, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """Counts what lies beyond the reference's outer quantiles, and what has vanished.

    Attributes:
        min_rows: Present values that each side needs.
        min_groups: Groups that each side needs where rows are clustered.
        max_rows: Sampled rows of each side that enter, at most, where all columns are looked at
            at once, and where rows are clustered.
        permutations: Relabelings of groups where rows are clustered.

    """

    name: ClassVar[str] = "tails"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.COUNTS, Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset(
        {
            "tail_mass",
            "extreme_mass",
            "lost_level_mass",
            "joint_tail_mass",
            "rarest_visible_level",
        }
    )

    min_rows: int = 20
    min_groups: int = 5
    max_rows: int = 10_000
    permutations: int = 999

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, min_rows=3, min_groups=2, max_rows=20, permutations=99)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table, then every column."""
        pooled = self._pooled(comparison, streams)
        clustered = comparison.group is not None
        yield _joint(pooled)
        yield _rarest(comparison)
        schema = comparison.reference.frame.schema
        for name in comparison.columns(*ORDERED, *NOMINAL):
            reference = comparison.reference.columns[name]
            candidate = comparison.candidate.columns[name]
            sizes = reference.n, candidate.n
            nominal = schema[name].kind in NOMINAL
            names = ("lost_level_mass",) if nominal else ("tail_mass", "extreme_mass")
            if min(sizes) < self.min_rows:
                for measured in names:
                    yield _finding(column(name), _too_few(measured, sizes, self.min_rows), sizes)
            elif isinstance(reference, LevelSummary) and isinstance(candidate, LevelSummary):
                found = _levels(reference, candidate, clustered=clustered)
                yield _finding(column(name), found, sizes)
            elif isinstance(reference, NumericSummary) and isinstance(candidate, NumericSummary):
                from detector.checks import _tail_mass as of

                for measured in names:
                    if clustered:
                        outcome = of.clustered(name, pooled, measured)
                    else:
                        outcome = of.measure(reference, candidate, measured)
                    yield _finding(column(name), outcome, sizes)

    def _pooled(self, comparison: Comparison, streams: Streams) -> Pooled | Gap:
        from detector.checks._pooled import Pool

        clustered = comparison.group is not None
        pool = Pool(
            min_rows=self.min_rows,
            min_groups=self.min_groups,
            max_rows=self.max_rows,
            permutations=self.permutations if clustered else 1,
        )
        return pool.of(comparison, streams("rows"), name="joint_tail_mass")


def _joint(pooled: Pooled | Gap) -> Finding:
    """Measure the mass beyond the contour that holds 95 % of the reference's rows."""
    from detector.data.encode import encode_codes
    from detector.stats.surprise import surprise

    if isinstance(pooled, Gap):
        return _finding(TABLE, (pooled, {}), (0, 0))
    codes = encode_codes(pooled.reference, pooled.candidate, pooled.schema)
    score = surprise(np.concatenate((codes.x, codes.y)), codes.categorical)
    if np.ptp(score) == 0:
        detail = "no row lies further out than another"
        gap = Gap(name="joint_tail_mass", reason=Reason.CONSTANT_COLUMN, detail=detail)
        return _finding(TABLE, (gap, {}), pooled.rows)
    from detector.checks._tail_mass import joint

    return _finding(TABLE, joint(score, pooled), pooled.rows)


def _rarest(comparison: Comparison) -> Finding:
    """Measure how rare a level may be so that its absence still says something."""
    from detector.stats.vanished import rarest_visible

    sizes = comparison.reference.n_rows, comparison.candidate.n_rows
    share = rarest_visible(*sizes)
    outcome: Measurement | Gap
    if share is None:
        detail = f"{sizes[0]} reference and {sizes[1]} candidate rows cannot show any loss"
        outcome = Gap(name="rarest_visible_level", reason=Reason.TOO_FEW_ROWS, detail=detail)
    else:
        outcome = Measurement(
            name="rarest_visible_level", value=share, worse=Worse.HIGHER, unit="share"
        )
    return _finding(TABLE, (outcome, {}), sizes)


def _levels(reference: LevelSummary, candidate: LevelSummary, *, clustered: bool) -> Measured:
    """Measure the share of reference rows whose level the candidate has lost."""
    from detector.checks._nominal import aligned, level_evidence
    from detector.stats.proportions import clopper_pearson, difference_seen
    from detector.stats.vanished import vanished_levels

    name = "lost_level_mass"
    if reference.spilled or candidate.spilled:
        detail = "there are more levels than a profile keeps, so lost ones cannot be told"
        return Gap(name=name, reason=Reason.KIND_NOT_SUPPORTED, detail=detail), {}
    names, before, after = aligned(reference, candidate)
    if len(names) == 1:
        detail = "there is one level only"
        return Gap(name=name, reason=Reason.CONSTANT_COLUMN, detail=detail), {}
    found = vanished_levels(before, after)
    n, m = reference.n, candidate.n
    expected = found.expected / n
    measurement = Measurement(
        name=name,
        value=found.rows / n,
        worse=Worse.HIGHER,
        unit="share",
        null_value=expected,
        interval=None if clustered else clopper_pearson(found.rows, n),
        p_value=None if clustered else found.p_value,
        detectable=None if clustered else difference_seen(expected, n, m),
    )
    lost = np.flatnonzero((after == 0) & (before > 0))
    lost = lost[np.argsort(-before[lost], kind="stable")]
    evidence = level_evidence(names, before, after, lost)
    counts = {"levels_lost": found.levels, "levels_lost_by_chance": found.levels_expected}
    return measurement, evidence | counts


def _too_few(name: str, sizes: tuple[int, int], needed: int) -> Measured:
    side = "reference" if sizes[0] < sizes[1] else "candidate"
    detail = f"too few values in the {side}: {min(sizes)}, {needed} are needed"
    return Gap(name=name, reason=Reason.TOO_FEW_ROWS, detail=detail), {}


def _finding(subject: Subject, measured: Measured, sizes: tuple[int, int]) -> Finding:
    outcome, evidence = measured
    return Finding(
        check=Tails.name,
        subject=subject,
        outcome=outcome,
        n_reference=sizes[0],
        n_candidate=sizes[1],
        evidence=evidence,
    )
