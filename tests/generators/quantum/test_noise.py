"""Noise: exact, by trajectories of three makes, and by the surrogate."""

from __future__ import annotations

import cirq
import numpy as np
import pytest

from generators.quantum.circuits import hardware_efficient, reuploading
from generators.quantum.engines import executor
from generators.quantum.noise import Noise, flip_readout, surrogate
from generators.quantum.surrogate import SurrogateExecutor

KINDS = {
    "depolarising": Noise(depolarising=0.02),
    "amplitude_damping": Noise(amplitude_damping=0.05),
    "phase_damping": Noise(phase_damping=0.05),
    "all": Noise(depolarising=0.01, amplitude_damping=0.02, phase_damping=0.03, readout=0.02),
}
ANSATZ = hardware_efficient(4, layers=3)


def weights_of(ansatz=ANSATZ, seed=0, spread=1.0):
    return np.random.default_rng(seed).normal(0, spread, len(ansatz.weights))


def total_variation(here, there):
    return float(np.abs(here - there).sum() / 2)


def exact(noise, ansatz=ANSATZ, weights=None):
    values = weights_of(ansatz) if weights is None else weights
    return executor(ansatz, noise=noise).probabilities(values)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_trajectories_are_within_a_fiftieth_of_the_density_matrix(kind):
    run = executor(ANSATZ, noise=KINDS[kind], trajectories=4000, rng=np.random.default_rng(0))
    found = run.probabilities(weights_of())[0]
    assert total_variation(found, exact(KINDS[kind])) < 0.02


@pytest.mark.parametrize("kind", ["depolarising", "phase_damping"])
def test_pauli_errors_on_the_fast_engine_are_within_a_fiftieth_of_it_too(kind):
    options = {"noise": KINDS[kind], "trajectories": 4000, "rng": np.random.default_rng(0)}
    run = executor(ANSATZ, engine="fast", **options)
    assert total_variation(run.probabilities(weights_of())[0], exact(KINDS[kind])) < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_tensorflow_quantum_is_within_a_twentieth_of_it(kind):
    run = executor(ANSATZ, engine="tfq")
    found = run.noisy_frequencies(weights_of(), noise=KINDS[kind], repetitions=4000)[0]
    assert total_variation(found, exact(KINDS[kind])) < 0.05


@pytest.mark.parametrize("rate", [0.003, 0.01, 0.03])
@pytest.mark.parametrize("spread", [0.3, 0.8, 1.5])
@pytest.mark.parametrize(("qubits", "layers"), [(2, 2), (4, 3), (4, 6), (6, 3)])
def test_the_surrogate_keeps_its_promise(qubits, layers, spread, rate):
    ansatz, noise = hardware_efficient(qubits, layers=layers), Noise(depolarising=rate)
    weights = weights_of(ansatz, seed=7, spread=spread)
    run = SurrogateExecutor(inner=executor(ansatz), noise=noise)
    assert total_variation(run.probabilities(weights)[0], exact(noise, ansatz, weights)) < 0.15


def test_the_surrogate_is_far_better_than_no_noise_at_all():
    noise = Noise(depolarising=0.01, readout=0.02)
    clean, ours = [], []
    for seed in range(6):
        weights = weights_of(seed=seed)
        there = exact(noise, weights=weights)
        run = executor(ANSATZ)
        clean.append(total_variation(run.probabilities(weights)[0], there))
        blurred = SurrogateExecutor(inner=run, noise=noise).probabilities(weights)[0]
        ours.append(total_variation(blurred, there))
    assert np.mean(ours) < 0.3 * np.mean(clean)


@pytest.mark.parametrize("noise", [Noise(amplitude_damping=0.1), Noise(phase_damping=0.1)])
def test_the_surrogate_refuses_damping(noise):
    with pytest.raises(ValueError, match="the surrogate knows depolarising and readout noise only"):
        surrogate(noise, qubits=2, moments=3)


def test_the_surrogates_gradient_is_that_of_its_probabilities():
    ansatz = reuploading(3, layers=1)
    rng = np.random.default_rng(0)
    weights, inputs = rng.normal(size=len(ansatz.weights)), rng.normal(size=(2, 3))
    upstream = rng.normal(size=(2, 3))
    noise = Noise(depolarising=0.02, readout=0.05)
    found = [
        SurrogateExecutor(inner=executor(ansatz, gradient=kind, precision="double"), noise=noise)
        for kind in ("adjoint", "finite_difference")
    ]
    here, there = (run.gradient(weights, inputs, upstream=upstream) for run in found)
    np.testing.assert_allclose(here.weights, there.weights, atol=1e-9)
    step = 1e-5 * np.eye(len(weights))[0]
    slope = found[0].expectations(weights + step, inputs) - found[0].expectations(
        weights - step, inputs
    )
    assert here.weights[0] == pytest.approx(float((slope * upstream).sum() / 2e-5), abs=1e-6)


def test_gradients_through_pauli_errors_are_those_of_the_density_matrix():
    noise = Noise(depolarising=0.02, phase_damping=0.02, readout=0.02)
    ansatz = hardware_efficient(2, layers=1)
    weights, upstream = weights_of(ansatz), np.array([[1.0, -0.5, 0.3, 0.0]])
    there = executor(ansatz, noise=noise).gradient(weights, upstream=upstream)
    options = {"noise": noise, "trajectories": 4000, "rng": np.random.default_rng(0)}
    here = executor(ansatz, engine="fast", **options).gradient(weights, upstream=upstream)
    np.testing.assert_allclose(here.weights, there.weights, atol=0.02)


def test_pauli_errors_refuse_amplitude_damping_at_once():
    with pytest.raises(ValueError, match="amplitude damping is no random Pauli error"):
        executor(
            ANSATZ, engine="fast", noise=KINDS["all"], trajectories=2, rng=np.random.default_rng(0)
        )


def test_more_noise_is_further_from_none():
    clean = executor(ANSATZ).probabilities(weights_of())[0]
    rates = [0.0, 0.001, 0.003, 0.01, 0.03, 0.1]
    apart = [total_variation(clean, exact(Noise(depolarising=rate))) for rate in rates]
    assert apart == sorted(apart)


@pytest.mark.parametrize("engine", ["cirq", "fast"])
def test_the_same_seed_gives_the_same_bytes(engine):
    options = {"noise": Noise(depolarising=0.05), "trajectories": 50}
    first, second = (
        executor(ANSATZ, engine=engine, rng=np.random.default_rng(1), **options)
        .probabilities(weights_of())
        .tobytes()
        for _ in range(2)
    )
    assert first == second


def test_readout_flips_each_bit_on_its_own():
    found = flip_readout(np.eye(4)[:1], 0.1)[0]
    np.testing.assert_allclose(found, [0.81, 0.09, 0.09, 0.01])


@pytest.mark.parametrize("engine", ["fast", "cirq"])
def test_finitely_many_executions_scatter_as_they_should(engine):
    run = executor(ANSATZ, engine=engine, repetitions=1000, rng=np.random.default_rng(0))
    clean = executor(ANSATZ).probabilities(weights_of())[0]
    found = run.probabilities(weights_of())[0]
    assert (found != clean).any()
    assert (np.abs(found - clean) < 5 * np.sqrt(clean / 1000) + 1e-3).all()


@pytest.mark.parametrize("engine", ["fast", "cirq"])
def test_a_gradient_of_finitely_many_executions_is_right_in_the_mean(engine):
    ansatz = hardware_efficient(2, layers=1)
    upstream = np.array([[1.0, -1.0]])
    run = executor(ansatz, engine=engine, repetitions=20_000, rng=np.random.default_rng(0))
    expected = executor(ansatz).gradient(weights_of(ansatz), upstream=upstream).weights
    found = run.gradient(weights_of(ansatz), upstream=upstream).weights
    np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.parametrize("engine", ["fast", "cirq"])
def test_randomness_without_a_generator_is_refused(engine):
    with pytest.raises(ValueError, match="repetitions are random; give rng"):
        executor(ANSATZ, engine=engine, repetitions=10)
    with pytest.raises(ValueError, match="trajectories are random; give rng"):
        executor(ANSATZ, noise=Noise(readout=0.1), trajectories=10)


def test_adjoint_derivatives_of_repetitions_are_refused():
    with pytest.raises(ValueError, match="adjoint derivatives need the state"):
        executor(ANSATZ, gradient="adjoint", repetitions=10, rng=np.random.default_rng(0))


def test_a_rate_beyond_one_is_refused():
    with pytest.raises(ValueError, match=r"the rate of readout is 1\.5"):
        Noise(readout=1.5)


def test_eleven_qubits_are_too_many_for_a_density_matrix():
    ansatz = hardware_efficient(11, layers=1)
    with pytest.raises(ValueError, match=r"a density matrix of 11 qubits is out of reach"):
        executor(ansatz, noise=KINDS["all"]).probabilities(weights_of(ansatz))


def test_the_channels_are_cirqs():
    noise = KINDS["all"]
    line = cirq.LineQubit.range(1)
    circuit = cirq.Circuit(
        cirq.H(line[0]), cirq.depolarize(0.01)(line[0]), cirq.amplitude_damp(0.02)(line[0]),
        cirq.phase_damp(0.03)(line[0]), cirq.bit_flip(0.02)(line[0]),
    )  # fmt: skip
    matrix = cirq.DensityMatrixSimulator().simulate(circuit).final_density_matrix
    ansatz = hardware_efficient(1, layers=0)
    found = executor(ansatz, noise=noise).probabilities(np.array([np.pi / 2]))[0]
    np.testing.assert_allclose(found, np.diag(matrix).real, atol=1e-6)
