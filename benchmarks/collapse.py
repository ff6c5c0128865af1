"""Does the audit keep its promises? Laws, alarms, cost, and what each recipe loses first.

    python -m benchmarks.collapse [PART ...] [--runs 100] [--first 0] [--cases CASE ...]
                                  [--json FILE]

`laws` holds the engine against the exact laws of recursive training (z-scores, 4 asked at most).
`alarms` counts alarms of healthy loops and of loops without real rows. `cost` times four regimes of
a copula on 5,000 rows of 10 columns, `quantum` one audit of `qcbm` as it comes. `losses` runs every
recipe on two real tables and tells what disappears first, and the half-lives of variance, rare
levels and correlations; fits that take seconds go on for fewer generations. `--recipes` asks for
some of them; the others stay in the file as they are.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np

import detector
from detector.stats import collapse_laws as laws
from tests.audit.chains import chains, off, ratio, real_variance, training_variance
from tests.realdata import cps, diamonds, some_rows

PARTS = ("laws", "alarms", "cost", "quantum", "losses")
QUICK = ("bootstrap", "histogram", "kde", "gaussian", "gaussian_copula", "qbm", "qcbm", "qgan")
SLOW = {"rbm": 15, "vae": 15, "qvae": 15, "gan": 6}
RECIPES = (*QUICK, *SLOW)
CASES = (
    *(f"gaussian/{case}" for case in ("accumulate/1", "fresh/1", "replace/1", "replace/3")),
    *(f"gaussian_copula/{regime}/1" for regime in ("accumulate", "fresh", "replace")),
)
"""Recipe, regime and chains of `alarms`; the copula has data with heavy tails."""

TABLES = {"diamonds": diamonds, "cps": cps}
ROWS, ROUND, ROUNDS = 2_000, 100, 60
"""Real rows of a table, rows of a generation, and generations of quick recipes, in `losses`; those
of slow ones are in SLOW."""

ASKED = {
    "laws": "at most 4 standard errors off",
    "alarms": "ever on healthy loops: at most 0.05; one chain by 5: 0.80; three by 4: 0.95",
    "cost": "20 generations x 5 replicates x 4 regimes in 60 s on 2 cores",
}


def law_scores(runs):
    """Return the standard errors by which loops miss each law."""
    rng = np.random.default_rng(0)
    one, ten, few = (rng.standard_normal(size) for size in ((100, 1), (100, 10), (10, 1)))
    many = rng.standard_normal((2100, 1))
    found = {}
    steps = np.diff(np.log(training_variance(_loop(one, runs, 10))), axis=1).ravel()
    found["replace, log variance"] = off(steps, laws.log_variance_step(100)[0])
    logs = [[g.measures["log_det"] for g in c.generations] for c in _loop(ten, runs, 5)]
    found["replace, log det of 10"] = off(
        np.diff(logs, axis=1).ravel(), laws.log_det_step(100, 10)[0]
    )
    kept = ratio(_loop(few, 2 * runs, 10, regime="accumulate"))[:, 10]
    expected = laws.accumulate_variance(10, 11) / laws.accumulate_variance(10, 1)
    found["accumulate, product"] = off(kept, expected)
    kept = ratio(_loop(few, 2 * runs, 8, regime="accumulate_subsample"))[:, 8]
    start = laws.accumulate_subsample_variance(10, 1)
    found["accumulate_subsample, recursion"] = off(
        kept, laws.accumulate_subsample_variance(10, 9) / start
    )
    fresh = _loop(many, runs // 2, 40, regime="fresh", rows=100, real_share=0.1)
    settled = training_variance(fresh)[:, 20:].mean(axis=1) / real_variance(many)
    found["fresh 0.1, limit"] = off(settled, laws.fresh_variance(100, 0.1))
    variance = np.exp(
        [
            [g.measures["log_det"] for g in c.generations]
            for c in _loop(one, runs, 10, name="kde", options={"bandwidth": 0.5})
        ]
    )
    found["kde, spreading"] = off(
        variance[:, 10], laws.kde_variance(100, 0.5, 10, start=float(one.var()))
    )
    p = laws.extinct(100, 5, 5)
    rare = {"c": ["common"] * 95 + ["rare"] * 5}
    drawn = _loop(rare, 4 * runs, 5, name="histogram")
    dead = np.mean([c.generations[5].measures["levels_kept"] < 1.0 for c in drawn])
    found["categories, extinction"] = (dead - p) / np.sqrt(p * (1 - p) / (4 * runs))
    return {name: round(float(z), 2) for name, z in found.items()}


def _loop(data, runs, generations, *, name="gaussian", regime="replace", **asked):
    return chains(data, name, regime, generations=generations, replicates=runs, **asked)


def alarm_rates(runs, first, chosen, known):
    """Return how often each kind of loop raises an alarm, and how early, from one seed on.

    Only those chosen are run again, all of them where none is.
    """
    found = {case_of(one): one for one in known}
    for case in chosen or CASES:
        recipe, regime, replicates = case.split("/")
        heavy = recipe == "gaussian_copula"
        seeds = range(first, first + runs)
        found[case] = _rates(recipe, regime, int(replicates), heavy, seeds=seeds)
    return [found[case] for case in CASES if case in found]


def case_of(rates):
    return f"{rates['recipe']}/{rates['regime']}/{rates['replicates']}"


def _rates(recipe, regime, replicates, heavy, *, seeds):
    at = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 5])
        rows = rng.standard_t(2.5, (2000, 10)) if heavy else rng.standard_normal((2000, 10))
        data = rows + 0.7 * rows[:, [0]] if heavy else rows
        report = detector.audit(
            data,
            recipe=recipe,
            regime=regime,
            real_share=0.5 if regime == "fresh" else 0.0,
            rows=100,
            generations=30,
            replicates=replicates,
            seed=seed,
        )
        at.append(report.alarm_generation)
    share = {by: float(np.mean([a is not None and a <= by for a in at])) for by in (3, 4, 5, 30)}
    return {
        "recipe": recipe,
        "data": "heavy tails" if heavy else "normal",
        "regime": regime,
        "replicates": replicates,
        "runs": len(seeds),
        "first seed": seeds.start,
        **{f"alarm by {by}": round(value, 3) for by, value in share.items()},
    }


def cost():
    """Return the seconds of four regimes of a copula on 5,000 x 10, by the clock and the CPU."""
    data = np.random.default_rng(0).standard_normal((5_000, 10))
    began = time.perf_counter(), time.process_time()
    for regime in ("replace", "accumulate", "accumulate_subsample", "fixed"):
        share = 0.1 if regime == "fixed" else 0.0
        detector.audit(
            data,
            recipe="gaussian_copula",
            regime=regime,
            real_share=share,
            generations=20,
            replicates=5,
        )
    return _since(began)


def quantum():
    """Return what one audit of `qcbm` with all defaults costs and says, on a real table."""
    data = some_rows(diamonds(), ROWS)
    began = time.perf_counter(), time.process_time()
    report = detector.audit(data, recipe="qcbm")
    return {**_since(began), "decision": str(report.decision), "alarm": report.alarm_generation}


def _since(began):
    return {
        "seconds": round(time.perf_counter() - began[0], 1),
        "cpu_seconds": round(time.process_time() - began[1], 1),
    }


def losses(recipes, known=()):
    """Return what each recipe loses first on two tables, and its half-lives in generations."""
    found = [one for one in known if one["recipe"] not in recipes]
    for name, whole in TABLES.items():
        data = some_rows(whole(), ROWS)
        for recipe in recipes:
            rounds, refits = (SLOW[recipe], 20) if recipe in SLOW else (ROUNDS, 40)
            report = detector.audit(
                data, recipe=recipe, generations=rounds, replicates=3, rows=ROUND, refits=refits
            )
            own = {"table": name, "recipe": recipe, "generations": rounds, **_half_lives(report)}
            found.append(own)
            print(json.dumps(own), flush=True)
    order = [(table, recipe) for table in TABLES for recipe in RECIPES]
    return sorted(found, key=lambda one: order.index((one["table"], one["recipe"])))


def _half_lives(report):
    frame = report.trajectory.to_pandas()
    means = frame.groupby(["measure", "generation"]).value.mean().unstack()
    spread = np.exp(np.array(report.audit["path"]) / max(1, report.audit["axes"]))
    first = report.audit["lost"][:3]
    return {
        "alarm": report.alarm_generation,
        "variance": _half(spread),
        "rare levels": _half(means.loc["rare_kept"]) if "rare_kept" in means.index else None,
        "correlations": _half(means.loc["correlation_kept"])
        if "correlation_kept" in means.index
        else None,
        "first": [f"{one['name']} ({one['generation']})" for one in first],
    }


def _half(values):
    """Return the first generation below a half; None where there is none."""
    below = np.flatnonzero(np.asarray(values, float) < 0.5)
    return int(below[0]) if len(below) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed of `alarms`")
    parser.add_argument("--recipes", nargs="*", choices=RECIPES, default=RECIPES)
    parser.add_argument("--cases", nargs="*", choices=CASES, help="of `alarms`, else all")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    known = json.loads(asked.json.read_text("utf-8")) if asked.json and asked.json.exists() else {}
    for part in asked.parts or PARTS:
        run = {
            "laws": lambda: law_scores(asked.runs),
            "alarms": lambda: alarm_rates(
                asked.runs, asked.first, asked.cases, known.get("alarms", {}).get("reached", [])
            ),
            "cost": cost,
            "quantum": quantum,
            "losses": partial(losses, asked.recipes, known.get("losses", {}).get("reached", ())),
        }[part]
        known[part] = {"asked": ASKED.get(part, ""), "runs": asked.runs, "reached": run()}
        print(part, json.dumps(known[part], indent=1))
        if asked.json:
            asked.json.write_text(json.dumps(known, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
