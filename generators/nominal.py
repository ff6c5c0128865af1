"""Categories and booleans as intervals of one dimension, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.arrays import as_indices
from detector.data.build import primitive, strings
from generators.cells import with_gaps
from generators.ranks import within

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from generators.ranks import Quantiles

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nominal:
    """Categories and booleans: an interval for each level; being missing is a level too.

    Attributes:
        names: The k levels in the order of their intervals; None stands for missing.
        edges: Where the intervals begin and end, shape (k + 1,).

    """

    names: tuple[str | None, ...]
    edges: Numbers

    @staticmethod
    def learn(column: pa.Array) -> Nominal:
        """Give the levels intervals from the most to the least frequent, ties by name."""
        codes = as_indices(column.indices)
        names = [*column.dictionary.to_pylist(), None]
        counts = np.bincount(np.where(codes < 0, len(names) - 1, codes), minlength=len(names))
        present = np.flatnonzero(counts).tolist()
        order = sorted(present, key=lambda code: (-counts[code], names[code] or ""))
        edges = np.concatenate([[0.0], np.cumsum(counts[order]) / len(codes)])
        edges[-1] = 1.0
        return Nominal(names=tuple(names[code] for code in order), edges=edges)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return `level`, or nothing for a column that never changes."""
        return ("level",) if len(self.edges) > 2 else ()

    @property
    def levels(self) -> tuple[Numbers | None, ...]:
        """Return the edges."""
        return (self.edges,) if len(self.edges) > 2 else ()

    @property
    def ranks(self) -> tuple[Quantiles | None, ...]:
        """Return None: there is no order."""
        return (None,) * len(self.labels)

    def encode(self, column: pa.Array, rng: np.random.Generator) -> tuple[Numbers, Mask]:
        """Return a random position in each level's interval; a level not seen is missing."""
        if not self.labels:
            return np.empty((len(column), 0)), np.empty((len(column), 0), bool)
        codes = self.places(column)
        found = within(self.edges[codes], self.edges[codes + 1], rng)
        return found[:, None], np.ones((len(codes), 1), bool)

    def places(self, column: pa.Array) -> NDArray[np.int64]:
        """Return the number of each row's interval.

        A level that was not learned counts as missing, or as the rarest level.
        """
        place = {name: number for number, name in enumerate(self.names)}
        other = place.get(None, int(np.diff(self.edges).argmin()))
        table = [place.get(name, other) for name in column.dictionary.to_pylist()]
        return np.array([*table, other], np.int64)[as_indices(column.indices)]

    def in_order(self, order: NDArray[np.int64]) -> Nominal:
        """Return the same levels in another order, shape (k,)."""
        edges = np.concatenate([[0.0], np.cumsum(np.diff(self.edges)[order])])
        edges[-1] = 1.0
        return Nominal(names=tuple(self.names[place] for place in order), edges=edges)

    def decode(self, positions: Numbers, rng: np.random.Generator) -> pa.Array:
        """Return the level whose interval holds each position."""
        import pyarrow as pa

        codes = np.zeros(len(positions), np.int32)
        if self.labels:
            codes[:] = np.searchsorted(self.edges[1:-1], positions[:, 0], side="right")
        named = [name for name in self.names if name is not None]
        gap = np.array([name is None for name in self.names], bool)
        indices = (np.cumsum(~gap) - 1).clip(0).astype(np.int32)[codes]
        array = with_gaps(primitive(indices), gap[codes])
        return pa.DictionaryArray.from_arrays(array, strings(named))

    def save(self) -> tuple[dict[str, Any], Arrays]:
        """Return the names and the edges."""
        return {"names": list(self.names)}, {"edges": self.edges}

    @staticmethod
    def restored(facts: Mapping[str, Any], arrays: Arrays) -> Nominal:
        """Return what `save` wrote."""
        return Nominal(names=tuple(facts["names"]), edges=arrays["edges"])
