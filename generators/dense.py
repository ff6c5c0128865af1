"""Dense networks in numpy: what a trained network needs to draw rows, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LEAK = 0.2
"""Slope below zero of every hidden unit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dense:
    """Layers of weights (inputs, outputs) and biases (outputs,), leaky rectifiers between."""

    layers: tuple[tuple[Floats, Floats], ...]

    @staticmethod
    def started(sizes: Sequence[int], rng: np.random.Generator) -> Dense:
        """Return random weights, scaled so that every layer keeps the spread of its input.

        Source: He et al. (2015), ICCV.
        """
        gain = np.sqrt(2.0 / (1.0 + LEAK**2))
        layers = []
        for inputs, outputs in pairwise(sizes):
            weights = rng.standard_normal((inputs, outputs)) * gain / np.sqrt(inputs)
            layers.append((weights.astype(np.float32), np.zeros(outputs, np.float32)))
        return Dense(layers=tuple(layers))

    def __call__(self, rows: Floats) -> Floats:
        """Return the outputs, shape (n, inputs) to (n, outputs); the last layer is linear."""
        *hidden, last = self.layers
        for weights, bias in hidden:
            rows = rows @ weights + bias
            rows = np.maximum(rows, np.float32(LEAK) * rows)
        return rows @ last[0] + last[1]

    @property
    def flat(self) -> list[Floats]:
        """Return weights and biases, layer by layer, as Keras orders them."""
        return [array for layer in self.layers for array in layer]

    def save(self, name: str) -> dict[str, NDArray[Any]]:
        """Return what `restored` needs."""
        return {f"{name}.{place:02}": array for place, array in enumerate(self.flat)}

    @staticmethod
    def restored(arrays: Mapping[str, NDArray[Any]], name: str) -> Dense:
        """Return the layers that `save` wrote."""
        own = [arrays[key] for key in sorted(arrays) if key.startswith(f"{name}.")]
        return Dense(layers=tuple(zip(own[::2], own[1::2], strict=True)))
