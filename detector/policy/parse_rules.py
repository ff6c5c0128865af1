"""The rules and waivers of a policy."""

from __future__ import annotations

from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from detector import catalogue
from detector.errors import DetectorError
from detector.findings import Reason
from detector.policy.audits import AUDITS
from detector.policy.faults import nearest
from detector.policy.options import fault_of, options_of, settled, shown
from detector.policy.policy import Rule, Waiver
from detector.policy.rules.rule import EXAMPLE
from detector.verdicts import Action, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from detector.policy.table import Table

CHECKS = "detector.checks"
KINDS = "detector.policy.rules"


def parse_rules(top: Table) -> tuple[Rule, ...]:
    """Return the rules; no two have one name."""
    rules = []
    taken: set[str] = set()
    checks, kinds = (*catalogue.names(CHECKS), *AUDITS), catalogue.names(KINDS)
    for table in top.tables("rule"):
        rule = _rule(table, checks, kinds)
        if rule.name and rule.name in taken:
            table.fault("name", f"there is another rule named `{rule.name}`")
        taken.add(rule.name)
        rules.append(rule)
    return tuple(rules)


def parse_waivers(top: Table, rules: tuple[str, ...]) -> tuple[Waiver, ...]:
    """Return the waivers; each names a rule, a reason and a last day."""
    return tuple(_waiver(table, rules) for table in top.tables("waiver"))


def _rule(table: Table, checks: tuple[str, ...], kinds: tuple[str, ...]) -> Rule:
    """Build one rule."""
    check, kind = table.text("check"), table.text("kind")
    if check and check not in checks:
        table.fault("check", f"there is no check `{check}`; {nearest(check, checks)}")
    on_gap, gaps = _on_gap(table)
    return Rule(
        name=table.text("name"),
        check=check,
        kind=kind,
        measurement=_measurement(table, check if check in checks else ""),
        columns=table.text("columns", "*"),
        action=table.choice("action", Action.REJECT),
        on_gap=on_gap,
        gaps=gaps,
        family=table.text("family", "") or None,
        tolerate=table.fraction("tolerate", 0.0),
        adjusted=table.flag("adjusted"),
        cap=_cap(table),
        options=_options(table, kind, kinds),
    )


def _measurement(table: Table, check: str) -> str:
    """Return the pattern of measurement names; the check has to have one that fits."""
    pattern = table.text("measurement", "*")
    if check and pattern != "*":
        measures = _measures(check)
        if measures and not any(fnmatchcase(name, pattern) for name in measures):
            advice = nearest(pattern, tuple(sorted(measures)))
            table.fault("measurement", f"`{check}` measures no `{pattern}`; {advice}")
    return pattern


def _measures(check: str) -> frozenset[str]:
    """Return the names of a check's measurements; none where it cannot be loaded or tell."""
    try:
        return frozenset(getattr(catalogue.load(CHECKS, check), "measures", ()))
    except DetectorError:
        return frozenset()


def _cap(table: Table) -> float | None:
    """Return the share that a `cap` rule allows; no other rule has one."""
    caps = table.take("action") == Action.CAP
    if table.take("cap") is not None and not caps:
        table.fault("cap", '`cap` goes with `action = "cap"`')
    elif table.take("cap") is None and caps:
        table.fault("action", '`action = "cap"` needs `cap`, the share that may enter')
    elif caps:
        return table.fraction("cap", 0.5)
    return None


def _on_gap(table: Table) -> tuple[Level, Mapping[Reason, Level]]:
    """Return the level of gaps, and where single reasons differ from it."""
    if not isinstance(table.take("on_gap"), dict):
        return table.choice("on_gap", Level.UNKNOWN), {}
    levels = table.table("on_gap")
    otherwise = levels.choice("otherwise", Level.UNKNOWN)
    gaps = {
        reason: levels.choice(reason, otherwise)
        for reason in Reason
        if levels.take(reason) is not None
    }
    if gaps.get(Reason.CHECK_FAILED, Level.FAIL) < Level.UNKNOWN:
        levels.fault("check_failed", "a check that crashed can be `unknown` or `fail`, no less")
    levels.refuse_others(owner="`on_gap`", also=tuple(Reason))
    return otherwise, gaps


def _options(table: Table, kind: str, kinds: tuple[str, ...]) -> dict[str, object]:
    """Return the options of the rule's kind, tried on an example."""
    if kind not in kinds:
        if kind:
            table.fault("kind", f"there is no rule kind `{kind}`; {nearest(kind, kinds)}")
        return {}
    try:
        judge: Callable[..., object] = catalogue.load(KINDS, kind)
    except DetectorError as error:
        table.fault("kind", str(error))
        return {}
    given = {}
    sound = True
    for option in options_of(judge):
        value = table.take(option.name)
        if value is None:
            if option.required:
                table.fault(None, f"a `{kind}` rule needs `{option.name}`")
                sound = False
            continue
        if fault := fault_of(option, value):
            table.fault(option.name, fault)
            sound = False
        given[option.name] = settled(value)
    table.refuse_others(owner=f"a `{kind}` rule")
    if sound:
        try:
            judge(EXAMPLE, **given)
        except ValueError as error:
            table.fault(None, str(error))
    return given


def _waiver(table: Table, rules: tuple[str, ...]) -> Waiver:
    """Build one waiver."""
    rule = table.text("rule")
    if rule and rule not in rules:
        named = tuple(dict.fromkeys(filter(None, rules)))
        table.fault("rule", f"there is no rule `{rule}` to waive; {nearest(rule, named)}")
    waiver = Waiver(
        rule=rule,
        subject=table.text("subject"),
        reason=table.text("reason"),
        expires=_day(table),
    )
    table.refuse_others(owner="a waiver")
    return waiver


def _day(table: Table) -> date:
    """Return the last day of a waiver."""
    day = table.take("expires")
    if isinstance(day, datetime):
        return day.date()
    if isinstance(day, date):
        return day
    if day is None:
        table.fault(None, "`expires` is missing; no waiver holds for ever")
    else:
        example = "a day without quotes, 2027-01-31"
        table.fault("expires", f"`expires` is {shown(day)}; it has to be {example}")
    return date.min
