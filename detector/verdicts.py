"""What a policy can say: levels, decisions and exit codes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detector.findings import Finding, Reason


class Level(enum.IntEnum):
    """A rule's word on one finding, in rising order of trouble."""

    PASS = 0
    WARN = 1
    UNKNOWN = 2
    FAIL = 3


class Action(enum.StrEnum):
    """What a failing rule asks for."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    CAP = "cap"
    WARN = "warn"


class Decision(enum.StrEnum):
    """The gate's answer for the whole batch."""

    ADMIT = "admit"
    CAP = "cap"
    QUARANTINE = "quarantine"
    UNDECIDED = "undecided"
    REJECT = "reject"

    @property
    def exit_code(self) -> ExitCode:
        """Return the process exit code that stands for this decision."""
        return ExitCode[self.name]


class ExitCode(enum.IntEnum):
    """The exit codes of the command line; stable, one meaning each."""

    ADMIT = 0
    REJECT = 1
    USAGE = 2
    UNDECIDED = 3
    QUARANTINE = 4
    CAP = 5
    INTERNAL = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One rule's word on one finding.

    Attributes:
        rule: The rule's name in the policy.
        finding: The finding judged.
        level: PASS, WARN, UNKNOWN or FAIL.
        action: What the rule asks for when it fails.
        message: One sentence: what was seen, how sure, against which limit.
        advice: One sentence: what to do next; empty when nothing is to be done.
        corrected_p: The p-value after the family's correction, where it is a test.
        detectable: The smallest effect that the gate would have seen four times in five,
            at the level that all of its tests leave to this one.
        gap: Why nothing could be said: the finding's gap, or too few rows for what must be seen.
        rows_needed: Rows of the candidate that would settle an UNKNOWN, if known.
        cap: The share of a training set that a failing `cap` rule still allows.
        waived: The waiver's reason when a waiver turned this verdict into a WARN.

    """

    rule: str
    finding: Finding
    level: Level
    action: Action
    message: str
    advice: str = ""
    corrected_p: float | None = None
    detectable: float | None = None
    gap: Reason | None = None
    rows_needed: int | None = None
    cap: float | None = None
    waived: str | None = None
