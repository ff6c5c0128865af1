"""What fits and samples cost in CPU seconds, beside what was asked.

    python -m benchmarks.costs [--repeats 5] [--json FILE]

`qcbm` with 14 qubits and its other options as they are, all 1,000 steps (no early stop), on six
columns of breast cancer and their diagnosis; 100,000 rows of it; `gaussian_copula` on 100,000 rows
of 20 correlated columns. A fit is all that `fit` does, the look at its own rows too. CPU seconds
count all threads; kernels are compiled and modules imported by a first, short fit. The smallest
figure is what the work takes, since other programs can only add; the largest is told as well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa

import detector
from benchmarks.generators import table

ROWS, COLUMNS, QUBITS = 100_000, 20, 14
ASKED = {"fit_qcbm": 15.0, "sample_qcbm": 2.0, "fit_copula": 5.0}


def columns():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(ROWS, COLUMNS)) @ rng.normal(size=(COLUMNS, COLUMNS))
    return pa.table({f"x{k:02d}": values[:, k] for k in range(COLUMNS)})


def qcbm(**options):
    return detector.recipe("qcbm", qubits=QUBITS, **options)


def timed(work):
    """Return the CPU seconds of some work, and what it returned."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def measure(repeats):
    real, wide = table("cancer6"), columns()
    qcbm(steps=2).fit(real, np.random.default_rng(0)).sample(10, np.random.default_rng(0))
    detector.recipe("gaussian_copula").fit(wide.slice(0, 500), np.random.default_rng(0))
    found = {name: [] for name in ASKED}
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        cost, model = timed(lambda rng=rng: qcbm(early_stop=False).fit(real, rng))
        assert model.log.steps == 1_000
        found["fit_qcbm"].append(cost)
        cost, drawn = timed(lambda rng=rng, model=model: model.sample(ROWS, rng).to_arrow())
        assert drawn.num_rows == ROWS
        found["sample_qcbm"].append(cost)
        copula = detector.recipe("gaussian_copula")
        found["fit_copula"].append(timed(lambda rng=rng, to=copula: to.fit(wide, rng))[0])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measure(given.repeats)
    for name, costs in found.items():
        print(f"{name}: {min(costs):.2f} to {max(costs):.2f} CPU s (asked {ASKED[name]:.0f})")
    if given.json:
        packages = ("numpy", "numba", "pyarrow", "scipy")
        about = {
            "command": f"python -m benchmarks.costs --repeats {given.repeats}",
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            **{name: version(name) for name in packages},
        }
        cells = {
            name: {"cpu_seconds": costs, "asked": ASKED[name]} for name, costs in found.items()
        }
        text = json.dumps({**about, **cells}, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
