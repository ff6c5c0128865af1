"""`gan`: a conditional Wasserstein GAN for mixed tables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from generators.dense import Dense
from generators.features import Features
from generators.options import check_between, check_least
from generators.tabular import TabularRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.tabular import Core, Task

    Floats = NDArray[np.float32]
    Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gan(TabularRecipe):
    """A conditional Wasserstein GAN with gradient penalty and packed rows, as CTGAN has them.

    While training, levels are asked for by the logarithm of their counts, so that rare ones
    are seen often; when drawing, by their true shares. The checkpoint kept is the slow average
    of the generator that comes closest to held-out rows.

    Attributes:
        latent: Dimensions of the noise.
        width: Units of each hidden layer.
        depth: Hidden layers.
        batch: Rows of each step.
        pack: Rows that the critic sees together; it notices when all are alike.
        steps: Steps of the generator at most.
        critic_steps: Steps of the critic for each of them.
        rate: Learning rate of both.
        average: Share of the slow average that a step leaves as it is.
        checks: How often held-out rows are looked at.
        patience: Looks without progress that end the training.
        budget: CPU seconds that end the training; 0 for no limit.

    Cost: O(steps (critic_steps + 1) batch width^2) time; drawing needs no TensorFlow.
    Source: Gulrajani et al. (2017), NeurIPS; Xu et al. (2019), NeurIPS; Lin et al. (2018),
    NeurIPS, for packing.
    """

    name: ClassVar[str] = "gan"
    needs: ClassVar[tuple[str, ...]] = ("tensorflow", "tf_keras")
    extra: ClassVar[str] = "tensorflow"

    latent: int = 32
    width: int = 128
    depth: int = 2
    batch: int = 256
    pack: int = 8
    steps: int = 3_000
    critic_steps: int = 2
    rate: float = 5e-4
    average: float = 0.995
    checks: int = 60
    patience: int = 20
    budget: float = 0.0

    def check(self) -> None:
        """Refuse networks that cannot be built."""
        least = dict.fromkeys(("latent", "width", "depth", "batch", "pack", "steps"), 1)
        check_least(self, **least, critic_steps=1, checks=1, patience=1, budget=0)
        check_between(self, rate=(0.0, 1.0), average=(0.0, 1.0))

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Play the game; TensorFlow is imported here."""
        from generators.networks.gan_training import train

        conditions = Conditions.of(task)
        rows = conditions.features.encode(task.rows)
        generator, log = train(self, rows, conditions, rng, task.tell)
        return GanCore(generator=generator, conditions=conditions, latent=self.latent), log

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the generator with these weights."""
        features = Features.restored(arrays)
        conditions = Conditions(features=features, shares=arrays["shares"])
        generator = Dense.restored(arrays, "generator")
        return GanCore(generator=generator, conditions=conditions, latent=self.latent)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conditions:
    """How one level of one dimension is asked for: a 1 in a vector of all levels.

    Attributes:
        features: What the features mean.
        shares: The share of each level among the training rows, one after another.

    """

    features: Features
    shares: NDArray[np.float64]

    @staticmethod
    def of(task: Task) -> Conditions:
        """Return the conditions of a task."""
        features = Features.of(task.dimensions)
        shares = [np.diff(edges) / 2.0 for edges in features.edges if len(edges)]
        return Conditions(features=features, shares=np.concatenate([np.empty(0), *shares]))

    @property
    def size(self) -> int:
        """Return the number of all levels."""
        return len(self.shares)

    @property
    def blocks(self) -> tuple[slice, ...]:
        """Return the levels of each dimension that has some."""
        widths = [block.stop - block.start for block in self.features.levels]
        ends = np.cumsum([0, *widths]).tolist()
        return tuple(slice(start, stop) for start, stop in pairwise(ends))

    def natural(self, n: int, rng: np.random.Generator) -> Floats:
        """Return n conditions by the true shares, shape (n, size)."""
        return self.asked(self.shares, n, rng)

    def asked(self, weights: NDArray[np.float64], n: int, rng: np.random.Generator) -> Floats:
        """Ask for one level of one dimension in each row."""
        asked = np.zeros((n, self.size), np.float32)
        if not self.size:
            return asked
        chosen = rng.integers(0, len(self.blocks), n)
        for place, block in enumerate(self.blocks):
            rows = np.flatnonzero(chosen == place)
            share = weights[block] / weights[block].sum()
            asked[rows, block.start + rng.choice(len(share), len(rows), p=share)] = 1.0
        return asked

    def picker(self, rows: Floats) -> Picker:
        """Return what draws conditions with training rows that meet them."""
        return Picker(self, rows)


class Picker:
    """Draws conditions, rare levels often, and for each a training row that meets it."""

    def __init__(self, conditions: Conditions, rows: Floats) -> None:
        """Sort the rows by each level once."""
        self._conditions, self._rows = conditions, rows
        blocks = conditions.features.levels
        places = [place for block in blocks for place in range(block.start, block.stop)]
        self._members = [np.flatnonzero(rows[:, place] > 0) for place in places]
        counts = np.array([len(members) for members in self._members], np.float64)
        self._weights = np.log1p(counts)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return n conditions and n rows."""
        asked = self._conditions.asked(self._weights, n, rng)
        if not self._members:
            return asked, self._rows[rng.integers(0, len(self._rows), n)]
        wanted = asked.argmax(axis=1)
        picks = rng.random(n)
        chosen = np.empty(n, np.int64)
        for level in np.unique(wanted):
            rows = np.flatnonzero(wanted == level)
            members = self._members[level]
            chosen[rows] = members[(picks[rows] * len(members)).astype(np.int64)]
        return asked, self._rows[chosen]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GanCore:
    """The trained generator."""

    generator: Dense
    conditions: Conditions
    latent: int

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows, levels asked for by their true shares."""
        asked = self.conditions.natural(n, rng)
        noise = rng.standard_normal((n, self.latent), np.float32)
        outputs = self.generator(np.hstack([noise, asked]))
        return self.conditions.features.decode(outputs, rng)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights, and what inputs and outputs mean."""
        return {
            **self.generator.save("generator"),
            **self.conditions.features.save(),
            "shares": self.conditions.shares,
        }
