"""Power of the checks beside published figures: `python -m benchmarks.power [--repeats 200]`.

Lost correlation (3 equally correlated columns, 0.5 against rho, 2500 rows each) stands beside
the exact, Nystroem and random-feature MMD of Chatalic et al. (arXiv 2502.13570). HDGM (two modes
of ten columns, correlation +-0.5 of the first two, Liu et al. 2020) stands beside the target.
The bandwidth grids of MMD-FUSE and MMDAgg are in `benchmarks.power_mmd`.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy import stats

import detector

PUBLISHED = {
    "lost correlation 0.50": "size: Nystroem .044, RFF .039, CTT .043",
    "lost correlation 0.54": "Nystroem .080, RFF .080, CTT .068",
    "lost correlation 0.57": "Nystroem .168, RFF .170, CTT .125; asked .70",
    "lost correlation 0.60": "exact MMD .420, Nystroem .412, RFF .405, CTT .325; asked .95",
    "HDGM 1000": "",
    "HDGM 2000": "asked .80",
    "HDGM 5000": "asked .95",
}
CHECKS = ("dependence", "joint", "discriminator")


def correlated(rng: np.random.Generator, rows: int, correlation: float) -> np.ndarray:
    """Return three equally correlated normal columns."""
    covariance = np.full((3, 3), correlation) + np.eye(3) * (1 - correlation)
    return rng.multivariate_normal(np.zeros(3), covariance, rows)


def hdgm(rng: np.random.Generator, rows: int, *, tied: bool) -> np.ndarray:
    """Return two modes in ten columns; tied: correlation 0.5 in one, -0.5 in the other."""
    values = rng.standard_normal((rows, 10))
    second = rng.random(rows) < 0.5
    if tied:
        correlation = np.where(second, -0.5, 0.5)
        values[:, 1] = correlation * values[:, 0] + np.sqrt(0.75) * values[:, 1]
    return values + 0.5 * second[:, None]


def one(task: tuple[str, int]) -> list[bool]:
    """Return which checks see the difference at the 0.05 level."""
    name, seed = task
    rng = np.random.default_rng([seed, *name.encode()])
    size = name.split()[-1]
    if name.startswith("lost"):
        x, y = correlated(rng, 2500, 0.5), correlated(rng, 2500, float(size))
    else:
        x, y = hdgm(rng, int(size), tied=False), hdgm(rng, int(size), tied=True)
    names = [f"c{place}" for place in range(x.shape[1])]
    tables = [pa.table(list(side.T), names=names) for side in (x, y)]
    findings = detector.measure(*tables, checks=CHECKS, seed=seed)
    p_values = {f.check: f.outcome.p_value for f in findings if len(f.subject.columns) == 0}
    return [p_values[check] <= 0.05 for check in CHECKS]


def main() -> None:
    """Print one row for each cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=30_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(f"| case | {' | '.join(CHECKS)} | published or asked |")
    print("| --- | --- | --- | --- | --- |")
    record = {}
    with ProcessPoolExecutor(options.workers) as pool:
        for name, beside in PUBLISHED.items():
            tasks = [(name, options.seed + place) for place in range(options.repeats)]
            seen = np.array(list(pool.map(one, tasks, chunksize=4))).sum(axis=0)
            cells = []
            for count in seen.tolist():
                low, high = stats.binomtest(count, options.repeats).proportion_ci(method="exact")
                cells.append(f"{count / options.repeats:.3f} ({low:.3f} to {high:.3f})")
            print(f"| {name} | {' | '.join(cells)} | {beside} |", flush=True)
            record[name] = dict(zip(CHECKS, (seen / options.repeats).tolist(), strict=True))
    if options.json:
        text = {"repeats": options.repeats, "seed": options.seed, "power": record}
        options.json.write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
