"""Findings and a policy in, verdicts and one decision out. It never reads data."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from detector import catalogue
from detector.findings import Gap, Measurement, Reason
from detector.policy import words
from detector.policy.families import corrected_tests
from detector.policy.rows import larger
from detector.policy.rules.rule import Case, Ruling
from detector.verdicts import Action, Decision, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from detector.findings import Finding
    from detector.policy.families import Tested
    from detector.policy.policy import Policy, Rule
    from detector.policy.rules.rule import Judge

ASKS = {
    Action.REJECT: Decision.REJECT,
    Action.QUARANTINE: Decision.QUARANTINE,
    Action.CAP: Decision.CAP,
    Action.WARN: Decision.ADMIT,
}
"""The decision that a failing rule asks for."""


_SHORT = (Reason.TOO_FEW_ROWS, Reason.ALL_MISSING)


def judge(
    findings: Iterable[Finding], policy: Policy, *, today: date
) -> tuple[tuple[Verdict, ...], Decision]:
    """Judge what was measured.

    Pure: the same findings, policy and day give the same verdicts, whether the findings
    are fresh or read from a saved report.

    Args:
        findings: Everything measured, in check order.
        policy: The rules.
        today: The day on which waivers must still hold.

    Returns:
        The verdicts, worst first, then in policy order, then by size; and the decision.

    """
    ignored = set(policy.ignore)
    kept = [finding for finding in findings if ignored.isdisjoint(finding.subject.columns)]
    cases = [(rule, finding) for rule in policy.rules for finding in kept if rule.covers(finding)]
    tests = corrected_tests(cases, policy.correction)
    kinds = sorted({rule.kind for rule in policy.rules})
    judges = {kind: catalogue.load("detector.policy.rules", kind) for kind in kinds}
    said = [
        _verdict(
            rule,
            finding,
            judges[rule.kind],
            tests.get((rule.name, finding.key)),
            alpha=policy.alpha,
        )
        for rule, finding in cases
    ]
    verdicts = [_waived(verdict, policy, today) for verdict in _tolerated(said, policy)]
    places = {rule.name: place for place, rule in enumerate(policy.rules)}
    verdicts.sort(key=lambda verdict: (-verdict.level, places[verdict.rule], -_size(verdict)))
    return tuple(verdicts), decide(verdicts)


def decide(verdicts: Sequence[Verdict]) -> Decision:
    """Return the one decision that the verdicts amount to.

    REJECT goes before UNDECIDED, then QUARANTINE, CAP and ADMIT. Where nothing that was
    measured was judged, the answer is UNDECIDED: silence is not consent.
    """
    asked = {ASKS[verdict.action] for verdict in verdicts if verdict.level is Level.FAIL}
    if Decision.REJECT in asked:
        return Decision.REJECT
    measured = any(isinstance(verdict.finding.outcome, Measurement) for verdict in verdicts)
    if not measured or any(verdict.level is Level.UNKNOWN for verdict in verdicts):
        return Decision.UNDECIDED
    return next((d for d in (Decision.QUARANTINE, Decision.CAP) if d in asked), Decision.ADMIT)


def _verdict(
    rule: Rule, finding: Finding, judge_case: Judge, test: Tested | None, *, alpha: float
) -> Verdict:
    """Return one rule's word on one finding, waivers aside."""
    corrected_p, detectable = (test.corrected_p if test else None), None
    if isinstance(outcome := finding.outcome, Gap):
        ruling = _gap(rule, finding, outcome)
    else:
        sharers = test.sharers if test else 1
        case = Case(finding=finding, alpha=alpha, corrected_p=corrected_p, sharers=sharers)
        ruling = judge_case(case, **rule.options)
        detectable = case.detectable if test else None
    level = _level(rule, ruling)
    cap = rule.cap if level is Level.FAIL else None
    allowed = f"Let it be at most {words.percent(cap)} of a training set. " if cap else ""
    return Verdict(
        rule=rule.name,
        finding=finding,
        level=level,
        action=rule.action,
        message=words.sentence(words.seen(finding, corrected_p=corrected_p), ruling.because),
        advice=(allowed + ruling.advice).rstrip(),
        corrected_p=corrected_p,
        detectable=detectable,
        gap=ruling.gap,
        rows_needed=ruling.rows_needed,
        cap=cap,
    )


def _gap(rule: Rule, finding: Finding, gap: Gap) -> Ruling:
    """Rule on what could not be measured."""
    level = rule.gap_level(gap.reason)
    short = gap.reason is Reason.TOO_FEW_ROWS
    advice = larger(finding) if short else words.gap_advice(gap)
    advice = advice if level > Level.PASS else ""
    return Ruling(level=level, because=gap.detail, advice=advice, gap=gap.reason)


def _level(rule: Rule, ruling: Ruling) -> Level:
    """Return the level: a rule that only warns stays at WARN, but a crash settles nothing."""
    level = ruling.level if ruling.gap is None else rule.gap_level(ruling.gap)
    if rule.action is not Action.WARN:
        return level
    return Level.UNKNOWN if ruling.gap is Reason.CHECK_FAILED else min(level, Level.WARN)


def _tolerated(verdicts: Sequence[Verdict], policy: Policy) -> list[Verdict]:
    """Return the verdicts with WARN where a rule tolerates that some findings lack rows.

    One column that is missing in most rows should not hold up a batch; a batch that is
    too small for most of its columns should.
    """
    all_of = Counter(verdict.rule for verdict in verdicts)
    short = Counter(verdict.rule for verdict in verdicts if verdict.gap in _SHORT)
    lenient = {r.name for r in policy.rules if short[r.name] <= r.tolerate * all_of[r.name]}
    return [
        replace(verdict, level=min(verdict.level, Level.WARN))
        if verdict.gap in _SHORT and verdict.rule in lenient
        else verdict
        for verdict in verdicts
    ]


def _waived(verdict: Verdict, policy: Policy, today: date) -> Verdict:
    """Return the verdict as the waivers leave it; say so where one has expired."""
    waivers = [waiver for waiver in policy.waivers if waiver.matches(verdict)]
    if verdict.level <= Level.WARN or not waivers:
        return verdict
    latest = max(waivers, key=lambda waiver: waiver.expires)
    reason = latest.reason.rstrip(".")
    if latest.expires < today:
        said = f"Its waiver expired on {latest.expires} ({reason})."
        return replace(verdict, message=f"{verdict.message} {said}")
    said = f"Waived until {latest.expires}: {reason}."
    return replace(
        verdict,
        level=Level.WARN,
        message=f"{verdict.message} {said}",
        waived=latest.reason,
        cap=None,
    )


def _size(verdict: Verdict) -> float:
    """Return how far the value lies from its null value, to put the largest first."""
    outcome = verdict.finding.outcome
    return 0.0 if isinstance(outcome, Gap) else abs(outcome.value - (outcome.null_value or 0.0))
