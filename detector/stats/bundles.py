"""Rows in bundles: what is resampled when rows come in clusters, or are very many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundles:
    """A sample's rows in bundles of about equal size, whole clusters each.

    Attributes:
        order: Shape (n,): the rows, bundle after bundle.
        starts: Shape (k,): where each bundle starts in `order`.
        sizes: Shape (k,): rows in each bundle.

    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of bundles."""
        return len(self.starts)


def bundle(
    rows: int, *, size: int, rng: np.random.Generator, clusters: NDArray[np.int64] | None = None
) -> Bundles:
    """Return the rows in random bundles.

    Args:
        rows: Their number n, at least 1.
        size: Rows a bundle should hold, at least 1; a larger cluster makes a larger one.
        rng: Decides which rows share a bundle.
        clusters: The cluster of each row, shape (n,); None when each row stands alone.

    """
    if clusters is None:
        order = rng.permutation(rows)
        starts = np.arange(0, rows, size)
    else:
        _, place, counts = np.unique(clusters, return_inverse=True, return_counts=True)
        shuffled = rng.permutation(len(counts))
        before = np.empty(len(counts), dtype=np.int64)
        before[shuffled] = np.cumsum(counts[shuffled]) - counts[shuffled]
        order = np.argsort(before[place], kind="stable")
        number = before[place][order] // size
        starts = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    return Bundles(order=order, starts=starts, sizes=np.diff(np.append(starts, rows)))
