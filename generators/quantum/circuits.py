"""Parameterised circuits in Cirq, with the names of their weights and inputs.

Symbols are zero-padded, so that their order by name is their order by layer and qubit. A name that
begins with `x_` is an input, given anew for every row; every other symbol is a weight, shared by
all rows. Every gate's exponent is a number times one symbol: all that TensorFlow Quantum can carry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cirq
import numpy as np
import sympy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generators.quantum.problems import Ising


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansatz:
    """A circuit with a place for every number that it needs.

    Args:
        circuit: Without measurements.
        qubits: In the order of a bitstring, first qubit first: at least the circuit's.
        weights: Names of the symbols shared by all rows, in the order of a weight vector.
        inputs: Names of the symbols that have a value per row, in the order of the columns.

    """

    circuit: cirq.Circuit
    qubits: tuple[cirq.Qid, ...]
    weights: tuple[str, ...]
    inputs: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        named = [*self.weights, *self.inputs]
        wanted = cirq.parameter_names(self.circuit)
        if len(set(named)) != len(named) or set(named) != wanted:
            raise ValueError(
                f"the circuit's symbols are {sorted(wanted)}, and {named} were named; "
                "name each symbol once, as a weight or as an input"
            )
        if missing := self.circuit.all_qubits() - set(self.qubits):
            raise ValueError(f"the circuit uses {sorted(missing)}, which are not among the qubits")

    @classmethod
    def of(cls, circuit: cirq.Circuit, *, qubits: Iterable[cirq.Qid] | None = None) -> Ansatz:
        """Return an ansatz of a circuit whose inputs are the symbols that begin with `x_`."""
        names = sorted(cirq.parameter_names(circuit))
        return cls(
            circuit=circuit,
            qubits=tuple(sorted(circuit.all_qubits()) if qubits is None else qubits),
            weights=tuple(name for name in names if not name.startswith("x_")),
            inputs=tuple(name for name in names if name.startswith("x_")),
        )


def hardware_efficient(
    qubits: int, *, layers: int, pairs: Iterable[tuple[int, int]] | None = None
) -> Ansatz:
    """Return layers of RY and RZ on every qubit with a ring of CZ, and RY on every qubit last.

    The ring's range grows by one qubit from layer to layer; given pairs meet in every layer
    instead. With every weight zero but the last RYs at pi / 2, every bitstring is equally likely.

    >>> hardware_efficient(3, layers=2).weights[:4]
    ('t_000_y_000', 't_000_y_001', 't_000_y_002', 't_000_z_000')
    """
    line = cirq.LineQubit.range(qubits)
    met = None if pairs is None else [cirq.CZ(line[i], line[j]) for i, j in pairs]
    circuit = cirq.Circuit()
    for layer in range(layers):
        circuit += _rotations(line, layer)
        circuit += _ring(line, reach=1 + layer % max(1, qubits // 2)) if met is None else met
    circuit += (cirq.ry(_weight(layers, "y", k))(qubit) for k, qubit in enumerate(line))
    return Ansatz.of(circuit, qubits=line)


def reuploading(qubits: int, *, layers: int, columns: int | None = None) -> Ansatz:
    """Return a circuit that reads its inputs anew in every layer, between layers of weights.

    Layer l reads column j through the symbol `x_lll_jjj`, as RY on qubit j modulo q (every other
    time round, as RX). The values are the caller's to scale: `np.tile(rows, layers)` is the plain
    choice, and a scale trained for each layer and column multiplies it.

    Args:
        qubits: How many.
        layers: How many times the inputs are read.
        columns: Inputs of one layer; as many as qubits unless given.

    >>> reuploading(2, layers=2).inputs
    ('x_000_000', 'x_000_001', 'x_001_000', 'x_001_001')
    """
    line = cirq.LineQubit.range(qubits)
    circuit = cirq.Circuit()
    for layer in range(layers):
        for column in range(qubits if columns is None else columns):
            turn = cirq.rx if (column // qubits) % 2 else cirq.ry
            value = sympy.Symbol(f"x_{layer:03d}_{column:03d}")
            circuit += turn(value)(line[column % qubits])
        circuit += _rotations(line, layer)
        circuit += _ring(line, reach=1 + layer % max(1, qubits // 2))
    circuit += (cirq.ry(_weight(layers, "y", k))(qubit) for k, qubit in enumerate(line))
    return Ansatz.of(circuit, qubits=line)


def ising_layers(
    qubits: int, *, layers: int, pairs: Iterable[tuple[int, int]] | None = None
) -> Ansatz:
    """Return layers of ZZ on pairs, RZ and RX on every qubit, every angle a weight of its own.

    Args:
        qubits: How many.
        layers: How many.
        pairs: Which qubits meet; neighbours in a ring unless given.

    """
    line = cirq.LineQubit.range(qubits)
    ring = sorted(_ring_pairs(qubits, reach=1))
    circuit = cirq.Circuit(cirq.H(qubit) for qubit in line)
    for layer in range(layers):
        for i, j in ring if pairs is None else pairs:
            angle = sympy.Symbol(f"t_{layer:03d}_c_{i:03d}_{j:03d}")
            circuit += cirq.ZZPowGate(exponent=angle / np.pi)(line[i], line[j])
        for gate, name in ((cirq.rz, "f"), (cirq.rx, "m")):
            circuit += (gate(_weight(layer, name, k))(qubit) for k, qubit in enumerate(line))
    return Ansatz.of(circuit, qubits=line)


def qaoa_layers(problem: Ising, *, layers: int) -> Ansatz:
    """Return the alternating operator ansatz of a problem: two weights a layer.

    `t_lll_c` multiplies the energy and `t_lll_m` is the angle of the mixer, RX on every qubit.

    Source: Farhi, Goldstone and Gutmann (2014), arXiv 1411.4028.
    """
    line = cirq.LineQubit.range(problem.qubits)
    circuit = cirq.Circuit(cirq.H(qubit) for qubit in line)
    for layer in range(layers):
        time, mix = sympy.Symbol(f"t_{layer:03d}_c"), sympy.Symbol(f"t_{layer:03d}_m")
        for i, j in zip(*np.nonzero(problem.couplings), strict=True):
            share = 2 * float(problem.couplings[i, j]) / np.pi
            circuit += cirq.ZZPowGate(exponent=share * time)(line[i], line[j])
        for k in np.flatnonzero(problem.fields):
            circuit += cirq.rz(2 * float(problem.fields[k]) * time)(line[k])
        circuit += (cirq.rx(mix)(qubit) for qubit in line)
    return Ansatz.of(circuit, qubits=line)


def _weight(layer: int, kind: str, qubit: int) -> sympy.Symbol:
    return sympy.Symbol(f"t_{layer:03d}_{kind}_{qubit:03d}")


def _rotations(line: list[cirq.LineQubit], layer: int) -> Iterator[cirq.Operation]:
    for gate, kind in ((cirq.ry, "y"), (cirq.rz, "z")):
        for k, qubit in enumerate(line):
            yield gate(_weight(layer, kind, k))(qubit)


def _ring(line: list[cirq.LineQubit], *, reach: int) -> Iterator[cirq.Operation]:
    for i, j in sorted(_ring_pairs(len(line), reach=reach)):
        yield cirq.CZ(line[i], line[j])


def _ring_pairs(qubits: int, *, reach: int) -> set[tuple[int, int]]:
    ends = ((i, (i + reach) % qubits) for i in range(qubits))
    return {(min(i, j), max(i, j)) for i, j in ends if i != j}
