"""Seconds of a kernel two-sample test with permutations, beside a floor and alibi-detect.

    python -m benchmarks.mmd [--exact 1000 10000] [--features 10000 100000 1000000]
        [--peer 1000 2000] [--json FILE]

Twenty columns, no difference. The fair figure is seconds for one permutation. `floor` is one
kernel of one bandwidth, blocked, with 200 permutations as one matrix product a block; ours has
a whole ladder of bandwidths and also gives an interval. The peer is measured where it can be
imported (it needs minutes and gigabytes at 10 000 rows).
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from pathlib import Path

import numpy as np

from detector.stats.mmd import mmd_test

COLUMNS = 20
OURS, FLOOR, PEER = 999, 200, 100


def data(n):
    rng = np.random.default_rng(n)
    return rng.standard_normal((2, n, COLUMNS), np.float32)


def ours(n, *, exact):
    x, y = data(n)
    mmd_test(x, y, exact_rows=2 * n if exact else 0, rng=np.random.default_rng(0))


def floor(n, block=2000):
    rows = data(n).reshape(2 * n, COLUMNS)
    rng = np.random.default_rng(0)
    sides = np.tile(np.repeat(np.array([1, -1], np.float32), n), (FLOOR + 1, 1))
    sides = np.ascontiguousarray(rng.permuted(sides, axis=1).T)
    norms = np.einsum("ij,ij->i", rows, rows)
    total = np.zeros(FLOOR + 1)
    for i in range(0, 2 * n, block):
        for j in range(i, 2 * n, block):
            kernel = rows[i : i + block] @ rows[j : j + block].T
            kernel *= 2
            kernel -= norms[i : i + block, None]
            kernel -= norms[j : j + block]
            kernel *= np.float32(1 / (2 * COLUMNS))
            np.exp(kernel, out=kernel)
            part = kernel @ sides[j : j + block]
            form = np.einsum("ij,ij->j", sides[i : i + block], part, dtype=np.float64)
            total += form if i == j else 2 * form


def peer(n):
    from alibi_detect.cd import MMDDrift

    x, y = data(n)
    MMDDrift(x, backend="tensorflow", n_permutations=PEER).predict(y)


def timed(name, n, permutations, work):
    work()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    each = 1e6 * wall / permutations
    times = f"{wall:>10.3f}{cpu:>10.3f}{each:>14.1f}{peak:>9.0f}"
    print(f"{name:>10}{n:>10}{permutations:>8}{times}", flush=True)
    figures = {"wall": wall, "cpu": cpu, "peak_mib": peak}
    return {"test": name, "n": n, "permutations": permutations, **figures}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--exact", type=int, nargs="*", default=[1000, 2000, 10_000])
    parser.add_argument("--peer", type=int, nargs="*", default=[1000, 2000])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print("      test         n   perms      wall       cpu   us per perm      MiB")
    rows = [timed("features", n, OURS, lambda n=n: ours(n, exact=False)) for n in options.features]
    rows += [timed("exact", n, OURS, lambda n=n: ours(n, exact=True)) for n in options.exact]
    rows += [timed("floor", n, FLOOR, lambda n=n: floor(n)) for n in options.exact]
    try:
        import alibi_detect  # noqa: F401
    except ImportError:
        print("alibi-detect cannot be imported here: no peer rows")
    else:
        rows += [timed("MMDDrift", n, PEER, lambda n=n: peer(n)) for n in options.peer]
    each = {(row["test"], row["n"]): row["wall"] / row["permutations"] for row in rows}
    for (name, n), seconds in each.items():
        for own in ("features", "exact"):
            if name in ("floor", "MMDDrift") and (own, n) in each:
                print(f"{own} at {n}: {seconds / each[own, n]:.0f} times {name}, per permutation")
    if options.json:
        machine = {"machine": platform.machine(), "numpy": np.__version__}
        options.json.write_text(json.dumps(machine | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
