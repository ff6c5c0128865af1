"""What a rule kind is: a function `judge(case, *, options...)` in a file of its own.

Its keyword-only parameters are the options that a policy may give, with their types; it
raises ValueError for options that make no sense, which is reported as a fault of the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Protocol

from detector.findings import TABLE, Finding, Gap, Measurement, Worse

if TYPE_CHECKING:
    from detector.findings import Reason
    from detector.verdicts import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is put before a rule.

    Attributes:
        finding: The finding; its outcome is a measurement.
        alpha: The level at which the gate tests.
        corrected_p: The p-value to hold against `alpha`; None where there is no test.
        sharers: How many tests share `alpha`, at most.

    """

    finding: Finding
    alpha: float
    corrected_p: float | None = None
    sharers: int = 1

    @property
    def measurement(self) -> Measurement:
        """Return what was measured."""
        if isinstance(self.finding.outcome, Gap):
            raise TypeError("a gap is judged by `on_gap`, not by a rule kind")
        return self.finding.outcome

    @property
    def detectable(self) -> float | None:
        """Return the smallest effect that this gate would see four times in five.

        A check states it for a single test at the 0.05 level; a gate that asks many
        questions at a stricter level sees less. The effects are scaled by the ratio of
        the normal quantiles, `(z(alpha / sharers) + z(power)) / (z(0.05) + z(power))`, two-sided.
        """
        if self.measurement.detectable is None:
            return None
        strict = _sum_of_quantiles(self.alpha / self.sharers)
        return self.measurement.detectable * strict / _sum_of_quantiles(0.05)

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval; a number without one is exact."""
        return self.measurement.interval or (self.measurement.value, self.measurement.value)

    @property
    def null_value(self) -> float:
        """Return the value when nothing is wrong."""
        return self.measurement.null_value or 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a rule says.

    Attributes:
        level: How bad it is, before the rule's action and waivers are looked at.
        because: The second half of the sentence that begins with what was seen.
        advice: What to do next, in whole sentences that name no subject.
        rows_needed: Rows that would settle an UNKNOWN.
        gap: Why nothing can be said; the rule's `on_gap` then has the last word on the level.

    """

    level: Level
    because: str
    advice: str = ""
    rows_needed: int | None = None
    gap: Reason | None = None


def _sum_of_quantiles(alpha: float, *, power: float = 0.8) -> float:
    """Return the effect in standard errors that a two-sided z-test sees with this power."""
    normal = NormalDist()
    return normal.inv_cdf(power) - normal.inv_cdf(alpha / 2)


EXAMPLE = Case(
    finding=Finding(
        check="example",
        subject=TABLE,
        outcome=Measurement(name="example", value=0.0, worse=Worse.HIGHER, null_value=0.0),
        n_reference=1000,
        n_candidate=1000,
    ),
    alpha=0.05,
    corrected_p=1.0,
)
"""A case on which the options of a policy are tried when it is read."""


class Judge(Protocol):
    """One kind of rule."""

    def __call__(self, case: Case, /, **options: object) -> Ruling:
        """Rule on one case."""
        ...
