"""The game of a generator and its critic, with a kernel distance as the third voice.

A critic alone chases its generator in circles on small tables; the distance alone is blind to what
its bandwidths do not see. Together they agree. What is kept are not the numbers of a step but their
running mean, at the step where its rows lie closest to real ones; or the start, where the real
rows do not show that anything is closer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.recipes import Stop
from generators.losses import Loss, cross_entropy, relative_distance, row_distance
from generators.players import REACH
from generators.quantum.descent import Adam
from generators.side import Side
from generators.store import below, under

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.diary import Diary
    from generators.players import Generator, Numbers, Player

    Arrays = Mapping[str, NDArray[Any]]
    Floats = NDArray[np.floating[Any]]

LOOKED_AT = 1_024
"""Rows on each side when a checkpoint is judged."""

LOOKS = 40
"""How often checkpoints are judged."""

SLOWER_FROM, SLOWER = 0.6, 0.25
"""Share of the steps after which the learning rate falls to a share of itself."""

TRUSTED_FROM = 0.25
"""Share of the steps after which the critic's word has its full weight: it has to learn first."""

QUIET_FROM = 0.8
"""Share of the steps after which no noise is added to what the critic sees."""

WARM = 50
"""Steps before the running mean of the generator's numbers begins."""

SURE = 3.0
"""Standard errors by which a trained generator has to be closer to the rows than the first one."""

KEPT = "Training brought nothing that the rows can show: the untrained generator is kept."

DECAY = 1e-3
"""Weight decay of the critic's last layer, in a circuit's case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How the game is played.

    Attributes:
        steps: Of both sides.
        batch: Rows of each step.
        rate: Learning rate of both sides.
        adversarial: Weight of the critic's word; 0 for no critic.
        distance: Weight of the squared kernel distance; 0 for none.
        smoothing: What the critic shall say of a real row.
        noise: Standard deviation of what is added to all rows that it sees, at the start.
        average: How much of the running mean of the generator's numbers is kept at each step.
        optimiser: Where the slope of the circuits' angles comes from: `adam`, `natural`, `spsa`.
        early_stop: Stop at the sampling floor, where the unbiased distance is zero.

    """

    steps: int = 600
    batch: int = 64
    rate: float = 0.02
    adversarial: float = 0.3
    distance: float = 9.0
    smoothing: float = 0.9
    noise: float = 0.1
    average: float = 0.99
    optimiser: str = "adam"
    early_stop: bool = True


def latent_rows(n: int, latents: int, rng: np.random.Generator) -> Floats:
    """Return latent variables, uniform, shape (n, latents)."""
    return rng.uniform(-REACH, REACH, (n, latents))


def play(
    generator: Generator,
    critic: Player | None,
    rows: Floats,
    rules: Rules,
    diary: Diary,
    rng: np.random.Generator,
    *,
    held_out: Floats | None = None,
    weights: Floats | None = None,
) -> tuple[Numbers, tuple[str, ...]]:
    """Train both sides, and return the best numbers of the generator, with notes.

    The first numbers are kept where the rows do not show that others are better.

    Args:
        generator: Makes rows from latent rows.
        critic: Judges them; None where the distance is the only loss.
        rows: To learn, shape (n, d), n >= 2, within [-1, 1].
        rules: Of the game.
        diary: Keeps log and checkpoints.
        rng: Decides everything.
        held_out: Rows that checkpoints are judged by; the rows themselves unless given.
        weights: What each column counts in the kernel distance, shape (d,); all alike unless given.

    """
    judged = rows if held_out is None else held_out
    game = _Game.of(generator, critic, rows, rules, rng, judged=judged, weights=weights)
    first = mean = dict(game.mine.numbers)
    every = max(1, rules.steps // LOOKS)

    def restore(arrays: Numbers) -> None:
        nonlocal mean
        mean = below(arrays, "mean")
        game.restore(arrays)

    diary.carry(rng, lambda: {**under("mean", mean), **game.arrays()}, restore)
    with diary:
        for step in diary.steps():
            if step % every == 0:
                game.judge(mean, diary)
            diary.record(**game.round(step))
            kept = rules.average if step > WARM else 0.0
            new = game.mine.numbers
            mean = {name: kept * mean[name] + (1 - kept) * new[name] for name in new}
            if step + 1 == rules.steps and game.mine.finite:
                game.judge(mean, diary)
    return game.settled(diary.best, first)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Game:
    """Both sides, the rows, and what checkpoints are judged by: rows and fixed latent rows."""

    generator: Generator
    mine: Side
    other: Side | None
    rows: Floats
    rules: Rules
    rng: np.random.Generator
    judged: Floats
    fixed: Floats
    weights: Floats

    @staticmethod
    def of(
        generator: Generator,
        critic: Player | None,
        rows: Floats,
        rules: Rules,
        rng: np.random.Generator,
        *,
        judged: Floats,
        weights: Floats | None,
    ) -> _Game:
        counts = np.ones(rows.shape[1]) if weights is None else weights
        rate, optimiser = rules.rate, rules.optimiser
        mine, other = Side.of(generator, Adam(rate=rate), optimiser, rng), None
        if critic is not None:
            other = Side.of(critic, Adam(rate=rate, first=0.5), optimiser, rng)
        return _Game(
            generator=generator,
            mine=mine,
            other=other,
            rows=rows,
            rules=rules,
            rng=rng,
            judged=judged[rng.permutation(len(judged))[:LOOKED_AT]] * counts,
            weights=counts,
            fixed=latent_rows(LOOKED_AT, generator.latents, rng),
        )

    @property
    def sides(self) -> dict[str, Side]:
        return {"mine": self.mine} | ({} if self.other is None else {"other": self.other})

    def arrays(self) -> Arrays:
        """Return what both sides carry from round to round."""
        parts = [under(name, side.arrays()) for name, side in self.sides.items()]
        return {name: array for part in parts for name, array in part.items()}

    def restore(self, arrays: Arrays) -> None:
        """Take what `arrays` returned."""
        for name, side in self.sides.items():
            side.restore(below(arrays, name))

    def judge(self, numbers: Numbers, diary: Diary) -> None:
        """Hand the numbers to the diary, and end the game at the sampling floor."""
        score = row_distance(self._weighed(numbers), self.judged).value
        diary.keep(numbers, score=score)
        if self.rules.early_stop and score <= 0.0:
            diary.stop(Stop.SAMPLING_FLOOR)

    def settled(self, best: Numbers, first: Numbers) -> tuple[Numbers, tuple[str, ...]]:
        """Return the best numbers, or the first where the rows cannot tell them apart."""
        if not self.rules.early_stop:
            return best, ()
        last, start = self._weighed(best), self._weighed(first)
        farther, error = relative_distance(last, start, self.judged)
        return (first, (KEPT,)) if farther >= -SURE * error else (best, ())

    def _weighed(self, numbers: Numbers) -> Floats:
        return self.generator.forward(numbers, self.fixed)[0] * self.weights

    def round(self, step: int) -> dict[str, float]:
        """Let the critic step, then the generator, and return the losses before."""
        mine, rules = self.mine, self.rules
        if not mine.finite or not (self.other is None or self.other.finite):
            return {"loss": math.nan}
        scale = 1.0 if step < SLOWER_FROM * rules.steps else SLOWER
        real = self.rows[self.rng.integers(0, len(self.rows), 2 * rules.batch)]
        latent = latent_rows(rules.batch, self.generator.latents, self.rng)
        made, pull = self.generator.forward(mine.numbers, latent)
        losses = {}
        if self.other is not None:
            noise = rules.noise * max(0.0, 1.0 - step / (QUIET_FROM * rules.steps))
            losses["critic"] = self._criticise(self.other, real, made, noise=noise, scale=scale)
        trust = min(1.0, (step + 1) / (TRUSTED_FROM * rules.steps))
        found, parts = self._told(made, real, trust=trust)

        def loss(numbers: Numbers) -> float:
            again = self.generator.forward(numbers, latent)[0]
            return self._told(again, real, trust=trust)[0].value

        mine.step(pull(found.slope)[0], loss, latent, scale=scale, rng=self.rng)
        return losses | parts

    def _told(self, made: Floats, real: Floats, *, trust: float) -> tuple[Loss, dict[str, float]]:
        """Return what the generator hears of its rows, and its parts."""
        rules, value, slope, parts = self.rules, 0.0, np.zeros(made.shape), {}
        if self.other is not None:
            logits, back = self.other.player.forward(self.other.numbers, made)
            fooled = cross_entropy(logits[:, 0], 1.0)
            word = back(np.asarray(fooled.slope)[:, None])[1]
            slope += trust * rules.adversarial * word
            value += trust * rules.adversarial * fooled.value
            parts["generator"] = fooled.value
        if rules.distance:
            apart = row_distance(made * self.weights, real * self.weights)
            slope += rules.distance * apart.slope * self.weights
            value += rules.distance * apart.value
            parts["distance"] = apart.value
        return Loss(value, slope), parts

    def _criticise(
        self, other: Side, real: Floats, made: Floats, *, noise: float, scale: float
    ) -> float:
        """Let the critic step, and return its loss before."""
        seen = np.concatenate([real[: len(made)], made])
        seen = seen + noise * self.rng.normal(size=seen.shape)
        wished = np.repeat([self.rules.smoothing, 0.0], len(made))
        logits, back = other.player.forward(other.numbers, seen)
        found = cross_entropy(logits[:, 0], wished)
        slopes, _ = back(np.asarray(found.slope)[:, None])
        if (last := "weight") in slopes:
            slopes = {**slopes, last: slopes[last] + DECAY * other.numbers[last]}

        def loss(numbers: Numbers) -> float:
            return cross_entropy(other.player.forward(numbers, seen)[0][:, 0], wished).value

        other.step(slopes, loss, seen, scale=scale, rng=self.rng)
        return found.value
