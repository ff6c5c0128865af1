"""Trains the networks of `vae`: rows to a latent normal, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
import tf_keras

from generators.diary import Diary
from generators.networks.layers import as_dense, assign, network, numbered, update

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.features import Features
    from generators.fitting import Progress
    from generators.recipes.vae import Vae

    Floats = NDArray[np.float32]

HELD = 2_048
"""Rows that are not trained on, at most; a fifth in small tables."""

LOOKS = 4
"""Draws of the latent noise with which a checkpoint is judged."""

QUIETEST = -4.0
"""Logarithm of the smallest spread that a number's output may have."""


def train(
    options: Vae,
    rows: Floats,
    features: Features,
    weights: Floats,
    rng: np.random.Generator,
    tell: Progress,
) -> tuple[dict[str, NDArray[Any]], TrainingLog]:
    """Return encoder, decoder and output spreads with the best bound on held-out rows.

    Args:
        options: The recipe.
        rows: Training rows as features, shape (n, f).
        features: What they mean.
        weights: How often to show each row, shape (n,); rare levels more often.
        rng: Decides the first weights, the batches and the noise.
        tell: Told about progress.

    """
    order = rng.permutation(len(rows))
    cut = max(1, min(HELD, len(rows) // 5))
    held, shown = rows[order[:cut]], order[cut:] if len(rows) > 1 else order
    share = weights[shown] / weights[shown].sum()
    pair = _Pair(options, features, rng)
    noise = rng.standard_normal((LOOKS, len(held), options.latent), np.float32)
    diary = Diary(
        total=options.steps, tell=tell, patience=options.patience, budget=options.budget or None
    )
    every = max(1, options.steps // options.checks)
    diary.carry(rng, pair.carried, pair.restore)
    with diary:
        for step in diary.steps():
            batch = rows[rng.choice(shown, options.batch, p=share)]
            warmth = min(1.0, 2.0 * (step + 1) / options.steps)
            loss = pair.step(batch, options.beta * warmth)
            if (step + 1) % every == 0 or step + 1 == options.steps:
                bound = float(np.mean([pair.bound(held, look) for look in noise]))
                diary.record(training=loss, validation=bound)
                diary.keep(pair.arrays(), score=bound)
    size = sum(array.size for array in pair.arrays().values())
    return dict(diary.best), diary.log(facts={"parameters": size})


class _Pair:
    """Encoder and decoder, and the spreads of the numbers that come out."""

    def __init__(self, options: Vae, features: Features, rng: np.random.Generator) -> None:
        hidden = [options.width] * options.depth
        self._encoder = network([features.size, *hidden, 2 * options.latent], rng)
        self._decoder = network([options.latent, *hidden, features.size], rng)
        self._spreads = tf.Variable(np.full(len(features.numbers), -0.5, np.float32))
        self._features, self._options, self._rng = features, options, rng
        self._variables = [
            *self._encoder.trainable_variables,
            *self._decoder.trainable_variables,
            self._spreads,
        ]
        self._optimizer = tf_keras.optimizers.Adam(options.rate)
        self._optimizer.build(self._variables)
        self._train = tf.function(self._step, autograph=False)
        self._look = tf.function(self._loss, autograph=False)

    def step(self, rows: Floats, beta: float) -> float:
        """Take one step; return the loss."""
        noise = self._rng.standard_normal((len(rows), self._options.latent), np.float32)
        return float(self._train(rows, noise, np.float32(beta)))

    def bound(self, rows: Floats, noise: Floats) -> float:
        """Return the loss on other rows, at the final weight of the divergence."""
        return float(self._look(rows, noise, np.float32(self._options.beta)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that was learned."""
        spreads = np.maximum(self._spreads.numpy(), QUIETEST)
        encoder = as_dense(self._encoder.get_weights()).save("encoder")
        decoder = as_dense(self._decoder.get_weights()).save("decoder")
        return {**encoder, **decoder, "spreads": np.exp(spreads)}

    def carried(self) -> dict[str, NDArray[Any]]:
        """Return what moves from step to step."""
        return numbered([*self._variables, *self._optimizer.variables])

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take what `carried` returned."""
        assign([*self._variables, *self._optimizer.variables], arrays)

    def _step(self, rows: Any, noise: Any, beta: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = self._loss(rows, noise, beta)
        update(self._optimizer, loss, tape, self._variables)
        return loss

    def _loss(self, rows: Any, noise: Any, beta: Any) -> Any:
        """Return the negative bound on the rows' log-likelihood."""
        mean, log_variance = tf.split(self._encoder(rows), 2, axis=1)
        log_variance = tf.clip_by_value(log_variance, -10.0, 4.0)
        outputs = self._decoder(mean + tf.exp(0.5 * log_variance) * noise)
        divergence = 0.5 * tf.reduce_sum(
            mean**2 + tf.exp(log_variance) - 1.0 - log_variance, axis=1
        )
        return tf.reduce_mean(self._misfit(rows, outputs) + beta * divergence)

    def _misfit(self, rows: Any, outputs: Any) -> Any:
        """Return the negative log-likelihood of each row given its outputs."""
        places = self._features.numbers
        spreads = tf.maximum(self._spreads, QUIETEST)
        apart = tf.gather(rows - outputs, places, axis=1) * tf.exp(-spreads)
        misfit = tf.reduce_sum(0.5 * apart**2 + spreads, axis=1)
        for block in self._features.levels:
            odds = tf.nn.log_softmax(outputs[:, block])
            misfit -= tf.reduce_sum(rows[:, block] * odds, axis=1)
        return misfit
