"""One side of a game: a player, its numbers, and the steps that replace them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.quantum.descent import AdamState, Place, slope_by
from generators.store import below, under

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from generators.players import Numbers, Player
    from generators.quantum.descent import Adam

    Arrays = Mapping[str, NDArray[Any]]
    Floats = NDArray[np.floating[Any]]


@dataclass(slots=True)
class Side:
    """A player, its numbers and what its optimiser remembers; a step replaces both.

    Attributes:
        player: Makes rows or judges them.
        adam: Makes the steps.
        optimiser: Finds the slope of a circuit's angles; that of the layers beside it is exact.
        numbers: Of the player.
        memory: Of Adam, by the same names.

    """

    player: Player
    adam: Adam
    optimiser: str
    numbers: dict[str, NDArray[np.float64]]
    memory: dict[str, AdamState]

    @staticmethod
    def of(player: Player, adam: Adam, optimiser: str, rng: np.random.Generator) -> Side:
        """Return a player before its first step."""
        numbers = player.start(rng)
        memory = {name: adam.start(value) for name, value in numbers.items()}
        return Side(player, adam, optimiser, numbers, memory)

    @property
    def finite(self) -> bool:
        """Return whether every number still is one."""
        return all(np.isfinite(value).all() for value in self.numbers.values())

    def arrays(self) -> Arrays:
        """Return what is carried from step to step."""
        memory = [under(name, state.arrays()) for name, state in self.memory.items()]
        return {
            **under("numbers", self.numbers),
            **{name: array for part in memory for name, array in under("memory", part).items()},
        }

    def restore(self, arrays: Arrays) -> None:
        """Take what `arrays` returned."""
        self.numbers = below(arrays, "numbers")
        memory = below(arrays, "memory")
        self.memory = {name: AdamState.restored(below(memory, name)) for name in self.memory}

    def step(
        self,
        slopes: Numbers,
        loss: Callable[[Numbers], float],
        rows: Floats,
        *,
        scale: float,
        rng: np.random.Generator,
    ) -> None:
        """Make one step.

        Args:
            slopes: Derivatives of the loss by all numbers.
            loss: Returns it at other numbers.
            rows: That the player was given.
            scale: Multiplies the rate.
            rng: For SPSA.

        """
        if turning := self.player.angles:
            place = Place(
                slope=lambda: np.asarray(slopes[turning], np.float64),
                loss=lambda angles: loss({**self.numbers, turning: angles}),
                natural=lambda slope, _angles: self.player.natural(self.numbers, rows, slope),
            )
            angles, taken = self.numbers[turning], self.memory[turning].steps
            found = slope_by(self.optimiser, place, angles, taken=taken, rng=rng)
            slopes = {**slopes, turning: found}
        for name, slope in slopes.items():
            self.numbers[name], self.memory[name] = self.adam.step(
                self.numbers[name], np.asarray(slope, np.float64), self.memory[name], scale=scale
            )
