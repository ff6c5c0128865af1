"""Rows in bundles: what is resampled when rows come in clusters, or are very many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundles:
    """A sample's rows in bundles: equally many rows each, or equally many whole clusters.

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
        size: Rows that a bundle should hold, at least 1. Bundles of clusters hold equally
            many clusters, at least one, and about this many rows on average.
        rng: Decides which rows share a bundle.
        clusters: The cluster of each row, shape (n,); None when each row stands alone.

    """
    if clusters is None:
        order = rng.permutation(rows)
        starts = np.arange(0, rows, size)
    else:
        _, place, counts = np.unique(clusters, return_inverse=True, return_counts=True)
        each = max(1, len(counts) * size // rows)
        number = (rng.permutation(len(counts)) // each)[place]
        order = np.argsort(number, kind="stable")
        rising = number[order]
        starts = np.flatnonzero(np.concatenate(([True], rising[1:] != rising[:-1])))
    return Bundles(order=order, starts=starts, sizes=np.diff(np.append(starts, rows)))
