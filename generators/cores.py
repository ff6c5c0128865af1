"""What a Born machine and a Boltzmann machine leave behind: where bitstrings come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.quantum.annealing import Paths, anneal, swept
from generators.quantum.sampling import draw_bits
from generators.running import declared_circuit, drawing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.bits import Bits
    from generators.quantum.boltzmann import Machine
    from generators.quantum.noise import Noise

    Bitstrings = NDArray[np.uint8]
    Floats = NDArray[np.floating[Any]]

ROUNDS = 20
"""Attempts at a valid bitstring before the nearest valid one is taken."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QcbmCore:
    """A trained circuit and the law of its readings.

    The law is kept beside the angles, so that a loaded model needs no engine and draws the same
    rows on every machine.

    Attributes:
        law: Of the valid basis states, shape (2^q,).
        angles: Of the circuit.
        circuit: In Cirq's JSON.
        engine: What ran it.
        noise: What disturbed it.
        noise_by: How that was worked out; nothing without noise.

    """

    law: Floats
    angles: NDArray[np.float64]
    circuit: NDArray[np.uint8]
    engine: str
    noise: Noise
    noise_by: str

    @property
    def declared(self) -> Mapping[str, Any]:
        """Return what samples say of the circuit."""
        rates = asdict(self.noise)
        noise = {"noise": rates, "noise_by": self.noise_by} if any(rates.values()) else {}
        return {"engine": self.engine, **noise, **declared_circuit(self.circuit)}

    def draw(self, n: int, rng: np.random.Generator) -> Bitstrings:
        """Return n bitstrings."""
        return draw_bits(self.law, n, rng)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the law, the angles and the circuit."""
        return {
            "law": self.law,
            "angles": self.angles,
            "circuit": self.circuit,
            "engine": np.array(self.engine),
            "noise_by": np.array(self.noise_by),
        }

    def describe(self) -> str:
        """Return the circuit as text."""
        return drawing(self.circuit)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QbmCore:
    """Draws from the probabilities of all bitstrings, or by annealing one chain a row.

    Attributes:
        machine: What was learned.
        code: What its bits mean.
        chances: The probability of each seen bitstring, shape (2^visible,), not normalised;
            empty where there are too many.
        sweeps: Sweeps of an annealing.
        slices: Its moments of imaginary time.

    """

    machine: Machine
    code: Bits
    chances: NDArray[np.float64]
    sweeps: int
    slices: int

    @property
    def declared(self) -> dict[str, str]:
        """Return how rows are drawn."""
        return {"sampler": "exact" if len(self.chances) else "annealing"}

    def facts(self) -> dict[str, float | int | str]:
        """Return what a log should say of the machine."""
        field = np.abs(self.machine.transverse)
        return {
            "visible": self.machine.visible,
            "hidden": self.machine.qubits - self.machine.visible,
            "parameters": len(self.machine.vector),
            "gamma_mean": float(field.mean()),
            **self.declared,
        }

    def describe(self) -> str:
        """Return the machine in words."""
        field, pulls = np.abs(self.machine.transverse), np.abs(self.machine.problem.couplings)
        return (
            f"{self.machine.visible} seen and {self.machine.qubits - self.machine.visible} hidden "
            f"qubits\ntransverse field {field.min():.3g} to {field.max():.3g}\n"
            f"strongest coupling {pulls.max():.3g}\nsampled by {self.declared['sampler']}"
        )

    def draw(self, n: int, rng: np.random.Generator) -> Bitstrings:
        """Return n bitstrings that mean something."""
        if len(self.chances):
            return draw_bits(self.chances, n, rng)
        problem, transverse = self.machine.problem, self.machine.transverse
        zeros = anneal(
            problem, transverse, chains=n, sweeps=self.sweeps, slices=self.slices, rng=rng
        ).zeros
        for _ in range(ROUNDS):
            wrong = ~self.code.valid(self._seen(Paths(zeros=zeros)))
            if not wrong.any():
                break
            again = Paths(zeros=zeros[:, :, wrong])
            zeros[:, :, wrong] = swept(again, problem, transverse, sweeps=10, rng=rng).zeros
        return self._seen(Paths(zeros=zeros))

    def _seen(self, paths: Paths) -> Bitstrings:
        return paths.bits()[:, : self.machine.visible]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the terms, the probabilities and what the bits mean."""
        return {**self.machine.arrays(), **self.code.save(), "chances": self.chances}
