"""Solvers of discrete problems that look at bitstrings drawn from a trained circuit.

The price is what a device would pay: bitstrings whose energy is worked out. Random search pays the
same for each, and is the measure of both solvers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generators.quantum.descent import Adam, Spsa
from generators.quantum.engines import executor
from generators.quantum.sampling import draw_bits

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.engines import Engine
    from generators.quantum.problems import Ising

    Floats = NDArray[np.float64]

# A schedule is good already and upset by large steps; a hardware-efficient circuit needs them.
_SMALL, _LARGE = Spsa(rate=0.015, size=0.05), Spsa(rate=0.3, size=0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The best bitstring that a search has seen.

    Args:
        bits: Shape (q,).
        energy: Its energy.
        evaluations: How many bitstrings were looked at.
        weights: Of the circuit at the end; none for random search.

    """

    bits: NDArray[np.uint8]
    energy: float
    evaluations: int
    weights: Floats


class _Search:
    """Look at bitstrings and keep the best."""

    def __init__(self, problem: Ising) -> None:
        self.problem, self.evaluations = problem, 0
        self.bits, self.energy = np.zeros(problem.qubits, np.uint8), np.inf

    def look(self, bits: NDArray[np.uint8]) -> Floats:
        """Return the energies of bitstrings, shape (n, q)."""
        energies = self.problem.energies_of(bits)
        self.evaluations += len(bits)
        if energies.min() < self.energy:
            best = int(energies.argmin())
            self.energy, self.bits = float(energies[best]), bits[best]
        return energies

    def solution(self, weights: Floats) -> Solution:
        return Solution(
            bits=self.bits, energy=self.energy, evaluations=self.evaluations, weights=weights
        )


def random_search(problem: Ising, *, evaluations: int, rng: np.random.Generator) -> Solution:
    """Return the best of so many uniform bitstrings."""
    search = _Search(problem)
    search.look(rng.integers(0, 2, (evaluations, problem.qubits), np.uint8))
    return search.solution(np.zeros(0))


def qaoa(
    problem: Ising,
    *,
    rng: np.random.Generator,
    layers: int = 6,
    steps: int = 10,
    draws: int = 16,
    descent: Adam | Spsa = _SMALL,
    engine: Engine = "auto",
) -> Solution:
    """Search with the alternating operator ansatz, from a linear annealing schedule.

    Args:
        problem: What to minimise.
        rng: Draws bitstrings and directions.
        layers: Of the circuit.
        steps: Of the descent.
        draws: Bitstrings from each circuit that is run.
        descent: `Spsa` runs two circuits a step, `Adam` two for each weight.
        engine: Runs the circuit.

    Source: Farhi, Goldstone and Gutmann (2014), arXiv 1411.4028.
    """
    from generators.quantum.circuits import qaoa_layers

    ramp = (np.arange(layers) + 0.5) / layers
    unit = np.sqrt(np.mean(_row_squares(problem)))
    # In the order of the names: the energy's time, then the mixer's angle, layer by layer.
    start = np.stack([0.75 * ramp / unit, -1.5 * (1 - ramp)], axis=1).reshape(-1)
    ansatz = qaoa_layers(problem, layers=layers)
    return _descend(
        problem,
        ansatz,
        start,
        rng=rng,
        steps=steps,
        draws=draws,
        descent=descent,
        engine=engine,
    )


def vqe(
    problem: Ising,
    *,
    rng: np.random.Generator,
    layers: int = 1,
    steps: int = 20,
    draws: int = 24,
    descent: Adam | Spsa = _LARGE,
    engine: Engine = "auto",
) -> Solution:
    """Search with a hardware-efficient circuit, from the uniform distribution.

    Args:
        problem: What to minimise.
        rng: Draws bitstrings and directions.
        layers: Of the circuit.
        steps: Of the descent.
        draws: Bitstrings from each circuit that is run.
        descent: `Spsa` runs two circuits a step, `Adam` two for each weight.
        engine: Runs the circuit.

    Source: Peruzzo and others (2014), Nature Communications 5, 4213.
    """
    from generators.quantum.circuits import hardware_efficient

    ansatz = hardware_efficient(problem.qubits, layers=layers)
    start = rng.normal(0, 0.1, len(ansatz.weights))
    start[[name.startswith(f"t_{layers:03d}") for name in ansatz.weights]] += np.pi / 2
    return _descend(
        problem,
        ansatz,
        start,
        rng=rng,
        steps=steps,
        draws=draws,
        descent=descent,
        engine=engine,
    )


def _descend(
    problem: Ising,
    ansatz: Ansatz,
    weights: Floats,
    *,
    rng: np.random.Generator,
    steps: int,
    draws: int,
    descent: Adam | Spsa,
    engine: Engine,
) -> Solution:
    run, search = executor(ansatz, engine=engine), _Search(problem)
    spread = float(np.sqrt((problem.fields**2).sum() + (problem.couplings**2).sum()))

    def loss(point: Floats) -> float:
        bits = draw_bits(run.probabilities(point)[0], draws, rng)
        return float(search.look(bits).mean()) / spread

    state = Adam().start(weights)
    for taken in range(steps):
        if isinstance(descent, Spsa):
            weights = descent.step(loss, weights, taken=taken, rng=rng)
        else:
            weights, state = descent.step(weights, _slope(loss, weights), state)
    return search.solution(weights)


def _slope(loss: Callable[[Floats], float], weights: Floats) -> Floats:
    """Return a gradient from two losses for each weight."""
    ends = _SMALL.size * np.eye(len(weights))
    rises = [loss(weights + end) - loss(weights - end) for end in ends]
    return np.array(rises) / (2 * _SMALL.size)


def _row_squares(problem: Ising) -> Floats:
    """Return the mean square of the field that each bit feels."""
    both = problem.couplings + problem.couplings.T
    return np.asarray(problem.fields**2 + (both**2).sum(axis=1))
