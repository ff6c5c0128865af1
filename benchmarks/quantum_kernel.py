"""Power of the quantum kernel as a detector of copies, beside Gaussian kernels.

    python -m benchmarks.quantum_kernel [--repeats 60] [--rows 80] [--json FILE]

Real rows against a Gaussian copula's copies of them, and against other real rows (the null), at
level 0.05. `split` is the check's own way: a quarter of the rows chooses the kernel's one scale and
stays out of the test; it is done with the quantum kernel and with a Gaussian one. `ladder` is
`joint` as it comes. `at ...` are single kernels on all rows, their unit learned elsewhere: the best
of them is what somebody who knew the answer would take, `best` with its own choice uncorrected.
`all scales` puts every scale on all rows at once, as the ladder does with bandwidths.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
from sklearn.datasets import load_breast_cancer, make_moons

import detector
from detector.data.encode import encode_dense
from detector.stats.chosen_kernel import chosen_kernel_test, kernel_test
from detector.stats.handfuls import relabel_handfuls
from detector.stats.mmd import mmd_test
from generators.quantum.features import QuantumFeatures

PERMUTATIONS = 199
LEARNED = 200


class Gaussian:
    """A Gaussian kernel in units of each column's spread; scale 1 is a width of one spread."""

    scales = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

    def __init__(self, rows):
        spread = rows.std(axis=0)
        self.unit = np.where(spread > 1e-9, spread, 1.0)

    def gram(self, rows, *, scale):
        """Return the kernel of every pair of rows."""
        scaled = rows / self.unit
        return np.exp(-((scaled[:, None] - scaled[None]) ** 2).sum(axis=2) * scale**2 / 2)


KERNELS = {"quantum": QuantumFeatures.of, "gaussian": Gaussian}


def moons():
    points, label = make_moons(1_000, noise=0.06, random_state=1)
    return pa.table({"x": points[:, 0], "y": points[:, 1], "label": label.astype(str)})


def cancer():
    rows = load_breast_cancer().data[:, :6]
    return pa.table({f"c{k}": column for k, column in enumerate(rows.T)})


def encoded(table):
    """Return real rows and a copula's copies on the scale of the joint check."""
    rng = np.random.default_rng(2)
    model = detector.recipe("gaussian_copula").fit(table, rng)
    sides = [detector.open_data(side) for side in (table, model.sample(len(table), rng).to_arrow())]
    rows = [pa.Table.from_batches(list(side.batches())) for side in sides]
    dense = encode_dense(*rows, sides[0].schema)
    return dense.x, dense.y


def p_values(x, y, learned, rng):
    """Return the p-value of every way on one pair of samples."""
    rows, candidate = np.concatenate((x, y)), np.arange(len(x) + len(y)) >= len(x)
    options = {"permutations": PERMUTATIONS, "rng": rng}
    found = {"ladder": mmd_test(x, y, **options).p_value}
    kept, drawn = relabel_handfuls(len(x), len(y), **options)
    for name, learn in KERNELS.items():
        split = chosen_kernel_test(rows, candidate, learn=learn, **options)
        found[f"{name}, split"] = split.test.p_value
        kernel = learn(learned)
        for scale in kernel.scales:
            test = kernel_test(kernel, rows[kept], drawn, (scale,))
            found[f"{name}, at {scale:g}"] = test.p_value
        test = kernel_test(kernel, rows[kept], drawn, kernel.scales)
        found[f"{name}, all scales"] = test.p_value
    return found


def rates(table, *, repeats, rows, null):
    """Return how often each way rejects."""
    real, copies = encoded(table)
    rejected = []
    for repeat in range(repeats):
        rng = np.random.default_rng([77, null, repeat])
        order = rng.permutation(len(real))
        x, others, learned = real[order[:rows]], real[order[rows : 2 * rows]], order[-LEARNED:]
        y = others if null else copies[rng.choice(len(copies), rows, replace=False)]
        found = p_values(x, y, real[learned], rng)
        rejected.append({way: p_value <= 0.05 for way, p_value in found.items()})
    return {way: round(float(np.mean([row[way] for row in rejected])), 3) for way in rejected[0]}


def with_best(found):
    """Return the rates with the best single scale of each kernel in its own row."""
    best = {
        f"{name}, best": max(rate for way, rate in found.items() if way.startswith(f"{name}, at"))
        for name in KERNELS
    }
    return found | best


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--rows", type=int, default=80)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    start, found = time.process_time(), {}
    for name, make in (("moons", moons), ("cancer, 6 columns", cancer)):
        for null in (False, True):
            made = rates(make(), repeats=options.repeats, rows=options.rows, null=null)
            found[f"{name}, {'null' if null else 'copies'}"] = made if null else with_best(made)
    print(f"{'':<26}" + "".join(f"{law:>28}" for law in found))
    for way in next(iter(found.values())):
        print(f"{way:<26}" + "".join(f"{own.get(way, ''):>28}" for own in found.values()))
    if options.json:
        machine = {"machine": platform.machine(), "python": platform.python_version()}
        versions = {name: version(name) for name in ("numpy", "scipy", "cirq-core", "numba")}
        plain = {"repeats": options.repeats, "rows": options.rows, "rates": found}
        plain |= {"cpu_seconds": round(time.process_time() - start, 1), **machine, **versions}
        options.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
