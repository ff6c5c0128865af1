"""Turn a `cirq.Circuit` into the flat program of the fast engine.

Each piece of a gate (see `gates.py`) is put into the earliest layer where nothing that fails to
commute stands in its way; neighbours on the same qubits become one angle. What the kernels then
see are few, wide layers: turns of many qubits, then the phases of many qubits at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from generators.quantum.gates import pieces
from generators.quantum.observables import z_signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.gates import Linear, Piece

START, TURN, PHASE, FLIP, WORD = range(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A circuit as integers, and its angles as a linear map of the symbols' values.

    Slot s holds the angle offsets[s] + weights[s] @ w + inputs[s] @ x.

    Args:
        qubits: How many.
        planes: 1 where every amplitude is real, otherwise 2.
        ops: Kind, first slot, slot after the last, extra; shape (n, 4). The extra of a phase or a
            flip is where its signs begin, below zero for none; that of a word is its mask.
        targets: The qubit that each slot turns.
        signs: Factors of the basis states, 2^q for each layer with CZs.
        offsets: Shape (s,).
        weights: Shape (s, number of weights).
        inputs: Shape (s, number of inputs).

    """

    qubits: int
    planes: int
    ops: NDArray[np.int64]
    targets: NDArray[np.int64]
    signs: NDArray[np.float64]
    offsets: NDArray[np.float64]
    weights: NDArray[np.float64]
    inputs: NDArray[np.float64]


@dataclass(slots=True)
class _Layer:
    """Angles by qubits, and the pairs that CZs join."""

    angles: dict[tuple[int, ...], Linear] = field(default_factory=dict)
    flips: set[tuple[int, ...]] = field(default_factory=set)

    def add(self, piece: Piece) -> None:
        kind, qubits, angle = piece
        if kind == "flip":
            self.flips ^= {qubits}
            return
        own = self.angles.setdefault(qubits, {})
        for name, factor in angle.items():
            own[name] = own.get(name, 0.0) + factor


@dataclass(slots=True)
class _Emitter:
    """Slots and operations in the making."""

    qubits: int
    ops: list[tuple[int, int, int, int]] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    angles: list[Linear] = field(default_factory=list)
    signs: list[NDArray[np.float64]] = field(default_factory=list)

    def emit(self, kind: int, slots: dict[int, Linear], extra: int = 0) -> None:
        first = len(self.targets)
        self.targets += slots.keys()
        self.angles += slots.values()
        self.ops.append((kind, first, len(self.targets), extra))

    def start(self, layer: _Layer) -> None:
        self.emit(START, {k: layer.angles.get((k,), {}) for k in range(self.qubits)})

    def turns(self, layer: _Layer) -> None:
        turned = {qubits[0]: angle for qubits, angle in sorted(layer.angles.items())}
        if moving := {k: angle for k, angle in turned.items() if any(angle.values())}:
            self.emit(TURN, moving)

    def phases(self, layer: _Layer) -> None:
        alone = {qubits[0]: angle for qubits, angle in layer.angles.items() if len(qubits) == 1}
        where = self._flip(layer.flips) if layer.flips else -1
        if any(any(angle.values()) for angle in alone.values()):
            self.emit(PHASE, {k: alone.get(k, {}) for k in range(self.qubits)}, where)
        elif layer.flips:
            self.emit(FLIP, {}, where)
        for qubits, angle in sorted(layer.angles.items()):
            if len(qubits) > 1 and any(angle.values()):
                mask = sum(1 << (self.qubits - 1 - k) for k in qubits)
                self.emit(WORD, {qubits[0]: angle}, mask)

    def _flip(self, pairs: set[tuple[int, ...]]) -> int:
        signs, factors = z_signs(self.qubits), np.ones(2**self.qubits)
        for i, j in pairs:
            factors[(signs[i] < 0) & (signs[j] < 0)] *= -1
        self.signs.append(factors)
        return (len(self.signs) - 1) * len(factors)


def compile_circuit(ansatz: Ansatz) -> Program:
    """Return the program of an ansatz.

    Raises:
        UnsupportedGateError: A gate is neither known nor made of known ones, or an exponent is no
            sum of numbers times symbols.

    """
    places = {qubit: k for k, qubit in enumerate(ansatz.qubits)}
    layers, reached = [_Layer()], [-1] * len(places)
    for operation in ansatz.circuit.all_operations():
        for piece in pieces(operation, places):
            _put(layers, reached, piece)
    emitter = _Emitter(qubits=len(places))
    emitter.start(layers[0])
    for number, layer in enumerate(layers[1:], 1):
        (emitter.phases if number % 2 else emitter.turns)(layer)
    return _finish(emitter, ansatz)


def _put(layers: list[_Layer], reached: list[int], piece: Piece) -> None:
    """Put a piece into the first layer that it can reach: turns on even ones, words on odd."""
    turns, qubits = piece[0] == "turn", piece[1]
    layer = max(reached[k] for k in qubits)
    if layer < 0 and not turns:
        return  # |0...0> only gains a phase
    layer = max(layer, 0)
    layer += (layer % 2 == 0) != turns
    if layer == len(layers):
        layers.append(_Layer())
    layers[layer].add(piece)
    for k in qubits:
        reached[k] = layer


def _finish(made: _Emitter, ansatz: Ansatz) -> Program:
    def factors(names: tuple[str, ...]) -> NDArray[np.float64]:
        rows = [[angle.get(name, 0.0) for name in names] for angle in made.angles]
        return np.array(rows, np.float64).reshape(len(made.angles), len(names))

    return Program(
        qubits=made.qubits,
        planes=2 if any(op[0] in {PHASE, WORD} for op in made.ops) else 1,
        ops=np.array(made.ops, np.int64),
        targets=np.array(made.targets, np.int64),
        signs=np.concatenate([*made.signs, np.zeros(0)]),
        offsets=factors(("",))[:, 0],
        weights=factors(ansatz.weights),
        inputs=factors(ansatz.inputs),
    )
