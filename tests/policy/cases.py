"""Findings and policies built by hand."""

from __future__ import annotations

from datetime import date

from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse, column
from detector.policy.judge import judge
from detector.policy.policy import Policy, Rule
from detector.policy.rules.rule import Case
from detector.verdicts import Action

TODAY = date(2026, 11, 22)


def measured(value=0.0, *, name="wasserstein", worse=Worse.HIGHER, null_value=0.0, **more):
    return Measurement(name=name, value=value, worse=worse, null_value=null_value, **more)


def finding(outcome=None, *, check="marginals", subject=None, rows=1000, **evidence):
    return Finding(
        check=check,
        subject=column("x") if subject is None else subject,
        outcome=measured() if outcome is None else outcome,
        n_reference=rows,
        n_candidate=rows,
        evidence=evidence,
    )


def gap(reason=Reason.TOO_FEW_ROWS, *, name="wasserstein", detail="2 rows", **more):
    return finding(Gap(name=name, reason=reason, detail=detail), **more)


def crash(check="joint"):
    outcome = Gap(name=check, reason=Reason.CHECK_FAILED, detail="ZeroDivisionError: division")
    return finding(outcome, check=check, subject=TABLE)


def case(value=0.0, *, alpha=0.05, corrected_p=None, rows=1000, sharers=1, **more):
    found = finding(measured(value, **more), rows=rows)
    return Case(finding=found, alpha=alpha, corrected_p=corrected_p, sharers=sharers)


def rule(name="moved", *, check="marginals", kind="limit", options=None, **more):
    options = {"at_most": 1.0} if options is None and kind == "limit" else options or {}
    return Rule(name=name, check=check, kind=kind, options=options, **more)


def policy(*rules, **more):
    return Policy(name="test", rules=rules, **{"alpha": 0.05, **more})


def judged(findings, *rules, today=TODAY, **more):
    return judge(findings, policy(*rules, **more), today=today)


def only(findings, *rules, **more):
    """Return the one verdict."""
    ((verdict,), _) = judged(findings, *rules, **more)
    return verdict


def failing(action=Action.REJECT, **more):
    """Return a rule that the finding of value 2.0 fails."""
    return rule(name=action.value, action=action, **more)
