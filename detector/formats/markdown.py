"""A report as Markdown for a pull request: short, and nobody is mentioned by a column's name."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from detector.findings import Gap
from detector.formats import _audit, _view, _words
from detector.formats._escape import NAME, PROSE, segments, visible
from detector.verdicts import Decision, Level

if TYPE_CHECKING:
    from detector.report import Report
    from detector.verdicts import Verdict

MOST_BYTES = 60_000
"""A comment may have 65,536 characters; whatever is above this is left out, and said so."""

MOST_FINDINGS = 10
MOST_ACTIONS = 5

_SIGNS = {
    Decision.ADMIT: "✅",
    Decision.CAP: "⚠️",
    Decision.QUARANTINE: "⚠️",
    Decision.UNDECIDED: "❔",
    Decision.REJECT: "❌",
}
_MARKS = {Level.PASS: "✅", Level.WARN: "⚠️", Level.UNKNOWN: "❔", Level.FAIL: "❌"}


def render(report: Report) -> str:
    """Return the report as GitHub-flavored Markdown, at most `MOST_BYTES` long."""
    sign = _SIGNS[report.decision]
    head = [
        f"## {sign} {report.decision.value.capitalize()}: {_view.meaning(report)}",
        "",
        prose(_view.headline(report)),
        "",
        prose(_view.contest(report)),
        "",
        *_generations(report),
        *_findings(report),
        *_actions(report),
        f"**How sure.** {prose(_sure(report), limit=2 * PROSE)}",
        "",
        *_gaps(report),
    ]
    foot = ["", f"<sub>{prose(_origin(report))}</sub>"]
    table = _table(report.verdicts, room=MOST_BYTES - _bytes([*head, *foot]))
    return "\n".join([*head, *table, *foot]) + "\n"


def prose(sentence: str, *, limit: int = PROSE, in_table: bool = False) -> str:
    r"""Return a sentence as Markdown that shows every character as it is.

    >>> prose("`age` of @you <b> #1")
    '`age` of @<!-- -->you &lt;b&gt; #<!-- -->1'
    """
    return "".join(
        code(part, in_table=in_table) if is_code else _escaped(part)
        for is_code, part in segments(sentence, limit=limit)
    )


def code(text: str, *, limit: int = NAME, in_table: bool = False) -> str:
    r"""Return a name as a code span; in a table, a pipe would end the cell.

    >>> code("`x`"), code("a|b", in_table=True)
    ('`` `x` ``', '`a\\|b`')
    """
    text = visible(text, limit=limit)
    if in_table:
        text = text.replace("|", "\\|")
    runs = re.findall("`+", text)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    pad = " " if runs else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text.strip() else '""'


def _escaped(text: str) -> str:
    """Return text without Markdown, HTML, mentions, references or links in it."""
    text = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", html.escape(text, quote=False))
    return re.sub(r"(?i)([@#]|://|\bwww\.|\bGH-)", r"\1<!-- -->", text)


def _generations(report: Report) -> list[str]:
    """Return what an audit found, and its eight definitions of collapse as a table."""
    said = _audit.sentences(report)
    if not said:
        return []
    lines = [*(f"- {prose(sentence)}" for sentence in said), ""]
    lines += [
        "| Definition | Measure | First | Last | Healthy rounds |",
        "| --- | --- | --- | --- | --- |",
    ]
    for title, _, rows in _audit.definitions(report):
        lines += [f"| {title} | {' | '.join(map(_escaped, row))} |" for row in rows]
    return [*lines, ""]


def _findings(report: Report) -> list[str]:
    """Return the worst findings as a table."""
    topics = _view.topics(report, levels=(Level.FAIL, Level.UNKNOWN, Level.WARN))
    if not topics:
        return []
    lines = ["| | Question | What was seen |", "| --- | --- | --- |"]
    for topic in topics[:MOST_FINDINGS]:
        worst = topic.troubles[0]
        said = prose(worst.message, limit=300, in_table=True)
        if more := len(topic.subjects) - 1:
            said += f" The same for {more:,} more."
        state = f"{_MARKS[topic.level]} {_words.LEVELS[topic.level]}"
        lines.append(f"| {state} | {_escaped(_words.check_title(topic.check))} | {said} |")
    if (more := len(topics) - MOST_FINDINGS) > 0:
        lines += ["", f"And {_words.count(more, 'more finding')}."]
    return [*lines, ""]


def _actions(report: Report) -> list[str]:
    """Return what to do as a numbered list."""
    actions = _view.actions(report)[:MOST_ACTIONS]
    if not actions:
        return []
    steps = [f"{place}. {prose(action, limit=300)}" for place, action in enumerate(actions, 1)]
    return ["**What to do**", "", *steps, ""]


def _gaps(report: Report) -> list[str]:
    """Return what could not be measured as a list."""
    gaps = _view.gaps(report)
    lines = []
    for gap in gaps[:MOST_FINDINGS]:
        what = _escaped(f"{_words.check_title(gap.check)}: {_words.measurement(gap.measurement)}")
        named = ", ".join(map(code, gap.subjects[:3]))
        if (more := len(gap.subjects) - 3) > 0:
            named += f" and {more:,} more"
        lines.append(f"- {what} of {named}: {_words.REASONS[gap.reason]}.")
    if (more := len(gaps) - MOST_FINDINGS) > 0:
        lines.append(f"- And {more:,} more.")
    return ["**Not measured**", "", *lines, ""] if lines else []


def _sure(report: Report) -> str:
    """Return in words how far the decision can be trusted."""
    missed = _view.unseen(report) if report.decision is Decision.ADMIT else ""
    return " ".join(filter(None, (_view.how_sure(report), missed, _view.budget(report))))


def _table(verdicts: tuple[Verdict, ...], *, room: int) -> list[str]:
    """Return the verdicts as a folded table, as many as there is room for."""
    if not verdicts:
        return []
    counted = _words.count(len(verdicts), "verdict")
    lines = [
        f"<details><summary>{counted}, worst first</summary>",
        "",
        "| | Of | Measured | Value | 95 % interval | p-value | Rule |",
        "| --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    end = ["", "</details>"]
    room -= _bytes([*lines, *end]) + 100
    for place, verdict in enumerate(verdicts):
        row = _row(verdict)
        room -= _bytes([row])
        if room < 0:
            end = ["", f"{len(verdicts) - place:,} more are in the full report.", *end]
            break
        lines.append(row)
    return [*lines, *end]


def _row(verdict: Verdict) -> str:
    """Return one verdict as a row of the table."""
    finding, found = verdict.finding, verdict.finding.outcome
    cells = [
        f"{_MARKS[verdict.level]} {_words.LEVELS[verdict.level]}",
        code(_view.name(finding.subject), limit=2 * NAME, in_table=True),
        _escaped(_words.measurement(found.name)),
    ]
    if isinstance(found, Gap):
        cells += [_words.REASONS[found.reason], "", ""]
    else:
        raw = found.p_value if verdict.corrected_p is None else verdict.corrected_p
        cells += [
            _escaped(_words.quantity(found.value, found.unit)),
            _words.interval(found),
            _escaped(_words.p_value(raw)),
        ]
    return f"| {' | '.join([*cells, prose(verdict.rule, limit=NAME, in_table=True)])} |"


def _origin(report: Report) -> str:
    """Return under which policy and seed the report came about."""
    policy = visible(report.policy.get("name", "unnamed"))
    return f"collapse-detector, policy {policy}, seed {report.seed}"


def _bytes(lines: list[str]) -> int:
    """Return the size of lines in UTF-8, with their ends."""
    return sum(len(line.encode()) + 1 for line in lines)
