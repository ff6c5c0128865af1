"""Feature states, their kernel, what qubits show of them, and what the checks make of it."""

from __future__ import annotations

import cirq
import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.discriminator import Discriminator
from detector.checks.joint import Joint
from generators.quantum.features import (
    QUBITS,
    REACH,
    QuantumFeatures,
    angle_map,
    fidelities,
    map_inputs,
    projected,
    state_vectors,
)
from generators.quantum.observables import z_signs
from tests.stats.rates import band


def plain(angles):
    """Return the states as Cirq alone gives them."""
    ansatz = angle_map(angles.shape[1])
    simulator = cirq.Simulator(dtype=np.complex128)
    return np.array(
        [
            simulator.simulate(
                ansatz.circuit,
                dict(zip(ansatz.inputs, map(float, row), strict=True)),
                qubit_order=ansatz.qubits,
            ).final_state_vector
            for row in map_inputs(angles)
        ]
    )


@pytest.mark.parametrize("qubits", [1, 2, 3, 5, 8])
def test_states_are_those_of_cirq_up_to_a_phase(qubits):
    angles = np.random.default_rng(qubits).uniform(-3, 3, (9, qubits))
    made, expected = state_vectors(angles), plain(angles)
    overlap = np.abs(np.einsum("ij,ij->i", made.conj(), expected))
    np.testing.assert_allclose(overlap, 1.0, atol=1e-6)
    kernel = np.abs(expected.conj() @ expected.T) ** 2
    np.testing.assert_allclose(fidelities(made, made), kernel, atol=1e-6)


@pytest.mark.parametrize("scale", QuantumFeatures.scales)
def test_the_kernel_is_positive_semi_definite_with_ones_on_the_diagonal(scale):
    rows = np.random.default_rng(0).standard_normal((70, 4))
    kernel = QuantumFeatures.of(rows).gram(rows, scale=scale)
    np.testing.assert_allclose(np.diag(kernel), 1.0, atol=1e-12)
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-14)
    assert np.linalg.eigvalsh(kernel).min() > -1e-10
    assert kernel.min() >= 0


def test_blocks_do_not_change_a_number(monkeypatch):
    rows = np.random.default_rng(0).standard_normal((50, 3))
    whole = QuantumFeatures.of(rows).gram(rows, scale=1.0)
    monkeypatch.setattr("generators.quantum.features._BLOCK", 7)
    np.testing.assert_allclose(QuantumFeatures.of(rows).gram(rows, scale=1.0), whole, atol=1e-14)


def test_the_map_entangles():
    state = state_vectors(np.array([[0.9, 0.7]])).reshape(2, 2)
    assert np.linalg.svd(state, compute_uv=False)[1] > 0.1


def test_features_are_expectations_of_z_and_of_pairs_of_z():
    rows = np.random.default_rng(1).standard_normal((6, 3))
    learned = QuantumFeatures.of(rows)
    shares = np.abs(plain(learned.values(rows))) ** 2
    signs = z_signs(3)
    expected = [*signs, signs[0] * signs[1], signs[0] * signs[2], signs[1] * signs[2]]
    np.testing.assert_allclose(learned.features(rows), shares @ np.array(expected).T, atol=1e-6)
    assert learned.labels == ("Z0", "Z1", "Z2", "Z0 Z1", "Z0 Z2", "Z1 Z2")


def test_one_qubit_has_one_feature():
    np.testing.assert_allclose(projected(np.array([[0.6, 0.8j]])), [[-0.28]])


def test_units_of_columns_do_not_matter_and_tails_stop():
    rng = np.random.default_rng(2)
    rows, unit, zero = rng.standard_normal((40, 3)), np.array([1e-3, 1.0, 1e6]), np.arange(3.0)
    one, other = QuantumFeatures.of(rows), QuantumFeatures.of(rows * unit + zero)
    np.testing.assert_allclose(one.values(rows), other.values(rows * unit + zero), atol=1e-6)
    assert one.values(np.full((1, 3), 1e9)).tolist() == [[REACH] * 3]


def test_a_column_without_spread_is_left_as_it_is():
    rows = np.column_stack((np.arange(9.0), np.ones(9)))
    assert QuantumFeatures.of(rows).values(rows + np.array([0.0, 0.5]))[:, 1].tolist() == [0.5] * 9


def test_wide_rows_are_whitened_onto_eight_qubits():
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((400, 20)) @ rng.standard_normal((20, 20))
    values = QuantumFeatures.of(rows).values(rows)
    assert values.shape == (400, QUBITS)
    np.testing.assert_allclose(np.cov(values.T), np.eye(QUBITS), atol=0.1)


def test_fewer_rows_than_qubits_still_have_states():
    rows = np.random.default_rng(4).standard_normal((3, 20))
    kernel = QuantumFeatures.of(rows).gram(rows, scale=1.0)
    assert np.isfinite(kernel).all()


def moons(rng, rows, *, bent):
    """Return two half circles, or two clouds with their columns' correlation alone."""
    turn, upper = rng.uniform(0, np.pi, rows), rng.random(rows) < 0.5
    x = np.where(upper, np.cos(turn), 1 - np.cos(turn))
    y = np.where(upper, np.sin(turn), 0.5 - np.sin(turn))
    if not bent:
        y = rng.permutation(y)
    noise = rng.standard_normal((2, rows)) * 0.06
    return pa.table({"x": x + noise[0], "y": y + noise[1]})


def test_the_joint_check_sees_that_moons_are_gone():
    rng = np.random.default_rng(5)
    sides = moons(rng, 400, bent=True), moons(rng, 400, bent=False)
    (finding,) = detector.measure(*sides, checks=[Joint(kernel="quantum")])
    assert finding.outcome.p_value == pytest.approx(0.0005)
    assert finding.evidence["scale"] in QuantumFeatures.scales


def test_a_wild_mixed_table_is_measured():
    rng = np.random.default_rng(6)

    def side():
        wide = {f"t{k}": rng.standard_cauchy(60) for k in range(12)}
        return pa.table({**wide, "k": rng.choice(list("abc"), 60), "gap": [None, 1.0] * 30})

    (finding,) = detector.measure(side(), side(), checks=[Joint(kernel="quantum")])
    assert 0 < finding.outcome.p_value <= 1


@pytest.mark.calibration
def test_five_percent_of_equal_moons_are_called_different(calibration_runs):
    runs = calibration_runs(bounded=200, full=1000)
    rejected = 0
    for seed in range(runs):
        rng = np.random.default_rng([12, seed])
        sides = moons(rng, 60, bent=True), moons(rng, 60, bent=True)
        check = Joint(kernel="quantum", permutations=99)
        (finding,) = detector.measure(*sides, checks=[check], seed=seed)
        rejected += finding.outcome.p_value <= 0.05
    low, high = band(runs)
    assert low <= rejected <= high


def test_the_discriminator_reads_the_features():
    rng = np.random.default_rng(7)
    sides = moons(rng, 200, bent=True), moons(rng, 200, bent=False)
    (finding,) = detector.measure(*sides, checks=[Discriminator(features="quantum")])
    assert finding.outcome.p_value < 1e-6
    named = {entry["name"] for entry in finding.evidence["columns"]}
    assert named & {"quantum Z0", "quantum Z1", "quantum Z0 Z1"}


@pytest.mark.calibration
def test_five_percent_of_equal_moons_are_told_apart(calibration_runs):
    runs = calibration_runs(bounded=120, full=1000)
    rejected = 0
    for seed in range(runs):
        rng = np.random.default_rng([13, seed])
        sides = moons(rng, 60, bent=True), moons(rng, 60, bent=True)
        check = Discriminator(features="quantum", probed_rows=10)
        (finding,) = detector.measure(*sides, checks=[check], seed=seed)
        rejected += finding.outcome.p_value <= 0.05
    low, high = band(runs)
    assert low <= rejected <= high
