"""What the built-in policy says of four scenes: how often, with binomial bounds.

    python -m benchmarks.verdicts [--rows 1000 100000] [--repeats 400 40] [--json FILE]

Nothing must be admitted at least 99 times of 100; plain and flipped must be rejected as
often. Seeds differ from run to run only with `--seed`.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from scipy import stats

import detector
from benchmarks.scenes import SCENES, table

COLUMNS = 20

PEERS = """
What others say of the same scenes by default: the share of repeats that cry drift
(repeats). Measured once by the authors: alibi-detect 0.13.0, deepchecks 0.19.1, evidently
0.7.23 (any column), nannyml 0.13.1 (reconstruction: any alert), scipy over the columns.

| peer | rows | nothing | tiny | plain | flipped |
| --- | --- | --- | --- | --- | --- |
| alibi-detect ClassifierDrift | 1000 | 0 % (10) | 30 % (10) | 100 % (10) | 100 % (10) |
| alibi-detect MMDDrift, scaled | 1000 | 10 % (20) | 5 % (20) | 100 % (20) | 100 % (20) |
| alibi-detect TabularDrift | 1000 | 10 % (20) | 15 % (20) | 100 % (20) | 0 % (20) |
| alibi-detect TabularDrift | 100000 | 0 % (5) | 100 % (5) | 100 % (5) | 0 % (5) |
| deepchecks FeatureDrift | 1000 | 0 % (10) | 0 % (10) | 90 % (10) | 0 % (10) |
| deepchecks FeatureDrift | 100000 | 0 % (2) | 0 % (2) | 0 % (2) | 0 % (2) |
| evidently | 1000 | 100 % (20) | 100 % (20) | 100 % (5) | 100 % (5) |
| evidently | 100000 | 0 % (3) | 0 % (3) | 100 % (3) | 0 % (3) |
| nannyml | 1000 | 50 % (20) | 45 % (20) | 100 % (20) | 100 % (20) |
| scipy, Bonferroni | 1000 | 5 % (100) | 8 % (100) | 100 % (100) | 2 % (100) |
| scipy, Bonferroni | 100000 | 5 % (20) | 100 % (20) | 100 % (20) | 0 % (20) |
"""


def one(task: tuple[str, int, int]) -> tuple[str, str]:
    """Return the decision on one pair of tables, and what gave it."""
    name, rows, seed = task
    scene = next(scene for scene in SCENES if scene.name == name)
    report = detector.gate(
        table(rows, COLUMNS, seed=2 * seed),
        table(rows, COLUMNS, seed=2 * seed + 1, scene=scene),
        seed=seed,
    )
    worst = next((v.rule for v in report.verdicts if v.level > detector.Level.WARN), "")
    return str(report.decision), worst


def main() -> None:
    """Run the scenes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--repeats", type=int, nargs="+", default=[400, 40])
    parser.add_argument("--scenes", nargs="+", default=[scene.name for scene in SCENES])
    parser.add_argument("--seed", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows_out = []
    print("| rows | scene | repeats | decisions | share not ADMIT | 95 % interval | by rule |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with ProcessPoolExecutor(options.workers) as pool:
        for rows, repeats in zip(options.rows, options.repeats, strict=True):
            for name in options.scenes:
                tasks = [(name, rows, options.seed + place) for place in range(repeats)]
                results = list(pool.map(one, tasks, chunksize=4))
                decisions = Counter(decision for decision, _ in results)
                rules = Counter(rule for _, rule in results if rule)
                other = repeats - decisions["admit"]
                low, high = stats.binomtest(other, repeats).proportion_ci(method="exact")
                print(
                    f"| {rows} | {name} | {repeats} | {dict(decisions)} | {other / repeats:.3f} "
                    f"| {low:.3f} to {high:.3f} | {dict(rules)} |",
                    flush=True,
                )
                rows_out.append(
                    {"rows": rows, "scene": name, "repeats": repeats, "seed": options.seed}
                    | {"decisions": dict(decisions), "interval": [low, high], "rules": dict(rules)}
                )
    print(PEERS)
    if options.json:
        record = {"machine": platform.machine(), "python": platform.python_version()}
        text = json.dumps(record | {"cells": rows_out}, indent=1)
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
