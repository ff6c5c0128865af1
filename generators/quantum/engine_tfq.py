"""The TensorFlow Quantum executor: its ops and differentiators, none of its Keras layers.

Importing this module takes seconds and must come before any other import of TensorFlow, because the
switches below are read at that moment.
"""

from __future__ import annotations

import os

# TFQ's layers need Keras 2, and TensorFlow prints nine lines of no use at each import.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from functools import partial
from typing import TYPE_CHECKING, Any

import cirq
import numpy as np
import tensorflow as tf
import tensorflow_quantum as tfq
from tensorflow_quantum.core.ops import tfq_simulate_ops

from generators.quantum.engines import Gradient, observe, row_inputs, state_weights
from generators.quantum.errors import EngineError
from generators.quantum.noise import flip_readout
from generators.quantum.noisy import noisy_circuit
from generators.quantum.observables import bits_of, states_of, walsh_hadamard

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.engines import Derivative, Floats
    from generators.quantum.noise import Noise

_MOST_WORDS = 1024


class TfqExecutor:
    """Run one circuit through TensorFlow Quantum's ops, in single precision."""

    name = "tfq"

    def __init__(self, ansatz: Ansatz, *, gradient: Derivative = "adjoint") -> None:
        """Serialise the circuit and build its ops once: building them anew at each call leaks.

        Args:
            ansatz: The circuit.
            gradient: How `gradient` and `pullback` differentiate.

        Raises:
            EngineError: Keras 3 was loaded before this module could prevent it.
            ValueError: The circuit has a gate or an exponent that cannot be serialised.

        """
        _check_keras()
        self.ansatz = ansatz
        self._qubits = cirq.GridQubit.rect(1, len(ansatz.qubits))
        self._names = tf.constant([*ansatz.weights, *ansatz.inputs], tf.string)
        self._circuit = tfq.convert_to_tensor([self._on_grid()])
        self._written: dict[tuple[int, ...], Any] = {}
        self._expect = _DIFFERENTIATORS[gradient]().generate_differentiable_op(
            analytic_op=tfq.get_expectation_op()
        )

    def probabilities(self, weights: Floats, inputs: Floats | None = None) -> Floats:
        """Return the probability of every basis state, shape (n, 2^q)."""
        values = self._values(weights, inputs)
        # The public state op makes a ragged tensor of this and casts away imaginary parts aloud.
        found = tfq_simulate_ops.tfq_simulate_state(self._copies(len(values)), self._names, values)
        states = found.numpy()
        if states.shape != (expected := (len(values), 2 ** len(self._qubits))):
            raise EngineError(f"states came back with shape {states.shape}, not {expected}")
        return np.asarray(states.real**2 + states.imag**2)

    def expectations(
        self, weights: Floats, inputs: Floats | None = None, *, observables: Floats | None = None
    ) -> Floats:
        """Return the expectations of diagonal observables, Z of each qubit unless given."""
        if observables is not None:
            return observe(self.probabilities(weights, inputs), observables)
        values = self._values(weights, inputs)
        words = tuple(1 << k for k in reversed(range(len(self._qubits))))
        operators = tf.repeat(self._operators(words), len(values), axis=0)
        found = self._expect(self._copies(len(values)), self._names, values, operators)
        return np.asarray(found.numpy())

    def gradient(
        self, weights: Floats, inputs: Floats | None = None, *, upstream: Floats
    ) -> Gradient:
        """Return the derivatives of a loss from those by probabilities or expectations of Z.

        The state op has no derivative, so the upstream derivative is written in words of Z, whose
        expectations have one.

        Raises:
            ValueError: It needs more than 1024 words.

        """
        values = self._values(weights, inputs)
        qubits = len(self._qubits)
        onto = state_weights(upstream, rows=len(values), qubits=qubits)
        by_word = walsh_hadamard(onto) / 2**qubits
        heavy = np.abs(by_word).max(axis=0) > 1e-9 * np.abs(by_word).max()
        words = [int(word) for word in np.flatnonzero(heavy) if word]
        if len(words) > _MOST_WORDS:
            raise ValueError(
                f"the loss needs {len(words)} words of Z and TensorFlow Quantum can take "
                f'{_MOST_WORDS} here; use engine="fast", or a loss over fewer words'
            )
        found = np.zeros(values.shape)
        if words:
            operators = tf.repeat(self._operators(tuple(words)), len(values), axis=0)
            onto_words = tf.constant(by_word[:, words], tf.float32)
            found = self._derive(tf.constant(values), operators, onto_words).astype(np.float64)
        count = len(self.ansatz.weights)
        return Gradient(weights=found[:, :count].sum(axis=0), inputs=found[:, count:])

    def pullback(
        self, weights: Floats, inputs: Floats | None = None
    ) -> tuple[Floats, Callable[[Floats], Gradient]]:
        """Return the probabilities, and what turns an upstream derivative into a gradient."""
        later = partial(self.gradient, weights, inputs)
        return self.probabilities(weights, inputs), lambda upstream: later(upstream=upstream)

    def noisy_frequencies(
        self,
        weights: Floats,
        inputs: Floats | None = None,
        *,
        noise: Noise,
        repetitions: int,
    ) -> NDArray[np.float64]:
        """Return frequencies of executions under noise, shape (n, 2^q).

        A third opinion on noise only: TensorFlow Quantum takes no seed here.
        """
        values = self._values(weights, inputs)
        noisy = tfq.convert_to_tensor([noisy_circuit(self._on_grid(), self._qubits, noise)])
        copies = tf.repeat(noisy, len(values))
        drawn = tfq.noise.samples(copies, self._names, values, [repetitions])
        bits = drawn.to_tensor().numpy()
        states = 2 ** len(self._qubits)
        seen = [np.bincount(states_of(row), minlength=states) for row in bits]
        return flip_readout(np.array(seen) / repetitions, noise.readout)

    def _values(self, weights: Floats, inputs: Floats | None) -> NDArray[np.float32]:
        rows = row_inputs(self.ansatz, weights, inputs)
        return np.hstack([np.tile(weights, (len(rows), 1)), rows]).astype(np.float32)

    def _copies(self, rows: int) -> Any:
        return tf.repeat(self._circuit, rows)

    def _operators(self, words: tuple[int, ...]) -> Any:
        if words not in self._written:
            self._written[words] = tfq.convert_to_tensor([[self._word(word) for word in words]])
        return self._written[words]

    def _word(self, word: int) -> cirq.PauliString[Any]:
        bits = bits_of(np.array([word]), qubits=len(self._qubits))[0]
        return cirq.PauliString(cirq.Z(q) for q, bit in zip(self._qubits, bits, strict=True) if bit)

    def _derive(self, values: Any, operators: Any, onto: Any) -> NDArray[np.float32]:
        with tf.GradientTape() as tape:
            tape.watch(values)
            found = self._expect(self._copies(len(values)), self._names, values, operators)
        return np.asarray(tape.gradient(found, values, output_gradients=onto).numpy())

    def _on_grid(self) -> cirq.Circuit:
        """Return the circuit on qubits that TensorFlow Quantum sorts as we do, each used."""
        places = dict(zip(self.ansatz.qubits, self._qubits, strict=True))
        idle = cirq.Moment(cirq.I.on_each(*self._qubits))
        return cirq.Circuit(idle, *self.ansatz.circuit.transform_qubits(places))


def _check_keras() -> None:
    # The name of `tf.keras` itself depends on who touched it first; a class knows its home.
    if not tf.keras.layers.Layer.__module__.startswith("tf_keras"):
        raise EngineError(
            "TensorFlow was imported with Keras 3 before TensorFlow Quantum was asked for.",
            hint="Set TF_USE_LEGACY_KERAS=1 in the environment, or use the fast engine.",
        )


def _central() -> Any:
    # The default grid of 0.001 drowns in single-precision rounding; this errs by some 1e-5.
    return tfq.differentiators.CentralDifference(error_order=4, grid_spacing=0.05)


# A differentiator serves one op only, so each executor makes its own.
_DIFFERENTIATORS: dict[Derivative, Callable[[], Any]] = {
    "adjoint": tfq.differentiators.Adjoint,
    "parameter_shift": tfq.differentiators.ParameterShift,
    "finite_difference": _central,
}
