"""`gaussian_copula`: every column's own distribution, joined by normal latent variables."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.recipes import Stop, TrainingLog
from generators.latent import NormalScores, correlations
from generators.options import check_between
from generators.tabular import TabularRecipe
from generators.whitening import of_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.tabular import Core, Task

    Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianCopula(TabularRecipe):
    """A normal copula over all dimensions, with the training rows' own marginals.

    A category, a count with many ties and a gap are latent normal variables cut at
    thresholds. Their latent correlations are found from what the cut left of them.

    Attributes:
        shrinkage: Weight of independence in the correlations, from 0 to 1.

    Cost: O(n d^2 + d^3) time; a matrix of d x d.
    Source: Nelsen (2006), An Introduction to Copulas; latent correlations after Olsson (1979),
    Psychometrika 44, by Hermite series.
    """

    name: ClassVar[str] = "gaussian_copula"
    exact: ClassVar[bool] = True

    shrinkage: float = 0.0

    def check(self) -> None:
        """Keep the weight a weight."""
        check_between(self, shrinkage=(0.0, 1.0))

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Measure the latent correlations; `rng` is not needed."""
        began = time.perf_counter(), time.process_time()
        scores = NormalScores.of(task.dimensions)
        matrix = correlations(scores, task.rows, task.known)
        matrix = (1.0 - self.shrinkage) * matrix + self.shrinkage * np.eye(len(matrix))
        log = TrainingLog(
            stop=Stop.CLOSED_FORM,
            seconds=round(time.perf_counter() - began[0], 3),
            cpu_seconds=round(time.process_time() - began[1], 3),
            facts={"parameters": len(matrix) * (len(matrix) - 1) // 2},
        )
        return CopulaCore(correlations=matrix), log

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the copula with these correlations."""
        return CopulaCore(correlations=arrays["correlations"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CopulaCore:
    """Draws normal variables with given correlations and returns their positions."""

    correlations: NDArray[np.float64]

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows, each dimension uniform on [-1, 1]."""
        root = np.linalg.cholesky(self.correlations)
        return of_scores(rng.standard_normal((n, len(root))) @ root.T)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the correlations."""
        return {"correlations": self.correlations}
