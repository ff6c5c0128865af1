"""Rows of the codec as what networks like: normal scores, and one output a level."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.ranks import within
from generators.whitening import normal_scores, of_scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from generators.codec import Dimension

    Rows = NDArray[np.float32]

MOST_LEVELS = 64
"""Levels that get an output each; a dimension with more is read as ordered."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Which features stand for which dimension.

    Attributes:
        edges: For each dimension the ends of its levels' intervals on [-1, 1], shape (k + 1,);
            an empty array for an ordered dimension, which is one feature.

    """

    edges: tuple[NDArray[np.float64], ...]

    @staticmethod
    def of(dimensions: Sequence[Dimension]) -> Features:
        """Return the features of these dimensions."""
        return Features(
            edges=tuple(
                np.empty(0)
                if dimension.edges is None or len(dimension.edges) > MOST_LEVELS + 1
                else dimension.edges
                for dimension in dimensions
            )
        )

    @property
    def blocks(self) -> tuple[slice, ...]:
        """Return the features of each dimension."""
        widths = [max(1, len(edges) - 1) for edges in self.edges]
        ends = np.cumsum([0, *widths]).tolist()
        return tuple(slice(start, stop) for start, stop in pairwise(ends))

    @property
    def levels(self) -> tuple[slice, ...]:
        """Return the features of each dimension that has levels."""
        pairs = zip(self.blocks, self.edges, strict=True)
        return tuple(block for block, edges in pairs if len(edges))

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Return the places of the features that are numbers."""
        pairs = zip(self.blocks, self.edges, strict=True)
        return np.array([block.start for block, edges in pairs if not len(edges)], np.int64)

    @property
    def size(self) -> int:
        """Return the number of features."""
        return self.blocks[-1].stop if self.edges else 0

    def encode(self, rows: Rows) -> Rows:
        """Return features, shape (n, f): normal scores, and one 1 among a dimension's levels."""
        made = np.zeros((len(rows), self.size), np.float32)
        scores = normal_scores(rows)
        every = np.arange(len(rows))
        for place, (block, edges) in enumerate(zip(self.blocks, self.edges, strict=True)):
            if len(edges):
                level = np.searchsorted(edges[1:-1], rows[:, place], side="right")
                made[every, block.start + level] = 1.0
            else:
                made[:, block.start] = scores[:, place]
        return made

    def decode(self, outputs: Rows, rng: np.random.Generator) -> Rows:
        """Return rows from a network's outputs, shape (n, f); a level's output is its log odds."""
        rows = np.empty((len(outputs), len(self.edges)), np.float32)
        for place, (block, edges) in enumerate(zip(self.blocks, self.edges, strict=True)):
            if len(edges):
                odds = outputs[:, block] + rng.gumbel(size=(len(outputs), len(edges) - 1))
                level = odds.argmax(axis=1)
                rows[:, place] = within(edges[level], edges[level + 1], rng)
            else:
                rows[:, place] = of_scores(outputs[:, block.start].astype(np.float64))
        return rows

    def save(self) -> dict[str, NDArray[Any]]:
        """Return what `restored` needs."""
        lengths = np.array([len(edges) for edges in self.edges], np.int64)
        return {"edges": np.concatenate([np.empty(0), *self.edges]), "lengths": lengths}

    @staticmethod
    def restored(arrays: Mapping[str, NDArray[Any]]) -> Features:
        """Return the features that `save` wrote."""
        return Features(edges=tuple(np.split(arrays["edges"], np.cumsum(arrays["lengths"])[:-1])))
