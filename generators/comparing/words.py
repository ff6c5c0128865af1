"""A comparison in words and cells, for the terminal and the page alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from generators.comparing.contest import COPULA, REAL, Part

if TYPE_CHECKING:
    from generators.comparing.apart import Area
    from generators.comparing.contest import Contest, Cost, Fidelity, Row

NONE = "-"

LIMIT = 240
"""Characters of a reason or a note that are shown."""

MORE_COPIES = 0.01
"""Copies beyond those of the real half that are told of."""

FIDELITY = ("AUC", "95 %", "forest", "boosted")
KEPT = ("levels", "95 %", "modes", "95 %", "tails", "95 %", "copies", "95 %")
COST = ("fit CPU s", "rows/s", "qubits", "gates", "parameters", "engine", "stopped by")

LEGEND = (
    ("AUC", "how often trees rank a drawn row above an unseen real one: 0.5 is perfect, 1 always"),
    ("95 %", "interval of the mean of both classifiers, for these rows and fits (DeLong)"),
    ("forest, boosted", "a random forest and gradient-boosted trees, each alone, out of fold"),
    ("levels", "levels, and eighths of ordered columns, that drawn rows reach"),
    ("modes", "clusters of the unseen rows (k-means on ranks) that drawn rows reach"),
    ("tails", "rows beyond the 5 % and 95 % quantiles; 1 is as many as the unseen rows have"),
    ("95 % of levels, modes", "those surely reached to those perhaps reached, chance considered"),
    ("copies", "drawn rows that equal a training row; for the real half, unseen rows that do"),
    ("fit CPU s", "processor time of the fit, without loading and compiling"),
    ("rows/s", "rows drawn in one second of processor time"),
)


def summary(contest: Contest) -> str:
    """Return what was compared, in one sentence."""
    kept = f" The groups of `{contest.group}` stay whole." if contest.group else ""
    return (
        f"{contest.data}: fitted to {contest.trained_on:,} rows, held against "
        f"{contest.unseen:,} unseen ones; {contest.drawn:,} rows drawn, "
        f"{contest.columns:,} columns, seed {contest.seed}.{kept}"
    )


def fidelity(found: Fidelity | None) -> list[str]:
    """Return the cells of how real rows are."""
    if found is None:
        return [NONE] * len(FIDELITY)
    mean = found.areas.mean
    return [
        f"{mean.value:.2f}",
        interval(mean),
        f"{found.areas.forest.value:.2f}",
        f"{found.areas.boosted.value:.2f}",
    ]


def kept(found: Fidelity | None) -> list[str]:
    """Return the cells of what drawn rows keep, each with its interval."""
    if found is None:
        return [NONE] * len(KEPT)
    ends = found.intervals
    return [
        share(found.levels),
        _percent(ends["levels"]),
        share(found.modes),
        _percent(ends["modes"]),
        f"{found.tails:.2f}",
        "-".join(f"{end:.2f}".removeprefix("0") for end in ends["tails"]),
        share(found.copies, digits=1),
        _percent(ends["copies"], digits=1),
    ]


def _percent(ends: tuple[float, float], *, digits: int = 0) -> str:
    """Return an interval of a share in percent, `92-100`; of a single point, that point."""
    shown = (f"{100 * end:.{digits}f}" if end < 1 else "100" for end in ends)
    return "-".join(dict.fromkeys(shown))


def cost(found: Cost | None) -> list[str]:
    """Return the cells of what it costs."""
    if found is None:
        return [NONE] * len(COST)
    sizes = [found.qubits, found.gates, found.parameters]
    return [
        f"{found.fit_cpu_seconds:,.2f}",
        f"{found.rows_per_second:,.0f}",
        *(NONE if size is None else f"{size:,}" for size in sizes),
        found.engine or NONE,
        found.stop.replace("_", " ") or NONE,
    ]


def interval(area: Area) -> str:
    """Return an interval without the zeros that every reader knows: `.57-.67`."""
    low, high = (f"{end:.2f}".removeprefix("0") for end in area.interval)
    return f"{low}-{high}"


def share(value: float, *, digits: int = 0) -> str:
    """Return a share in percent; what is not all is never rounded to all, nor some to none."""
    smallest = 10.0 ** -(digits + 2)
    if 0 < value < smallest / 2:
        return f"<{smallest:.{digits}%}"
    if value < 1 <= round(value, digits + 2):
        return f">{1 - smallest:.{digits}%}"
    return f"{value:.{digits}%}"


def readings(contest: Contest) -> list[str]:
    """Return what each recipe asked for gains over its untrained circuit and the copula."""
    found = []
    for row in contest.rows:
        if row.entry.part is not Part.ASKED or row.fidelity is None:
            continue
        said = [
            _against(row, other, words)
            for other, words in (
                (_untrained(contest, row), "its untrained circuit"),
                (contest.named(COPULA), f"{COPULA}"),
            )
            if other is not None and other.fidelity is not None
        ]
        said.extend(_copied(contest, row))
        if said:
            found.append(f"{row.entry.label}: {'; '.join(said)}.")
    return found


def _copied(contest: Contest, row: Row) -> list[str]:
    """Return a warning where more rows are copies than real rows would be."""
    floor = contest.named(REAL)
    if row.fidelity is None or floor is None or floor.fidelity is None:
        return []
    if row.fidelity.copies <= floor.fidelity.copies + MORE_COPIES:
        return []
    return [f"{share(row.fidelity.copies, digits=1)} of its rows copy a training row"]


def _untrained(contest: Contest, row: Row) -> Row | None:
    return next((one for one in contest.rows if one.entry.of == row.entry.label), None)


def _against(row: Row, other: Row, words: str) -> str:
    """Return how two areas differ; a difference within both intervals' noise is called that."""
    areas = [one.fidelity.areas.mean for one in (row, other) if one.fidelity is not None]
    gain = areas[1].value - areas[0].value
    halves = [(area.interval[1] - area.interval[0]) / 2 for area in areas]
    if abs(gain) < math.hypot(*halves):
        return f"no difference from {words} that these rows can show"
    return f"AUC {abs(gain):.2f} {'better' if gain > 0 else 'worse'} than {words}"


def remarks(contest: Contest) -> list[tuple[str, str]]:
    """Return why rows have no figures, what they lost, and what their fits noted."""
    found = []
    for row in contest.rows:
        if row.reason:
            found.append((row.entry.label, f"failed: {short(row.reason)}"))
        if row.fidelity is not None and row.fidelity.lost:
            listed = ", ".join(row.fidelity.lost[:4])
            found.append((row.entry.label, short(f"levels or regions lost in {listed}")))
        if row.entry.part is not Part.UNTRAINED:
            found.extend((row.entry.label, short(note)) for note in row.notes)
    return found


def short(text: str) -> str:
    """Return one line of printable text, not too long."""
    plain = "".join(mark if mark.isprintable() else " " for mark in text[: LIMIT + 1])
    line = " ".join(plain.split())
    return line if len(plain) <= LIMIT else f"{line[:LIMIT]}…"
