"""Every gate that the fast engine knows, one by one, against Cirq."""

from __future__ import annotations

import cirq
import numpy as np
import pytest
import sympy

from generators.quantum.circuits import Ansatz
from generators.quantum.compiled import compile_circuit
from generators.quantum.engine_fast import FastExecutor
from tests.generators.quantum.circuits import FIXED, MOVING, plain

LINE = cirq.LineQubit.range(3)


def surrounded(gate, qubits):
    """Return the gate after and before turns that let every phase be seen."""
    before = [cirq.ry(0.3 + k)(q) for k, q in enumerate(LINE)]
    before += [cirq.rz(0.5 + k)(q) for k, q in enumerate(LINE)]
    after = [cirq.rx(0.7 - k)(q) for k, q in enumerate(LINE)]
    return Ansatz.of(cirq.Circuit(before, gate(*qubits), after), qubits=LINE)


def agrees(ansatz, weights):
    found = FastExecutor(ansatz, precision="double").probabilities(weights)[0]
    np.testing.assert_allclose(found, plain(ansatz, weights), atol=1e-12)


@pytest.mark.parametrize("gate", [*FIXED, cirq.CCX, cirq.CCZ, cirq.I, cirq.S**-1], ids=str)
def test_a_fixed_gate_is_cirqs(gate):
    count = cirq.num_qubits(gate)
    agrees(surrounded(gate, [LINE[2], LINE[0], LINE[1]][:count]), np.zeros(0))


@pytest.mark.parametrize("exponent", [0.3, 1.0, -2.7])
@pytest.mark.parametrize("number", range(len(MOVING)))
def test_a_moving_gate_is_cirqs(number, exponent):
    gate = MOVING[number](sympy.Symbol("t_0"))
    agrees(surrounded(gate, [LINE[1], LINE[0]][: cirq.num_qubits(gate)]), np.array([exponent]))


def test_sums_of_symbols_that_tensorflow_quantum_refuses_run_here():
    a, b = sympy.symbols("t_0 t_1")
    agrees(surrounded(cirq.ry(2 * a - b / 3 + 0.5), [LINE[1]]), np.array([0.4, 1.1]))


def test_a_phase_on_the_first_state_is_dropped():
    ansatz = Ansatz.of(cirq.Circuit(cirq.rz(0.3)(LINE[0]), cirq.CZ(*LINE[:2])), qubits=LINE)
    assert len(compile_circuit(ansatz).ops) == 1


def test_neighbours_become_one_angle():
    a, b = sympy.symbols("t_0 t_1")
    turns = cirq.Circuit(cirq.ry(a)(LINE[0]), cirq.X(LINE[1]), cirq.ry(b)(LINE[0]))
    program = compile_circuit(Ansatz.of(turns, qubits=LINE))
    np.testing.assert_array_equal(program.weights[0], [1, 1])


def test_a_circuit_of_turns_and_signs_has_real_amplitudes():
    turns = [cirq.ry(sympy.Symbol(f"t_{k}"))(q) for k, q in enumerate(LINE)]
    circuit = cirq.Circuit(turns, cirq.CZ(*LINE[:2]), cirq.H(LINE[1]), cirq.CNOT(*LINE[1:]))
    ansatz = Ansatz.of(circuit, qubits=LINE)
    weights = np.array([0.3, 0.8, -1.2])
    agrees(ansatz, weights)
    real = Ansatz.of(cirq.Circuit(turns, cirq.CZ(*LINE[:2]), turns), qubits=LINE)
    assert compile_circuit(real).planes == 1
    agrees(real, weights)
