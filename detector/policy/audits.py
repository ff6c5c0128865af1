"""The built-in policy of audits: what a loop must not do."""

from __future__ import annotations

from detector.findings import Reason
from detector.policy.policy import Correction, Policy, Rule
from detector.verdicts import Action, Level

AUDITS = ("audit", "lineage")
"""What is judged beside the checks of a gate."""

ALPHA = 0.05
"""How often a healthy loop may be called a collapse over its whole horizon."""


def audit_policy() -> Policy:
    """Return the built-in policy of audits and lineages."""
    return Policy(
        name="built-in audit",
        alpha=ALPHA,
        correction=Correction.HOLM,
        rules=(*_audit(), *_lineage()),
        source="built-in audit policy",
    )


def _audit() -> tuple[Rule, ...]:
    return (
        Rule(
            name="the loop stays within what healthy loops do",
            check="audit",
            measurement="training_log_det_change",
            kind="significant",
            action=Action.REJECT,
            on_gap=Level.UNKNOWN,
        ),
        Rule(
            name="no chain ended early",
            check="audit",
            measurement="chain_*",
            kind="limit",
            options={"at_most": 0},
            action=Action.WARN,
            on_gap=Level.WARN,
            gaps={Reason.FIT_FAILED: Level.WARN},
        ),
        Rule(
            name="risk does not rise",
            check="audit",
            measurement="risk_increase",
            kind="significant",
            action=Action.WARN,
            on_gap=Level.PASS,
            family="warnings",
        ),
    )


def _lineage() -> tuple[Rule, ...]:
    return (
        Rule(
            name="the generations do not drift away",
            check="lineage",
            measurement="training_log_det_change",
            kind="significant",
            action=Action.REJECT,
            on_gap=Level.UNKNOWN,
        ),
    )
