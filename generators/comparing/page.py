"""A comparison as one HTML page: no script, no network, light and dark, ready to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.comparing import words

if TYPE_CHECKING:
    from jinja2 import Environment

    from generators.comparing.apart import Area
    from generators.comparing.contest import Contest, Row

LEFT, BREADTH, LINE = 170.0, 430.0, 26.0
"""Of the figure, in its own units: where its axis begins, how long it is, lines apart."""

LOWEST, HIGHEST = 0.4, 1.0
TICKS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One line of the figure: a name, a dot, its interval, a tick for each classifier."""

    label: str
    part: str
    y: float
    dot: float | None = None
    low: float = 0.0
    high: float = 0.0
    forest: float = 0.0
    boosted: float = 0.0
    said: str = ""


def render(contest: Contest) -> str:
    """Return the comparison as one self-contained HTML document."""
    marks = [_mark(row, place) for place, row in enumerate(contest.rows)]
    template = _environment().get_template("compare.html")
    return template.render(
        contest=contest,
        title=words.short(contest.data),
        summary=words.short(words.summary(contest)),
        readings=[words.short(line) for line in words.readings(contest)],
        remarks=words.remarks(contest),
        fidelity_heads=[*words.FIDELITY, *words.KEPT[::2]],
        cost_heads=words.COST,
        rows=[_cells(row) for row in contest.rows],
        marks=marks,
        ticks=[(round(_x(tick), 1), f"{tick:.1f}") for tick in TICKS],
        half=round(_x(0.5), 1),
        bottom=LINE * len(marks) + 8.0,
        legend=words.LEGEND,
        options=_options(contest),
    )


def _environment() -> Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("generators.comparing"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )


def _cells(row: Row) -> dict[str, object]:
    return {
        "label": words.short(row.entry.label),
        "part": row.entry.part.value,
        "fidelity": [*words.fidelity(row.fidelity), *_kept(row)],
        "cost": words.cost(row.cost),
        "reason": words.short(row.reason),
    }


def _kept(row: Row) -> list[str]:
    """Return what is kept, each figure with its interval in one cell."""
    cells = words.kept(row.fidelity)
    if row.fidelity is None:
        return cells[::2]
    return [f"{value} ({ends})" for value, ends in zip(cells[::2], cells[1::2], strict=True)]


def _options(contest: Contest) -> list[tuple[str, str]]:
    """Return the options that were given, for each row that has any."""
    return [
        (
            words.short(row.entry.label),
            words.short(", ".join(f"{name}={value}" for name, value in row.entry.options.items())),
        )
        for row in contest.rows
        if row.entry.options
    ]


def _mark(row: Row, place: int) -> Mark:
    label, part = words.short(row.entry.label)[:26], row.entry.part.value
    y = LINE * place + LINE / 2
    if row.fidelity is None:
        return Mark(label=label, part=part, y=y)
    areas = row.fidelity.areas
    low, high = areas.mean.interval
    return Mark(
        label=label,
        part=part,
        y=y,
        dot=round(_x(areas.mean.value), 1),
        low=round(_x(low), 1),
        high=round(_x(high), 1),
        forest=round(_x(areas.forest.value), 1),
        boosted=round(_x(areas.boosted.value), 1),
        said=_said(areas.mean),
    )


def _said(area: Area) -> str:
    return f"{area.value:.3f}, 95 % interval {area.interval[0]:.3f} to {area.interval[1]:.3f}"


def _x(value: float) -> float:
    """Return where an area lies on the axis; what lies outside is drawn at its end."""
    inside = min(max(value, LOWEST), HIGHEST)
    return LEFT + BREADTH * (inside - LOWEST) / (HIGHEST - LOWEST)
