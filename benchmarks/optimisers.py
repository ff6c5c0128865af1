"""The option `optimiser` of every quantum recipe: the loss after equal steps, and CPU seconds.

    python -m benchmarks.optimisers [--seeds 5] [--json FILE]

Columns as they are (`whiten=False`), no early stop, other options as named. What is told: of `qcbm`
the lowest squared kernel distance of the law (in ten-thousandths), of `qgan` the mean one of its
last tenth of batches (in thousandths), of `qvae` and `qbm` the lowest bound and the lowest surprise
of held-out rows, in nats. The start is the first look, or the first tenth. CPU seconds are of the
fit alone.
"""

from __future__ import annotations

import argparse
import json
import os
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import detector
from benchmarks.generators import table
from generators.quantum.descent import OPTIMISERS

DATA = ("moons", "cancer6")
PLAIN = {"whiten": False}
RECIPES = {
    "qcbm": (1e4, "loss", {**PLAIN, "qubits": 10, "layers": 4, "steps": 300, "early_stop": False}),
    "qgan": (1e3, "distance", {**PLAIN, "loss": "mmd", "steps": 300, "early_stop": False}),
    "qvae": (1.0, "validation", {**PLAIN, "steps": 600}),
    "qbm": (1.0, "validation", {**PLAIN, "qubits": 10, "hidden": 4, "steps": 200}),
}


def measure(name, data, optimiser, seed):
    unit, loss, options = RECIPES[name]
    recipe = detector.recipe(name, optimiser=optimiser, **options)
    log = recipe.fit(table(data), np.random.default_rng(seed), examine=False).log
    course = unit * np.array(log.losses[loss])
    tenth = max(1, len(course) // 10)
    reached = course[-tenth:].mean() if loss == "distance" else course.min()
    start = course[:tenth].mean() if loss == "distance" else course[0]
    return float(start), float(reached), log.cpu_seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = []
    for name, data in product(RECIPES, DATA):
        own = {"recipe": name, "data": data, "options": RECIPES[name][2]}
        for optimiser in OPTIMISERS:
            rows = [measure(name, data, optimiser, seed) for seed in range(given.seeds)]
            start, reached, seconds = map(list, zip(*rows, strict=True))
            own[optimiser] = {"start": start, "reached": reached, "cpu_seconds": seconds}
            print(
                f"{name}, {data}, {optimiser}: {np.mean(start):.2f} to {np.mean(reached):.2f}"
                f" in {np.mean(seconds):.1f} CPU s",
                flush=True,
            )
        results.append(own)
    if given.json:
        plain = {"command": f"python -m benchmarks.optimisers --seeds {given.seeds}"}
        text = json.dumps({**plain, "results": results}, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
