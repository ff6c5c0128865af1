"""A binned table as what a Born machine shall draw: shares of bitstrings, and which are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.bits import MOST_MASKED, indices
from generators.born import Target
from generators.losses import RANK_BANDWIDTHS, StateKernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.bits import Bits
    from generators.codec import Dimension
    from generators.tabular import Task

LEVELS_APART = 0.5
"""Distance of two different levels, as a share of the rows."""


def target_of(task: Task, *, validation: float, rng: np.random.Generator) -> Target:
    """Return the target that the task's bits are.

    Args:
        task: With bits.
        validation: Share of the rows to hold out; none where that leaves under two on a side.
        rng: Chooses them.

    """
    assert task.code is not None  # noqa: S101 - the recipe asks for bits
    assert task.bits is not None  # noqa: S101 - likewise
    states = indices(task.bits)
    order = rng.permutation(len(states))
    held = int(validation * len(states))
    held = held if min(held, len(states) - held) >= 2 else 0
    mask = task.code.mask() if task.code.total <= MOST_MASKED else None
    total, where = 2**task.code.total, places(task.dimensions, task.code)
    bandwidths = [width * np.sqrt(len(where)) for width in RANK_BANDWIDTHS]
    return Target(
        shares=shares(states[order[held:]], total),
        kernel=StateKernel.of_places(where, bandwidths=bandwidths),
        valid=None if mask is None or mask.all() else mask,
        rows=len(states) - held,
        held_out=shares(states[order[:held]], total) if held else None,
    )


def shares(states: NDArray[np.int64], total: int) -> NDArray[np.float64]:
    """Return how often each of all basis states occurs, shape (total,)."""
    return np.bincount(states, minlength=total) / max(1, len(states))


def places(dimensions: Sequence[Dimension], code: Bits) -> list[NDArray[np.float64]]:
    """Return where the codes of each dimension lie, as shares of the rows.

    An ordered dimension's code lies in the middle of its interval; levels are all equally far
    from each other. A dimension without bits has none.
    """
    found = []
    for dimension, cuts, width in zip(dimensions, code.cuts, code.widths, strict=True):
        if not width:
            continue
        if dimension.edges is not None:
            found.append(np.eye(2**width) * (LEVELS_APART / np.sqrt(2.0)))
            continue
        middles = (cuts[:-1] + cuts[1:]) / 4.0 + 0.5
        found.append(np.append(middles, np.ones(2**width - len(middles))))
    return found
