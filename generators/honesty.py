"""What every fit is asked about its rows: are they copies, and is a part of the data gone?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.recipes import row_hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.data.dataset import Dataset
    from generators.codec import Codec

    Rows = NDArray[np.float32]

LOOKED_AT = 4_096
"""Rows that are drawn to be looked at."""

EXPECTED = 10.0
"""A region that should hold this many of the drawn rows and holds less than a tenth is lost."""

DIMENSIONS = 64
"""Ordered dimensions that are looked at."""

REGIONS = 8


def copies(training: NDArray[np.uint64], drawn: Dataset) -> tuple[float, float]:
    """Return the share of drawn rows that are training rows, and of rows met twice there."""
    _, counts = np.unique(training, return_counts=True)
    repeated = float(counts[counts > 1].sum() / max(1, len(training)))
    return float(np.isin(row_hashes(drawn), training).mean()), repeated


def coverage(codec: Codec, drawn: Rows) -> tuple[float, tuple[str, ...]]:
    """Return the share of levels and regions that drawn rows reach, and columns that lost one.

    Every dimension of the codec is uniform over the training rows, so an interval should
    hold drawn rows by its length. Ordered dimensions are cut in eighths.

    Args:
        codec: What the rows mean.
        drawn: Rows of the codec, shape (m, d).

    """
    seen = asked = 0
    lost: dict[str, None] = {}
    ordered = 0
    for place, dimension in enumerate(codec.dimensions):
        edges = dimension.edges
        if edges is None:
            ordered += 1
            if ordered > DIMENSIONS:
                continue
            edges = np.linspace(-1.0, 1.0, REGIONS + 1)
        due = np.diff(edges) / 2.0 * len(drawn)
        codes = np.searchsorted(edges[1:-1], drawn[:, place], side="right")
        found = np.bincount(codes, minlength=len(due))
        large = due >= EXPECTED
        asked += int(large.sum())
        seen += int((found[large] >= 0.1 * due[large]).sum())
        if (found[large] < 0.1 * due[large]).any():
            lost[dimension.column] = None
    return (seen / asked if asked else 1.0), tuple(lost)
