"""Noise at no cost: an executor whose probabilities are mixed with the uniform and flipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.quantum.engines import observe, state_weights
from generators.quantum.noise import flip_readout, surrogate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.engines import Executor, Gradient
    from generators.quantum.noise import Noise, Surrogate

    Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateExecutor:
    """An executor behind depolarising and readout noise, with exact derivatives.

    Args:
        inner: Runs the circuit without noise.
        noise: Without damping.

    """

    inner: Executor
    noise: Noise

    @property
    def name(self) -> str:
        """Return the engine underneath."""
        return self.inner.name

    @property
    def ansatz(self) -> Ansatz:
        """Return the circuit."""
        return self.inner.ansatz

    @property
    def rates(self) -> Surrogate:
        """Return the rates that stand for the noise."""
        ansatz = self.inner.ansatz
        return surrogate(self.noise, qubits=len(ansatz.qubits), moments=len(ansatz.circuit))

    def probabilities(self, weights: Floats, inputs: Floats | None = None) -> Floats:
        """Return the probability of every basis state, shape (n, 2^q)."""
        return self._blur(self.inner.probabilities(weights, inputs))

    def expectations(
        self, weights: Floats, inputs: Floats | None = None, *, observables: Floats | None = None
    ) -> Floats:
        """Return the expectations of diagonal observables, Z of each qubit unless given."""
        return observe(self.probabilities(weights, inputs), observables)

    def gradient(
        self, weights: Floats, inputs: Floats | None = None, *, upstream: Floats
    ) -> Gradient:
        """Return the derivatives of a loss from those by probabilities or expectations of Z."""
        return self.inner.gradient(weights, inputs, upstream=self._back(upstream))

    def pullback(
        self, weights: Floats, inputs: Floats | None = None
    ) -> tuple[Floats, Callable[[Floats], Gradient]]:
        """Return the probabilities, and what turns an upstream derivative into a gradient."""
        sharp, pull = self.inner.pullback(weights, inputs)
        return self._blur(sharp), lambda upstream: pull(self._back(upstream))

    def _blur(self, probabilities: Floats) -> Floats:
        rates, states = self.rates, probabilities.shape[1]
        mixed = (1 - rates.share) * probabilities + rates.share / states
        return flip_readout(flip_readout(mixed, rates.flip), self.noise.readout)

    def _back(self, upstream: Floats) -> Floats:
        """Carry an upstream derivative through the transposed noise."""
        rates = self.rates
        onto = state_weights(upstream, rows=len(upstream), qubits=len(self.ansatz.qubits))
        flipped = flip_readout(flip_readout(onto, self.noise.readout), rates.flip)
        return np.asarray((1 - rates.share) * flipped)
