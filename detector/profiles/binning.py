"""Bin counts over frozen edges, exact to the last row, without sorting.

A monotone map sends each value to one of many equal cells. Where a cell holds at most one
edge, two comparisons settle the bin; the few rows in crowded cells are searched. That
makes counting about ten times cheaper than a binary search of every row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_EDGES = 1024
"""Edges per column: fine enough that binning costs a test of a million rows no power."""

_MOST_CELLS = 1 << 15
_CELLS_PER_EDGE = 32
_SMALLEST = 1e-300
_BLOCK = 1 << 15


def choose_edges(values: NDArray[np.float64], *, most: int = MAX_EDGES) -> NDArray[np.float64]:
    """Return edges that are values of the reference, shape (e,), sorted, distinct.

    Every distinct value is an edge when there are at most `most` of them, so that ties
    and integer codes are counted one by one; otherwise the edges are quantiles, and
    every value that holds more than a share 1/most is among them.

    Args:
        values: Finite values, shape (n,).
        most: The largest number of edges.

    """
    ordered = np.sort(values)
    if len(ordered) == 0:
        return np.empty(0)
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(first) > most:
        first = np.linspace(0, len(ordered) - 1, most).round().astype(np.int64)
    edges: NDArray[np.float64] = np.unique(ordered[first])
    return edges


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Binner:
    """Counts values into the 2 e + 1 places of `NumericSummary.counts`."""

    edges: NDArray[np.float64]
    low: float
    scale: float
    base: NDArray[np.int32]
    edge_of_cell: NDArray[np.float64]
    crowded: NDArray[np.bool_] | None
    finer: Binner | None
    offset: int

    @classmethod
    def over(cls, edges: NDArray[np.float64], *, depth: int = 3, offset: int = 0) -> Binner:
        """Prepare the cells for these sorted, distinct, finite edges.

        Crowded cells get a finer map of their own, up to `depth` levels in all.
        """
        low, high = _core(edges)
        width = high - low
        cells = min(_MOST_CELLS, max(64, _CELLS_PER_EDGE * len(edges)))
        scale = (cells - 2) / width if width > _SMALLEST else 0.0
        cell = _cells(edges, low, scale, cells)
        first = np.searchsorted(cell, np.arange(cells))
        after = np.searchsorted(cell, np.arange(cells), side="right")
        held = after - first
        edge_of_cell = np.full(cells, np.inf)
        single = held == 1
        edge_of_cell[single] = edges[first[single]]
        crowded = np.flatnonzero(held > 1)
        finer = None
        if depth > 1 and len(crowded) and scale > 0:
            inside = slice(int(first[crowded[0]]), int(after[crowded[-1]]))
            if inside.stop - inside.start < len(edges):
                finer = cls.over(edges[inside], depth=depth - 1, offset=2 * inside.start)
        return cls(
            edges=edges,
            low=low,
            scale=scale,
            base=(2 * first).astype(np.int32),
            edge_of_cell=edge_of_cell,
            crowded=held > 1 if len(crowded) else None,
            finer=finer,
            offset=offset,
        )

    def counts(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count finite values, shape (n,), into shape (2 e + 1,)."""
        total = np.zeros(2 * len(self.edges) + 1, np.int64)
        for start in range(0, len(values), _BLOCK):
            places = self._places(values[start : start + _BLOCK])
            total += np.bincount(places, minlength=len(total))
        return total

    def _places(self, values: NDArray[np.float64]) -> NDArray[np.int32]:
        cell = _cells(values, self.low, self.scale, len(self.base))
        edge = self.edge_of_cell[cell]
        places = self.base[cell]
        places += values >= edge
        places += values > edge
        if self.crowded is not None:
            rows = np.flatnonzero(self.crowded[cell])
            if len(rows):
                places[rows] = self._crowded_places(values[rows])
        return places

    def _crowded_places(self, values: NDArray[np.float64]) -> NDArray[np.int32]:
        if self.finer is not None:
            return self.finer._places(values) + np.int32(self.finer.offset)  # noqa: SLF001
        left = np.searchsorted(self.edges, values, side="left")
        right = np.searchsorted(self.edges, values, side="right")
        return (left + right).astype(np.int32)


def _core(edges: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range that holds the middle 99 % of the edges, so tails do not stretch it."""
    if len(edges) == 0:
        return 0.0, 0.0
    skip = len(edges) // 200
    return float(edges[skip]), float(edges[len(edges) - 1 - skip])


def _cells(values: NDArray[np.float64], low: float, scale: float, cells: int) -> NDArray[np.int32]:
    """Return the cell of each value: a monotone map, so order between cells is order of values."""
    if scale == 0:
        return np.zeros(len(values), np.int32)
    with np.errstate(over="ignore"):
        scaled = (values - low) * scale
    np.clip(scaled, -1.0, cells - 2.0, out=scaled)
    scaled += 1.0
    return scaled.astype(np.int32)
