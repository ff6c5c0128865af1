"""An order for levels that have none: neighbours are levels that go with alike rows.

A level is an interval on one dimension, so a model sees best what follows the order of the
levels. They are put along the one direction of the other columns that tells them apart most.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from detector.data.arrays import positions
from generators.cells import one_array
from generators.latent import NormalScores
from generators.nominal import Nominal

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from generators.codec import Codec

    Numbers = NDArray[np.float64]

FEWEST = 3
"""Levels of a column that has an order at all."""

LOOKED_AT = 25_000
"""Rows that are looked at in larger tables, evenly spread."""

DOUBT = 10.0
"""A level of so few rows is drawn half of the way to the middle."""


def with_ordered_levels(codec: Codec, table: pa.Table) -> Codec:
    """Return the codec with the levels of each category in a telling order.

    Being missing is a level like any other. The order depends on the rows, not on any chance.

    Args:
        codec: A codec, with levels in any order.
        table: The canonical rows that it was learned from.

    """
    nominal = [
        (place, code)
        for place, code in enumerate(codec.codes)
        if isinstance(code, Nominal) and len(code.names) >= FEWEST
    ]
    owners = [dimension.column for dimension in codec.dimensions]
    if not nominal or len(set(owners)) < 2:
        return codec
    table = _thinned(table)
    rows, known = codec.encode(table, np.random.default_rng(0))  # scores forget the jitter
    scores = np.where(known, NormalScores.of(codec.dimensions).of_rows(rows), 0.0)
    codes = list(codec.codes)
    for place, code in nominal:
        spec = codec.schema.columns[place]
        others = scores[:, [owner != spec.name for owner in owners]]
        levels = code.places(one_array(table[spec.name]))
        codes[place] = code.in_order(_order(levels, others, len(code.names)))
    return dataclasses.replace(codec, codes=tuple(codes))


def _thinned(table: pa.Table) -> pa.Table:
    """Return every k-th row, so that about `LOOKED_AT` are left."""
    every = table.num_rows // LOOKED_AT
    if every < 2:
        return table
    return table.take(positions(np.arange(0, table.num_rows, every)))


def _order(levels: NDArray[np.int64], scores: Numbers, count: int) -> NDArray[np.int64]:
    """Return the levels along the direction in which their mean scores differ most."""
    counts = np.bincount(levels, minlength=count).astype(np.float64)
    sums = [np.bincount(levels, column, minlength=count) for column in scores.T]
    centers = np.column_stack(sums) / (counts + DOUBT)[:, None]
    centers -= counts @ centers / counts.sum()
    _, _, axes = np.linalg.svd(np.sqrt(counts)[:, None] * centers, full_matrices=False)
    direction = axes[0] * (1.0 if axes[0][np.abs(axes[0]).argmax()] > 0 else -1.0)
    return np.argsort(np.round(centers @ direction, 12), kind="stable")
