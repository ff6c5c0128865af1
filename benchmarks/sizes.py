"""How often the checks of whole rows call two samples of one law different.

    python -m benchmarks.sizes [--runs 1000] [--seed 0] [--quick] [--only NAME ...] [--json FILE]

Prints, for each null of `nulls.py`, the rejections at 0.05 of every test, and which of them lie
outside the central 99.9 % of the binomial law (29 to 74 of 1000). Each row is written to the file
as soon as it is there; rows that are not made again stay in it.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from scipy import stats

from benchmarks.nulls import NULLS, TESTS, p_values

LEVEL = 0.05


def rejected(task):
    place, seeds, quick = task
    said, called = Counter(), Counter()
    for seed in seeds:
        for test, p_value in p_values(NULLS[place], seed, quick=quick).items():
            said[test] += 1
            called[test] += p_value <= LEVEL
    return said, called


def row(pool, place, runs, seed, *, quick):
    """Return the rejections of one null; None where a test has nothing to say."""
    starts = range(seed, runs + seed, 10)
    chunks = [(place, range(start, min(start + 10, runs + seed)), quick) for start in starts]
    said, called = Counter(), Counter()
    for one, two in pool.map(rejected, chunks):
        said.update(one)
        called.update(two)
    null = NULLS[place]
    spoken = {test: called[test] if said[test] == runs else None for test in TESTS}
    return {"null": null.name, "reference": null.rows[0], "candidate": null.rows[1], **spoken}


def line(cells):
    return "| " + " | ".join("" if cell is None else str(cell) for cell in cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="few permutations, one joint test")
    parser.add_argument("--only", nargs="+", default=[null.name for null in NULLS])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    low, high = (int(stats.binom(options.runs, LEVEL).ppf(tail)) for tail in (0.0005, 0.9995))
    print(line(["null", *TESTS]))
    print(line(["---"] * (1 + len(TESTS))))
    made = {"runs": options.runs, "seed": options.seed, "quick": options.quick}
    rows, outside = [], []
    with ProcessPoolExecutor(options.workers) as pool:
        for place, null in enumerate(NULLS):
            if null.name not in options.only:
                continue
            rows.append(row(pool, place, options.runs, options.seed, quick=options.quick))
            print(line([null.name, *(rows[-1][test] for test in TESTS)]), flush=True)
            if options.json:
                record(options.json, rows[-1:], made)
            counts = [(test, rows[-1][test]) for test in TESTS if rows[-1][test] is not None]
            outside += [(null.name, *cell) for cell in counts if not low <= cell[1] <= high]
    print(f"\n{len(outside)} cells outside {low} to {high} of {options.runs} (99.9 %)", *outside)


def record(path, rows, made):
    """Write the rows, in the order of the nulls, beside those already there."""
    held = json.loads(path.read_text())["rows"] if path.exists() else []
    found = {own["null"]: own for own in [*held, *({**own, **made} for own in rows)]}
    ordered = [found[null.name] for null in NULLS if null.name in found]
    machine = {"machine": platform.machine(), "python": platform.python_version()}
    text = json.dumps({**machine, "level": LEVEL, "rows": ordered}, indent=1)
    path.write_text(text + "\n")


if __name__ == "__main__":
    main()
