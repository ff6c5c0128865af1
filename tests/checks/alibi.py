"""What the tests of the six alibi checks share."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import detector
from detector import catalogue


def table(rows, *, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    columns = {name: rng.standard_normal(rows) for name in ("x", "y", "z")}
    columns["x"] += shift
    return pa.table(columns)


def found(name, reference, candidate, *, seed=3, roles=None, **options):
    """Run one check; return its one finding."""
    check = catalogue.load("detector.checks", name)(**options)
    (only,) = detector.measure(reference, candidate, checks=[check], seed=seed, roles=roles)
    return only
