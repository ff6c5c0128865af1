"""What of a report comes first, and what belongs together: the same in every format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.findings import Gap, Measurement, Reason
from detector.formats import _audit, _words
from detector.formats._escape import visible
from detector.verdicts import Decision, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from detector.findings import Finding, Subject
    from detector.report import InputSummary, Report
    from detector.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The verdicts that belong together: one check's on one subject, or on one kind of gap."""

    check: str
    subjects: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def level(self) -> Level:
        """Return the worst level among the verdicts."""
        return max(verdict.level for verdict in self.verdicts)

    @property
    def title(self) -> str:
        """Return the subjects by name, the first few of them."""
        named = ", ".join(self.subjects[:3])
        more = len(self.subjects) - 3
        return f"{named} and {more} more" if more > 0 else named

    @property
    def troubles(self) -> tuple[Verdict, ...]:
        """Return the verdicts that are not PASS, or all when all are; worst first."""
        ordered = sorted(self.verdicts, key=lambda verdict: -verdict.level)
        return tuple(verdict for verdict in ordered if verdict.level) or tuple(ordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The subjects that one check could not measure, for one reason."""

    check: str
    measurement: str
    reason: Reason
    detail: str
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot:
    """The largest effect that one kind of measurement could have overlooked."""

    check: str
    measurement: Measurement
    detectable: float
    subject: str


_SHORT = (Reason.TOO_FEW_ROWS, Reason.TOO_FEW_GROUPS)


def meaning(report: Report) -> str:
    """Return the decision as a sentence, with the share that a CAP allows."""
    failed = (verdict for verdict in report.verdicts if verdict.level is Level.FAIL)
    caps = [verdict.cap for verdict in failed if verdict.cap is not None]
    if report.decision is Decision.CAP and caps:
        share = _words.percent(min(caps))
        return f"This batch may enter as at most {share} of a training set."
    said = _words.DECISIONS if report.audit is None else _audit.MEANING
    return said[report.decision]


def headline(report: Report) -> str:
    """Return the headline without the decision in front, which every format shows itself."""
    said = report.headline.removeprefix(f"{report.decision.name}: ")
    return said[:1].upper() + said[1:]


def topics(report: Report, *, levels: Iterable[Level]) -> list[Topic]:
    """Return the topics at these levels, worst first, each check in turn.

    The largest effect of every check comes before the second largest of any, so
    that forty shifted columns do not hide one lost correlation.
    """
    wanted = set(levels)
    found = [topic for topic in _topics(report.verdicts) if topic.level in wanted]
    found.sort(key=lambda topic: (-topic.level, -_effect(topic)))
    place: Counter[tuple[Level, str]] = Counter()
    keyed = []
    for order, topic in enumerate(found):
        turn = place[topic.level, topic.check]
        place[topic.level, topic.check] += 1
        keyed.append((-topic.level, turn, order, topic))
    return [topic for *_, topic in sorted(keyed, key=lambda item: item[:3])]


def actions(report: Report) -> list[str]:
    """Return what to do, the worst first, each once."""
    troubles = topics(report, levels=(Level.FAIL, Level.UNKNOWN, Level.WARN))
    said = [_advice(verdict) for topic in troubles for verdict in topic.troubles]
    return list(dict.fromkeys(filter(None, said)))


def _advice(verdict: Verdict) -> str:
    """Return a verdict's advice; where rows were listed, how many and in which file."""
    evidence = verdict.finding.evidence
    file, listed = evidence.get("rows_file"), evidence.get("listed_rows")
    if not isinstance(file, str) or not isinstance(listed, int) or not listed:
        return verdict.advice
    return f"Hold back the {_words.count(listed, 'row')} that `{file}` lists."


def tally(report: Report) -> dict[Level, int]:
    """Return how many verdicts there are of each level, worst first."""
    counts = Counter(verdict.level for verdict in report.verdicts)
    return {level: counts[level] for level in reversed(Level)}


def gaps(report: Report) -> list[Missing]:
    """Return what could not be measured, one entry for each check and reason."""
    subjects: dict[tuple[str, str, Reason, str], list[str]] = {}
    for finding in report.findings:
        if isinstance(gap := finding.outcome, Gap):
            key = (finding.check, gap.name, gap.reason, gap.detail)
            subjects.setdefault(key, []).append(name(finding.subject))
    return [
        Missing(
            check=check, measurement=measured, reason=reason, detail=detail, subjects=tuple(named)
        )
        for (check, measured, reason, detail), named in subjects.items()
    ]


def blind_spots(report: Report) -> list[BlindSpot]:
    """Return, for each kind of measurement, the subject that it saw least sharply."""
    worst: dict[tuple[str, str], BlindSpot] = {}
    judged = {verdict.finding.key: verdict.detectable for verdict in report.verdicts}
    for finding in report.findings:
        measured = finding.outcome
        if not isinstance(measured, Measurement):
            continue
        detectable = judged.get(finding.key) or measured.detectable
        key = (finding.check, measured.name)
        if detectable and (key not in worst or detectable > worst[key].detectable):
            worst[key] = BlindSpot(
                check=finding.check,
                measurement=measured,
                detectable=detectable,
                subject=name(finding.subject),
            )
    return list(worst.values())


def unseen(report: Report) -> str:
    """Return in one sentence what these rows could not have shown, or nothing."""
    if report.audit is not None:
        return ""
    spots = blind_spots(report)
    named = [
        f"{_words.measurement(spot.measurement.name)} below "
        f"{_words.quantity(spot.detectable, spot.measurement.unit).removeprefix('<')}"
        for spot in spots[:4]
    ]
    if len(spots) > len(named):
        named.append(f"{len(spots) - len(named)} more kinds of difference")
    return f"Probably missed here: {', '.join(named)}." if named else ""


def how_sure(report: Report) -> str:
    """Return in words how far the decision can be trusted."""
    if report.audit is not None and (said := _audit.sure(report)):
        return said
    if report.decision is Decision.UNDECIDED:
        return _what_is_missing(report)
    failed = [verdict for verdict in report.verdicts if verdict.level is Level.FAIL]
    if not failed:
        return (
            "No rule failed. That is no proof that nothing changed: "
            "a difference too small for this many rows to show would have gone unseen."
        )
    tested = [p for verdict in failed if (p := _probability(verdict)) is not None]
    if not tested:
        return "What failed was counted, not estimated: chance plays no part in it."
    return (
        "If nothing had changed, chance alone would produce a difference as clear as the clearest "
        f"one here {_words.chance(min(tested))}."
    )


def budget(report: Report) -> str:
    """Return what a budget of seconds cost in rows and power; nothing where it cost none."""
    plans = [(finding, plan) for finding in report.findings if (plan := _plan(finding))]
    told: dict[str, str] = {}
    for finding, plan in plans:
        looked = f"`{finding.check}` looked at {plan['rows']:,} of {plan['of']:,} rows"
        told.setdefault(finding.check, looked + _power(finding, plan.get("detectable")))
    if not told:
        return ""
    _, plan = plans[0]
    over = plan["estimate"] > plan["seconds"]
    short = f", and still needs about {_words.number(plan['estimate'])} s" if over else ""
    seconds = _words.number(plan["seconds"])
    return f"To keep to {seconds} s the gate left rows out{short}: {'; '.join(told.values())}."


def _plan(finding: Finding) -> Mapping[str, float]:
    """Return what the evidence says of a budget; nothing where it is not wholly numbers."""
    plan = finding.evidence.get("budget")
    if not isinstance(plan, dict) or not {"seconds", "estimate", "rows", "of"} <= set(plan):
        return {}
    sound = all(isinstance(value, int | float) for value in plan.values())
    return plan if sound else {}


def _power(finding: Finding, before: float | None) -> str:
    """Return the difference that shows now, and the one that would have shown."""
    found = finding.outcome
    if not isinstance(found, Measurement) or found.detectable is None or before is None:
        return ""
    now, then = (_words.quantity(size, found.unit) for size in (found.detectable, before))
    named = _words.measurement(found.name)
    return f" (smallest visible difference of {named}: {now} instead of {then})"


def input_named(report: Report, role: str) -> InputSummary | None:
    """Return the input with this role."""
    return next((source for source in report.inputs if source.role == role), None)


def contest(report: Report) -> str:
    """Return which data were compared with which, with their rows."""
    described = [
        f"{visible(source.name)} ({_words.count(source.rows, 'row')})"
        for role in ("candidate", "reference")
        if (source := input_named(report, role))
    ]
    return " against ".join(described)


def name(subject: Subject) -> str:
    """Return a subject as waivers name it, safe to show."""
    return " x ".join(map(visible, subject.columns)) or subject.kind.value


def _topics(verdicts: Iterable[Verdict]) -> list[Topic]:
    """Group verdicts by check and subject; gaps that share a reason make one topic."""
    together: dict[tuple[object, ...], list[Verdict]] = {}
    for verdict in verdicts:
        finding, found = verdict.finding, verdict.finding.outcome
        about: object = finding.subject
        if isinstance(found, Gap):
            about = (found.reason, verdict.level)
        together.setdefault((finding.check, about), []).append(verdict)
    return [
        Topic(
            check=group[0].finding.check,
            subjects=tuple(dict.fromkeys(name(verdict.finding.subject) for verdict in group)),
            verdicts=tuple(group),
        )
        for group in together.values()
    ]


def _effect(topic: Topic) -> float:
    """Return how far the topic's largest number lies from no difference."""
    return max(_distance(verdict.finding) for verdict in topic.troubles)


def _distance(finding: Finding) -> float:
    """Return how far one number lies from its value under no difference; a gap has none."""
    found = finding.outcome
    return 0.0 if isinstance(found, Gap) else abs(found.value - (found.null_value or 0.0))


def _probability(verdict: Verdict) -> float | None:
    """Return the corrected p-value, or the raw one where nothing was corrected."""
    found = verdict.finding.outcome
    raw = found.p_value if isinstance(found, Measurement) else None
    return raw if verdict.corrected_p is None else verdict.corrected_p


def _what_is_missing(report: Report) -> str:
    """Return what it would take to decide."""
    unknown = [verdict for verdict in report.verdicts if verdict.level is Level.UNKNOWN]
    most = max((verdict.rows_needed or 0 for verdict in unknown), default=0)
    if most:
        # A check may use fewer rows of the reference than it has.
        has = max(verdict.finding.n_reference for verdict in report.verdicts)
        where = "rows on each side" if has < most else "candidate rows"
        return (
            "The data point neither way clearly enough. "
            f"About {most:,} {where} would settle every open question."
        )
    if any(verdict.gap in _SHORT for verdict in unknown):
        return "There are too few rows for a question that the policy requires an answer to."
    return "A question that the policy requires an answer to has none; more rows may not help."
