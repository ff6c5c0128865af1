"""What a quantum GAN is played on: circuits and networks of the right sizes for some columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.errors import DetectorError
from generators.players import QuantumCritic, QuantumGenerator, Shots
from generators.rectifiers import Network
from generators.running import all_inputs, circuit_bytes, noisy, started

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.players import Generator, Player
    from generators.quantum.engines import Executor
    from generators.quantum.noise import Noise
    from generators.recipes.qgan import Qgan

MOST_QUBITS = 12
"""Qubits of one circuit: its state is held for every row of a batch."""

FEWEST, USUAL, PATCH = 4, 10, 8
"""Qubits of a circuit at least, at most, and in each of several patches, if none are named."""


SMALLEST = 1e-6
"""Variance of an axis at least, when axes are weighed by it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """Builds both sides, as a recipe's options say.

    Attributes:
        recipe: Its options.
        columns: Of the rows.
        width: Columns that the generator makes; the others are drawn at random.
        qubits: Of each of the generator's circuits.

    """

    recipe: Qgan
    columns: int
    width: int
    qubits: int

    @staticmethod
    def of(recipe: Qgan, columns: int) -> Stage:
        """Return the stage for rows with so many columns.

        Raises:
            DetectorError: There are more columns than qubits, and they are no whitened axes.

        """
        usual = PATCH if recipe.patches > 1 else min(max(columns, FEWEST), USUAL)
        qubits = recipe.qubits or usual
        fit = columns if recipe.generator == "classical" else qubits * recipe.patches
        if columns > fit and not recipe.whiten:
            raise DetectorError(
                f"The table has {columns} dimensions, and {fit} of them fit on {fit} qubits.",
                hint="Set `whiten` to project them, leave columns out, or give more `patches`.",
            )
        return Stage(recipe=recipe, columns=columns, width=min(columns, fit), qubits=qubits)

    @property
    def noise(self) -> Noise:
        """Return what disturbs the generator."""
        return self.recipe.noise

    @cached_property
    def run(self) -> Executor:
        """Return what runs a circuit of the generator without noise."""
        return self._started(self.qubits, self.recipe.layers)

    @property
    def circuit(self) -> NDArray[np.uint8]:
        """Return the generator's circuit in Cirq's JSON; nothing for a network."""
        if self.recipe.generator == "classical":
            return np.empty(0, np.uint8)
        return circuit_bytes(self.run.ansatz)

    @property
    def facts(self) -> dict[str, Any]:
        """Return sizes for the log."""
        own = {"columns": self.columns, "learned_columns": self.width}
        if self.recipe.generator == "classical":
            return own
        gates = sum(1 for _ in self.run.ansatz.circuit.all_operations())
        own |= {"qubits": self.qubits, "gates": gates, "patches": self.recipe.patches}
        return {**own, "engine": self.run.name}

    def weights(self, variances: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        """Return what each column counts in a distance; in patches, axes by their variance.

        An image's many small axes would drown the few that show what it is of.
        """
        if variances is None or self.recipe.patches == 1:
            return None
        spread = np.sqrt(np.maximum(variances[: self.width], SMALLEST))
        return np.asarray(spread / np.sqrt(np.mean(np.square(spread))))

    def generator(self, *, noise: bool, rng: np.random.Generator) -> Generator:
        """Return the generator, with its noise and finite executions or without."""
        if self.recipe.generator == "classical":
            return Network(
                inputs=self.width, outputs=self.width, width=self.recipe.width, passing=True
            )
        run, counted = self.run, self.recipe.repetitions if noise else 0
        if noise and max(self.noise.depolarising, self.noise.readout) > 0:
            run = noisy(run, self.noise, repetitions=0, rng=rng)
        named = run.ansatz.inputs
        return QuantumGenerator(
            runs=(run,) * self.recipe.patches,
            width=self.width,
            turned=np.array([named.index(f"t_000_y_{k:03d}") for k in range(self.qubits)]),
            shots=Shots(repetitions=counted, rng=rng) if counted else None,
        )

    def critic(self) -> Player:
        """Return the critic."""
        if self.recipe.critic == "classical":
            return Network(inputs=self.width, outputs=1, width=self.recipe.width)
        qubits = self.recipe.critic_qubits or min(max(self.width, FEWEST), USUAL)
        run = self._started(qubits, self.recipe.critic_layers)
        columns = _read(run.ansatz.inputs, qubits=qubits, columns=self.width)
        return QuantumCritic(run=run, columns=columns)

    def _started(self, qubits: int, layers: int) -> Executor:
        options = {"engine": self.recipe.engine, "gradient": self.recipe.gradient}
        return started(all_inputs(qubits, layers=layers), **options)


def _read(names: tuple[str, ...], *, qubits: int, columns: int) -> NDArray[np.int64]:
    """Return the column that each angle reads: every column in every layer, if there is room.

    With more columns than qubits, the angles of a qubit take turns.
    """
    found = []
    for name in names:
        _, layer, kind, qubit = name.split("_")
        turn = 2 * int(layer) + (kind == "z")
        found.append(int(qubit) + (qubits * turn if columns > qubits else 0))
    return np.array(found) % columns
