"""The natural gradient and the solvers of discrete problems."""

from __future__ import annotations

import cirq
import numpy as np
import pytest
import sympy

from generators.quantum.circuits import Ansatz, hardware_efficient
from generators.quantum.engine_fast import FastExecutor
from generators.quantum.optimisers import (
    fubini_study,
    natural_direction,
    qaoa,
    random_search,
    vqe,
)
from generators.quantum.problems import Ising


def spin_glass(seed, qubits=12):
    rng = np.random.default_rng(seed)
    couplings = np.triu(rng.normal(size=(qubits, qubits)), 1)
    return Ising(fields=rng.normal(0, 0.3, qubits), couplings=couplings)


def amplitudes(ansatz, weights):
    values = dict(zip(ansatz.weights, map(float, weights), strict=True))
    simulator = cirq.Simulator(dtype=np.complex128)
    return simulator.simulate(ansatz.circuit, values, qubit_order=ansatz.qubits).final_state_vector


def test_the_metric_of_one_turn_is_a_quarter():
    qubit = cirq.LineQubit(0)
    ansatz = Ansatz.of(cirq.Circuit(cirq.ry(sympy.Symbol("t_0"))(qubit)))
    run = FastExecutor(ansatz, precision="double")
    np.testing.assert_allclose(fubini_study(run, np.array([0.7])), [[0.25]], atol=1e-12)


def test_the_metric_is_that_of_the_states_of_cirq():
    ansatz = hardware_efficient(3, layers=1)
    weights = np.random.default_rng(0).normal(size=len(ansatz.weights))
    steps = 1e-5 * np.eye(len(weights))
    slopes = np.array(
        [(amplitudes(ansatz, weights + s) - amplitudes(ansatz, weights - s)) / 2e-5 for s in steps]
    )
    along = slopes.conj() @ amplitudes(ansatz, weights)
    expected = (slopes.conj() @ slopes.T - np.outer(along, along.conj())).real
    found = fubini_study(FastExecutor(ansatz, precision="double"), weights)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_blocks_are_layers_and_the_diagonal_is_the_smallest_of_them():
    names = ("t_000_y_000", "t_000_y_001", "t_001_y_000")
    metric = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]])
    gradient = np.array([1.0, 2.0, 3.0])
    for kind, part in (
        ("full", metric),
        ("block", metric * [[1, 1, 0], [1, 1, 0], [0, 0, 1]]),
        ("diagonal", 2 * np.eye(3)),
    ):
        found = natural_direction(gradient, metric, names=names, kind=kind, damping=0.5)
        np.testing.assert_allclose((part + 0.5 * np.eye(3)) @ found, gradient)


def test_the_natural_gradient_needs_fewer_steps_than_the_plain_one():
    ansatz = hardware_efficient(4, layers=2)
    run = FastExecutor(ansatz, precision="double")
    rng = np.random.default_rng(0)
    upstream, start = rng.normal(size=(1, 16)), rng.normal(0, 0.3, len(ansatz.weights))
    reached = []
    for natural in (True, False):
        weights = start.copy()
        for _ in range(40):
            slope = run.gradient(weights, upstream=upstream).weights
            if natural:
                metric = fubini_study(run, weights)
                slope = natural_direction(slope, metric, names=ansatz.weights, damping=0.02)
            weights -= 0.1 * slope
        reached.append(float(run.probabilities(weights)[0] @ upstream[0]))
    assert reached[0] < reached[1]


@pytest.mark.parametrize("solve", [qaoa, vqe])
def test_a_solver_beats_random_search_at_equal_evaluations(solve):
    ours, theirs = [], []
    for seed in range(5):
        problem = spin_glass(seed)
        energies = problem.energies()
        found = solve(problem, rng=np.random.default_rng(seed))
        ours.append((found.energy - energies.min()) / energies.std())
        repeats = [
            random_search(
                problem, evaluations=found.evaluations, rng=np.random.default_rng([seed, k])
            )
            for k in range(20)
        ]
        theirs.append((np.mean([r.energy for r in repeats]) - energies.min()) / energies.std())
    assert np.mean(ours) < 0.7 * np.mean(theirs)


@pytest.mark.parametrize("solve", [qaoa, vqe])
def test_a_solution_is_what_it_says_and_the_same_for_the_same_seed(solve):
    problem = spin_glass(0, qubits=6)
    first, second = (solve(problem, rng=np.random.default_rng(3)) for _ in range(2))
    assert problem.energies_of(first.bits[None])[0] == pytest.approx(first.energy)
    assert first.bits.tobytes() == second.bits.tobytes()
    assert first.weights.tobytes() == second.weights.tobytes()
