"""`gaussian`: one multivariate normal distribution over the values themselves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.recipes import Stop, TrainingLog
from generators.cells import absent, one_array, ordered_cells, read_numbers
from generators.codec import Codec
from generators.columns import Ordered
from generators.filling import filled
from generators.latent import positive_definite
from generators.ranks import Quantiles, joined, parted
from generators.source import TabularSource
from generators.tabular import TabularRecipe, looked_at
from generators.whitening import normal_scores, of_scores, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from generators.fitting import Lesson
    from generators.model import Source
    from generators.tabular import Core

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]

LARGEST = 1e150
"""Values are cut here before they are squared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaussian(TabularRecipe):
    """Means and covariances of the values, and nothing else: the plainest model there is.

    The exact maximum of the likelihood: the mean and the covariance with n, not n - 1, of the
    values as they are. Numbers are drawn beyond the training rows' bounds as a normal
    distribution has it, and only whole numbers are rounded, so that the laws of recursive
    training hold; infinities count as the largest numbers. Levels and gaps are normal scores
    cut at thresholds.

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

    def learn(self, lesson: Lesson) -> tuple[Source, TrainingLog]:
        """Measure means, spreads and correlations of the values."""
        began = time.perf_counter(), time.process_time()
        codec = Codec.learn(lesson.table, lesson.dataset.schema)
        values = _values(codec, lesson)
        core = _moments(values, codec) if values.shape[1] else None
        width = values.shape[1]
        log = TrainingLog(
            stop=Stop.CLOSED_FORM,
            seconds=round(time.perf_counter() - began[0], 3),
            cpu_seconds=round(time.process_time() - began[1], 3),
            facts={"parameters": width * (width + 3) // 2},
            notes=() if width else ("Nothing varies in this table: every row is the same.",),
        )
        source = NormalSource(codec=codec, core=core)
        return source, looked_at(source, codec, log, lesson) if core and lesson.examine else log

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

    def source_of(self, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Source:
        """Return the source that was saved."""
        plain = TabularSource.restored(facts, arrays, self.core_of)
        return NormalSource(codec=plain.codec, core=plain.core)


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

    def values(self, n: int, rng: np.random.Generator) -> Numbers:
        """Return n rows of values, shape (n, d)."""
        root = np.linalg.cholesky(self.correlations)
        drawn: Numbers = rng.standard_normal((n, len(root))) @ root.T * self.spread + self.mean
        return drawn

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows of the codec; what lies beyond the bounds lies at them."""
        return self.placed(self.values(n, rng), rng)

    def placed(self, values: Numbers, rng: np.random.Generator) -> Rows:
        """Return the positions of values among the training values."""
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalSource(TabularSource):
    """Writes ordered columns as the values that were drawn, not as positions among known ones."""

    def rows(self, n: int, rng: np.random.Generator) -> pa.RecordBatch:
        """Return n rows of the table."""
        import pyarrow as pa

        if not isinstance(self.core, GaussianCore):
            return self.codec.decode(np.empty((n, 0), np.float32), rng)
        values = self.core.values(n, rng)
        batch = self.codec.decode(self.core.placed(values, rng), rng)
        columns, place = list(batch.columns), 0
        for number, code in enumerate(self.codec.codes):
            if isinstance(code, Ordered):
                varied = [isinstance(one, Quantiles) for one in code.values]
                own = np.tile([0.0 if isinstance(v, Quantiles) else v for v in code.values], (n, 1))
                own[:, varied] = values[:, place : place + sum(varied)]
                missing = absent(columns[number])
                columns[number] = ordered_cells(own, missing, spec=code.spec, wide=code.wide)
            place += len(code.labels)
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _values(codec: Codec, lesson: Lesson) -> Numbers:
    """Return the value behind each dimension, shape (n, d): normal scores without an order."""
    rows, known = codec.encode(lesson.table, lesson.stream("codec"))
    values = normal_scores(filled(rows, known, codec.dimensions, lesson.stream("filling")))
    place = 0
    for spec, code in zip(codec.schema.columns, codec.codes, strict=True):
        if isinstance(code, Ordered):
            raw = read_numbers(one_array(lesson.table[spec.name]))
            for entry, ranks in enumerate(code.values):
                if isinstance(ranks, Quantiles):
                    made = ranks.at(_positions(values[:, place]))
                    values[:, place] = np.where(known[:, place], _finite(raw[:, entry]), made)
                    place += 1
            place += "missing" in code.labels
        else:
            place += len(code.labels)
    return np.clip(values, -LARGEST, LARGEST)


def _finite(raw: Numbers) -> Numbers:
    """Return values with infinities at the ends of the finite ones."""
    finite = raw[np.isfinite(raw)]
    if len(finite) == len(raw) or not len(finite):
        return np.nan_to_num(raw, nan=0.0, posinf=1.0, neginf=-1.0) if not len(finite) else raw
    return np.clip(raw, finite.min(), finite.max())


def _positions(scores: Numbers) -> Numbers:
    from scipy.special import ndtr

    found: Numbers = ndtr(scores)
    return found


def _moments(values: Numbers, codec: Codec) -> GaussianCore:
    """Return the normal distribution of greatest likelihood."""
    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread[spread == 0] = 1.0
    scaled = (values - mean) / spread
    return GaussianCore(
        correlations=positive_definite(scaled.T @ scaled / len(scaled)),
        mean=mean,
        spread=spread,
        ranks=tuple(dimension.ranks for dimension in codec.dimensions),
    )
