"""Thermal states against matrix exponentials, hand calculation and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from detector.errors import DetectorError
from generators.quantum.boltzmann import Machine, bound_loss, exact_loss, hidden_loss
from generators.quantum.ising import clamped_log_weights, clamped_moments, thermal_state
from generators.quantum.observables import bit_table, z_signs
from generators.quantum.problems import Ising

X = np.array([[0.0, 1.0], [1.0, 0.0]])


def model(qubits, *, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    couplings = scale * np.triu(rng.standard_normal((qubits, qubits)), 1)
    problem = Ising(fields=scale * rng.standard_normal(qubits), couplings=couplings)
    return problem, rng.standard_normal(qubits)


def machine(visible, hidden, *, gamma=0.8, seed=0):
    rng = np.random.default_rng(seed)
    made = Machine.started(visible, hidden=hidden, gamma=gamma, rng=rng)
    moved = made.moved(made.vector + 0.5 * rng.standard_normal(len(made.vector)))
    if gamma:
        return moved
    return Machine(problem=moved.problem, transverse=np.zeros(moved.qubits), visible=visible)


def on_qubit(k, qubits):
    return np.kron(np.kron(np.eye(2**k), X), np.eye(2 ** (qubits - k - 1)))


def exponential(problem, transverse):
    matrix = -np.diag(problem.energies())
    matrix += sum(g * on_qubit(k, problem.qubits) for k, g in enumerate(transverse))
    return expm(matrix)


def slope_by_differences(loss, vector, step=1e-5):
    found = np.empty(len(vector))
    for place in range(len(vector)):
        shift = step * (np.arange(len(vector)) == place)
        found[place] = (loss(vector + shift) - loss(vector - shift)) / (2 * step)
    return found


def test_one_qubit_is_the_tangent_worked_by_hand():
    problem = Ising(fields=np.array([-0.6]), couplings=np.zeros((1, 1)))
    state = thermal_state(problem, np.array([0.8]))
    assert state.moments().fields[0] == pytest.approx(0.6 * np.tanh(1.0))
    assert state.moments().transverse[0] == pytest.approx(0.8 * np.tanh(1.0))
    assert state.log_partition == pytest.approx(np.log(2 * np.cosh(1.0)))


@pytest.mark.parametrize("qubits", [1, 2, 5])
def test_probabilities_are_the_diagonal_of_the_exponential(qubits):
    problem, transverse = model(qubits)
    state, matrix = thermal_state(problem, transverse), exponential(problem, transverse)
    assert state.probabilities == pytest.approx(np.diag(matrix) / np.trace(matrix))
    assert state.log_partition == pytest.approx(np.log(np.trace(matrix)))


def test_moments_are_traces_with_the_state():
    problem, transverse = model(4)
    matrix = exponential(problem, transverse)
    matrix /= np.trace(matrix)
    moments, signs = thermal_state(problem, transverse).moments(), z_signs(4)
    assert moments.fields == pytest.approx(signs @ np.diag(matrix))
    assert moments.couplings[1, 3] == pytest.approx((signs[1] * signs[3]) @ np.diag(matrix))
    assert moments.transverse == pytest.approx(
        [np.trace(on_qubit(k, 4) @ matrix) for k in range(4)]
    )


def test_the_sign_of_the_transverse_field_does_not_matter():
    problem, transverse = model(5)
    one, other = (thermal_state(problem, sign * transverse) for sign in (1, -1))
    assert one.probabilities == pytest.approx(other.probabilities)


def test_a_field_of_zero_is_the_classical_machine():
    problem, transverse = model(6)
    weights = np.exp(-problem.energies())
    classical = thermal_state(problem, np.zeros(6))
    assert classical.probabilities == pytest.approx(weights / weights.sum(), abs=1e-12)
    nearly = thermal_state(problem, 1e-9 * transverse)
    assert nearly.probabilities == pytest.approx(classical.probabilities, abs=1e-9)
    upstream = np.random.default_rng(1).standard_normal(64)
    for part in ("fields", "couplings", "transverse"):
        ours, theirs = (getattr(state.pull(upstream), part) for state in (classical, nearly))
        assert ours == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize(("visible", "hidden"), [(3, 0), (3, 2), (1, 3)])
@pytest.mark.parametrize("gamma", [0.8, 0.0])
def test_exact_derivatives_agree_with_finite_differences(visible, hidden, gamma):
    made = machine(visible, hidden, gamma=gamma)
    rng = np.random.default_rng(2)
    target = rng.dirichlet(np.ones(2**visible))
    mask = np.arange(2**visible) != 1
    target = np.where(mask, target, 0.0) / target[mask].sum()
    slope = exact_loss(made, target, mask=mask)[1]
    expected = slope_by_differences(
        lambda vector: exact_loss(made.moved(vector), target, mask=mask)[0], made.vector
    )
    assert slope == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("gamma", [0.8, 0.0])
def test_derivatives_of_the_bound_agree_with_finite_differences(gamma):
    made = machine(3, 2, gamma=gamma)
    seen, share = bit_table(3)[[0, 3, 6]], np.array([0.5, 0.3, 0.2])
    slope = bound_loss(made, seen, share)[1]
    expected = slope_by_differences(
        lambda vector: bound_loss(made.moved(vector), seen, share)[0], made.vector
    )
    assert slope[:-5] == pytest.approx(expected[:-5], abs=1e-7)
    assert not slope[-5:].any()


def test_the_bound_lies_above_the_loss_and_is_tight_without_a_field():
    seen, share = bit_table(3), np.random.default_rng(0).dirichlet(np.ones(8))
    gaps = {}
    for gamma in (0.8, 0.0):
        made = machine(3, 2, gamma=gamma)
        gaps[gamma] = bound_loss(made, seen, share)[0] - exact_loss(made, share)[0]
    assert gaps[0.8] > 0.01
    assert gaps[0.0] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("masked", [False, True])
def test_a_field_on_hidden_qubits_only_needs_no_diagonalisation(masked):
    made = on_hidden(machine(3, 2))
    mask = np.arange(8) != 5 if masked else np.ones(8, bool)
    target = np.where(mask, np.random.default_rng(0).dirichlet(np.ones(8)), 0.0)
    target /= target.sum()
    ours, theirs = (loss(made, target, mask=mask) for loss in (hidden_loss, exact_loss))
    assert ours[0] == pytest.approx(theirs[0])
    assert ours[1][:-5] == pytest.approx(theirs[1][:-5], abs=1e-12)
    assert ours[1][-2:] == pytest.approx(theirs[1][-2:], abs=1e-12)
    assert not ours[1][-5:-2].any()
    assert ours[2] == pytest.approx(theirs[2])
    assert made.probabilities() == pytest.approx(exact_loss(made, target)[2])


def on_hidden(made):
    vector = made.vector
    vector[-made.qubits : -made.qubits + made.visible] = 0.0
    return made.moved(vector)


def test_a_field_on_seen_qubits_has_no_closed_form():
    with pytest.raises(ValueError, match="seen qubits feel a transverse field"):
        hidden_loss(machine(2, 1), np.full(4, 0.25))


def test_a_held_machine_is_that_of_its_hidden_qubits():
    made = machine(2, 2)
    seen = np.array([[0, 1]], np.uint8)
    signs = 1.0 - 2.0 * seen[0]
    fields = made.problem.fields[2:] + signs @ made.problem.couplings[:2, 2:]
    inside = Ising(fields=fields, couplings=np.zeros((2, 2)))
    state = thermal_state(inside, made.transverse[2:])
    held = clamped_moments(made.problem, made.transverse, seen, np.ones(1))
    assert held.fields[2:] == pytest.approx(state.moments().fields)
    assert held.transverse[2:] == pytest.approx(state.moments().transverse)
    energy = signs @ made.problem.fields[:2] + made.problem.couplings[0, 1] * signs.prod()
    weight = clamped_log_weights(made.problem, made.transverse, seen)[0]
    assert weight == pytest.approx(state.log_partition - energy)


def test_hidden_qubits_that_meet_have_no_closed_bound():
    problem, transverse = model(4)
    with pytest.raises(ValueError, match="hidden qubits meet each other"):
        clamped_log_weights(problem, transverse, np.zeros((1, 2), np.uint8))


def test_large_energies_stay_finite():
    problem, transverse = model(4, scale=500.0)
    state = thermal_state(problem, transverse)
    pulled = state.pull(np.arange(16.0))
    assert np.isfinite(state.probabilities).all()
    assert all(np.isfinite(part).all() for part in (pulled.fields, pulled.transverse))


def test_too_many_qubits_are_refused():
    problem = Ising(fields=np.zeros(13), couplings=np.zeros((13, 13)))
    with pytest.raises(DetectorError, match="13 qubits are too many to diagonalise; 12 is"):
        thermal_state(problem, np.ones(13))


def test_a_term_that_is_no_number_is_refused():
    problem = Ising(fields=np.array([np.nan]), couplings=np.zeros((1, 1)))
    with pytest.raises(DetectorError, match="a term that is no number"):
        thermal_state(problem, np.ones(1))


def test_fields_that_do_not_fit_are_refused():
    problem, _ = model(3)
    with pytest.raises(ValueError, match=r"3 qubits need as many fields, got shape \(2,\)"):
        thermal_state(problem, np.ones(2))


def test_a_vector_of_terms_and_a_machine_are_one():
    made = machine(3, 2)
    again = made.moved(made.vector)
    assert np.array_equal(again.vector, made.vector)
    assert np.array_equal(again.problem.couplings, made.problem.couplings)
    assert not made.problem.couplings[3:, 3:].any()
    restored = Machine.restored(made.arrays())
    assert np.array_equal(restored.vector, made.vector)
    assert restored.visible == 3
