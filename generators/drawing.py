"""A circuit and its training as one SVG, read from Cirq's JSON without Cirq."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STEP, WIRE, BOX, EDGE = 34, 30, 24, 56
"""Distances: columns, wires, the side of a gate's box, the margin on the left."""

MOST_COLUMNS = 400
CURVE_WIDTH, CURVE_HEIGHT = 520, 110

CONTROLLED = {"CZPowGate": ("", ""), "CXPowGate": ("", "X"), "ZZPowGate": ("ZZ", "ZZ")}
"""What is drawn at both ends of a gate on two qubits; nothing is a dot."""

STYLE = """
svg { color-scheme: light dark; background: #fff; font: 12px system-ui, sans-serif }
.wire, .link { stroke: #1c2127 } .box { fill: #f6f7f9; stroke: #1c2127 }
.dot { fill: #1c2127 } text { fill: #1c2127 } .soft { fill: #59626d }
.curve { fill: none; stroke: #0b60c4; stroke-width: 2 } .axis { fill: none; stroke: #b4bdc8 }
@media (prefers-color-scheme: dark) {
svg { background: #14171b } .wire, .link { stroke: #e8ebef }
.box { fill: #1b1f25; stroke: #e8ebef } .dot { fill: #e8ebef } text { fill: #e8ebef }
.soft { fill: #a3adb8 } .curve { stroke: #72b1ff } .axis { stroke: #5d6874 } }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate.

    Attributes:
        name: What Cirq calls it.
        qubits: Its wires, counted from 0.
        angle: The name of its angle, if it has one.

    """

    name: str
    qubits: tuple[int, ...]
    angle: str


def circuits_of(core: Any) -> dict[str, str]:
    """Return the circuits that a core holds, in Cirq's JSON, by their names."""
    if not hasattr(core, "arrays"):
        return {}
    arrays = core.arrays()
    names = ("circuit", "encoder", "decoder")
    return {
        name: arrays[name].tobytes().decode()
        for name in names
        if name in arrays and arrays[name].dtype == np.uint8 and len(arrays[name])
    }


def svg(title: str, circuits: Mapping[str, str], losses: Mapping[str, Sequence[float]]) -> str:
    """Return circuits and curves below each other.

    Args:
        title: What they belong to.
        circuits: In Cirq's JSON, by name.
        losses: The course of each loss, by name.

    """
    parts: list[str] = []
    top, width = 40, CURVE_WIDTH + EDGE + 20
    for name, circuit in circuits.items():
        columns, wires = laid_out(circuit)
        parts.append(f'<text x="8" y="{top}">{html.escape(name)}</text>')
        parts.extend(_drawn(columns[:MOST_COLUMNS], wires, top + 14))
        if len(columns) > MOST_COLUMNS:
            words = f"{len(columns) - MOST_COLUMNS} more columns are not drawn"
            parts.append(f'<text class="soft" x="80" y="{top}">{words}</text>')
        width = max(width, EDGE + STEP * (min(len(columns), MOST_COLUMNS) + 1))
        top += WIRE * len(wires) + 44
    for name, values in losses.items():
        parts.extend(_curve(name, values, top))
        top += CURVE_HEIGHT + 44
    head = html.escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" '
        f'height="{top}" role="img"><title>{head}</title><style>{STYLE}</style>'
        f'<text x="8" y="18">{head}</text>{"".join(parts)}</svg>\n'
    )


def laid_out(circuit: str) -> tuple[list[list[Gate]], list[str]]:
    """Return the columns of a circuit and the names of its wires.

    Gates of one moment whose lines would cross are drawn in columns of their own.
    """
    moments = json.loads(circuit)["moments"]
    found = [list(moment.get("operations", ())) for moment in moments]
    named = sorted({_wire(qubit) for ops in found for op in ops for qubit in op["qubits"]})
    places = {wire: place for place, wire in enumerate(named)}
    columns: list[list[Gate]] = []
    for ops in found:
        gates = [_gate(op, places) for op in ops]
        columns.extend(_uncrossed(gates))
    return columns, [name for _, name in named]


def _wire(qubit: Mapping[str, Any]) -> tuple[tuple[int, ...], str]:
    """Return the order and the name of a qubit: of a line, of a grid, or named."""
    numbers = tuple(int(qubit[key]) for key in ("row", "col", "x") if key in qubit)
    return numbers, str(qubit.get("name", ", ".join(map(str, numbers))))


def _gate(operation: Mapping[str, Any], places: Mapping[Any, int]) -> Gate:
    own = operation.get("gate", {})
    angle = own.get("rads", own.get("exponent", ""))
    symbol = angle.get("name", "") if isinstance(angle, dict) else ""
    qubits = tuple(places[_wire(qubit)] for qubit in operation["qubits"])
    return Gate(name=str(own.get("cirq_type", "?")), qubits=qubits, angle=symbol)


def _uncrossed(gates: list[Gate]) -> list[list[Gate]]:
    """Return gates in as few columns as keep their lines apart, first come, first placed."""
    columns: list[list[Gate]] = []
    for gate in gates:
        low, high = min(gate.qubits), max(gate.qubits)
        for column in columns:
            if all(max(o.qubits) < low or min(o.qubits) > high for o in column):
                column.append(gate)
                break
        else:
            columns.append([gate])
    return columns


def _drawn(columns: list[list[Gate]], wires: list[str], top: int) -> Iterator[str]:
    right = EDGE + STEP * len(columns)
    for place, name in enumerate(wires):
        y = top + WIRE * place + WIRE // 2
        yield f'<text class="soft" x="8" y="{y + 4}">{html.escape(name)}</text>'
        yield f'<line class="wire" x1="{EDGE - 20}" x2="{right}" y1="{y}" y2="{y}"/>'
    for number, column in enumerate(columns):
        x = EDGE + STEP * number + STEP // 2 - 10
        for gate in column:
            yield from _symbol(gate, x, [top + WIRE * q + WIRE // 2 for q in gate.qubits])


def _symbol(gate: Gate, x: int, ys: list[int]) -> Iterator[str]:
    """Draw one gate; its name and angle are told where a pointer rests on it."""
    words = html.escape(f"{gate.name} {gate.angle}".strip())
    yield f"<g><title>{words}</title>"
    if len(ys) > 1:
        yield f'<line class="link" x1="{x}" x2="{x}" y1="{min(ys)}" y2="{max(ys)}"/>'
    short = gate.name.removesuffix("PowGate").upper()[:3]
    ends = CONTROLLED.get(gate.name, (short,) * len(ys)) if len(ys) > 1 else (short,)
    for end, y in zip(ends, ys, strict=True):
        if not end:
            yield f'<circle class="dot" cx="{x}" cy="{y}" r="4"/>'
            continue
        side, half = BOX, BOX // 2
        yield f'<rect class="box" x="{x - half}" y="{y - half}" width="{side}" height="{side}"/>'
        yield f'<text x="{x}" y="{y + 4}" text-anchor="middle">{html.escape(end)}</text>'
    yield "</g>"


def _curve(name: str, values: Sequence[float], top: int) -> Iterator[str]:
    """Draw the course of one loss with its first, last and extreme values."""
    course = np.asarray(values, float)
    course = course[np.isfinite(course)]
    if len(course) < 2:
        return
    low, high = float(course.min()), float(course.max())
    x = EDGE + np.linspace(0, CURVE_WIDTH, len(course))
    y = top + 10 + CURVE_HEIGHT * (1 - (course - low) / ((high - low) or 1.0))
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    label = f"{name}: {course[0]:.4g} to {course[-1]:.4g}"
    yield f'<text x="8" y="{top}">{html.escape(label)}</text>'
    bottom = top + 10 + CURVE_HEIGHT
    yield f'<path class="axis" d="M{EDGE} {top + 10}V{bottom}H{EDGE + CURVE_WIDTH}"/>'
    yield f'<text class="soft" x="8" y="{top + 18}">{high:.2g}</text>'
    yield f'<text class="soft" x="8" y="{bottom}">{low:.2g}</text>'
    yield f'<polyline class="curve" points="{points}"/>'
