"""Three executors of one circuit, and the choice among them."""

from __future__ import annotations

import os
import subprocess
import sys

import cirq
import numpy as np
import pytest
import sympy

from generators.quantum.circuits import Ansatz, hardware_efficient, reuploading
from generators.quantum.engines import executor
from generators.quantum.errors import EngineError, UnsupportedGateError
from generators.quantum.noise import Noise
from generators.quantum.observables import z_signs
from tests.generators.quantum.circuits import plain, random_ansatz

ENGINES = ("fast", "tfq", "cirq")


def drawn(ansatz, rows, rng):
    weights = rng.uniform(-2, 2, len(ansatz.weights))
    return weights, rng.uniform(-2, 2, (rows, len(ansatz.inputs)))


@pytest.fixture(scope="module", params=[(q, s) for q in range(1, 9) for s in range(3)])
def case(request):
    qubits, seed = request.param
    rng = np.random.default_rng([qubits, seed])
    ansatz = random_ansatz(qubits, rng)
    runs = {engine: executor(ansatz, engine=engine) for engine in ENGINES}
    return ansatz, runs, *drawn(ansatz, 2, rng)


@pytest.mark.parametrize("engine", ENGINES)
def test_probabilities_of_random_circuits_agree_to_a_millionth(case, engine):
    ansatz, runs, weights, inputs = case
    expected = [plain(ansatz, weights, row) for row in inputs]
    np.testing.assert_allclose(runs[engine].probabilities(weights, inputs), expected, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_expectations_of_random_circuits_agree_to_a_hundred_thousandth(case, engine):
    ansatz, runs, weights, inputs = case
    exact = np.array([plain(ansatz, weights, row) for row in inputs])
    expected = exact @ z_signs(len(ansatz.qubits)).T
    np.testing.assert_allclose(runs[engine].expectations(weights, inputs), expected, atol=1e-5)


@pytest.mark.parametrize("engine", ["fast", "tfq"])
def test_gradients_of_random_circuits_agree_to_a_ten_thousandth(case, engine):
    ansatz, runs, weights, inputs = case
    upstream = np.random.default_rng(0).uniform(-1, 1, (2, len(ansatz.qubits)))
    here = runs[engine].gradient(weights, inputs, upstream=upstream)
    there = runs["cirq"].gradient(weights, inputs, upstream=upstream)
    np.testing.assert_allclose(here.weights, there.weights, atol=1e-4)
    np.testing.assert_allclose(here.inputs, there.inputs, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_of_eleven_qubits_is_the_first_bit(engine):
    line = cirq.LineQubit.range(11)
    ansatz = Ansatz.of(cirq.Circuit(cirq.X(line[0]), cirq.X(line[9])), qubits=line)
    run = executor(ansatz, engine=engine)
    assert run.probabilities(np.zeros(0)).argmax() == 0b10000000010
    signs = [-1, 1, 1, 1, 1, 1, 1, 1, 1, -1, 1]
    np.testing.assert_allclose(run.expectations(np.zeros(0))[0], signs, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_order_of_qubits_is_the_ansatzs_own(engine):
    line = cirq.LineQubit.range(3)
    ansatz = Ansatz.of(cirq.Circuit(cirq.X(line[2])), qubits=[line[2], line[0], line[1]])
    assert executor(ansatz, engine=engine).probabilities(np.zeros(0)).argmax() == 0b100


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_follow_the_given_names_beyond_nine(engine):
    line = cirq.LineQubit.range(12)
    names = [f"t_{k}" for k in range(12)]
    circuit = cirq.Circuit(
        cirq.ry(sympy.Symbol(name))(qubit) for name, qubit in zip(names, line, strict=True)
    )
    ansatz = Ansatz(circuit=circuit, qubits=tuple(line), weights=tuple(names))
    weights = np.linspace(0.1, 1.2, 12)
    run = executor(ansatz, engine=engine)
    np.testing.assert_allclose(run.expectations(weights)[0], np.cos(weights), atol=1e-5)
    if engine != "cirq":
        found = run.gradient(weights, upstream=np.ones((1, 12))).weights
        np.testing.assert_allclose(found, -np.sin(weights), atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_any_diagonal_observable_has_an_expectation(engine):
    ansatz = hardware_efficient(3, layers=1)
    rng = np.random.default_rng(0)
    weights, inputs = drawn(ansatz, 1, rng)
    observables = rng.normal(size=(4, 8))
    found = executor(ansatz, engine=engine).expectations(weights, inputs, observables=observables)
    expected = observables @ plain(ansatz, weights)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pullback_is_the_probabilities_and_the_gradient(engine):
    ansatz = reuploading(2, layers=2)
    rng = np.random.default_rng(0)
    weights, inputs = drawn(ansatz, 3, rng)
    upstream = rng.normal(size=(3, 4))
    run = executor(ansatz, engine=engine)
    probabilities, pull = run.pullback(weights, inputs)
    np.testing.assert_allclose(probabilities, run.probabilities(weights, inputs), atol=1e-7)
    expected = run.gradient(weights, inputs, upstream=upstream)
    np.testing.assert_allclose(pull(upstream).weights, expected.weights, atol=1e-6)
    np.testing.assert_allclose(pull(upstream).inputs, expected.inputs, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_values_that_do_not_fit_are_named(engine):
    run = executor(reuploading(2, layers=1), engine=engine)
    weights, inputs = np.zeros(6), np.zeros((1, 2))
    with pytest.raises(ValueError, match="the circuit has 6 weights, got shape"):
        run.probabilities(weights[1:], inputs)
    with pytest.raises(ValueError, match="the circuit has 2 inputs, got shape"):
        run.probabilities(weights, inputs[:, 1:])
    with pytest.raises(ValueError, match="not finite; training has diverged"):
        run.probabilities(weights * np.nan, inputs)
    with pytest.raises(ValueError, match="upstream has shape"):
        run.gradient(weights, inputs, upstream=np.zeros((1, 3)))


def test_auto_is_the_fast_engine_and_says_so():
    assert executor(hardware_efficient(2, layers=1)).name == "fast"


def test_auto_leaves_noise_to_cirq():
    run = executor(hardware_efficient(2, layers=1), noise=Noise(depolarising=0.1))
    assert run.name == "cirq"


def test_auto_leaves_what_only_cirq_can_run_to_cirq():
    line = cirq.LineQubit.range(1)
    angle = sympy.Symbol("t_0") * sympy.Symbol("t_1")
    ansatz = Ansatz.of(cirq.Circuit(cirq.ry(angle)(line[0])), qubits=line)
    with pytest.raises(UnsupportedGateError, match="no sum of numbers times symbols"):
        executor(ansatz, engine="fast")
    run = executor(ansatz, gradient="finite_difference", precision="double", threads=1)
    assert run.name == "cirq"


def test_a_gate_that_the_fast_engine_cannot_run_is_named():
    line = cirq.LineQubit.range(1)
    ansatz = Ansatz.of(cirq.Circuit(cirq.H(line[0]), cirq.reset(line[0])), qubits=line)
    with pytest.raises(UnsupportedGateError, match=r"the fast engine cannot run reset\(q\(0\)\)"):
        executor(ansatz, engine="fast")


def test_cirq_says_that_it_has_no_adjoint():
    with pytest.raises(ValueError, match="Cirq has no adjoint derivatives"):
        executor(hardware_efficient(2, layers=1), engine="cirq", gradient="adjoint")


def test_an_engine_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "generators.quantum.engine_fast", None)
    with pytest.raises(EngineError, match=r"the fast engine needs .* not installed"):
        executor(hardware_efficient(2, layers=1), engine="fast")


@pytest.mark.slow
def test_keras_3_in_the_way_is_said_and_not_suffered():
    script = (
        "import tensorflow as tf; tf.keras.layers.Dense\n"
        "from generators.quantum.circuits import hardware_efficient\n"
        "from generators.quantum.engines import executor\n"
        "executor(hardware_efficient(2, layers=1), engine='tfq')"
    )
    free = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    line = [sys.executable, "-c", script]
    done = subprocess.run(line, capture_output=True, check=False, env=free, text=True)
    assert "EngineError: TensorFlow was imported with Keras 3" in done.stderr


def test_the_light_modules_load_nothing_heavy():
    script = (
        "import sys\n"
        "import generators.quantum.optimisers, generators.quantum.noise\n"
        "import generators.quantum.surrogate, generators.quantum.sampling\n"
        "heavy = {'cirq', 'numba', 'sympy', 'tensorflow', 'tensorflow_quantum', 'scipy'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr
