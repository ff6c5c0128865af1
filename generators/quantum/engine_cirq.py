"""The Cirq executor: the reference, and the only one with noise inside the circuit.

Derivatives come from shifted angles or finite differences, one run for each shift: slow, and what
hardware would do.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import cirq
import numpy as np

from generators.quantum.engines import Gradient, observe, row_inputs, state_weights
from generators.quantum.gradients import central_difference, differentiate
from generators.quantum.noisy import density_probabilities, trajectory_probabilities
from generators.quantum.occurrences import split
from generators.quantum.sampling import executions

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.engines import Derivative, Floats
    from generators.quantum.noise import Noise

_STEP = 2e-3


class CirqExecutor:
    """Run one circuit in Cirq, row by row."""

    name = "cirq"

    def __init__(
        self,
        ansatz: Ansatz,
        *,
        gradient: Derivative = "parameter_shift",
        noise: Noise | None = None,
        trajectories: int | None = None,
        repetitions: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Find where each symbol occurs.

        Args:
            ansatz: The circuit.
            gradient: "parameter_shift" or "finite_difference".
            noise: What disturbs the circuit and its readout.
            trajectories: Average that many pure states instead of an exact density matrix.
            repetitions: Return frequencies of that many executions, not exact probabilities.
            rng: Draws trajectories and executions.

        Raises:
            ValueError: The gradient is not to be had here, or randomness has no generator.
            UnsupportedGateError: A gate has no shift rule, and one was asked for.

        """
        if gradient == "adjoint":
            raise ValueError(
                'Cirq has no adjoint derivatives; use gradient="parameter_shift" or engine="fast"'
            )
        if rng is None and trajectories is not None:
            raise ValueError("trajectories are random; give rng")
        self.ansatz = ansatz
        self._gradient, self._noise = gradient, noise
        self._trajectories, self._rng = trajectories, rng
        self._shots = executions(repetitions, rng, gradient)

    def probabilities(self, weights: Floats, inputs: Floats | None = None) -> Floats:
        """Return the probability of every basis state, shape (n, 2^q)."""
        names = [*self.ansatz.weights, *self.ansatz.inputs]
        return self._run(self.ansatz.circuit, names, self._values(weights, inputs))

    def expectations(
        self, weights: Floats, inputs: Floats | None = None, *, observables: Floats | None = None
    ) -> Floats:
        """Return the expectations of diagonal observables, Z of each qubit unless given."""
        return observe(self.probabilities(weights, inputs), observables)

    def gradient(
        self, weights: Floats, inputs: Floats | None = None, *, upstream: Floats
    ) -> Gradient:
        """Return the derivatives of a loss from those by probabilities or expectations of Z."""
        values = self._values(weights, inputs)
        onto = state_weights(upstream, rows=len(values), qubits=len(self.ansatz.qubits))
        shifted = self._gradient == "parameter_shift"
        found = (self._by_shifts if shifted else self._by_differences)(values, onto)
        count = len(self.ansatz.weights)
        return Gradient(weights=found[:, :count].sum(axis=0), inputs=found[:, count:])

    def pullback(
        self, weights: Floats, inputs: Floats | None = None
    ) -> tuple[Floats, Callable[[Floats], Gradient]]:
        """Return the probabilities, and what turns an upstream derivative into a gradient."""
        later = partial(self.gradient, weights, inputs)
        return self.probabilities(weights, inputs), lambda upstream: later(upstream=upstream)

    def _values(self, weights: Floats, inputs: Floats | None) -> NDArray[np.float64]:
        rows = row_inputs(self.ansatz, weights, inputs)
        return np.hstack([np.tile(weights, (len(rows), 1)), rows])

    def _by_shifts(self, values: Floats, onto: Floats) -> NDArray[np.float64]:
        found = split(self.ansatz)
        names = [*self.ansatz.weights, *self.ansatz.inputs]
        columns = [names.index(symbol) for symbol in found.symbols]
        run = partial(self._run, found.circuit, found.names)
        by_place = differentiate(run, values[:, columns], stencils=found.rules, upstream=onto)
        result = np.zeros(values.shape)
        for place, column in enumerate(columns):
            result[:, column] += by_place[:, place]
        return result

    def _by_differences(self, values: Floats, onto: Floats) -> NDArray[np.float64]:
        names = [*self.ansatz.weights, *self.ansatz.inputs]
        run = partial(self._run, self.ansatz.circuit, names)
        stencils = [central_difference(_STEP)] * len(names)
        return differentiate(run, values, stencils=stencils, upstream=onto)

    def _run(self, circuit: cirq.Circuit, names: list[str], values: Floats) -> Floats:
        rows = (dict(zip(names, map(float, row), strict=True)) for row in values)
        exact = np.array([self._observe(cirq.resolve_parameters(circuit, row)) for row in rows])
        return self._shots(exact) if self._shots else exact

    def _observe(self, circuit: cirq.Circuit) -> Floats:
        qubits, noise = self.ansatz.qubits, self._noise
        if noise is None:
            simulator = cirq.Simulator(dtype=np.complex128)
            state = simulator.simulate(circuit, qubit_order=qubits).final_state_vector
            return np.asarray(state.real**2 + state.imag**2)
        if self._trajectories is None or self._rng is None:
            return density_probabilities(circuit, qubits, noise)
        return trajectory_probabilities(
            circuit, qubits, noise, trajectories=self._trajectories, rng=self._rng
        )
