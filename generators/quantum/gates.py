"""Gates of Cirq as the two that the fast engine knows, up to a phase that no probability sees.

A piece is a turn exp(-i angle Y / 2) of one qubit, a word exp(-i angle W / 2) with W being Z on one
qubit or a product of Zs, or a flip, the sign that CZ gives. RX is a turn between two fixed words,
CNOT a flip between two fixed turns; products of Xs or Ys are words between turns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cirq
import numpy as np
import sympy

from generators.quantum.errors import UnsupportedGateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Linear = dict[str, float]  # the symbols' factors; "" is the constant
Piece = tuple[str, tuple[int, ...], Linear]  # "turn", "word" or "flip", its qubits, its angle

QUARTER = np.pi / 2


def pieces(operation: cirq.Operation, places: Mapping[Any, int]) -> Iterator[Piece]:
    """Yield what an operation does, piece by piece.

    Raises:
        UnsupportedGateError: The gate is neither known nor made of known ones, or an exponent is
            no sum of numbers times symbols.

    """
    qubits = tuple(places[qubit] for qubit in operation.qubits)
    gate = operation.gate
    for kind, rule in _RULES.items():
        if isinstance(gate, kind):
            yield from rule(qubits, gate)
            return
    parts = cirq.decompose_once(operation, None)
    if parts is None or cirq.is_measurement(operation):
        raise UnsupportedGateError(
            f"the fast engine cannot run {operation}.",
            hint='Write it with simpler gates, or use engine="tfq" or engine="cirq".',
        )
    for part in parts:
        yield from pieces(part, places)


def linear(value: Any, factor: float) -> Linear:
    """Return factor x value as the factors of its symbols."""
    if not isinstance(value, sympy.Expr):
        return {"": factor * float(value)}
    if len(value.free_symbols) == 1 and (value.is_Symbol or value.is_Mul):
        # The usual case by itself: sympy takes milliseconds for the general one.
        numbers = [part for part in sympy.Mul.make_args(value) if part.is_number]
        if len(numbers) + 1 == len(sympy.Mul.make_args(value)):
            rest = next(part for part in sympy.Mul.make_args(value) if not part.is_number)
            if rest.is_Symbol:
                return {str(rest): factor * float(sympy.Mul(*numbers))}
    symbols = sorted(value.free_symbols, key=str)
    parts = {str(symbol): sympy.expand(value).coeff(symbol) for symbol in symbols}
    parts[""] = value.subs(dict.fromkeys(symbols, 0))
    rest = value - sum(parts[str(symbol)] * symbol for symbol in symbols) - parts[""]
    if sympy.expand(rest) != 0 or not all(part.is_number for part in parts.values()):
        raise UnsupportedGateError(f"the exponent {value} is no sum of numbers times symbols.")
    return {name: factor * float(part) for name, part in parts.items()}


def _x(qubits: tuple[int, ...], gate: Any, *, along: float = QUARTER) -> Iterator[Piece]:
    yield "word", qubits, {"": along}
    yield "turn", qubits, linear(gate.exponent, np.pi)
    yield "word", qubits, {"": -along}


def _y(qubits: tuple[int, ...], gate: Any) -> Iterator[Piece]:
    yield "turn", qubits, linear(gate.exponent, np.pi)


def _z(qubits: tuple[int, ...], gate: Any) -> Iterator[Piece]:
    yield "word", qubits, linear(gate.exponent, np.pi)


def _h(qubits: tuple[int, ...], gate: Any) -> Iterator[Piece]:
    if gate.exponent == 1:
        yield "word", qubits, {"": np.pi}
        yield "turn", qubits, {"": QUARTER}
        return
    yield "turn", qubits, {"": -QUARTER / 2}
    yield "word", qubits, linear(gate.exponent, np.pi)
    yield "turn", qubits, {"": QUARTER / 2}


def _cz(qubits: tuple[int, ...], gate: Any) -> Iterator[Piece]:
    pair = tuple(sorted(qubits))
    if not cirq.is_parameterized(gate) and gate.exponent % 2 == 1:
        yield "flip", pair, {}
        return
    for k in pair:
        yield "word", (k,), linear(gate.exponent, QUARTER)
    yield "word", pair, linear(gate.exponent, -QUARTER)


def _cx(qubits: tuple[int, ...], gate: Any) -> Iterator[Piece]:
    yield "turn", qubits[1:], {"": -QUARTER}
    yield from _cz(qubits, gate)
    yield "turn", qubits[1:], {"": QUARTER}


def _zz(qubits: tuple[int, ...], gate: Any, *, share: float = 1.0) -> Iterator[Piece]:
    yield "word", tuple(sorted(qubits)), linear(gate.exponent, np.pi * share)


def _xx(qubits: tuple[int, ...], gate: Any, *, share: float = 1.0) -> Iterator[Piece]:
    for k in qubits:
        yield "turn", (k,), {"": -QUARTER}
    yield from _zz(qubits, gate, share=share)
    for k in qubits:
        yield "turn", (k,), {"": QUARTER}


def _yy(qubits: tuple[int, ...], gate: Any, *, share: float = 1.0) -> Iterator[Piece]:
    for k in qubits:
        yield "word", (k,), {"": -QUARTER}
    yield from _xx(qubits, gate, share=share)
    for k in qubits:
        yield "word", (k,), {"": QUARTER}


def _iswap(qubits: tuple[int, ...], gate: Any) -> Iterator[Piece]:
    yield from _xx(qubits, gate, share=-0.5)
    yield from _yy(qubits, gate, share=-0.5)


def _swap(qubits: tuple[int, ...], gate: Any) -> Iterator[Piece]:
    for rule in (_xx, _yy, _zz):
        yield from rule(qubits, gate, share=0.5)


def _nothing(*_: Any) -> Iterator[Piece]:
    yield from ()


_RULES: dict[type, Any] = {
    cirq.XPowGate: _x,
    cirq.YPowGate: _y,
    cirq.ZPowGate: _z,
    cirq.HPowGate: _h,
    cirq.CZPowGate: _cz,
    cirq.CXPowGate: _cx,
    cirq.XXPowGate: _xx,
    cirq.YYPowGate: _yy,
    cirq.ZZPowGate: _zz,
    cirq.ISwapPowGate: _iswap,
    cirq.SwapPowGate: _swap,
    cirq.IdentityGate: _nothing,
    cirq.GlobalPhaseGate: _nothing,
}
