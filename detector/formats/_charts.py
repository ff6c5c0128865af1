"""From a finding's evidence to the shapes and the table of a small chart.

Evidence is plain data from a check, or from a saved report that anyone may have edited:
what does not fit is left out, never an error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from detector.formats import _words
from detector.formats._escape import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH = 320
"""The breadth of every drawing, in the unit of the SVG's view box."""

HUGE = 1e300
MOST_BINS = 30
MOST_LEVELS = 8
MOST_LABEL = 32
_TOP, _BASE, _LABELS = 20, 126, 143


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One level or column: its label and the lengths of its bars, 0 to 1."""

    label: str
    note: str
    reference: float | None
    candidate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: what it shows in words, its shapes, and its numbers as a table.

    Attributes:
        kind: `histogram`, `bars` or `pair`: the template's macro of that name draws it.
        title: What is drawn.
        summary: What the eye should notice, in a sentence, for those who cannot see it.
        header: The table's column names.
        rows: The table's cells.
        reference, candidate: SVG paths of a histogram.
        ticks: Position, anchor and text of the labels below a histogram or a pair.
        top: What the full height of a histogram stands for.
        bars: The bars of a bar chart.
        points: Positions of a pair's reference and candidate, and of zero.

    """

    kind: str
    title: str
    summary: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    reference: str = ""
    candidate: str = ""
    ticks: tuple[tuple[float, str, str], ...] = ()
    top: str = ""
    bars: tuple[Bar, ...] = ()
    points: tuple[float, ...] = ()


def charts(evidence: Mapping[str, object], *, kind: str = "") -> list[Chart]:
    """Return the charts that a finding's evidence allows, perhaps none.

    Args:
        evidence: Keys `edges` or `score_edges` or `levels` with `reference_share` and
            `candidate_share`; `columns` with `name` and `importance`; or the numbers
            `reference` and `candidate` of a pair.
        kind: The column's kind; the edges of a `datetime` are shown as dates.

    """
    drawn = (
        _histogram(evidence, "edges", "Share of rows in each range of values", kind),
        _histogram(evidence, "score_edges", "Score of each row; 1 is most like the candidate", ""),
        _levels(evidence),
        _columns(evidence),
        _pair(evidence),
    )
    return [chart for chart in drawn if chart is not None]


def _histogram(evidence: Mapping[str, object], key: str, title: str, kind: str) -> Chart | None:
    """Draw shares over bins of equal breadth on paper; the labels name their edges."""
    edges = _numbers(evidence.get(key))
    sides = _shares(evidence)
    bins = len(sides[0])
    if not edges or not bins or bins not in (len(edges) - 1, len(edges) + 1):
        return None
    texts = [_edge(edge, kind) for edge in edges]
    open_ended = bins == len(edges) + 1
    step = math.ceil(bins / MOST_BINS)
    bounds = ["", *texts, ""] if open_ended else texts
    bounds = [*bounds[:-1:step], bounds[-1]]
    reference, candidate = (
        [sum(side[start : start + step]) for start in range(0, bins, step)] for side in sides
    )
    peak = max(*reference, *candidate) or 1.0
    ranges = [_range(low, high) for low, high in pairwise(bounds)]
    return Chart(
        kind="histogram",
        title=title,
        summary=_largest_change(ranges, reference, candidate),
        header=("Range", "Reference", "Candidate"),
        rows=_table(ranges, reference, candidate),
        reference=_outline(reference, peak, closed=True),
        candidate=_outline(candidate, peak, closed=False),
        ticks=_ticks(bounds),
        top=f"{_words.percent(peak)} of rows",
    )


def _levels(evidence: Mapping[str, object]) -> Chart | None:
    """Draw the share of each level on both sides, the most changed first."""
    names = evidence.get("levels")
    sides = _shares(evidence)
    if not isinstance(names, list | tuple) or not names or len(names) != len(sides[0]):
        return None
    levels = [_label(name) for name in names]
    by_change = sorted(
        zip(levels, *sides, strict=True), key=lambda level: -abs(level[2] - level[1])
    )
    shown = by_change[:MOST_LEVELS]
    peak = max(max(level[1:]) for level in shown) or 1.0
    labels, reference, candidate = (list(side) for side in zip(*shown, strict=True))
    hidden = len(by_change) - len(shown)
    return Chart(
        kind="bars",
        title=f"Share of rows by level, the {len(shown)} most changed"
        if hidden
        else "Share of rows by level",
        summary=_largest_change(labels, reference, candidate),
        header=("Level", "Reference", "Candidate"),
        rows=_table(labels, reference, candidate),
        bars=tuple(
            Bar(
                label=label,
                note=f"{_words.percent(before)} → {_words.percent(after)}",
                reference=before / peak,
                candidate=after / peak,
            )
            for label, before, after in shown
        ),
    )


def _columns(evidence: Mapping[str, object]) -> Chart | None:
    """Draw how much each column helps to tell the rows apart."""
    entries = evidence.get("columns")
    if not isinstance(entries, list | tuple):
        return None
    given = [entry for entry in entries if isinstance(entry, dict)]
    weights = _numbers([entry.get("importance") for entry in given])
    if not weights or max(weights) <= 0:
        return None
    named = [_label(entry.get("name")) for entry in given]
    shown = sorted(zip(named, weights, strict=True), key=lambda column: -column[1])[:MOST_LEVELS]
    return Chart(
        kind="bars",
        title="The columns that give the rows away",
        summary=f"The column that helps most is {shown[0][0]}.",
        header=("Column", "Importance"),
        rows=tuple((label, _words.number(weight)) for label, weight in shown),
        bars=tuple(
            Bar(
                label=label,
                note=_words.number(weight),
                reference=None,
                candidate=max(weight, 0.0) / shown[0][1],
            )
            for label, weight in shown
        ),
    )


def _pair(evidence: Mapping[str, object]) -> Chart | None:
    """Draw the strength of one association on both sides, on a line from -1 or 0 to 1."""
    strengths = _numbers([evidence.get("reference"), evidence.get("candidate")])
    if not strengths or max(map(abs, strengths)) > 1:
        return None
    before, after = strengths
    low = -1.0 if min(strengths) < 0 else 0.0
    places = [14 + (WIDTH - 28) * (value - low) / (1 - low) for value in (before, after, 0.0)]
    middle = (low + 1) / 2
    return Chart(
        kind="pair",
        title="How strongly the two columns move together",
        summary=f"It went from {_words.number(before)} to {_words.number(after)}.",
        header=("Side", "Association"),
        rows=(("Reference", _words.number(before)), ("Candidate", _words.number(after))),
        ticks=tuple(
            (14 + (WIDTH - 28) * (value - low) / (1 - low), anchor, _words.number(value))
            for value, anchor in ((low, "start"), (middle, "middle"), (1.0, "end"))
        ),
        points=tuple(round(place, 1) for place in places),
    )


def _numbers(values: object) -> list[float]:
    """Return a list of finite numbers, or nothing when it is anything else."""
    if not isinstance(values, list | tuple) or len(values) > 10_000:
        return []
    numbers = [value for value in values if type(value) in (int, float) and abs(value) < HUGE]
    return [float(value) for value in numbers] if len(numbers) == len(values) else []


def _shares(evidence: Mapping[str, object]) -> tuple[list[float], list[float]]:
    """Return the shares of the reference and of the candidate, equally many, or none."""
    reference = _numbers(evidence.get("reference_share"))
    candidate = _numbers(evidence.get("candidate_share"))
    fits = all(0 <= share <= 1 + 1e-9 for share in (*reference, *candidate))
    return (reference, candidate) if fits and len(reference) == len(candidate) else ([], [])


def _label(name: object) -> str:
    """Return a name that leaves room for the numbers beside it; wide characters count twice."""
    text = visible(name, limit=MOST_LABEL)
    wide = sum(east_asian_width(character) in "WF" for character in text)
    return text if not wide else visible(name, limit=max(MOST_LABEL - wide, MOST_LABEL // 2))


def _edge(value: float, kind: str) -> str:
    """Return an edge as text: a number, or a date for seconds since 1970."""
    if kind == "datetime":
        try:
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
        except (OverflowError, OSError, ValueError):
            pass
    return _words.number(value)


def _range(low: str, high: str) -> str:
    """Return the name of one bin; an empty bound is open."""
    if not low:
        return f"below {high}"
    return f"{low} to {high}" if high else f"above {low}"


def _table(
    labels: Sequence[str], reference: Sequence[float], candidate: Sequence[float]
) -> tuple[tuple[str, ...], ...]:
    """Return the cells of a chart with two sides."""
    sides = zip(labels, reference, candidate, strict=True)
    return tuple(
        (label, _words.percent(before), _words.percent(after)) for label, before, after in sides
    )


def _largest_change(
    labels: Sequence[str], reference: Sequence[float], candidate: Sequence[float]
) -> str:
    """Return the largest change of a share as a sentence."""
    label, before, after = max(
        zip(labels, reference, candidate, strict=True), key=lambda side: abs(side[2] - side[1])
    )
    return (
        f"The largest change is at {label}: {_words.percent(before)} of the reference, "
        f"{_words.percent(after)} of the candidate."
    )


def _outline(shares: Sequence[float], peak: float, *, closed: bool) -> str:
    """Return the SVG path along the top of the bins, down to the base when closed."""
    breadth = WIDTH / len(shares)
    steps = [
        f"V{_BASE - (_BASE - _TOP) * share / peak:.1f}H{breadth * (place + 1):.1f}"
        for place, share in enumerate(shares)
    ]
    path = f"M0 {_BASE}{''.join(steps)}"
    return f"{path}V{_BASE}Z" if closed else f"{path}V{_BASE}"


def _ticks(bounds: Sequence[str]) -> tuple[tuple[float, str, str], ...]:
    """Return up to five labels spread below the bins; open ends have none."""
    last = len(bounds) - 1
    places = sorted({round(last * part / 4) for part in range(5)})
    if not bounds[0]:
        places = sorted({max(1, min(place, last - 1)) for place in places})
    return tuple(
        (
            round(WIDTH * place / last, 1),
            "start" if place == 0 else "end" if place == last else "middle",
            bounds[place],
        )
        for place in places
    )
