"""Marks of collapse: exact null values, false alarms on clean batches, what is seen, and how fast.

    python -m benchmarks.collapse_marks null     coverage and density: one law, dropped modes
    python -m benchmarks.collapse_marks published    the figures that Naeem et al. print
    python -m benchmarks.collapse_marks clean    warnings and refusals of clean pairs of tables
    python -m benchmarks.collapse_marks power    which check sees which fault
    python -m benchmarks.collapse_marks speed    seconds at 100 000 rows of 50 columns a side

Each part writes its rows under its name into `benchmarks/results/collapse_marks.json`.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

import detector
from detector.findings import Measurement
from detector.stats.prdc import expected_coverage, full_prdc, list_length, nearest

RESULTS = Path(__file__).parent / "results" / "collapse_marks.json"
CHECKS = ["tails", "diversity", "coverage"]
K = 5


def measured(x, y, seed, k=K):
    """Return precision, recall, density and coverage."""
    rows = np.concatenate((x, y)).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(rows))
    rows, sides = rows[order], order >= len(x)
    return full_prdc(rows, nearest(rows, list_length(len(x), len(y), k)), sides, k)


def z_of(values, expected):
    """Return mean, standard error and how many of them the mean is off."""
    values = np.asarray(values)
    error = float(values.std(ddof=1) / math.sqrt(len(values)))
    mean = float(values.mean())
    return {"expected": expected, "mean": mean, "error": error, "z": (mean - expected) / error}


def heaps(rng, rows, kept, of=10):
    """Return rows in well-separated heaps of equal mass, and each row's heap."""
    heap = rng.integers(0, kept, rows)
    middle = 1e3 * np.eye(of)[:, :of]
    return middle[heap] + rng.standard_normal((rows, of))


def null(runs):
    """Compare means with the exact values, in standard errors."""
    for n, m, d in ((500, 500, 2), (500, 500, 64), (1000, 500, 10), (200, 300, 10)):
        rng = np.random.default_rng([n, m, d])
        drawn = [
            measured(rng.standard_normal((n, d)), rng.standard_normal((m, d)), seed)
            for seed in range(runs)
        ]
        for place, name, expected in (
            (2, "density", 1.0),
            (3, "coverage", expected_coverage(n, m, K)),
        ):
            found = z_of([each[place] for each in drawn], expected)
            yield {"law": "one", "number": name, "n": n, "m": m, "d": d, "runs": runs, **found}
    n = m = 1000
    for kept in (10, 9, 5, 1):
        rng = np.random.default_rng(kept)
        drawn = [measured(heaps(rng, n, 10), heaps(rng, m, kept), seed) for seed in range(runs)]
        expected = kept / 10 * expected_coverage(n // 10, m // kept, K)
        found = z_of([each[3] for each in drawn], expected)
        yield {
            "law": f"{kept} of 10 modes",
            "number": "coverage",
            "n": n,
            "m": m,
            "d": 10,
            "runs": runs,
            **found,
        }


def published(_runs):
    """Repeat the example of the reference implementation."""
    asked = {"precision": 0.4772, "recall": 0.4705, "density": 1.0555, "coverage": 0.9735}
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 10_000, 1000)).astype(np.float32)
    start = time.process_time()
    found = measured(x, y, 0)
    for name, value in found._asdict().items():
        yield {
            "number": name,
            "published": asked[name],
            "measured": value,
            "seconds": time.process_time() - start,
        }


def mixed(rng, rows):
    """Return numbers of several shapes, with ties and gaps, and levels."""
    z = rng.standard_normal((rows, 4))
    columns = {
        "a": z[:, 0],
        "b": z[:, 0] + z[:, 1],
        "heavy": rng.standard_t(2, rows),
        "skewed": np.exp(z[:, 2]),
        "count": rng.poisson(3, rows),
        "zero": np.where(rng.random(rows) < 0.6, 0.0, rng.exponential(1, rows)),
        "gaps": pa.array(np.where(rng.random(rows) < 0.05, np.nan, z[:, 3]), from_pandas=True),
        "rare": rng.zipf(1.6, rows).clip(0, 300).astype(str),
        "five": rng.integers(0, 5, rows).astype(str),
        "flag": rng.random(rows) < 0.1,
    }
    return pa.table(columns)


def clean(runs):
    """Count clean pairs that are refused, or that any of the three checks warns of."""
    for rows in (300, 1000):
        refused = warned = 0
        rejected = {}
        for seed in range(runs):
            rng = np.random.default_rng([rows, seed])
            report = detector.gate(mixed(rng, rows), mixed(rng, rows), checks=CHECKS, seed=seed)
            refused += report.decision != detector.Decision.ADMIT
            warned += any(verdict.level > 0 for verdict in report.verdicts)
            for finding in report.findings:
                found = finding.outcome
                if isinstance(found, Measurement) and found.p_value is not None:
                    key = f"{finding.check} {found.name}"
                    low, all_ = rejected.get(key, (0, 0))
                    rejected[key] = low + (found.p_value <= 0.05), all_ + 1
        yield {
            "rows": rows,
            "runs": runs,
            "refused": refused,
            "warned": warned,
            "rejected_05": {key: low / all_ for key, (low, all_) in rejected.items()},
        }


def faulty(fault, rng, rows):
    """Return a candidate with one fault."""
    table = mixed(rng, 3 * rows)
    a, b = table["a"].to_numpy(), table["b"].to_numpy()
    five = np.array(table["five"].to_pylist())
    rare = np.array(table["rare"].to_pylist())
    kept = {
        "nothing": np.ones(len(a), bool),
        "a tail cut at 2": a < 2,
        "both tails of a and b cut at 2": (np.abs(a) < 2) & (np.abs(b) < 2 * math.sqrt(2)),
        "rare levels gone": np.isin(rare, ["1", "2", "3", "4"]),
        "a mode of 10 % gone": ~((five == "3") & (a > 0)),
        "half the spread": np.ones(len(a), bool),
        "wider by a kernel": np.ones(len(a), bool),
        "100 rows over and over": np.ones(len(a), bool),
    }[fault]
    table = table.filter(pa.array(kept)).slice(0, rows)
    if fault == "100 rows over and over":
        return table.take(rng.integers(0, 100, rows))
    if fault in {"half the spread", "wider by a kernel"}:
        for name in ("a", "b", "gaps"):
            values = table[name].to_numpy()
            noise = 0.5 * rng.standard_normal(rows)
            values = values / 2 if fault == "half the spread" else values + noise
            at = table.column_names.index(name)
            table = table.set_column(at, name, pa.array(values, from_pandas=True))
    return table


def power(runs):
    """Count how often each check calls a fault, and the built-in policy refuses it."""
    faults = (
        "nothing",
        "a tail cut at 2",
        "both tails of a and b cut at 2",
        "rare levels gone",
        "a mode of 10 % gone",
        "half the spread",
        "wider by a kernel",
        "100 rows over and over",
    )
    for fault in faults:
        seen = dict.fromkeys(CHECKS, 0)
        refused = 0
        for seed in range(runs):
            rng = np.random.default_rng([3, seed])
            one, two = mixed(rng, 1000), faulty(fault, rng, 1000)
            report = detector.gate(one, two, checks=CHECKS, seed=seed)
            refused += report.decision != detector.Decision.ADMIT
            for name in CHECKS:
                own = {verdict.rule for verdict in report.verdicts if verdict.level > 0}
                rules = {
                    "tails": ("far-out", "columns", "no more levels"),
                    "diversity": ("rows are as",),
                }
                starts = rules.get(name, ("no mode", "rows fill", "rows do not"))
                seen[name] += any(rule.startswith(starts) for rule in own)
        yield {
            "fault": fault,
            "rows": 1000,
            "runs": runs,
            **{name: count / runs for name, count in seen.items()},
            "refused": refused / runs,
        }


def wide(rng, rows):
    """Return 35 numbers and 15 columns of 5 to 1000 levels."""
    tie = np.eye(35) + np.random.default_rng(7).standard_normal((35, 35)) / 6
    z = rng.standard_normal((rows, 35)) @ tie
    columns = {f"n{j}": z[:, j] if j % 5 else np.exp(z[:, j]) for j in range(35)}
    most = (5, 20, 100, 1000)
    for j in range(15):
        columns[f"k{j}"] = rng.zipf(1.3 + 0.2 * (j % 4), rows).clip(0, most[j % 4]).astype(str)
    return pa.table(columns)


def speed(_runs):
    """Time each check on profiles that are made already."""
    rng = np.random.default_rng(1)
    one = detector.profile(wide(rng, 100_000))
    two = detector.profile(wide(rng, 100_000), against=one)
    for name in CHECKS:
        start, wall = time.process_time(), time.perf_counter()
        detector.measure(one, two, checks=[name])
        yield {
            "check": name,
            "rows": 100_000,
            "columns": 50,
            "cpu_seconds": time.process_time() - start,
            "seconds": time.perf_counter() - wall,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


PARTS = {"null": null, "published": published, "clean": clean, "power": power, "speed": speed}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--json", type=Path, default=RESULTS)
    asked = parser.parse_args()
    rows = []
    for row in PARTS[asked.part](asked.runs):
        print(json.dumps(row))
        rows.append(row)
    known = json.loads(asked.json.read_text()) if asked.json.exists() else {}
    known[asked.part] = rows
    asked.json.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
