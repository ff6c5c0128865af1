"""What came out of trials: counts, and rates with exact intervals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from detector.findings import Measurement
from detector.stats.proportions import at_most, clopper_pearson
from detector.verdicts import Decision, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from detector.policy.policy import Policy
    from detector.report import Report

REFUSALS = (Decision.REJECT, Decision.QUARANTINE, Decision.CAP)
"""The decisions that keep rows out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something happened.

    Attributes:
        count: Times it happened.
        total: Times it could have.

    """

    count: int
    total: int

    @property
    def value(self) -> float:
        """Return the share."""
        return self.count / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Return the exact 95 % interval (Clopper and Pearson)."""
        return clopper_pearson(self.count, self.total)

    @property
    def most(self) -> float:
        """Return the share that it does not exceed, sure at 95 %."""
        return at_most(self.count, self.total)

    def to_plain(self) -> dict[str, Any]:
        """Return JSON data."""
        return {"count": self.count, "of": self.total, "interval": list(self.interval)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the gate said in all runs of one case.

    Attributes:
        runs: Gates that ran.
        decisions: How often each decision was taken.
        failed: How often a rule of each check failed and asked for a refusal.
        spoke: How often a rule of each check failed or warned; every check that ran is here.
        silent: Checks that measured nothing in any run, for want of a holdout, say.

    """

    runs: int
    decisions: Mapping[Decision, int]
    failed: Mapping[str, int]
    spoke: Mapping[str, int]
    silent: tuple[str, ...] = ()

    @staticmethod
    def of(reports: Iterable[Report]) -> Tally:
        """Count what reports say."""
        decisions: Counter[Decision] = Counter()
        failed: Counter[str] = Counter()
        spoke: Counter[str] = Counter()
        measured: set[str] = set()
        for report in reports:
            decisions[report.decision] += 1
            spoke.update(dict.fromkeys((finding.check for finding in report.findings), 0))
            measured |= {f.check for f in report.findings if isinstance(f.outcome, Measurement)}
            failed.update(_checks(report, Level.FAIL))
            spoke.update(_checks(report, Level.WARN))
        return Tally(
            runs=decisions.total(),
            decisions=decisions,
            failed=failed,
            spoke=spoke,
            silent=tuple(check for check in spoke if check not in measured),
        )

    @property
    def refused(self) -> Rate:
        """Return how often rows were kept out."""
        return Rate(count=sum(self.decisions.get(d, 0) for d in REFUSALS), total=self.runs)

    @property
    def undecided(self) -> Rate:
        """Return how often the gate could not decide."""
        return Rate(count=self.decisions.get(Decision.UNDECIDED, 0), total=self.runs)

    def to_plain(self) -> dict[str, Any]:
        """Return JSON data."""
        return {
            "runs": self.runs,
            "refused": self.refused.to_plain(),
            "undecided": self.undecided.to_plain(),
            "decisions": {decision.value: self.decisions.get(decision, 0) for decision in Decision},
            "checks": {
                check: {
                    "spoke": Rate(count=spoke, total=self.runs).to_plain(),
                    "failed": Rate(count=self.failed.get(check, 0), total=self.runs).to_plain(),
                }
                for check, spoke in self.spoke.items()
                if check not in self.silent
            },
            "silent": list(self.silent),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One fault and what the gate said about it.

    Attributes:
        fault: The fault as options name it, `synthetic=0.3`.
        about: What was done, in words.
        tally: What the gate said; None where the fault could not be planted.
        reason: Why it could not.
        widened: What it says under the written margins; None where none were made.

    """

    fault: str
    about: str
    tally: Tally | None = None
    reason: str = ""
    widened: Tally | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return JSON data."""
        plain: dict[str, Any] = {"fault": self.fault, "about": self.about}
        if self.tally is None:
            return plain | {"reason": self.reason}
        plain |= self.tally.to_plain()
        return plain if self.widened is None else plain | {"widened": self.widened.to_plain()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """A size in a rule that was widened, and why.

    Attributes:
        rule: The rule's name.
        option: The option that holds the size.
        was: What the policy said; None where it said nothing.
        now: What it says now.
        seen: The largest size in the good rows.

    """

    rule: str
    option: str
    was: float | None
    now: float
    seen: float

    def to_plain(self) -> dict[str, Any]:
        """Return JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What a gate can and cannot see in one reference.

    Attributes:
        data: The reference's name.
        rows: Rows of each side of a trial, at most.
        held: Rows that trials were drawn from.
        runs: Trials of each fault.
        seed: The seed.
        policy: Name and digest of the policy.
        recipe: The generator behind the fault `synthetic`.
        planted: The faults, `nothing` first.
        suggested: The policy with margins wide enough for the good rows.
        by: The column whose values are good batches, if one was named.
        batches: What the gate said about each good batch against the rest of them.
        widened: The same with margins made without the batch in question.
        margins: The sizes that the written policy has and the one tested has not.
        left_out: Batches that were too small.
        versions: Versions of what measured.

    """

    data: str
    rows: int
    held: int
    runs: int
    seed: int
    policy: Mapping[str, str]
    recipe: str
    planted: tuple[Planted, ...]
    suggested: Policy
    by: str | None = None
    batches: Tally | None = None
    widened: Tally | None = None
    margins: tuple[Margin, ...] = ()
    left_out: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def checks(self) -> tuple[str, ...]:
        """Return the checks that ran, in order."""
        tallies = [case.tally for case in self.planted if case.tally is not None]
        return tuple(dict.fromkeys(check for tally in tallies for check in tally.spoke))

    def policy_text(self) -> str:
        """Return the policy with its margins as TOML, each with where it comes from."""
        from detector.policy.write import to_toml

        source = "random halves" if self.by is None else f"good batches by {self.by}"
        head = (
            f"Made by `detector selftest {self.data}` (seed {self.seed}) from "
            f"{self.policy['name']}.\nMargins come from {source} of {self.rows:,} rows at most. "
            "They never shrink.\nLook at each before you use it: what lies within them passes."
        )
        remarks = {
            margin.rule: f"{margin.option} was {'not set' if margin.was is None else margin.was}; "
            f"the good rows reached {margin.seen:.3g}."
            for margin in self.margins
        }
        return to_toml(self.suggested, head=head, remarks=remarks)

    def to_plain(self) -> dict[str, Any]:
        """Return JSON data, with every interval."""
        names = ("data", "rows", "held", "runs", "seed", "recipe", "by", "left_out")
        return {
            **{name: getattr(self, name) for name in names},
            "policy": dict(self.policy),
            "faults": [case.to_plain() for case in self.planted],
            "batches": self.batches and self.batches.to_plain(),
            "batches_widened": self.widened and self.widened.to_plain(),
            "margins": [margin.to_plain() for margin in self.margins],
            "versions": dict(self.versions),
        }


def _checks(report: Report, level: Level) -> set[str]:
    """Return the checks with a rule at this level or above about something measured.

    A rule that only says that there are too few rows has not spoken up.
    """
    return {
        verdict.finding.check
        for verdict in report.verdicts
        if verdict.level >= level
        and verdict.level is not Level.UNKNOWN
        and verdict.gap is None
        and verdict.rows_needed is None
        and isinstance(verdict.finding.outcome, Measurement)
    }
