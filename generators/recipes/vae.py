"""`vae`: a variational autoencoder for mixed tables, its latent density fitted afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from generators.dense import Dense
from generators.features import Features
from generators.mixture import Mixture
from generators.options import check_between, check_choice, check_least
from generators.tabular import TabularRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.tabular import Core, Task

    Floats = NDArray[np.float32]
    Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vae(TabularRecipe):
    """A variational autoencoder: numbers with a learned spread, levels by their log odds.

    Rows with rare levels are shown more often, by `balance`; the latent density is fitted to
    all rows as they are, so the levels' shares come out right. The weight of the divergence
    rises from zero over the first half. The checkpoint kept has the best bound on held-out rows.

    Attributes:
        latent: Latent dimensions; 0 for one for each two dimensions of the rows, 2 to 16.
        width: Units of each hidden layer.
        depth: Hidden layers.
        beta: Weight of the divergence; small ones reconstruct better.
        prior: `mixture` fits normal components to the latent codes after training, `normal`
            draws from the standard normal density.
        components: Of the mixture, at most.
        balance: 0 shows rows as they come, 1 makes the rarest level as frequent as the others.
        batch: Rows of each step.
        steps: Steps at most.
        rate: Learning rate.
        checks: How often held-out rows are looked at.
        patience: Looks without progress that end the training.
        budget: CPU seconds that end the training; 0 for no limit.

    Cost: O(steps batch width^2) time; drawing needs no TensorFlow.
    Source: Kingma and Welling (2014), ICLR; Higgins et al. (2017), ICLR; Ghosh et al. (2020),
    ICLR, for the density fitted afterwards.
    """

    name: ClassVar[str] = "vae"
    needs: ClassVar[tuple[str, ...]] = ("tensorflow", "tf_keras")
    extra: ClassVar[str] = "tensorflow"

    latent: int = 0
    width: int = 128
    depth: int = 2
    beta: float = 0.3
    prior: str = "mixture"
    components: int = 16
    balance: float = 0.5
    batch: int = 256
    steps: int = 4_000
    rate: float = 1e-3
    checks: int = 80
    patience: int = 12
    budget: float = 0.0

    def check(self) -> None:
        """Refuse networks that cannot be built."""
        least = dict.fromkeys(("width", "depth", "batch", "steps", "components"), 1)
        check_least(self, **least, latent=0, beta=0, checks=1, patience=1, budget=0)
        check_between(self, rate=(0.0, 1.0), balance=(0.0, 1.0))
        check_choice(self, prior=("mixture", "normal"))

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Train both networks, then fit the latent density; TensorFlow is imported here."""
        from dataclasses import replace

        from generators.networks.vae_training import train

        features = Features.of(task.dimensions)
        rows = features.encode(task.rows)
        latent = self.latent or min(16, max(2, len(task.dimensions) // 2 + 1))
        weights = _weights(rows, features, self.balance)
        sized = replace(self, latent=latent)
        arrays, log = train(sized, rows, features, weights, rng, task.tell)
        mean, log_variance = np.split(Dense.restored(arrays, "encoder")(rows), 2, axis=1)
        density = Mixture.standard(latent)
        if self.prior == "mixture":
            spread = np.exp(0.5 * np.clip(log_variance, -10.0, 4.0))
            codes = mean + spread * rng.standard_normal(mean.shape, np.float32)
            density = Mixture.fitted(codes, most=self.components, rng=rng)
        core = VaeCore(
            decoder=Dense.restored(arrays, "decoder"),
            features=features,
            density=density,
            spreads=arrays["spreads"],
        )
        facts = {**log.facts, "latent": latent, "components": len(density.shares)}
        return core, replace(log, facts=facts)

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the decoder with these weights."""
        return VaeCore(
            decoder=Dense.restored(arrays, "decoder"),
            features=Features.restored(arrays),
            density=Mixture.restored(arrays),
            spreads=arrays["spreads"],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VaeCore:
    """The decoder, the density of what goes in, and the spread of the numbers that come out."""

    decoder: Dense
    features: Features
    density: Mixture
    spreads: NDArray[np.float32]

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows."""
        outputs = self.decoder(self.density.draw(n, rng))
        places = self.features.numbers
        noise = rng.standard_normal((n, len(places)), np.float32)
        outputs[:, places] += noise * self.spreads
        return self.features.decode(outputs, rng)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights, the density and the spreads."""
        return {
            **self.decoder.save("decoder"),
            **self.features.save(),
            **self.density.save(),
            "spreads": self.spreads,
        }


def _weights(rows: Floats, features: Features, balance: float) -> Floats:
    """Return how often to show each row: more often the rarer its rarest level is."""
    rarest = np.ones(len(rows), np.float64)
    for block in features.levels:
        shares = rows[:, block].mean(axis=0)
        rarest = np.minimum(rarest, shares[rows[:, block].argmax(axis=1)])
    return (1.0 / np.maximum(rarest, 1e-3) ** balance).astype(np.float32)
