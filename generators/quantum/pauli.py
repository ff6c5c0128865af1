"""Noise on the fast engine: random Pauli errors as inputs of the circuit, at any size.

Depolarising is a random Pauli and phase damping a random Z, so a trajectory is the circuit with
some half turns thrown in; those are inputs like any others, and adjoint derivatives pass them by.
Amplitude damping depends on the state and is not to be had this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cirq
import numpy as np
import sympy

from generators.quantum.circuits import Ansatz
from generators.quantum.engine_fast import FastExecutor
from generators.quantum.engines import Gradient, observe, row_inputs, state_weights
from generators.quantum.noise import flip_readout

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from generators.quantum.engines import Floats
    from generators.quantum.noise import Noise


def with_errors(ansatz: Ansatz) -> Ansatz:
    """Return the ansatz with two more inputs for each moment and qubit: turns by Y and by Z.

    Their names are `e_mmm_y_kkk` and `e_mmm_z_kkk`; both at pi together are an X.
    """
    circuit, names = cirq.Circuit(), list(ansatz.inputs)
    for number, moment in enumerate(ansatz.circuit):
        circuit += moment
        for gate, kind in ((cirq.ry, "y"), (cirq.rz, "z")):
            own = [f"e_{number:03d}_{kind}_{k:03d}" for k in range(len(ansatz.qubits))]
            circuit += [
                gate(sympy.Symbol(name))(qubit)
                for name, qubit in zip(own, ansatz.qubits, strict=True)
            ]
            names += own
    return Ansatz(
        circuit=circuit, qubits=ansatz.qubits, weights=ansatz.weights, inputs=tuple(names)
    )


def draw_errors(
    noise: Noise, *, rows: int, moments: int, qubits: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the inputs that `with_errors` adds, shape (rows, moments x 2 x qubits).

    Raises:
        ValueError: There is amplitude damping.

    """
    if noise.amplitude_damping:
        raise ValueError(
            "amplitude damping is no random Pauli error; "
            'use engine="cirq" with trajectories, or without for the exact density matrix'
        )
    shape = (rows, moments, qubits)
    pauli = np.where(rng.random(shape) < noise.depolarising, rng.integers(1, 4, shape), 0)
    lost = rng.random(shape) < (1 - np.sqrt(1 - noise.phase_damping)) / 2
    turned, phased = pauli >= 2, (pauli % 2 == 1) ^ lost  # 1 is Z, 2 is Y, 3 is X
    return np.asarray(np.pi * np.stack([turned, phased], axis=2).reshape(rows, -1))


class PauliNoiseExecutor:
    """Average trajectories of one circuit; every call draws its own errors."""

    name = "fast"

    def __init__(
        self,
        ansatz: Ansatz,
        *,
        noise: Noise,
        trajectories: int,
        rng: np.random.Generator,
        **options: Any,
    ) -> None:
        """Compile the circuit with its errors.

        Args:
            ansatz: The circuit.
            noise: Without amplitude damping.
            trajectories: How many to average for each row.
            rng: Draws the errors.
            options: Those of `FastExecutor`.

        """
        self.ansatz = ansatz
        self._noise, self._trajectories, self._rng = noise, trajectories, rng
        self._inner = FastExecutor(with_errors(ansatz), **options)
        self._draw(1)  # says at once which noise it cannot have

    def probabilities(self, weights: Floats, inputs: Floats | None = None) -> Floats:
        """Return the probability of every basis state, shape (n, 2^q)."""
        return self.pullback(weights, inputs)[0]

    def expectations(
        self, weights: Floats, inputs: Floats | None = None, *, observables: Floats | None = None
    ) -> Floats:
        """Return the expectations of diagonal observables, Z of each qubit unless given."""
        return observe(self.probabilities(weights, inputs), observables)

    def gradient(
        self, weights: Floats, inputs: Floats | None = None, *, upstream: Floats
    ) -> Gradient:
        """Return the derivatives of a loss from those by probabilities or expectations of Z."""
        return self.pullback(weights, inputs)[1](upstream)

    def pullback(
        self, weights: Floats, inputs: Floats | None = None
    ) -> tuple[Floats, Callable[[Floats], Gradient]]:
        """Return the probabilities, and what turns an upstream derivative into a gradient."""
        rows, count = row_inputs(self.ansatz, weights, inputs), self._trajectories
        suffering = np.hstack([np.repeat(rows, count, axis=0), self._draw(len(rows) * count)])
        each, pull_each = self._inner.pullback(weights, suffering)
        mean = each.reshape(len(rows), count, -1).mean(axis=1, dtype=np.float64)

        def pull(upstream: Floats) -> Gradient:
            onto = state_weights(upstream, rows=len(rows), qubits=len(self.ansatz.qubits))
            shares = flip_readout(onto, self._noise.readout) / count
            found = pull_each(np.repeat(shares, count, axis=0))
            own = found.inputs[:, : rows.shape[1]].reshape(len(rows), count, -1).sum(axis=1)
            return Gradient(weights=found.weights, inputs=own)

        return flip_readout(mean, self._noise.readout), pull

    def _draw(self, rows: int) -> NDArray[np.float64]:
        moments, qubits = len(self.ansatz.circuit), len(self.ansatz.qubits)
        return draw_errors(self._noise, rows=rows, moments=moments, qubits=qubits, rng=self._rng)
