"""An audit's own part of a report: sentences, and the shapes of its charts.

The data are plain and may come from a file that anyone edited: what does not fit is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detector.findings import Reason
from detector.formats import _words
from detector.formats._escape import visible
from detector.verdicts import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detector.report import Report

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BASE = 52, 628, 14, 206
FRAME = 96
HUGE = 1e12
MOST_LOST = 8
MOST_CHAINS = 60

MEANING = {
    Decision.ADMIT: "No more is lost than in healthy loops.",
    Decision.REJECT: "This does not stay what it was.",
    Decision.UNDECIDED: "Whether this collapses cannot be told yet.",
    Decision.CAP: _words.DECISIONS[Decision.CAP],
    Decision.QUARANTINE: _words.DECISIONS[Decision.QUARANTINE],
}

DEFINITIONS = (
    ("Population risk rises", ("risk",), "distance to real rows"),
    ("Risk diverges", ("risk_slope",), "slope of it per generation"),
    ("The scaling law changes", ("scaling_exponent",), "exponent of risk in rows"),
    (
        "Variance or diversity is lost",
        ("log_det", "entropy", "effective_rows"),
        "log determinant, entropy of levels, effective rows",
    ),
    ("Modes are lost", ("coverage", "levels_kept"), "real rows reached, levels left"),
    ("Tails are lost", ("tail_mass", "rare_kept"), "mass beyond the 1 % ends, rare levels left"),
    ("Hallucinated mass appears", ("hallucinated",), "rows far from any real one"),
    ("Correlations are lost", ("correlation_kept",), "strength against the real rows"),
)
"""The eight definitions of collapse, with the measures behind them, as one table."""


DRAWN = ("risk", "coverage", "tail_mass", "correlation_kept", "levels_kept", "entropy")
"""Single measures with a chart of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """One line chart.

    Attributes:
        title: What is drawn.
        summary: What the eye should notice.
        lines: SVG paths of single chains.
        main: The path of their mean, or of the middle.
        area: The closed path of a band; empty for none.
        rule: The height of a line across, or None.
        mark: The place of an upright line across, or None.
        ticks: Labels below: place, anchor, text.
        levels: Labels at the side: height, text.
        header, rows: The same as a table.

    """

    title: str
    summary: str
    lines: tuple[str, ...]
    main: str
    area: str
    rule: float | None
    mark: float | None
    ticks: tuple[tuple[float, str, str], ...]
    levels: tuple[tuple[float, str], ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of a filmstrip: the generation and its points as an SVG path."""

    generation: int
    path: str


def sentences(report: Report) -> list[str]:
    """Return what an audit found, in whole sentences; nothing for a gate."""
    audit = report.audit
    if audit is None:
        return []
    said = [_alarm(audit), _forecast(audit), _first(audit), _real_share(audit)]
    return [one for one in said + _lineage(audit) if one]


def sure(report: Report) -> str:
    """Return how far an audit's decision can be trusted."""
    alarm = _map(_map(report.audit).get("alarm"))
    p_value, level = _number(alarm.get("p_value")), _number(alarm.get("level"))
    if p_value is None or level is None:
        return ""
    if report.decision is Decision.REJECT:
        return (
            "Of loops that keep enough real rows, about "
            f"{_words.percent(max(p_value, 0.001))} or fewer come as far out at any time; "
            f"alarms are raised in at most {_words.percent(level)} of them."
        )
    power = _number(alarm.get("power"))
    if power is None:
        return ""
    if any(verdict.gap is Reason.NOT_IDENTIFIABLE for verdict in report.verdicts):
        return "That no alarm was raised says nothing of this loop."
    return (
        "A loop that learns from itself alone would have raised the alarm in "
        f"{_words.percent(power)} of such audits."
    )


def definitions(report: Report) -> list[tuple[str, str, list[tuple[str, str, str, str]]]]:
    """Return each definition of collapse with its measures: name, first, last, null band."""
    means = _means(_map(report.audit))
    bands = _map(_map(report.audit).get("bands"))
    found = []
    for title, names, note in DEFINITIONS:
        rows = []
        for name in names:
            path = means.get(name)
            if path:
                low, high = (_numbers(bands.get(name)) or [math.nan, math.nan])[:2]
                band = "" if math.isnan(low) else f"{_words.number(low)} to {_words.number(high)}"
                first, last = _words.number(path[0][1]), _words.number(path[-1][1])
                rows.append((_words.measurement(name), first, last, band))
        found.append((title, note, rows))
    return found


def charts(report: Report) -> list[Lines]:
    """Return the charts of an audit: the path in its band, the fan, and single measures."""
    audit = report.audit
    if audit is None:
        return []
    drawn = [_path(audit), _fan(audit)]
    means = _means(audit)
    drawn += [_measure(audit, name) for name in DRAWN if name in means]
    return [one for one in drawn if one is not None]


def film(report: Report) -> list[Frame]:
    """Return the filmstrip, at most seven pictures."""
    frames = _map(_map(report.audit).get("film")).get("frames")
    found = []
    for frame in frames[:7] if isinstance(frames, list | tuple) else []:
        plain = _map(frame)
        number, points = plain.get("generation"), plain.get("points")
        if not isinstance(number, int) or not isinstance(points, list | tuple):
            continue
        pairs = [_numbers(point) for point in points[:400]]
        dots = [
            f"M{x * FRAME / 1000:.1f} {FRAME - y * FRAME / 1000:.1f}h0"
            for x, y in (pair for pair in pairs if len(pair) == 2)
        ]
        found.append(Frame(generation=number, path="".join(dots)))
    return found


def lost(report: Report) -> list[tuple[str, str, str]]:
    """Return what disappeared first: generation, name, what it was."""
    kinds = {"column": "half of its variance", "level": "the level", "pair": "half of the tie"}
    found = []
    entries = _map(report.audit).get("lost")
    for entry in entries[:MOST_LOST] if isinstance(entries, list | tuple) else []:
        plain = _map(entry)
        if isinstance(plain.get("generation"), int) and plain.get("what") in kinds:
            number, name = plain["generation"], visible(plain.get("name", ""))
            found.append((f"{number:,}", name, kinds[str(plain["what"])]))
    return found


def _alarm(audit: Mapping[str, Any]) -> str:
    alarm = _map(audit.get("alarm"))
    path = _numbers(audit.get("path"))
    if not alarm or not path:
        return ""
    at = alarm.get("generation")
    if isinstance(at, int):
        grown = alarm.get("direction") == "grown"
        what = (
            "More spread than healthy loops have" if grown else "More is lost than in healthy loops"
        )
        return f"{what} from generation {at:,} of {len(path) - 1:,} on."
    if alarm.get("tells"):
        return f"No alarm in {len(path) - 1:,} generations."
    made, needed = alarm.get("made"), alarm.get("needed")
    if isinstance(made, int) and isinstance(needed, int):
        return (
            "Silence means nothing here: "
            f"{made:,} replicates x generations of {max(needed, made + 1):,} needed."
        )
    return ""


def _forecast(audit: Mapping[str, Any]) -> str:
    told = _map(audit.get("forecast"))
    interval, ratio = told.get("interval"), _number(told.get("threshold"))
    if not isinstance(interval, list | tuple) or len(interval) != 2 or ratio is None:
        return ""
    because = told.get("because")
    if because:
        return f"No forecast: {visible(because, limit=300)}."
    low, high = interval
    what = (
        f"{_words.percent(1 - ratio)} of the variance will be gone"
        if ratio < 1
        else f"the variance will have grown {_words.number(ratio)} times"
    )
    if high is None:
        return f"With 90 % probability {what} after generation {low:,}, or never."
    return f"With 90 % probability {what} between generations {low:,} and {high:,}."


def _first(audit: Mapping[str, Any]) -> str:
    entries = audit.get("lost")
    named = [_map(one) for one in entries[:3]] if isinstance(entries, list | tuple) else []
    said = [
        f"`{visible(one.get('name', ''))}` ({one['generation']:,})"
        for one in named
        if isinstance(one.get("generation"), int)
    ]
    return f"First to go, with their generation: {', '.join(said)}." if said else ""


def _real_share(audit: Mapping[str, Any]) -> str:
    return visible(_map(audit.get("real_share")).get("sentence", ""), limit=400)


def _lineage(audit: Mapping[str, Any]) -> list[str]:
    said = _map(audit.get("lineage")).get("sentences", [])
    return [visible(one, limit=400) for one in said] if isinstance(said, list | tuple) else []


def _path(audit: Mapping[str, Any]) -> Lines | None:
    """Draw the change of spread of each chain, their mean, and the band of healthy loops."""
    path, band = _numbers(audit.get("path")), _map(audit.get("band"))
    chains = _chains(audit, "training_log_det")
    if len(path) < 2:
        return None
    low, high = _numbers(band.get("low")), _numbers(band.get("high"))
    held = len(low) == len(high) == len(path)
    changes = [[(g, v - chain[0][1]) for g, v in chain] for chain in chains]
    values = path + (low + high if held else []) + [v for chain in changes for _, v in chain]
    scale = _Scale(0, len(path) - 1, min(values), max(values))
    mean = list(enumerate(path))
    at = _map(audit.get("alarm")).get("generation")
    area = scale.area(list(enumerate(low)), list(enumerate(high))) if held else ""
    end = f"After {len(path) - 1:,} generations it is {_words.number(path[-1])}"
    summary = f"{end}."
    if held:
        ends = f"{_words.number(low[-1])} and {_words.number(high[-1])}"
        summary = f"{end}; healthy loops stay between {ends}."
    cells = [
        (
            f"{g:,}",
            _words.number(v),
            *((_words.number(low[g]), _words.number(high[g])) if held else ("", "")),
        )
        for g, v in mean
    ]
    return Lines(
        title="Change of the log determinant, with the band of healthy loops",
        summary=summary,
        lines=tuple(scale.line(chain) for chain in changes[:MOST_CHAINS]),
        main=scale.line(mean),
        area=area,
        rule=scale.y(0.0),
        mark=scale.x(at) if isinstance(at, int) else None,
        ticks=scale.ticks,
        levels=scale.levels,
        header=("Generation", "Mean of chains", "Band from", "to"),
        rows=tuple(cells),
    )


def _fan(audit: Mapping[str, Any]) -> Lines | None:
    """Draw how a chain would go on, with the threshold."""
    told = _map(audit.get("forecast"))
    fan, ratio = told.get("fan"), _number(told.get("threshold"))
    rows = [_numbers(row) for row in fan] if isinstance(fan, list | tuple) else []
    rows = [row for row in rows if len(row) == 4]
    if told.get("abstains") or len(rows) < 2 or ratio is None or ratio <= 0:
        return None
    limit = math.log(ratio)
    values = [value for row in rows for value in row[1:]] + [limit]
    scale = _Scale(0, rows[-1][0], min(values), max(values))
    low, middle, high = ([(row[0], row[place]) for row in rows] for place in (1, 2, 3))
    return Lines(
        title="How a chain would go on: log variance ratio, 90 % of chains, and the threshold",
        summary=_forecast(audit),
        lines=(),
        main=scale.line(middle),
        area=scale.area(low, high),
        rule=scale.y(limit),
        mark=None,
        ticks=scale.ticks,
        levels=scale.levels,
        header=("Generation", "Low", "Middle", "High"),
        rows=tuple(
            (f"{row[0]:,.0f}", *(_words.number(math.exp(min(v, 300))) for v in row[1:]))
            for row in rows
        ),
    )


def _measure(audit: Mapping[str, Any], name: str) -> Lines | None:
    """Draw one measure of each chain, with the band of healthy rounds."""
    chains = _chains(audit, name)
    mean = _means(audit).get(name, [])
    if len(mean) < 2:
        return None
    band = _numbers(_map(audit.get("bands")).get(name))
    values = [v for chain in chains for _, v in chain] + band
    scale = _Scale(0, max(g for g, _ in mean), min(values), max(values))
    ends = [0.0, float(scale.last)]
    area = ""
    if len(band) == 2:
        area = scale.area([(e, band[0]) for e in ends], [(e, band[1]) for e in ends])
    title = f"{_words.measurement(name).capitalize()}, with the range of healthy rounds"
    return Lines(
        title=title if area else _words.measurement(name).capitalize(),
        summary=f"It goes from {_words.number(mean[0][1])} to {_words.number(mean[-1][1])}.",
        lines=tuple(scale.line(chain) for chain in chains[:MOST_CHAINS]),
        main=scale.line(mean),
        area=area,
        rule=None,
        mark=None,
        ticks=scale.ticks,
        levels=scale.levels,
        header=("Generation", "Mean of chains"),
        rows=tuple((f"{g:,.0f}", _words.number(v)) for g, v in mean),
    )


class _Scale:
    """From generations and values to places in a drawing."""

    def __init__(self, first: float, last: float, low: float, high: float) -> None:
        pad = 0.06 * (high - low) or max(1e-9, 0.1 * abs(high)) or 1.0
        self.first, self.last = first, max(last, first + 1)
        self._low, self._high = low - pad, high + pad

    def x(self, generation: float) -> float:
        share = (generation - self.first) / (self.last - self.first)
        return round(LEFT + (RIGHT - LEFT) * share, 1)

    def y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return round(BASE - (BASE - TOP) * share, 1)

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        placed = [f"{self.x(g)} {self.y(v)}" for g, v in points]
        return "M" + "L".join(placed) if placed else ""

    def area(self, low: Sequence[tuple[float, float]], high: Sequence[tuple[float, float]]) -> str:
        return f"{self.line([*low, *reversed(high)])}Z"

    @property
    def ticks(self) -> tuple[tuple[float, str, str], ...]:
        step = max(1, round((self.last - self.first) / 5))
        places = range(int(self.first), int(self.last) + 1, step)
        return tuple((self.x(g), "middle", f"{g:,}") for g in places)

    @property
    def levels(self) -> tuple[tuple[float, str], ...]:
        span = self._high - self._low
        step = 10.0 ** math.floor(math.log10(span / 2))
        step *= next(times for times in (1, 2, 5, 10) if span / (step * times) <= 6)
        first = math.ceil(self._low / step)
        count = int((self._high - first * step) / step) + 1
        values = [(first + place) * step for place in range(min(count, 12))]
        return tuple((self.y(value), f"{value:.6g}") for value in values)


def _chains(audit: Mapping[str, Any], name: str) -> list[list[tuple[float, float]]]:
    """Return one measure of each chain: generation and value."""
    table = _map(audit.get("trajectory"))
    columns = [table.get(key) for key in ("replicate", "generation", "measure", "value")]
    if not all(isinstance(column, list | tuple) for column in columns):
        return []
    found: dict[Any, list[tuple[float, float]]] = {}
    for replicate, generation, measure, value in zip(*columns, strict=False):
        number = _number(value)
        if measure == name and isinstance(generation, int) and number is not None:
            found.setdefault(replicate, []).append((generation, number))
    return list(found.values())


def _means(audit: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Return each measure's mean over chains, by generation."""
    table = _map(audit.get("trajectory"))
    columns = [table.get(key) for key in ("generation", "measure", "value")]
    if not all(isinstance(column, list | tuple) for column in columns):
        return {}
    held: dict[str, dict[int, list[float]]] = {}
    for generation, measure, value in zip(*columns, strict=False):
        number = _number(value)
        if isinstance(generation, int) and isinstance(measure, str) and number is not None:
            held.setdefault(measure, {}).setdefault(generation, []).append(number)
    return {
        name: [(g, sum(values) / len(values)) for g, values in sorted(by_generation.items())]
        for name, by_generation in held.items()
    }


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < HUGE else None


def _numbers(values: object) -> list[float]:
    if not isinstance(values, list | tuple):
        return []
    found = [_number(value) for value in values]
    return [v for v in found if v is not None] if None not in found else []
