"""Three ways to differentiate one circuit, and losses that are not linear in its probabilities."""

from __future__ import annotations

import cirq
import numpy as np
import pytest
import sympy

from generators.quantum.circuits import Ansatz, hardware_efficient, reuploading
from generators.quantum.engines import executor
from generators.quantum.errors import UnsupportedGateError
from generators.quantum.gradients import central_difference, shift_rule
from tests.generators.quantum.circuits import random_ansatz

KINDS = ("adjoint", "parameter_shift", "finite_difference")


def gradients(ansatz, weights, inputs, upstream, **options):
    return [
        executor(ansatz, gradient=kind, **options).gradient(weights, inputs, upstream=upstream)
        for kind in KINDS
    ]


@pytest.mark.parametrize("qubits", [1, 2, 4, 6])
def test_the_fast_engines_three_ways_agree_in_double_precision(qubits):
    rng = np.random.default_rng(qubits)
    ansatz = random_ansatz(qubits, rng)
    weights, inputs = rng.normal(size=12), rng.normal(size=(5, 3))
    upstream = rng.normal(size=(5, 2**qubits))
    adjoint, *others = gradients(
        ansatz, weights, inputs, upstream, engine="fast", precision="double"
    )
    for other in others:
        np.testing.assert_allclose(other.weights, adjoint.weights, atol=1e-9)
        np.testing.assert_allclose(other.inputs, adjoint.inputs, atol=1e-9)


def test_the_fast_engines_three_ways_agree_in_single_precision():
    rng = np.random.default_rng(0)
    ansatz = reuploading(5, layers=2)
    weights, inputs = rng.normal(size=len(ansatz.weights)), rng.normal(size=(7, 10))
    upstream = rng.uniform(-1, 1, (7, 5))
    adjoint, *others = gradients(ansatz, weights, inputs, upstream, engine="fast")
    for other in others:
        np.testing.assert_allclose(other.weights, adjoint.weights, atol=1e-4)


def test_tensorflow_quantums_three_ways_agree():
    rng = np.random.default_rng(0)
    ansatz = reuploading(3, layers=1)
    weights, inputs = rng.normal(size=len(ansatz.weights)), rng.normal(size=(2, 3))
    adjoint, *others = gradients(ansatz, weights, inputs, np.ones((2, 3)), engine="tfq")
    for other in others:
        np.testing.assert_allclose(other.weights, adjoint.weights, atol=1e-4)
        np.testing.assert_allclose(other.inputs, adjoint.inputs, atol=1e-4)


def test_cirqs_two_ways_agree():
    rng = np.random.default_rng(1)
    ansatz = random_ansatz(3, rng)
    weights, inputs = rng.normal(size=12), rng.normal(size=(1, 3))
    upstream = rng.normal(size=(1, 8))
    shift, difference = (
        executor(ansatz, engine="cirq", gradient=kind).gradient(weights, inputs, upstream=upstream)
        for kind in KINDS[1:]
    )
    np.testing.assert_allclose(shift.weights, difference.weights, atol=1e-8)
    np.testing.assert_allclose(shift.inputs, difference.inputs, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_likelihoods_gradient_is_that_of_the_likelihood(kind):
    """Shifting a loss that is not linear gives something else: the chain rule must come between."""
    ansatz = hardware_efficient(3, layers=2)
    rng = np.random.default_rng(0)
    weights, target = rng.normal(size=len(ansatz.weights)), rng.dirichlet(np.ones(8))
    run = executor(ansatz, gradient=kind, precision="double")

    def loss(point):
        return -float(target @ np.log(run.probabilities(point)[0]))

    probabilities, pull = run.pullback(weights)
    found = pull(-target / probabilities).weights
    steps = 1e-5 * np.eye(len(weights))
    expected = [(loss(weights + step) - loss(weights - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("frequency", [1.0, 0.5, np.pi])
def test_a_shift_rule_is_exact_up_to_its_order(order, frequency):
    rule = shift_rule(order, frequency=frequency)
    for k in range(1, order + 1):
        found = sum(
            factor * np.sin(k * frequency * (0.3 + step))
            for step, factor in zip(rule.steps, rule.factors, strict=True)
        )
        assert found == pytest.approx(k * frequency * np.cos(k * frequency * 0.3), abs=1e-12)


def test_a_central_difference_is_exact_for_a_quartic():
    rule = central_difference(0.5)
    found = sum(f * (1 + s) ** 4 for s, f in zip(rule.steps, rule.factors, strict=True))
    assert found == pytest.approx(4)


def test_a_gate_without_a_shift_rule_is_named():
    line = cirq.LineQubit.range(2)
    gate = cirq.FSimGate(sympy.Symbol("t_0"), 0.2)
    ansatz = Ansatz.of(cirq.Circuit(cirq.X(line[0]), gate(*line)), qubits=line)
    run = executor(ansatz, engine="cirq")
    with pytest.raises(UnsupportedGateError, match=r"no shift rule is known for .*FSim"):
        run.gradient(np.zeros(1), upstream=np.ones((1, 2)))


def test_too_many_words_for_tensorflow_quantum_are_refused():
    ansatz = hardware_efficient(11, layers=1)
    run = executor(ansatz, engine="tfq")
    upstream = np.random.default_rng(0).normal(size=(1, 2**11))
    with pytest.raises(ValueError, match="the loss needs 2047 words of Z"):
        run.gradient(np.zeros(len(ansatz.weights)), upstream=upstream)
