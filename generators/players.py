"""The two sides of an adversarial game: circuits and small networks that make rows or judge them.

A player's numbers live in a mapping of arrays, apart from the player, so that a step returns new
ones and a checkpoint is a copy. `forward` returns the outputs, and what carries a slope by the
outputs back to the numbers and to what came in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from generators.quantum.geometry import LOOKED_AT, among_states
from generators.quantum.observables import z_combination, z_expectations
from generators.quantum.sampling import frequencies

if TYPE_CHECKING:
    from generators.quantum.engines import Executor

Floats = NDArray[np.floating[Any]]
Numbers = Mapping[str, NDArray[np.float64]]
Pull = Callable[[Floats], tuple[Numbers, Floats]]

REACH = 0.95
"""Latent variables stay this far inside [-1, 1], where a qubit's turn is steep but finite."""

CALM = 0.05
"""Size of a generator's first angles, against those that would scramble its qubits."""


class Player(Protocol):
    """A generator, from latent rows to rows, or a critic, from rows to logits (n, 1)."""

    @property
    def angles(self) -> str:
        """Return the name of a circuit's own angles among the numbers; "" for a network."""

    def natural(self, numbers: Numbers, rows: Floats, slope: Floats) -> Floats:
        """Return a slope by the angles in the geometry of the states made from some rows."""

    def start(self, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        """Return the numbers before the first step."""

    def forward(self, numbers: Numbers, rows: Floats) -> tuple[Floats, Pull]:
        """Return outputs, and what takes a slope by them to slopes by numbers and by rows."""


class Generator(Player, Protocol):
    """A player whose rows come from latent ones."""

    @property
    def latents(self) -> int:
        """Return the number of latent variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """Finitely many executions.

    Attributes:
        repetitions: Executions for each row; 0 for exact expectations.
        rng: Draws what they read.

    """

    repetitions: int
    rng: np.random.Generator


def expectations(
    run: Executor, angles: Floats, shots: Shots | None
) -> tuple[Floats, Callable[[Floats], Floats]]:
    """Return Z of every qubit for rows of angles, and what takes a slope by Z to one by angles.

    The slope is that of the exact expectations, whatever the executions happened to read.

    Args:
        run: Of a circuit whose angles are all inputs.
        angles: Shape (n, number of inputs).
        shots: Executions that the expectations are taken from; None for exact ones.

    """
    law, pull = run.pullback(np.zeros(0), angles)
    if shots is not None and shots.repetitions:
        law = frequencies(law, repetitions=shots.repetitions, rng=shots.rng)
    return z_expectations(law), lambda slope: pull(z_combination(slope)).inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantumGenerator:
    """Circuits whose every angle reads all latent variables, and whose Z are the dimensions.

    It starts where latent variable k is dimension k: uniform and independent.

    Attributes:
        runs: The circuit of each patch, all angles inputs; qubits side by side are the outputs.
        width: Dimensions, no more than qubits.
        turned: Places among a circuit's angles of those that turn its qubits first.
        shots: Executions of each row, if they are finite.

    """

    runs: tuple[Executor, ...]
    width: int
    turned: NDArray[np.int64]
    shots: Shots | None = None
    angles: ClassVar[str] = "shift"

    @property
    def latents(self) -> int:
        """Return the number of latent variables: one a qubit."""
        return len(self.runs) * len(self.turned)

    def start(self, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        """Return small random angles, and the identity in front of them."""
        angles, patches = len(self.runs[0].ansatz.inputs), len(self.runs)
        mix = rng.normal(0, 0.5 * CALM, (patches, self.latents, angles))
        shift = rng.normal(0, 0.3 * CALM, (patches, angles))
        for patch in range(patches):
            own = np.arange(len(self.turned)) + patch * len(self.turned)
            mix[patch, own, self.turned] += np.sqrt(self.latents)
            shift[patch, self.turned] += np.pi / 2
        ends = {"gain": np.full(self.width, 1.0 / REACH), "offset": np.zeros(self.width)}
        return {"mix": mix, "shift": shift, **ends}

    def forward(self, numbers: Numbers, rows: Floats) -> tuple[Floats, Pull]:
        """Return rows made from latent rows, shape (n, latents) to (n, width)."""
        latent = self._latent(rows)
        found = [
            expectations(run, angles, self.shots)
            for run, angles in zip(self.runs, self._turns(numbers, latent), strict=True)
        ]
        seen = np.hstack([z for z, _ in found])
        kept = seen[:, : self.width]

        def pull(slope: Floats) -> tuple[Numbers, Floats]:
            onto = np.zeros(seen.shape, seen.dtype)
            onto[:, : self.width] = slope * numbers["gain"]
            parts = np.split(onto, len(self.runs), axis=1)
            angles = [back(part) for (_, back), part in zip(found, parts, strict=True)]
            inward = sum(a @ mix.T for a, mix in zip(angles, numbers["mix"], strict=True))
            return {
                "mix": np.stack([latent.T @ a for a in angles]),
                "shift": np.stack([a.sum(axis=0) for a in angles]),
                "gain": (slope * kept).sum(axis=0),
                "offset": slope.sum(axis=0),
            }, inward / np.sqrt(self.latents * (1.0 - np.square(rows)))

        return kept * numbers["gain"] + numbers["offset"], pull

    def natural(self, numbers: Numbers, rows: Floats, slope: Floats) -> Floats:
        """Return a slope by the angles in the geometry of each patch's states."""
        turns = self._turns(numbers, self._latent(rows[:LOOKED_AT]))
        parts = zip(self.runs, slope, turns, strict=True)
        return np.stack([among_states(run, by, np.zeros(0), at) for run, by, at in parts])

    def _latent(self, rows: Floats) -> Floats:
        """Return what the matrices read; with many latents steps keep their size."""
        found: Floats = np.arcsin(rows) / np.sqrt(self.latents)
        return found

    def _turns(self, numbers: Numbers, latent: Floats) -> list[Floats]:
        """Return the angles of each patch, shape (n, angles)."""
        return [
            latent @ mix + shift
            for mix, shift in zip(numbers["mix"], numbers["shift"], strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantumCritic:
    """A circuit that reads its row in every angle, each with a scale of its own.

    Attributes:
        run: The circuit, all angles inputs.
        columns: The column that each angle reads.

    """

    run: Executor
    columns: NDArray[np.int64]
    angles: ClassVar[str] = "shift"

    def start(self, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        """Return random angles that read their rows at about one turn."""
        angles, qubits = len(self.columns), len(self.run.ansatz.qubits)
        turns = np.array(["_y_" in name for name in self.run.ansatz.inputs])
        return {
            "shift": rng.normal(0, 0.3, angles),
            "scale": rng.normal(0, 0.3, angles) + np.where(turns, 1.5, 0.5),
            "weight": rng.normal(0, 1.0, qubits),
            "bias": np.zeros(1),
        }

    def forward(self, numbers: Numbers, rows: Floats) -> tuple[Floats, Pull]:
        """Return logits, shape (n, d) to (n, 1)."""
        read = rows[:, self.columns]
        seen, back = expectations(self.run, numbers["shift"] + numbers["scale"] * read, None)

        def pull(slope: Floats) -> tuple[Numbers, Floats]:
            angles = back((slope * numbers["weight"]).astype(seen.dtype))
            inward = np.zeros(rows.shape)
            np.add.at(inward.T, self.columns, (angles * numbers["scale"]).T)
            return {
                "shift": angles.sum(axis=0),
                "scale": (angles * read).sum(axis=0),
                "weight": seen.T @ slope[:, 0],
                "bias": slope.sum(axis=0),
            }, inward

        return seen @ numbers["weight"][:, None] + numbers["bias"], pull

    def natural(self, numbers: Numbers, rows: Floats, slope: Floats) -> Floats:
        """Return a slope by the angles in the geometry of the states."""
        angles = numbers["shift"] + numbers["scale"] * rows[:LOOKED_AT, self.columns]
        return among_states(self.run, slope, np.zeros(0), angles)
