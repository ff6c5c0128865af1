"""Precision, recall, density and coverage: do two clouds of rows fill the same places?

All four look at balls that reach from a row to its k-th nearest neighbour of its own sample,
and ask for rows of the other sample inside. They can be read off one list of nearest
neighbours among the pooled rows, so sides can be drawn anew at little cost.

Source: Kynkäänniemi et al. (2019), NeurIPS; Naeem et al. (2020), ICML.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Places = NDArray[np.int32]
    Sides = NDArray[np.bool_]

_BLOCK = 1 << 22
"""Distances held at once."""


class Prdc(NamedTuple):
    """How two samples fill each other's neighbourhoods.

    precision: Share of candidate rows inside a ball of the reference.
    recall: Share of reference rows inside a ball of the candidate.
    density: Balls of the reference that a candidate row lies in, on average, over k.
    coverage: Share of the reference's balls that hold a candidate row.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def expected_coverage(n: int, m: int, k: int) -> float:
    """Return the mean coverage of n reference by m candidate rows of one law, exactly.

    A ball stays empty when the k nearest of all other rows are the reference's.

    >>> round(expected_coverage(500, 500, 5), 6), round(expected_coverage(1000, 500, 5), 6)
    (0.969218, 0.868972)

    """
    return 1.0 - math.prod((n - 1 - j) / (n + m - 1 - j) for j in range(k))


def list_length(n: int, m: int, k: int) -> int:
    """Return how long lists must be so that k of a row's own side are in nearly every one."""
    from scipy.special import bdtr

    share, length = min(n, m) / (n + m), k
    while length < n + m - 1 and bdtr(k - 1, length, share) > 1e-5:
        length += 1
    return length


def nearest(rows: Rows, count: int) -> Places:
    """Return each row's nearest other rows, the nearest first, shape (r, count).

    Equally near rows come in any order, so shuffle the rows before: an order by side would
    favour one side.

    Args:
        rows: Shape (r, d), float32.
        count: From 1 to r - 1.

    Cost: O(r^2 d) time; 16 MB of distances at once.

    """
    squares = np.einsum("ij,ij->i", rows, rows)
    result = np.empty((len(rows), count), np.int32)
    step = max(1, _BLOCK // len(rows))
    for start in range(0, len(rows), step):
        near = _distances(rows, squares, start, start + step)
        part = np.argpartition(near, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(near, part, axis=1), axis=1)
        result[start : start + step] = np.take_along_axis(part, order, axis=1)
    return result


def prdc(near: Places, candidate: Sides, k: int, *, present: Sides | None = None) -> Prdc:
    """Return all four numbers from lists of neighbours.

    A list too short to hold k rows of its own side counts as a ball that ends with it.

    Args:
        near: Nearest other rows of each pooled row, shape (r, l), nearest first.
        candidate: Whether each row is the candidate's, shape (r,).
        k: Which neighbour of its own side a ball reaches to.
        present: Rows that count, shape (r,); all unless given.

    """
    own = candidate[near] == candidate[:, None]
    other = ~own
    if present is not None:
        own &= present[near]
        other &= present[near]
        other &= present[:, None]
    other &= np.cumsum(own, axis=1, dtype=np.int16) < k
    centre, place = np.nonzero(other)
    return _counted(centre, near[centre, place], candidate, k, present)


def full_prdc(rows: Rows, near: Places, candidate: Sides, k: int) -> Prdc:
    """Return all four numbers, looking up afresh the rows whose list is too short.

    Args:
        rows: Pooled rows, shape (r, d), float32.
        near: From `nearest`.
        candidate: Whether each row is the candidate's, shape (r,).
        k: Which neighbour of its own side a ball reaches to, below the rows of either side.

    """
    own = candidate[near] == candidate[:, None]
    short = own.sum(axis=1) < k
    ball = ~own & (np.cumsum(own, axis=1, dtype=np.int16) < k)
    centre, place = np.nonzero(ball & ~short[:, None])
    pairs = [(centre, near[centre, place])]
    squares = np.einsum("ij,ij->i", rows, rows)
    for at in np.flatnonzero(short).tolist():
        order = np.argsort(_distances(rows, squares, at, at + 1)[0])[:-1]
        mine = candidate[order] == candidate[at]
        inside = order[~mine & (np.cumsum(mine) < k)]
        pairs.append((np.full(len(inside), at), inside))
    centres, inside = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return _counted(centres, inside, candidate, k, None)


def _counted(
    centre: NDArray[np.int64],
    inside: NDArray[np.int32],
    candidate: Sides,
    k: int,
    present: Sides | None,
) -> Prdc:
    """Return the numbers from pairs of a ball's centre and a row of the other side inside."""
    caught, filled = np.zeros((2, len(candidate)), bool)
    caught[inside] = True
    filled[centre] = True
    counted = np.ones(len(candidate), bool) if present is None else present
    n, m = int((counted & ~candidate).sum()), int((counted & candidate).sum())
    if min(n, m) == 0:
        raise ValueError("one side has no rows")
    return Prdc(
        precision=int((caught & candidate).sum()) / m,
        recall=int((caught & ~candidate).sum()) / n,
        density=int((~candidate[centre]).sum()) / (k * m),
        coverage=int((filled & ~candidate).sum()) / n,
    )


def _distances(rows: Rows, squares: Rows, start: int, stop: int) -> Rows:
    """Return squared distances of some rows to all, infinite to themselves."""
    block = rows[start:stop]
    near = block @ rows.T
    near *= -2
    near += squares
    near += squares[start:stop, None]
    near[np.arange(len(block)), start + np.arange(len(block))] = np.inf
    return np.asarray(near)
