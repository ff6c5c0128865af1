"""A table that no pair of columns gives away: two coins and their product, blurred."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def parity(rows, *, seed=0):
    """Return columns of which every two are independent, and all three are not."""
    rng = np.random.default_rng(seed)
    x, y = rng.choice([-1.0, 1.0], (2, rows))
    columns = {"x": x, "y": y, "product": x * y}
    return pa.table({k: v + 0.1 * rng.standard_normal(rows) for k, v in columns.items()})


def kept_parity(table):
    """Return the share of rows whose product has the sign that it should have: half by chance."""
    x, y, product = (np.asarray(table[name]) for name in ("x", "y", "product"))
    return float(np.mean(np.sign(x * y) == np.sign(product)))
