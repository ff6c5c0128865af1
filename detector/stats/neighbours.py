"""The nearest row of each row, by brute force in blocks: fast up to some ten thousand rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

_BLOCK_BYTES = 1 << 24


class Nearest(NamedTuple):
    """The nearest row of each query: how far it is, and which."""

    distance: NDArray[np.float64]
    place: NDArray[np.int64]


def nearest(queries: Rows, rows: Rows, *, same: bool = False) -> Nearest:
    """Return the Euclidean distance to the nearest row, and its place, for each query.

    Products of single precision find the row, differences in double precision measure it, so
    that the distance of equal rows is exactly zero.

    Args:
        queries: Shape (m, d), finite.
        rows: Shape (n, d), finite, n >= 1; n >= 2 where both are the same rows.
        same: Both are the same rows, and a row is not its own neighbour.

    Raises:
        ValueError: There is no row to be near to.

    Cost: O(m n d) time, a block of 16 MiB and O((m + n) d) memory.

    >>> nearest(np.array([[0.0], [3.0]], np.float32), np.array([[1.0], [5.0]], np.float32)).place
    array([0, 0])
    """
    if len(rows) < 1 + same:
        raise ValueError(f"{len(rows)} rows, and each query needs one beside itself")
    # |q - r|^2 = |q|^2 - 2 q r + |r|^2, and the first term is the same for every row.
    against = np.column_stack((-2 * rows, np.einsum("ij,ij->i", rows, rows))).T
    place = np.empty(len(queries), np.int64)
    block = max(1, _BLOCK_BYTES // (4 * len(rows)))
    for start in range(0, len(queries), block):
        part = queries[start : start + block]
        far = np.column_stack((part, np.ones(len(part), np.float32))) @ against
        if same:
            own = np.arange(len(part))
            far[own, start + own] = np.inf
        place[start : start + len(part)] = far.argmin(axis=1)
    return Nearest(_distance(queries, rows[place]), place)


def _distance(one: Rows, other: Rows) -> NDArray[np.float64]:
    apart = one.astype(np.float64) - other
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", apart, apart)))
