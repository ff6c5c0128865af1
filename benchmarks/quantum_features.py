"""Power of the discriminator with quantum features beside its own, and beside random cosines.

    python -m benchmarks.quantum_features [--repeats 60] [--rows 80] [--json FILE]

Moons against a Gaussian copula's copies of them, and against other moons (the null), at level 0.05.
`cosines` are as many classical features, random Fourier features of a Gaussian kernel, at three
frequencies: what the quantum map has to be measured against, since any bent feature helps here.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa

import detector
from benchmarks.quantum_kernel import moons
from detector.classifiers.cross_fit import cross_fit
from detector.classifiers.features import features, with_numbers
from detector.data.encode import encode_codes, encode_dense
from generators.quantum.features import QuantumFeatures


def quantum(rows, *, rng):  # noqa: ARG001 - every way takes a generator
    return QuantumFeatures.of(rows).features(rows)


def cosines(rows, *, frequency, rng):
    """Return as many features as the quantum map has."""
    spread = rows.std(axis=0)
    scaled = rows / np.where(spread > 1e-9, spread, 1.0)
    count = len(QuantumFeatures.of(rows).labels)
    turns = frequency * rng.standard_normal((rows.shape[1], count))
    return np.cos(scaled @ turns + rng.uniform(0, 2 * np.pi, count))


WAYS = {
    "as it comes": None,
    "quantum": quantum,
    **{f"cosines, at {f}": partial(cosines, frequency=f) for f in (1, 2, 4)},
}


def told(reference, candidate, schema, *, repeat):
    """Return area and p-value of every way on one pair of tables."""
    plain = features(encode_codes(reference, candidate, schema))
    dense = encode_dense(reference, candidate, schema)
    pooled = np.concatenate((dense.x, dense.y))
    side = np.arange(len(pooled)) >= len(dense.x)
    found = {}
    for way, make in WAYS.items():
        of_rows = plain
        if make is not None:
            made = make(pooled, rng=np.random.default_rng([5, repeat]))
            of_rows = with_numbers(plain, made, tuple(map(str, range(made.shape[1]))))
        area = cross_fit(of_rows, side, rng=np.random.default_rng([6, repeat])).combined
        found[way] = (area.value, area.above)
    return found


def rates(*, repeats, rows, null):
    """Return the mean area and the share of rejections of every way."""
    table, rng = moons(), np.random.default_rng(2)
    copies = detector.recipe("gaussian_copula").fit(table, rng).sample(len(table), rng)
    opened = [detector.open_data(side) for side in (table, copies.to_arrow())]
    real, copied = (pa.Table.from_batches(list(side.batches())) for side in opened)
    found = []
    for repeat in range(repeats):
        rng = np.random.default_rng([79, null, repeat])
        order = rng.permutation(len(real))
        others = real.take(order[rows : 2 * rows])
        drawn = copied.take(rng.choice(len(copied), rows, replace=False))
        sides = real.take(order[:rows]), others if null else drawn
        found.append(told(*sides, opened[0].schema, repeat=repeat))
    return {
        way: {
            "auc": round(float(np.mean([own[way][0] for own in found])), 3),
            "rejected": round(float(np.mean([own[way][1] <= 0.05 for own in found])), 3),
        }
        for way in WAYS
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--rows", type=int, default=80)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    start, found = time.process_time(), {}
    for law in ("copies", "null"):
        made = rates(repeats=options.repeats, rows=options.rows, null=law == "null")
        found[f"moons, {law}"] = made
        for way, own in made.items():
            print(f"moons, {law:<8}{way:<16}{own['auc']:>8}{own['rejected']:>8}", flush=True)
    if options.json:
        machine = {"machine": platform.machine(), "python": platform.python_version()}
        versions = {name: version(name) for name in ("numpy", "scikit-learn", "cirq-core", "numba")}
        plain = {"repeats": options.repeats, "rows": options.rows, "rates": found}
        plain |= {"cpu_seconds": round(time.process_time() - start, 1), **machine, **versions}
        options.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
