"""What the builders build."""

from __future__ import annotations

import cirq
import numpy as np
import pytest
import sympy

from generators.quantum.circuits import (
    Ansatz,
    hardware_efficient,
    ising_layers,
    qaoa_layers,
    reuploading,
)
from generators.quantum.engines import executor
from generators.quantum.problems import Ising


def test_weights_are_in_the_order_of_layers_and_qubits_beyond_nine():
    weights = hardware_efficient(12, layers=11).weights
    assert list(weights) == sorted(weights)
    assert weights[:2] == ("t_000_y_000", "t_000_y_001")
    assert weights[-1] == "t_011_y_011"
    assert len(weights) == 12 * 23


def test_last_turns_at_a_quarter_give_every_bitstring_alike():
    ansatz = hardware_efficient(4, layers=3)
    weights = np.array([np.pi / 2 if name.startswith("t_003") else 0 for name in ansatz.weights])
    np.testing.assert_allclose(executor(ansatz).probabilities(weights), 1 / 16, atol=1e-7)


def test_the_ring_reaches_further_in_each_layer():
    circuit = hardware_efficient(6, layers=3).circuit
    pairs = [
        tuple(q.x for q in op.qubits) for op in circuit.all_operations() if len(op.qubits) == 2
    ]
    reaches = {min((j - i) % 6, (i - j) % 6) for i, j in pairs}
    assert reaches == {1, 2, 3}
    assert len(pairs) == 6 + 6 + 3


@pytest.mark.parametrize("columns", [1, 3, 7])
def test_any_number_of_columns_is_read_in_every_layer(columns):
    ansatz = reuploading(3, layers=2, columns=columns)
    assert len(ansatz.inputs) == 2 * columns
    run = executor(ansatz)
    weights = np.random.default_rng(0).normal(size=len(ansatz.weights))
    upstream = np.random.default_rng(1).normal(size=(1, 8))
    found = run.gradient(weights, np.full((1, 2 * columns), 0.3), upstream=upstream).inputs
    assert (np.abs(found) > 1e-6).all()


def test_one_layer_of_qaoa_on_one_bit_worked_by_hand():
    problem = Ising(fields=np.array([1.0]), couplings=np.zeros((1, 1)))
    run = executor(qaoa_layers(problem, layers=1))
    found = run.expectations(np.array([np.pi / 4, np.pi / 2]))[0, 0]
    assert abs(found) == pytest.approx(1, abs=1e-6)


def test_ising_layers_join_the_pairs_they_are_given():
    ansatz = ising_layers(4, layers=1, pairs=[(0, 3), (1, 2)])
    assert [name for name in ansatz.weights if "_c_" in name] == [
        "t_000_c_000_003",
        "t_000_c_001_002",
    ]


def test_builders_survive_cirqs_own_json():
    for ansatz in (
        hardware_efficient(3, layers=2),
        reuploading(2, layers=1),
        ising_layers(3, layers=1),
    ):
        assert cirq.read_json(json_text=cirq.to_json(ansatz.circuit)) == ansatz.circuit


def test_a_symbol_that_is_not_named_is_refused():
    qubit = cirq.LineQubit(0)
    circuit = cirq.Circuit(cirq.ry(sympy.Symbol("t_0"))(qubit))
    with pytest.raises(ValueError, match=r"the circuit's symbols are \['t_0'\]"):
        Ansatz(circuit=circuit, qubits=(qubit,), weights=())


def test_a_qubit_that_is_not_among_the_qubits_is_refused():
    circuit = cirq.Circuit(cirq.X(cirq.LineQubit(0)))
    with pytest.raises(ValueError, match="which are not among the qubits"):
        Ansatz(circuit=circuit, qubits=(), weights=())
