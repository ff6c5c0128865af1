"""What a check can say: a measurement with its meaning, or a gap with its reason."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Worse(enum.StrEnum):
    """The direction in which a number gets worse."""

    HIGHER = "higher"
    LOWER = "lower"
    BOTH = "both"


class Reason(enum.StrEnum):
    """Why a measurement could not be made. A closed list."""

    TOO_FEW_ROWS = "too_few_rows"
    TOO_FEW_GROUPS = "too_few_groups"
    NO_COMMON_COLUMNS = "no_common_columns"
    COLUMN_ABSENT = "column_absent"
    CONSTANT_COLUMN = "constant_column"
    ALL_MISSING = "all_missing"
    KIND_NOT_SUPPORTED = "kind_not_supported"
    NEEDS_ROWS = "needs_rows"
    NEEDS_HOLDOUT = "needs_holdout"
    NEEDS_SYNTHETIC = "needs_synthetic"
    NEEDS_MANIFEST = "needs_manifest"
    NEEDS_REGISTRY = "needs_registry"
    MISSING_EXTRA = "missing_extra"
    NOT_IDENTIFIABLE = "not_identifiable"
    CHECK_FAILED = "check_failed"
    FIT_FAILED = "fit_failed"


class SubjectKind(enum.StrEnum):
    """What sort of thing a finding is about."""

    TABLE = "table"
    COLUMN = "column"
    PAIR = "pair"
    ROWS = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The column, pair, row set or whole table that a finding looks at."""

    kind: SubjectKind
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a short name for people."""
        return " x ".join(self.columns) if self.columns else self.kind.value


TABLE = Subject(kind=SubjectKind.TABLE)


def column(name: str) -> Subject:
    """Return the subject that is one column."""
    return Subject(kind=SubjectKind.COLUMN, columns=(name,))


def pair(first: str, second: str) -> Subject:
    """Return the subject that is a pair of columns, in a fixed order."""
    return Subject(kind=SubjectKind.PAIR, columns=tuple(sorted((first, second))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One finite number with its meaning attached.

    Attributes:
        name: What was measured, for example `wasserstein`.
        value: The number.
        worse: The direction in which it gets worse.
        unit: Its unit; `1` for a pure number.
        null_value: Its value (or expectation) when nothing is wrong.
        interval: The 95 % confidence interval, low and high.
        p_value: The probability of a value at least this bad when nothing is
            wrong, in (0, 1]; None where the number is not a test.
        detectable: The smallest deviation from `null_value` that this many rows
            would reveal with 80 % power at the 0.05 level, in the unit of `value`.
        rate: `detectable` shrinks as rows to the power of minus `rate`.

    """

    name: str
    value: float
    worse: Worse
    unit: str = "1"
    null_value: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    detectable: float | None = None
    rate: float = 0.5

    def __post_init__(self) -> None:
        """Refuse numbers that cannot mean anything."""
        numbers = [self.value, self.null_value, self.detectable, *(self.interval or ())]
        if not all(math.isfinite(number) for number in numbers if number is not None):
            msg = f"{self.name} is not finite ({numbers}); yield a Gap, not a number"
            raise ValueError(msg)
        if self.p_value is not None and not 0 < self.p_value <= 1:
            msg = f"{self.name} has p-value {self.p_value}; a p-value lies in (0, 1]"
            raise ValueError(msg)
        if self.interval is not None and self.interval[0] > self.interval[1]:
            msg = f"{self.name} has the interval {self.interval}, upside down"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A measurement that could not be made, and why."""

    name: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check saw in one subject.

    Attributes:
        check: The check's name.
        subject: What was looked at.
        outcome: The measurement or the gap.
        n_reference: Reference rows that went into it.
        n_candidate: Candidate rows that went into it.
        evidence: Small plain data for a chart or a row list (JSON types only).

    """

    check: str
    subject: Subject
    outcome: Measurement | Gap
    n_reference: int
    n_candidate: int
    evidence: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what tells this finding from every other one in a report."""
        columns = "\x1f".join(self.subject.columns)
        return self.check, f"{self.subject.kind}\x1f{columns}", self.outcome.name
