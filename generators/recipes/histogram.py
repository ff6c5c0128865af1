"""`histogram`: every column on its own, as the shares of its levels or of equal bins."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.recipes import Stop, TrainingLog
from generators.cells import one_array, read_numbers
from generators.codec import Codec
from generators.columns import Ordered
from generators.options import check_least
from generators.ranks import Quantiles
from generators.source import TabularSource
from generators.tabular import TabularRecipe, looked_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.fitting import Lesson
    from generators.model import Source
    from generators.tabular import Core

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]

MOST_BINS = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(TabularRecipe):
    """The empirical shares of levels, and of equal bins for numbers; columns are independent.

    Drawing a category again and again is random genetic drift: a level of share p is gone
    after one round of n rows with probability (1 - p)^n, and once gone it stays gone.

    Attributes:
        bins: Bins of a column of numbers; 0 stands for twice the cube root of the rows.

    Cost: O(n log n) time a column; a few hundred numbers each.
    Source: Ewens (2004), Mathematical Population Genetics, for the drift of levels.
    """

    name: ClassVar[str] = "histogram"
    exact: ClassVar[bool] = True

    bins: int = 0

    def check(self) -> None:
        """Refuse what a histogram has no use for."""
        check_least(self, bins=0)
        if self.whiten:
            raise ValueError("whiten is true; a histogram of each column has no use for it")
        if self.bins > MOST_BINS:
            raise ValueError(f"bins is {self.bins}; it must be {MOST_BINS} at most")

    def learn(self, lesson: Lesson) -> tuple[Source, TrainingLog]:
        """Count."""
        codec = Codec.learn(lesson.table, lesson.dataset.schema)
        codes = []
        for spec, code in zip(codec.schema.columns, codec.codes, strict=True):
            if isinstance(code, Ordered):
                cells = read_numbers(one_array(lesson.table[spec.name]))
                cells = cells[~np.isnan(cells).any(axis=1)]
                code = dataclasses.replace(code, values=self._binned(code, cells))  # noqa: PLW2901
            codes.append(code)
        counted = dataclasses.replace(codec, codes=tuple(codes))
        width = len(counted.dimensions)
        note = "Columns are drawn on their own: how they move together is lost at once."
        log = TrainingLog(stop=Stop.CLOSED_FORM, notes=(note,) if width > 1 else ())
        source = TabularSource(codec=counted, core=Independent(width=width) if width else None)
        return source, looked_at(source, counted, log, lesson) if width and lesson.examine else log

    def _binned(self, code: Ordered, cells: Numbers) -> tuple[Quantiles | float, ...]:
        """Return each entry's histogram as quantiles: straight between the edges of its bins."""
        bins = self.bins or min(MOST_BINS, math.ceil(2 * len(cells) ** (1 / 3)))
        return tuple(
            binned(ranks, cells[:, entry], bins) if isinstance(ranks, Quantiles) else ranks
            for entry, ranks in enumerate(code.values)
        )

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return independent dimensions."""
        return Independent(width=int(arrays["width"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Independent:
    """Draws uniform, independent dimensions."""

    width: int

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows."""
        return (2.0 * rng.random((n, self.width)) - 1.0).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return how many there are."""
        return {"width": np.array(self.width)}


def binned(ranks: Quantiles, cells: Numbers, bins: int) -> Quantiles:
    """Return the quantiles of a histogram of a column, shape (n,); infinities keep their share."""
    finite = cells[np.isfinite(cells)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    if not 0.0 < high - low < np.inf:
        return ranks
    edges = np.linspace(low, high, bins + 1)
    counts = np.histogram(finite, edges)[0]
    below, n = np.count_nonzero(cells == -np.inf), len(cells)
    ends = (below + np.concatenate([[0], np.cumsum(counts)])) / n
    start, stop = ends.copy(), ends.copy()
    if below:
        edges, start = np.r_[-np.inf, edges], np.r_[0.0, start]
        stop = np.r_[below / n, stop]
    if (cells == np.inf).any():
        edges, start, stop = np.r_[edges, np.inf], np.r_[start, ends[-1]], np.r_[stop, 1.0]
    return dataclasses.replace(ranks, values=edges, start=start, stop=stop)
