"""A small network as a player: what a circuit is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from generators.players import CALM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.players import Numbers, Pull

    Floats = NDArray[np.floating[Any]]

LEAK = 0.2
"""Slope below zero of a network's hidden units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Two hidden layers of leaky rectifiers.

    Attributes:
        inputs: Columns that come in.
        outputs: Columns that go out.
        width: Units of a hidden layer.
        passing: Add the inputs to the outputs, and start with that alone.

    """

    inputs: int
    outputs: int
    width: int
    passing: bool = False
    angles: ClassVar[str] = ""

    def natural(self, numbers: Numbers, rows: Floats, slope: Floats) -> Floats:
        """Return the slope: a network has no states."""
        return slope

    @property
    def latents(self) -> int:
        """Return the number of latent variables, for a generator."""
        return self.inputs

    def start(self, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        """Return random weights that keep the spread of what comes in."""
        sizes, numbers = (self.inputs, self.width, self.width, self.outputs), {}
        for k in range(3):
            size = np.sqrt(2.0 / (1.0 + LEAK**2) / sizes[k])
            size *= CALM if self.passing and k == 2 else 1.0
            numbers[f"weights_{k}"] = rng.normal(0, size, (sizes[k], sizes[k + 1]))
            numbers[f"bias_{k}"] = np.zeros(sizes[k + 1])
        return numbers

    def forward(self, numbers: Numbers, rows: Floats) -> tuple[Floats, Pull]:
        """Return the outputs, shape (n, inputs) to (n, outputs)."""
        into, slopes, found = [], [], rows
        for k in range(3):
            into.append(found)
            found = found @ numbers[f"weights_{k}"] + numbers[f"bias_{k}"]
            slopes.append(np.where((found > 0) | (k == 2), 1.0, LEAK))
            found = found * slopes[-1]

        def pull(slope: Floats) -> tuple[Numbers, Floats]:
            grads, onto = {}, slope
            for k in (2, 1, 0):
                onto = onto * slopes[k]
                grads[f"weights_{k}"] = into[k].T @ onto
                grads[f"bias_{k}"] = onto.sum(axis=0)
                onto = onto @ numbers[f"weights_{k}"].T
            if self.passing:
                onto[:, : self.outputs] += slope
            return grads, onto

        return found + rows[:, : self.outputs] if self.passing else found, pull
