"""Random circuits of every gate that the executors share, and their answer by plain Cirq."""

from __future__ import annotations

import cirq
import numpy as np
import sympy

from generators.quantum.circuits import Ansatz

FIXED = (
    cirq.H, cirq.X, cirq.Y, cirq.Z, cirq.S, cirq.T, cirq.CZ, cirq.CNOT, cirq.SWAP, cirq.ISWAP,
    cirq.X**0.3, cirq.H**0.25, cirq.CZ**0.4, cirq.CNOT**0.7,
)  # fmt: skip
MOVING = (
    cirq.rx, cirq.ry, cirq.rz,
    lambda t: cirq.X ** (0.4 * t),
    lambda t: cirq.Z ** (-0.7 * t),
    lambda t: cirq.H ** (0.5 * t),
    lambda t: cirq.CZ ** (0.3 * t),
    lambda t: cirq.CNOT ** (0.6 * t),
    lambda t: cirq.XX ** (0.5 * t),
    lambda t: cirq.YY ** (-0.4 * t),
    lambda t: cirq.ZZ ** (0.7 * t),
    lambda t: cirq.SWAP ** (0.2 * t),
    lambda t: cirq.ISWAP ** (0.3 * t),
    lambda t: cirq.PhasedISwapPowGate(phase_exponent=0.2, exponent=0.5 * t),
)  # fmt: skip


def random_ansatz(qubits, rng, *, gates=24):
    """Return a circuit with a dozen weights and three inputs, some of them used twice.

    Their numbers are not padded: by name, t_10 comes before t_2.
    """
    line = cirq.LineQubit.range(qubits)
    symbols = [sympy.Symbol(f"t_{k}") for k in range(12)] + [
        sympy.Symbol(f"x_{k}") for k in range(3)
    ]
    uses = [*symbols, *rng.choice(symbols, 3), *[None] * (gates - 18)]
    circuit = cirq.Circuit()
    for symbol in rng.permutation(np.array(uses, object)):
        gate = None
        while gate is None or cirq.num_qubits(gate) > qubits:
            pool = FIXED if symbol is None else MOVING
            gate = pool[rng.integers(len(pool))]
            gate = gate if symbol is None else gate(symbol)
        circuit += gate(*rng.choice(line, cirq.num_qubits(gate), replace=False))
    return Ansatz.of(circuit, qubits=line)


def plain(ansatz, weights, row=()):
    """Return the probabilities of one row as Cirq alone gives them."""
    values = dict(zip([*ansatz.weights, *ansatz.inputs], [*weights, *row], strict=True))
    state = cirq.Simulator(dtype=np.complex128).simulate(
        ansatz.circuit, {name: float(value) for name, value in values.items()},
        qubit_order=ansatz.qubits,
    )  # fmt: skip
    return np.abs(state.final_state_vector) ** 2
