"""Does the forecast of a collapse hold on chains that it has not seen?

    python -m benchmarks.forecast [--runs 200] [--json FILE]

Each run forecasts the first passage of a threshold from a few chains of a normal loop and holds
the 90 % interval against twenty more chains. The oracle knows drift and spread; the score is
Winkler's, lower is better. Then loops that settle, where a finite forecast is a false one.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from detector.stats.first_passage import central, first_passage, interval_score
from tests.stats.loops import gaussian_loop, log_det_steps

HORIZON = 1_000
HELD_OUT = 20
"""Chains that each forecast is held against: a single one mostly tells its own luck."""

COLLAPSING = (
    # rows, columns, replicates, generations, variance ratio
    (100, 10, 3, 10, 0.5),
    (100, 10, 3, 20, 0.3),
    (100, 10, 5, 20, 0.1),
    (316, 31, 3, 10, 0.5),
    (50, 3, 10, 20, 0.3),
)
SETTLING = (("accumulate", 0.0), ("subsample", 0.0), ("fresh", 0.5), ("fresh", 0.1))


def passages(steps, threshold):
    """Return the first generation beyond the threshold of each chain; horizon + 1 for none."""
    passed = np.cumsum(steps, axis=1) <= threshold
    return np.where(passed.any(axis=1), passed.argmax(axis=1) + 1, HORIZON + 1)


def collapsing(case, runs, rng):
    """Return coverage and scores of one set-up."""
    rows, columns, replicates, generations, ratio = case
    size, threshold = {"rows": rows, "columns": columns, "rng": rng}, columns * np.log(ratio)
    oracle = central(passages(log_det_steps(4_000, HORIZON, **size), threshold), level=0.9)
    held, own, known = [], [], []
    for run in range(runs):
        steps = log_det_steps(replicates, generations, **size)
        paths = np.concatenate((np.zeros((replicates, 1)), np.cumsum(steps, axis=1)), axis=1)
        found = first_passage(
            paths, threshold=threshold, horizon=HORIZON, rng=np.random.default_rng(run)
        )
        if found.abstains:
            continue
        low, high = found.interval
        last = HORIZON if high is None else high
        for truth in passages(log_det_steps(HELD_OUT, HORIZON, **size), threshold).tolist():
            held.append(low <= truth <= (HORIZON + 1 if high is None else high))
            own.append(interval_score((low, last), truth))
            known.append(interval_score(oracle, truth))
    return {
        "rows": rows,
        "columns": columns,
        "replicates": replicates,
        "generations": generations,
        "variance_ratio": ratio,
        "oracle_interval": list(oracle),
        "forecasts": len(own) // HELD_OUT,
        "coverage": float(np.mean(held)),
        "coverage_asked": [0.84, 0.95],
        "score_ratio": float(np.mean(own) / np.mean(known)),
        "score_ratio_asked": 1.3,
    }


def settling(regime, share, runs, rng):
    """Return how often a loop that settles gets a finite forecast."""
    finite = {}
    for replicates, generations in ((1, 10), (3, 10), (3, 30)):
        paths = gaussian_loop(
            runs * replicates,
            generations,
            rows=100,
            columns=10,
            regime=regime,
            share=share,
            rng=rng,
        )
        found = [
            first_passage(
                own,
                threshold=10 * np.log(0.5),
                horizon=HORIZON,
                rng=np.random.default_rng(run),
            )
            for run, own in enumerate(np.split(paths, runs))
        ]
        passed = float((paths.min(axis=1) <= 10 * np.log(0.5)).mean())
        finite[f"{replicates} x {generations}"] = {
            "finite_forecasts": sum(one.interval[1] is not None for one in found) / runs,
            "chains_beyond_the_threshold": passed,
        }
    return {"regime": regime, "real_share": share, "asked": 0.05, **finite}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rng = np.random.default_rng(2026)
    found = {
        "command": f"python -m benchmarks.forecast --runs {given.runs}",
        "collapsing": [collapsing(case, given.runs, rng) for case in COLLAPSING],
        "settling": [settling(*case, given.runs, rng) for case in SETTLING],
    }
    text = json.dumps(found, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
