"""Where an axis is cut into bins: a discrete choice, made by `qaoa` or `vqe`.

Bins of equal weight tell most about their own axis, and not most about the others. Of some places
between equal shares of the rows, those should be edges that leave as much as possible of what the
axis tells about the other axes' bins. Two edges close to each other tell the same twice, so this is
a quadratic problem of one bit a place: what an edge tells alone, less what two of them share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.bits import Bits
from generators.quantum.layouts import SOLVERS
from generators.quantum.problems import Ising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.codec import Dimension

    Floats = NDArray[np.float64]
    Rows = NDArray[np.float32]

CANDIDATES = 14
"""Places that an edge can have: one qubit of the solver each."""

SURPLUS = 1.0
"""What an edge too many or too few costs, beside the most telling one."""

GRID = np.linspace(-1.0, 1.0, CANDIDATES + 2)


def told(tables: Sequence[Floats], edges: Sequence[int]) -> float:
    """Return what bins between edges tell about the other axes, in nats, summed over them.

    Args:
        tables: The shares of an axis's cells (rows, one more than there are places) and the bins
            of each other axis (columns).
        edges: Numbers of places, rising.

    >>> told([np.eye(3) / 3], [0, 1]) == np.log(3)
    True
    """
    starts = np.append(0, np.asarray(edges, np.int64) + 1)
    found = 0.0
    for table in tables:
        joint = np.add.reduceat(table, starts, axis=0)
        alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
        seen = joint > 0
        found += float(joint[seen] @ np.log(joint[seen] / alone[seen]))
    return found


def edges_problem(tables: Sequence[Floats], count: int) -> Ising:
    """Return the energy of choosing some places as edges; the lowest one has so many of them.

    What pairs share is counted in part, or several edges would seem to tell less than one.

    Args:
        tables: As in `told`.
        count: How many edges there shall be.

    """
    places = range(len(tables[0]) - 1)
    gain = np.array([told(tables, [place]) for place in places])
    unit = max(float(gain.max()), 1e-12)
    cost = np.diag(-gain / unit + SURPLUS * (1 - 2 * count))
    for one in places:
        for two in places[one + 1 :]:
            shared = gain[one] + gain[two] - told(tables, [one, two])
            cost[one, two] = shared / unit * 2 / (count + 1) + 2 * SURPLUS
    return Ising.from_qubo(cost)


def exactly(problem: Ising, bits: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Return bits of which so many are set, the cheapest one flipped at a time."""
    while (have := int(bits.sum())) != count:
        open_ = np.flatnonzero(bits == (have > count))
        others = np.tile(bits, (len(open_), 1))
        others[np.arange(len(open_)), open_] ^= 1
        bits = others[problem.energies_of(others).argmin()]
    return bits


def tables_of(code: Bits, rows: Rows, axis: int) -> list[Floats]:
    """Return the shares of an axis's cells and the bins of each other axis that has bits."""
    cells = np.searchsorted(GRID[1:-1], rows[:, axis], side="right")
    found = []
    for other, (cuts, width) in enumerate(zip(code.cuts, code.widths, strict=True)):
        if width and other != axis:
            bins = np.searchsorted(cuts[1:-1], rows[:, other], side="right")
            table = np.zeros((CANDIDATES + 1, len(cuts) - 1))
            np.add.at(table, (cells, bins), 1 / len(rows))
            found.append(table)
    return found


def chosen_edges(
    code: Bits,
    rows: Rows,
    dimensions: Sequence[Dimension],
    *,
    by: str,
    rng: np.random.Generator,
) -> Bits:
    """Return the code with the edges of its ordered axes chosen.

    Axes with more bits than there are places keep their even bins, and so do all where only one
    axis has bits: there is nothing that they could tell.

    Args:
        code: Even bins.
        rows: Shape (n, d), n >= 1.
        dimensions: What the axes mean.
        by: `qaoa` or `vqe`.
        rng: Decides what the solver sees.

    """
    found = list(code.cuts)
    for axis, (cuts, dimension) in enumerate(zip(code.cuts, dimensions, strict=True)):
        count = len(cuts) - 2
        if dimension.edges is not None or not 0 < count <= CANDIDATES:
            continue
        if tables := tables_of(code, rows, axis):
            problem = edges_problem(tables, count)
            bits = exactly(problem, SOLVERS[by](problem, rng=rng).bits, count)
            found[axis] = np.concatenate([[-1.0], GRID[1:-1][bits == 1], [1.0]])
    return Bits(cuts=tuple(found))
