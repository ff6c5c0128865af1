"""Small tables with every kind of column, for the tests of recipes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def mixed(rows: int = 600, *, seed: int = 0) -> pa.Table:
    """Return every kind: ties, gaps, spikes, constants, rare levels, images, ids and text."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(rows)
    price = np.round(np.exp(z + 0.3 * rng.standard_normal(rows)) * 20, 2)
    gap = rng.random(rows) < 0.1 + 0.2 * (z > 0)
    when = np.datetime64("2020-01-01") + (rng.integers(0, 900, rows)).astype("timedelta64[D]")
    levels = np.array(["red", "green", "blue", "rare"])
    color = levels[np.searchsorted([0.5, 0.8, 0.98], rng.random(rows))]
    image = (rng.integers(0, 17, (rows, 4)) * (np.arange(4) != 2)).astype(np.float32)
    flag = (z + rng.standard_normal(rows) > 0).tolist()
    return pa.table(
        {
            "height": z * 9 + 170 + rng.standard_normal(rows),
            "price": price,
            "age": np.clip(np.round(z * 12 + 45), 18, 90).astype(np.int64),
            "bill": np.where(rng.random(rows) < 0.6, 0.0, np.round(price * 2, 1)),
            "weight": pa.array(np.where(gap, np.nan, z * 3 + 70), from_pandas=True),
            "color": pa.array(np.where(rng.random(rows) < 0.05, None, color), pa.string()),
            "flag": pa.array([None if i % 50 == 0 else v for i, v in enumerate(flag)], pa.bool_()),
            "when": when.astype("datetime64[us]"),
            "same": np.full(rows, 7, np.int64),
            "gone": pa.array([None] * rows, pa.float64()),
            "image": pa.FixedSizeListArray.from_arrays(pa.array(image.ravel()), 4),
            "user_id": np.arange(rows) + 1_000_000,
            "comment": [f"note number {i * 7919 % 10007} of {rows}" for i in range(rows)],
        }
    )


def numbers(rows: int = 500, columns: int = 4, *, seed: int = 0, rho: float = 0.7) -> pa.Table:
    """Return correlated normal columns."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((rows, 1))
    values = np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.standard_normal((rows, columns))
    return pa.table({f"x{i}": values[:, i] for i in range(columns)})
