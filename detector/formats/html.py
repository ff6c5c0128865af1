"""A report as one HTML page: no script, no network, light and dark, ready to print."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detector.findings import TABLE, Gap, Measurement
from detector.formats import _audit, _charts, _view, _words
from detector.formats._escape import segments, visible
from detector.verdicts import Level

if TYPE_CHECKING:
    from detector.findings import Finding
    from detector.report import Report
    from detector.verdicts import Verdict

MOST_CARDS = 12
"""Findings that are told at length, with charts."""

MOST_MEASURED = 2
"""Measurements whose numbers a card shows, the worst first; more would not fit beside a chart."""

MOST_CLOSE_CALLS = 3
"""Findings shown with charts when nothing at all is wrong."""

MOST_ROWS = 1_500
"""Rows of the table of all checks; the rest, all of the mildest, is in the JSON report."""

MOST_COLUMNS = 1_000
"""Columns listed with their kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One finding that matters: what it says, its numbers and its charts."""

    level: str
    state: str
    title: str
    note: str
    messages: list[list[tuple[bool, str]]]
    measured: list[str]
    facts: list[tuple[str, list[str]]]
    charts: list[_charts.Chart]


def render(report: Report) -> str:
    """Return the report as one self-contained HTML document."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("detector.formats"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    environment.filters |= {"visible": visible, "segments": segments}
    return environment.get_template("report.html").render(_context(report))


def notebook(report: Report) -> str:
    """Return the report for a notebook's output: the page in a frame of its own.

    The frame runs no script, and neither the page nor the notebook sees the other's styles.
    """
    page = html.escape(render(report))
    return (
        '<iframe title="Report" sandbox srcdoc="' + page + '" '
        'style="width:100%;height:44rem;border:1px solid #8886;border-radius:6px"></iframe>'
    )


def _context(report: Report) -> dict[str, Any]:
    """Return everything that the template names."""
    troubles = _view.topics(report, levels=(Level.FAIL, Level.UNKNOWN, Level.WARN))
    kinds = _kinds(report)
    rows, unjudged = report.verdicts[:MOST_ROWS], _unjudged(report)
    return {
        "report": report,
        "decision": report.decision.value,
        "meaning": _view.meaning(report),
        "headline": _view.headline(report),
        "contest": _view.contest(report),
        "audited": _audited(report),
        "actions": _view.actions(report),
        "sure": f"{_view.how_sure(report)} {_view.budget(report)}".rstrip(),
        "tally": [(level, count) for level, count in _view.tally(report).items() if count],
        "levels": _words.LEVELS,
        "cards": [_card(topic, kinds) for topic in troubles[:MOST_CARDS]],
        "more": len(troubles[MOST_CARDS:]),
        "close_calls": [] if troubles else _close_calls(report, kinds),
        "blind": _view.blind_spots(report),
        "open_rows": [_row(one) for one in rows if one.level is not Level.PASS],
        "passed_rows": [_row(one) for one in rows if one.level is Level.PASS],
        "unjudged_rows": [_cells(one) for one in unjudged[: MOST_ROWS - len(rows)]],
        "rows_left": max(0, len(report.verdicts) + len(unjudged) - MOST_ROWS),
        "gaps": _view.gaps(report),
        "columns": _columns(report)[:MOST_COLUMNS],
        "words": _words,
        "checks": [
            _words.CHECKS[name]
            for name in dict.fromkeys(finding.check for finding in report.findings)
            if name in _words.CHECKS
        ],
    }


def _audited(report: Report) -> dict[str, Any] | None:
    """Return what an audit adds; None for a gate."""
    if report.audit is None:
        return None
    return {
        "sentences": _audit.sentences(report),
        "definitions": _audit.definitions(report),
        "charts": _audit.charts(report),
        "film": _audit.film(report),
        "lost": _audit.lost(report),
        "frame": _audit.FRAME,
    }


def _card(topic: _view.Topic, kinds: dict[str, str]) -> Card:
    """Return one topic with its messages, numbers and charts."""
    drawn: dict[str, _charts.Chart] = {}
    for verdict in topic.verdicts:
        subject = verdict.finding.subject
        kind = kinds.get(subject.columns[0], "") if len(subject.columns) == 1 else ""
        for chart in _charts.charts(verdict.finding.evidence, kind=kind):
            drawn.setdefault(chart.title, chart)
    said = dict.fromkeys(verdict.message for verdict in topic.troubles)
    worst_first = sorted(topic.verdicts, key=lambda verdict: -verdict.level)
    measured = [_row(one) for one in worst_first if isinstance(one.finding.outcome, Measurement)]
    measured = measured[:MOST_MEASURED]
    title, note = topic.title, _words.check_title(topic.check)
    if topic.subjects == (TABLE.kind.value,):
        title, note = note, "whole table"
    return Card(
        level=topic.level.name.lower(),
        state=_words.LEVELS[topic.level],
        title=title,
        note=note,
        messages=[segments(message) for message in list(said)[:4]],
        measured=[row["measured"] for row in measured],
        facts=_facts(measured),
        charts=list(drawn.values())[:2],
    )


def _facts(rows: list[dict[str, str]]) -> list[tuple[str, list[str]]]:
    """Return the numbers of a card with one line for each property that has any."""
    properties = {
        "value": "Value",
        "interval": "95 % interval",
        "null": "If nothing changed",
        "p": "p-value",
        "detectable": "Smallest visible effect",
        "rows": "Rows, reference / candidate",
    }
    lines = [(label, [row[key] for row in rows]) for key, label in properties.items()]
    return [(label, cells) for label, cells in lines if any(cells)]


def _close_calls(report: Report, kinds: dict[str, str]) -> list[Card]:
    """Return the passing topics with a chart whose numbers are the largest."""
    cards = (_card(topic, kinds) for topic in _view.topics(report, levels=(Level.PASS,)))
    found = []
    for card in cards:
        if card.charts:
            found.append(card)
        if len(found) == MOST_CLOSE_CALLS:
            break
    return found


def _row(verdict: Verdict) -> dict[str, str]:
    """Return one verdict as the cells of a table row."""
    cells = _cells(verdict.finding)
    if verdict.corrected_p is not None:
        cells["p"] = _words.p_value(verdict.corrected_p)
    if verdict.detectable is not None:
        cells["detectable"] = _quantity(verdict.detectable, verdict.finding)
    return {
        **cells,
        "level": verdict.level.name.lower(),
        "word": _words.LEVELS[verdict.level],
        "rule": visible(verdict.rule),
    }


def _cells(finding: Finding) -> dict[str, str]:
    """Return one finding, judged by no rule, as the cells of a table row."""
    found = finding.outcome
    cells = {
        "level": "none",
        "word": "No rule",
        "rule": "",
        "check": _words.check_title(finding.check),
        "subject": _view.name(finding.subject),
        "measured": _words.measurement(found.name),
        "rows": f"{finding.n_reference:,} / {finding.n_candidate:,}",
        "gap": "",
    }
    if isinstance(found, Gap):
        return {**cells, "gap": _words.REASONS[found.reason]}
    return {
        **cells,
        "value": _quantity(found.value, finding),
        "interval": _words.interval(found),
        "null": _quantity(found.null_value, finding),
        "p": _words.p_value(found.p_value),
        "detectable": _quantity(found.detectable, finding),
    }


def _quantity(value: float | None, finding: Finding) -> str:
    """Return a number of a finding with its unit."""
    found = finding.outcome
    unit = found.unit if isinstance(found, Measurement) else "1"
    return _words.quantity(value, unit)


def _unjudged(report: Report) -> list[Finding]:
    """Return the measurements that no rule looked at."""
    judged = {verdict.finding.key for verdict in report.verdicts}
    return [
        finding
        for finding in report.findings
        if finding.key not in judged and not isinstance(finding.outcome, Gap)
    ]


def _kinds(report: Report) -> dict[str, str]:
    """Return the kind of each of the reference's columns."""
    source = _view.input_named(report, "reference")
    columns = source.columns if source else ()
    return {column.get("name", ""): column.get("kind", "") for column in columns}


def _columns(report: Report) -> list[tuple[str, list[str]]]:
    """Return every column with its kind in each input, and its role where it has a special one."""
    table: dict[str, list[str]] = {}
    for place, source in enumerate(report.inputs):
        for column in source.columns:
            cells = table.setdefault(column.get("name", ""), ["absent"] * len(report.inputs))
            role = column.get("role", "feature")
            kind = visible(column.get("kind", ""))
            cells[place] = kind if role == "feature" else f"{kind}, {visible(role)}"
    return [(visible(name), cells) for name, cells in table.items()]
