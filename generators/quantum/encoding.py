"""Training of autoencoders of circuits: the divergence's weight rises, the best bound is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.quantum.autoencoder import joined, parted
from generators.quantum.descent import Adam, AdamState, Place, slope_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.diary import Diary
    from generators.quantum.autoencoder import Autoencoder, Weights

    Floats = NDArray[np.float64]

RISING = 0.4
"""Share of the steps in which the weight of the divergence rises."""

LAST_RATE = 0.05
"""The learning rate at the last step, beside the first one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How to train.

    Attributes:
        steps: Steps at most.
        batch: Rows of each step.
        rate: Learning rate at the start.
        beta: Weight of the divergence at the end.
        checks: How often held-out rows are looked at.
        optimiser: Where the slope of the circuits' angles comes from: `adam`, `natural`, `spsa`.

    """

    steps: int
    batch: int
    rate: float
    beta: float
    checks: int
    optimiser: str = "adam"

    def train(
        self,
        network: Autoencoder,
        weights: Weights,
        rows: tuple[Floats, Floats],
        diary: Diary,
        rng: np.random.Generator,
    ) -> None:
        """Train; the diary keeps the weights with the best bound on held-out rows.

        Args:
            network: What the weights are for.
            weights: Where to start.
            rows: Those that are trained on and those held out, shapes (n, columns), (m, columns).
            diary: Keeps the weights.
            rng: Draws batches and codes.

        """
        training, validation = rows
        noise = rng.standard_normal((len(validation), network.latent))
        adam, vector = Adam(rate=self.rate), joined(weights)
        state = adam.start(vector)
        every = max(1, self.steps // self.checks)

        def restore(arrays: Mapping[str, NDArray[Any]]) -> None:
            nonlocal vector, state, weights
            vector, state = arrays["vector"], AdamState.restored(arrays)
            weights = parted(vector, weights)

        diary.carry(rng, lambda: {"vector": vector, **state.arrays()}, restore)
        with diary:
            for step in diary.steps():
                if step % every == 0 or step + 1 == self.steps:
                    judged = network.bound(weights, validation, noise)
                    score = judged.surprise + self.beta * judged.divergence
                    diary.record(validation=score)
                    diary.keep(weights, score=score)
                batch = training[rng.integers(0, len(training), min(self.batch, len(training)))]
                drawn = rng.standard_normal((len(batch), network.latent))
                beta = self.beta * min(1.0, step / (RISING * self.steps))
                bound, slopes = network.slopes(weights, batch, drawn, beta=beta)
                diary.record(surprise=bound.surprise, divergence=bound.divergence)
                place = _place(network, weights, (batch, drawn), slopes, beta=beta)
                angles, by = _turning(weights), self.optimiser
                turn = slope_by(by, place, joined(angles), taken=state.steps, rng=rng)
                slopes |= parted(turn, angles)
                slope = joined({name: slopes[name] for name in weights})
                vector, state = adam.step(vector, slope, state, scale=self._scale(step))
                weights = parted(vector, weights)

    def _scale(self, step: int) -> float:
        """Return the share of the rate: half a cosine from 1 to `LAST_RATE`."""
        fall = (1.0 + np.cos(np.pi * step / self.steps)) / 2.0
        return float(LAST_RATE + (1.0 - LAST_RATE) * fall)


def _turning(weights: Weights) -> Weights:
    """Return those that turn qubits: the angles of both circuits."""
    return {name: weights[name] for name in ("encoder", "decoder")}


def _place(
    network: Autoencoder,
    weights: Weights,
    batch: tuple[Floats, Floats],
    slopes: Weights,
    *,
    beta: float,
) -> Place:
    """Return the loss of a batch, its rows and noise, around the angles of both circuits."""
    angles = _turning(weights)

    def loss(vector: Floats) -> float:
        bound = network.bound({**weights, **parted(vector, angles)}, *batch)
        return bound.surprise + beta * bound.divergence

    def natural(slope: Floats, _angles: Floats) -> Floats:
        return joined(network.natural(weights, *batch, parted(slope, angles)))

    return Place(slope=lambda: joined(_turning(slopes)), loss=loss, natural=natural)
