"""What a policy is: rules, waivers and how much false alarm they may share."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from detector.findings import Gap, Reason
from detector.verdicts import Action, Level

if TYPE_CHECKING:
    from detector.data.schema import Kind, Role
    from detector.findings import Finding
    from detector.verdicts import Verdict


ALPHA = 0.005
"""How often the tests of a whole gate together may refuse a good batch, unless said otherwise."""


TESTED = "significant"
"""The kind whose rules are in a family, their check's, even where they name none."""


class Correction(enum.StrEnum):
    """How p-values of one family are made to answer together."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "benjamini_hochberg"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that counts as bad.

    Attributes:
        name: What reports call it; unique in its policy.
        check: The check whose findings it judges.
        measurement: The measurement's name, or a pattern such as `*_share`.
        columns: A pattern; a finding about columns is judged if it fits one of them.
        kind: How it judges: a file name in `policy/rules/`.
        options: The options of that kind.
        action: What a FAIL asks for; `warn` never goes above WARN.
        on_gap: The level of what could not be measured.
        gaps: Levels for single reasons, where they differ from `on_gap`.
        tolerate: The share of its findings that may lack rows; up to it they only warn.
        family: Rules that share a correction; None for the one that goes without saying.
        adjusted: The check has already corrected these p-values among themselves.
        cap: With the action `cap`: the share of a training set still allowed.

    """

    name: str
    check: str
    kind: str
    measurement: str = "*"
    columns: str = "*"
    options: Mapping[str, object] = field(default_factory=dict)
    action: Action = Action.REJECT
    on_gap: Level = Level.UNKNOWN
    gaps: Mapping[Reason, Level] = field(default_factory=dict)
    tolerate: float = 0.0
    family: str | None = None
    adjusted: bool = False
    cap: float | None = None

    @property
    def tested_in(self) -> str | None:
        """Return the family whose correction holds; None where nothing is tested.

        What is adjusted already is a family of its own.
        """
        if self.adjusted:
            return self.name
        return self.family or (self.check if self.kind == TESTED else None)

    def covers(self, finding: Finding) -> bool:
        """Tell whether this rule judges the finding.

        A gap of the whole check (named after it, or a crash) is judged by all of its rules.
        """
        outcome, columns = finding.outcome, finding.subject.columns
        whole = isinstance(outcome, Gap) and (
            outcome.name == self.check or outcome.reason is Reason.CHECK_FAILED
        )
        return (
            finding.check == self.check
            and (whole or fits(outcome.name, self.measurement))
            and (not columns or any(fits(column, self.columns) for column in columns))
        )

    def gap_level(self, reason: Reason) -> Level:
        """Return the level of a gap; a check that crashed is never less than UNKNOWN."""
        level = self.gaps.get(reason, self.on_gap)
        return max(level, Level.UNKNOWN) if reason is Reason.CHECK_FAILED else level


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Leave to go on in spite of one rule, for a reason and until a day.

    Attributes:
        rule: The rule's name.
        subject: The subject as reports name it (`age`, `age x income`, `table`), or a pattern.
        reason: Why; reports show it.
        expires: The last day on which it holds.

    """

    rule: str
    subject: str
    reason: str
    expires: date

    def matches(self, verdict: Verdict) -> bool:
        """Tell whether it speaks of the rule and the subject of a verdict."""
        return self.rule == verdict.rule and fits(str(verdict.finding.subject), self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A set of rules.

    Attributes:
        name: What reports call it.
        alpha: How often the tests of the whole gate together may reject a good batch.
        correction: The correction inside each family; `alpha` is shared out to families.
        kinds: Kinds of columns that are set, not inferred.
        roles: Roles of columns.
        ignore: Columns that are left out.
        options: Options of each check.
        rules: The rules, the most telling first.
        waivers: The waivers.
        source: Where it was read from; not part of its digest.

    """

    name: str
    rules: tuple[Rule, ...]
    alpha: float = ALPHA
    correction: Correction = Correction.HOLM
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    source: str = "built-in policy"

    @property
    def checks(self) -> tuple[str, ...]:
        """Return the checks that its rules need, in order of first use."""
        return tuple(dict.fromkeys(rule.check for rule in self.rules))

    @property
    def digest(self) -> str:
        """Return a fingerprint of everything that can change a decision."""
        plain = {name: getattr(self, name) for name in _DIGESTED}
        text = json.dumps(plain, sort_keys=True, default=_plain)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def summary(self) -> dict[str, str]:
        """Return what a report keeps of the policy."""
        return {"name": self.name, "digest": self.digest}


_DIGESTED = ("alpha", "correction", "kinds", "roles", "ignore", "options", "rules", "waivers")


def fits(name: str, pattern: str) -> bool:
    """Tell whether a name is the pattern, or fits it as a file name fits `*.csv`.

    >>> fits("price", "pri*"), fits("a[0]", "a[0]"), fits("Price", "price")
    (True, True, False)
    """
    return name == pattern or fnmatchcase(name, pattern)


def _plain(value: object) -> object:
    """Return rules, waivers and dates as plain data."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Rule | Waiver):
        return {name: getattr(value, name) for name in value.__slots__}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} is not plain data")
