"""Trains the networks of `gan`: a critic that scores packs of rows, a generator under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
import tf_keras

from generators.dense import Dense
from generators.diary import Diary
from generators.mmd import median_scales, squared_mmd
from generators.networks.layers import as_dense, assign, network, numbered, update
from generators.store import below, under

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.fitting import Progress
    from generators.recipes.gan import Conditions, Gan

    Floats = NDArray[np.float32]

PENALTY = 10.0
TEMPERATURE = 0.3
"""Of the softmax that stands in for a drawn level while training."""

JUDGED = 1_024
"""Rows that judge a checkpoint, at most."""


def train(
    options: Gan,
    rows: Floats,
    conditions: Conditions,
    rng: np.random.Generator,
    tell: Progress,
) -> tuple[Dense, TrainingLog]:
    """Return the generator whose rows come closest to held-out rows, and the log.

    Args:
        options: The recipe.
        rows: Training rows as features, shape (n, f).
        conditions: How levels are asked for.
        rng: Decides the first weights, the batches and the noise.
        tell: Told about progress.

    """
    game = _Game(options, rows, conditions, rng)
    diary = Diary(
        total=options.steps, tell=tell, patience=options.patience, budget=options.budget or None
    )
    every = max(1, options.steps // options.checks)
    diary.carry(rng, game.carried, game.restore)
    with diary:
        for step in diary.steps():
            critic, generator = game.round()
            if (step + 1) % every == 0 or step + 1 == options.steps:
                distance = game.distance()
                diary.record(critic=critic, generator=generator, mmd=distance)
                diary.keep(game.averaged.save("generator"), score=distance)
    facts = {"parameters": sum(array.size for array in game.averaged.flat)}
    return Dense.restored(diary.best, "generator"), diary.log(facts=facts)


class _Game:
    """Both players, their optimizers, and the slow average of the generator."""

    def __init__(
        self, options: Gan, rows: Floats, conditions: Conditions, rng: np.random.Generator
    ) -> None:
        held = rng.permutation(len(rows))
        cut = max(1, min(JUDGED, len(rows) // 5))
        self._validation = rows[held[:cut]] if cut > 1 else rows
        self._rows = rows[held[cut:]] if len(rows) > 4 * options.pack else rows
        self._picker = conditions.picker(self._rows)
        self._options, self._conditions, self._rng = options, conditions, rng
        width, asked = rows.shape[1], conditions.size
        hidden = [options.width] * options.depth
        self._generator = network([options.latent + asked, *hidden, width], rng)
        self._critic = network([(width + asked) * options.pack, *hidden, 1], rng)
        self._optimizers = [
            tf_keras.optimizers.Adam(options.rate, beta_1=0.5, beta_2=0.9) for _ in range(2)
        ]
        for optimizer, player in zip(
            self._optimizers, (self._critic, self._generator), strict=True
        ):
            optimizer.build(player.trainable_variables)
        self._average = [array.copy() for array in self._generator.get_weights()]
        self._scales = median_scales(rows[:JUDGED])
        self._batch = max(1, options.batch // options.pack) * options.pack
        self._judge = tf.function(self._critic_step, autograph=False)
        self._move = tf.function(self._generator_step, autograph=False)

    def round(self) -> tuple[float, float]:
        """Train the critic a few times and the generator once."""
        critic = 0.0
        for _ in range(self._options.critic_steps):
            asked, real = self._picker.draw(self._batch, self._rng)
            mix = self._rng.random((self._batch // self._options.pack, 1), np.float32)
            critic = self._judge(real, asked, self._latent(asked), self._gumbel(), mix)
        asked, _ = self._picker.draw(self._batch, self._rng)
        loss = self._move(asked, self._latent(asked), self._gumbel())
        keep = np.float32(self._options.average)
        pairs = zip(self._average, self._generator.get_weights(), strict=True)
        self._average = [keep * slow + (np.float32(1.0) - keep) * new for slow, new in pairs]
        return float(critic), float(loss)

    def carried(self) -> dict[str, NDArray[Any]]:
        """Return what moves from round to round."""
        return numbered(self._moving()) | under("average", numbered(self._average))

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take what `carried` returned."""
        assign(self._moving(), arrays)
        average = below(arrays, "average")
        self._average = [average[name] for name in sorted(average)]

    def _moving(self) -> list[Any]:
        """Return the variables of both players and of what trains them."""
        players = [*self._generator.weights, *self._critic.weights]
        return players + [part for one in self._optimizers for part in one.variables]

    @property
    def averaged(self) -> Dense:
        """Return the generator's slow average."""
        return as_dense(self._average)

    def distance(self) -> float:
        """Return how far rows of the averaged generator are from held-out rows."""
        asked = self._conditions.natural(len(self._validation) * 2, self._rng)
        outputs = self.averaged(self._latent(asked))
        made = self._conditions.features.encode(
            self._conditions.features.decode(outputs, self._rng)
        )
        return squared_mmd(made, self._validation, scales=self._scales)

    def _latent(self, asked: Floats) -> Floats:
        noise = self._rng.standard_normal((len(asked), self._options.latent), np.float32)
        return np.hstack([noise, asked])

    def _gumbel(self) -> Floats:
        shape = (self._batch, self._conditions.features.size)
        return self._rng.gumbel(size=shape).astype(np.float32)

    def _made(self, latent: Any, gumbel: Any) -> tuple[Any, Any]:
        """Return rows with soft levels, and the outputs behind them."""
        outputs = self._generator(latent)
        parts = [
            tf.nn.softmax((outputs[:, block] + gumbel[:, block]) / TEMPERATURE)
            if block.stop - block.start > 1
            else outputs[:, block]
            for block in self._conditions.features.blocks
        ]
        return tf.concat(parts, axis=1), outputs

    def _scored(self, rows: Any, asked: Any) -> Any:
        together = tf.concat([rows, asked], axis=1)
        width = together.shape[1] * self._options.pack
        return self._critic(tf.reshape(together, (-1, width)))

    def _critic_step(self, real: Any, asked: Any, latent: Any, gumbel: Any, mix: Any) -> Any:
        made, _ = self._made(latent, gumbel)
        mix = tf.repeat(mix, self._options.pack, axis=0)
        between = mix * real + (1.0 - mix) * made
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(between)
                score = self._scored(between, asked)
            slope = tf.reshape(
                inner.gradient(score, between), (-1, real.shape[1] * self._options.pack)
            )
            steep = tf.sqrt(tf.reduce_sum(slope**2, axis=1) + 1e-12)
            penalty = PENALTY * tf.reduce_mean((steep - 1.0) ** 2)
            gap = tf.reduce_mean(self._scored(made, asked)) - tf.reduce_mean(
                self._scored(real, asked)
            )
            loss = gap + penalty
        update(self._optimizers[0], loss, tape, self._critic.trainable_variables)
        return gap

    def _generator_step(self, asked: Any, latent: Any, gumbel: Any) -> Any:
        with tf.GradientTape() as tape:
            made, outputs = self._made(latent, gumbel)
            loss = -tf.reduce_mean(self._scored(made, asked))
            loss += self._disobedience(asked, outputs)
        update(self._optimizers[1], loss, tape, self._generator.trainable_variables)
        return loss

    def _disobedience(self, asked: Any, outputs: Any) -> Any:
        """Return the cross-entropy of the level that was asked for."""
        loss = tf.constant(0.0)
        place = 0
        for block in self._conditions.features.levels:
            own = asked[:, place : place + block.stop - block.start]
            loss -= tf.reduce_mean(
                tf.reduce_sum(own * tf.nn.log_softmax(outputs[:, block]), axis=1)
            )
            place += block.stop - block.start
        return loss
