"""Power of the joint check's kernel test beside the published tests, on their own examples.

    python -m benchmarks.power_mmd [--runs 200] [--only mixture] [--features 64 256] [--json FILE]

Published: MMD-FUSE and MMDAgg as released with Biggs, Schrab and Gretton (2023), NeurIPS
(200 repetitions, level 0.05). `--features` adds columns with that many random frequencies in
place of exact kernels, on the same data. The last line says whether the bar is met: at least
the better published power less 0.07 in each row, and MMD-FUSE's mean in the mean.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.stats.mmd import mmd_test

SLACK = 0.07
PERMUTATIONS = 499
SIZES = (500, 1000, 1500, 2000, 2500, 3000)
RHO = (0.5, 0.57, 0.60, 0.63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of a published table; fuse and agg are None where none was published."""

    law: str
    n: int
    change: float
    null: float
    fuse: float | None = None
    agg: float | None = None


def published(law, null, changes, sizes, fuse, agg):
    """Return the cases of one published row."""
    return [
        Case(law=law, n=n, change=change, null=null, fuse=f, agg=a)
        for change, n, f, a in zip(changes, sizes, fuse, agg, strict=True)
    ]


CASES = [
    *published(
        "mixture",
        1.0,
        (0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0),
        (500,) * 10,
        (0.995, 0.945, 0.510, 0.135, 0.035, 0.105, 0.235, 0.635, 0.840, 0.905),
        (0.995, 0.915, 0.460, 0.120, 0.050, 0.105, 0.250, 0.675, 0.910, 0.945),
    ),
    *published(
        "mixture",
        1.0,
        (1.3,) * 6,
        SIZES,
        (0.18, 0.38, 0.635, 0.765, 0.88, 0.97),
        (0.19, 0.385, 0.665, 0.785, 0.89, 0.99),
    ),
    *published(
        "waves in 1-d",
        0.0,
        (0.1, 0.2, 0.3, 0.4, 0.5),
        (500,) * 5,
        (0.085, 0.180, 0.505, 0.825, 0.975),
        (0.080, 0.210, 0.605, 0.880, 0.985),
    ),
    *published(
        "waves in 2-d",
        0.0,
        (0.2, 0.4, 0.6, 0.8, 1.0),
        (500,) * 5,
        (0.055, 0.170, 0.485, 0.885, 0.995),
        (0.055, 0.145, 0.395, 0.830, 0.990),
    ),
    *published(
        "waves in 2-d",
        0.0,
        (0.4,) * 5,
        SIZES[1:],
        (0.430, 0.690, 0.805, 0.975, 0.990),
        (0.335, 0.595, 0.765, 0.950, 0.975),
    ),
    *(Case(law="correlation in 3-d", n=2500, change=rho, null=0.5) for rho in RHO),
]


def mixture(rng, n, scale):
    """Draw from four Gaussians at (+-20, +-20); the low left one has this spread."""
    corner = rng.choice([-20.0, 20.0], (n, 2))
    noise = rng.standard_normal((n, 2))
    noise[(corner < 0).all(1)] *= scale
    return corner + noise


def waves(rng, n, height, *, dimensions):
    """Draw from the uniform law with a smooth bump and dip of random sign in each corner."""
    signs = rng.choice([-1.0, 1.0], (2,) * dimensions)
    kept = np.empty((0, dimensions))
    while len(kept) < n:
        points = rng.random((4 * n, dimensions))
        corner = tuple((points >= 0.5).astype(int).T)
        bump = np.prod(_bump(2 * (points % 0.5) - 1), axis=1)
        density = 1 + np.e**dimensions * height * signs[corner] * bump
        kept = np.vstack((kept, points[rng.random(4 * n) * (1 + height) < density]))
    return kept[:n]


def _bump(x):
    """Return exp(-1 / (1 - (4x + 3)^2)) on (-1, -1/2), its negative mirror on (-1/2, 0)."""
    place = np.where(x < -0.5, 4 * x + 3, 4 * x + 1)
    inside = np.maximum(1 - place**2, 1e-9)
    return np.where(x < -0.5, 1, -1) * np.exp(-1 / inside)


def correlated(rng, n, rho):
    """Draw Gaussians in three dimensions with one correlation."""
    shared = rng.standard_normal((n, 1))
    return np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.standard_normal((n, 3))


LAWS = {
    "mixture": mixture,
    "waves in 1-d": lambda rng, n, height: waves(rng, n, height, dimensions=1),
    "waves in 2-d": lambda rng, n, height: waves(rng, n, height, dimensions=2),
    "correlation in 3-d": correlated,
}


def power(case, *, runs, features):
    """Return the shares of rejections: exact kernels first, then each number of features."""
    ways = [{"exact_rows": 2 * case.n}, *({"exact_rows": 0, "count": f} for f in features)]
    rejected = np.zeros(len(ways))
    for run in range(runs):
        rng = np.random.default_rng([run, case.n, round(1000 * case.change)])
        x = LAWS[case.law](rng, case.n, case.null).astype(np.float32)
        y = LAWS[case.law](rng, case.n, case.change).astype(np.float32)
        for place, way in enumerate(ways):
            stream = np.random.default_rng([run, place])
            test = mmd_test(x, y, permutations=PERMUTATIONS, rng=stream, **way)
            rejected[place] += test.p_value <= 0.05
    return (rejected / runs).round(3).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--only", default="")
    parser.add_argument("--features", type=int, nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    heads = ["law", "n", "change", "ours", *map(str, options.features), "FUSE", "Agg", "seconds"]
    print("".join(f"{head:>{20 if place == 0 else 9}}" for place, head in enumerate(heads)))
    rows = []
    for case in (case for case in CASES if options.only in case.law):
        start = time.process_time()
        found = power(case, runs=options.runs, features=options.features)
        spent = round(time.process_time() - start, 1)
        cells = [case.law, case.n, case.change, *found, case.fuse, case.agg, spent]
        line = (f"{'' if c is None else c!s:>{20 if i == 0 else 9}}" for i, c in enumerate(cells))
        print("".join(line), flush=True)
        rows.append(dict(zip(heads, cells, strict=True)) | {"null": case.change == case.null})
    judged = [row for row in rows if row["FUSE"] is not None and not row["null"]]
    if judged:
        short = [r for r in judged if r["ours"] < max(r["FUSE"], r["Agg"]) - SLACK]
        names = ("ours", "FUSE", "Agg")
        means = {name: round(float(np.mean([r[name] for r in judged])), 4) for name in names}
        print(f"means {means}; {len(short)} of {len(judged)} rows short of the bar: {short}")
    if options.json:
        options.json.write_text(json.dumps({"runs": options.runs, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
