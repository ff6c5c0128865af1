"""Quick audits of small tables, for the tests of what audits return and survive."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import detector
from detector.findings import Gap


def normal(rows=300, columns=3, *, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns))


def mixed(rows=240, *, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(rows)
    gaps, level = rng.random(rows) < 0.1, np.searchsorted([0.6, 0.95], rng.random(rows))
    return pa.table(
        {
            "age": np.round(40 + 10 * z),
            "income": pa.array(np.where(gaps, np.nan, np.exp(z)), from_pandas=True),
            "color": np.array(["red", "green", "blue"])[level],
            "member": rng.random(rows) < 0.3,
        }
    )


def quick(data=None, recipe="gaussian", **asked):
    asked = {"generations": 3, "replicates": 2, "refits": 20, **asked}
    return detector.audit(normal() if data is None else data, recipe=recipe, **asked)


def gaps(report):
    return {f.outcome.name: f.outcome for f in report.findings if isinstance(f.outcome, Gap)}
