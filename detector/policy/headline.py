"""One sentence that says what the gate decided and the most telling reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.findings import Gap, Measurement, Reason, SubjectKind
from detector.policy import words
from detector.verdicts import Action, Decision, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detector.verdicts import Verdict


def headline(decision: Decision, verdicts: Sequence[Verdict]) -> str:
    """Return the sentence, for example `REJECT: 4 of 20 columns changed; worst, ...`.

    Args:
        decision: The decision that the verdicts amount to.
        verdicts: The verdicts as `judge` orders them, worst first.

    """
    match decision:
        case Decision.ADMIT:
            said = _admitted(verdicts)
        case Decision.UNDECIDED:
            said = _open(verdicts)
        case _:
            said = _refused(verdicts, Action[decision.name])
    return f"{decision.name}: {said}."


def _refused(verdicts: Sequence[Verdict], action: Action) -> str:
    """Say what failed, the worst first."""
    failed = [v for v in verdicts if v.level is Level.FAIL and v.action is action]
    worst = failed[0]
    said = _brief(worst)
    if (bad := _columns(failed, worst)) > 1:
        said = f"{bad} of {_columns(verdicts, worst)} columns changed; worst, {said}"
    caps = [verdict.cap for verdict in failed if verdict.cap is not None]
    if caps:
        said = f"at most {words.percent(min(caps))} of a training set; {said}"
    checks = list(dict.fromkeys(verdict.finding.check for verdict in failed))
    return f"{said}; also failed: {', '.join(checks[1:])}" if len(checks) > 1 else said


def _open(verdicts: Sequence[Verdict]) -> str:
    """Say what could not be settled, and how many rows would settle it."""
    unknown = [verdict for verdict in verdicts if verdict.level is Level.UNKNOWN]
    if not any(isinstance(verdict.finding.outcome, Measurement) for verdict in verdicts):
        outcomes = (verdict.finding.outcome for verdict in unknown)
        why = next((gap.detail for gap in outcomes if isinstance(gap, Gap)), "").rstrip(".")
        said = "nothing that the policy asks about could be measured"
        return f"{said}: {why}" if why else said
    crashed = dict.fromkeys(v.finding.check for v in unknown if v.gap is Reason.CHECK_FAILED)
    if crashed:
        return f"a check failed to run ({', '.join(crashed)}), so nothing can be promised"
    most = max((verdict.rows_needed or 0 for verdict in unknown), default=0)
    if most:
        # A check may use fewer rows of the reference than it has.
        has = max(verdict.finding.n_reference for verdict in verdicts)
        where = " on each side" if has < most else ""
        return f"too few rows to tell; about {most:,}{where} would settle it"
    return unknown[0].message.rstrip(".")


def _admitted(verdicts: Sequence[Verdict]) -> str:
    """Say what to keep an eye on, else what was looked at and what would have been seen."""
    warned = [v for v in verdicts if v.level is Level.WARN and v.gap is None]
    if warned:
        count = f"{len(warned)} warnings, first" if len(warned) > 1 else "one warning"
        return f"{count}: {_brief(warned[0])}"
    tested = [v for v in verdicts if v.detectable is not None and v.gap is None]
    if not tested:
        return "nothing that the policy asks about is wrong"
    first = max((v for v in tested if v.rule == tested[0].rule), key=lambda v: v.detectable or 0.0)
    said = "no difference beyond chance"
    if columns := _columns(tested, first):
        said += f" in {columns} columns" if columns > 1 else " in one column"
    if isinstance(outcome := first.finding.outcome, Measurement):
        size = words.quantity(first.detectable or 0.0, outcome)
        said += f"; a change of {size} would most likely have been seen"
    blind = {v.finding.subject for v in verdicts if v.gap is Reason.TOO_FEW_ROWS}
    if blind:
        said += f"; too few rows for {len(blind)} more"
    return said


def _columns(verdicts: Sequence[Verdict], like: Verdict) -> int:
    """Return how many columns the verdicts of the same check speak of; 0 if it is on more."""
    if like.finding.subject.kind is not SubjectKind.COLUMN:
        return 0
    findings = [v.finding for v in verdicts if v.finding.check == like.finding.check]
    columns = {f.subject.columns for f in findings if f.subject.kind is SubjectKind.COLUMN}
    return len(columns)


def _brief(verdict: Verdict) -> str:
    """Return what was seen, with the p-value where it is a test."""
    said = words.brief(verdict.finding)
    return f"{said} ({words.p_text(verdict.corrected_p)})" if verdict.corrected_p else said
