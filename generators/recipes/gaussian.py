"""`gaussian`: one multivariate normal distribution over the values themselves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.recipes import Stop, TrainingLog
from generators.latent import positive_definite
from generators.ranks import joined, parted
from generators.tabular import TabularRecipe
from generators.whitening import normal_scores, of_scores, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.ranks import Quantiles
    from generators.tabular import Core, Task

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]

LARGEST = 1e150
"""Values are cut here before they are squared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaussian(TabularRecipe):
    """Means and covariances of the values, and nothing else: the plainest model there is.

    Every number is normal with its column's mean and spread, cut at the column's bounds;
    levels and gaps are normal scores cut at thresholds. Skewness, spikes and heavy tails
    are lost, which is what a gate should see.

    Cost: O(n d^2 + d^3) time; a matrix of d x d.
    Source: Anderson (2003), An Introduction to Multivariate Statistical Analysis.
    """

    name: ClassVar[str] = "gaussian"
    exact: ClassVar[bool] = True
    shaped: ClassVar[bool] = True

    def check(self) -> None:
        """Refuse whitened rows: they have no values."""
        if self.whiten:
            raise ValueError("whiten is true; a normal distribution has no use for it")

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Measure means, spreads and correlations of the values."""
        began = time.perf_counter(), time.process_time()
        ranks = tuple(dimension.ranks for dimension in task.dimensions)
        values = _values(task.rows, ranks)
        mean, spread = values.mean(axis=0), values.std(axis=0)
        spread[spread == 0] = 1.0
        scaled = (values - mean) / spread
        matrix = positive_definite(scaled.T @ scaled / len(scaled))
        core = GaussianCore(correlations=matrix, mean=mean, spread=spread, ranks=ranks)
        log = TrainingLog(
            stop=Stop.CLOSED_FORM,
            seconds=round(time.perf_counter() - began[0], 3),
            cpu_seconds=round(time.process_time() - began[1], 3),
            facts={"parameters": len(mean) * (len(mean) + 3) // 2},
        )
        return core, log

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the distribution with these moments."""
        learned = iter(parted(arrays))
        ranks = tuple(next(learned) if ordered else None for ordered in arrays["ordered"])
        return GaussianCore(
            correlations=arrays["correlations"],
            mean=arrays["mean"],
            spread=arrays["spread"],
            ranks=ranks,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GaussianCore:
    """Draws values and returns their positions among the training values.

    Attributes:
        correlations: Shape (d, d).
        mean: Of each dimension's values, shape (d,).
        spread: Their standard deviations, shape (d,).
        ranks: The quantiles of each ordered dimension; None for a nominal one, whose values
            are its normal scores.

    """

    correlations: Numbers
    mean: Numbers
    spread: Numbers
    ranks: tuple[Quantiles | None, ...]

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows; what lies beyond the bounds lies at them."""
        root = np.linalg.cholesky(self.correlations)
        values = rng.standard_normal((n, len(root))) @ root.T * self.spread + self.mean
        rows = of_scores(values)
        for place, ranks in enumerate(self.ranks):
            if ranks is not None:
                rows[:, place] = uniform(ranks.positions(values[:, place], rng))
        return rows

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the moments and the quantiles."""
        learned = [ranks for ranks in self.ranks if ranks is not None]
        return {
            "correlations": self.correlations,
            "mean": self.mean,
            "spread": self.spread,
            "ordered": np.array([ranks is not None for ranks in self.ranks], bool),
            **joined(learned),
        }


def _values(rows: Rows, ranks: tuple[Quantiles | None, ...]) -> Numbers:
    """Return the values behind rows; normal scores where there is no order."""
    values = normal_scores(rows)
    for place, one in enumerate(ranks):
        if one is not None:
            values[:, place] = one.at((rows[:, place].astype(np.float64) + 1.0) / 2.0)
    return np.clip(values, -LARGEST, LARGEST)
