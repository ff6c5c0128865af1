"""Shares of foreign rows, beside published figures and the information bound.

    python -m benchmarks.contamination [TASK ...] [--seeds N] [--first N] [--json FILE] [--data DIR]
                                       [--minutes M]

    uci        mushroom, spambase, wine quality: only a clean reference is known
    laplace    1,000 rows of a Laplace law against 10,000 of a mixture with a moved one
    clean      clean batches: how often is the lower bound 0?
    gaussian   known synthetic rows, Gaussian shifts: error in units of the information bound

With `--json` each run is kept as soon as it is made, and a run that is there is not made again; the
figures are over all runs in the file, whatever their seeds. `--minutes` stops before the next run.

Everything goes through `detector.measure`, as a user's batch would. A gap counts with the
best guess in its evidence; `gaps` is how many there were.
Sizes and classes of `uci` are those of DEDPUL's notebook (github.com/dimonenka/DEDPUL, MIT); the
published errors are means over the runs that it stores (`exp_uci_new_merged.csv`); `laplace` is its
toy, where only alpha* = alpha (1 - exp(-delta)) can be known. The rows drawn are ours.

The UCI files are in `fixtures/real/uci`; `--data DIR` takes another folder with the same four
files as UCI names them, plain or with `.xz` behind: agaricus-lepiota.data, spambase.data,
winequality-red.csv and winequality-white.csv.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import platform
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
from pyarrow import csv

import detector
from detector.findings import Gap

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parents[1] / "fixtures" / "real" / "uci"
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)

SIZES = {
    "mushroom": ((990, 2926, 154), (1000, 2916, 972), (1000, 2000, 2000), (1000, 1000, 3000),
                 (1000, 200, 3800)),
    "spambase": ((407, 1406, 74), (400, 1413, 471), (400, 1413, 1413), (400, 929, 2788),
                 (400, 147, 2788)),
    "wine": ((500, 1099, 57), (500, 1099, 366), (500, 1099, 1099), (500, 1099, 3297),
             (500, 257, 4898)),
}  # fmt: skip
"""Clean rows, real rows and foreign rows of the mixture, for each of SHARES."""

PUBLISHED = {
    "mushroom": {"DEDPUL": 0.0122, "DEDPUL-GMM": 0.0097, "TIcE": 0.0877, "KM2": 0.0970},
    "spambase": {"DEDPUL": 0.0344, "DEDPUL-GMM": 0.0325, "TIcE": 0.0941, "KM2": 0.1833},
    "wine": {"DEDPUL": 0.0206, "DEDPUL-GMM": 0.0194, "TIcE": 0.0484, "KM2": 0.1542},
}
PUBLISHED_LAPLACE = {
    1: {"DEDPUL": 0.0275, "TIcE": 0.057, "KM": 0.050},
    2: {"DEDPUL": 0.0143, "TIcE": 0.046, "KM": 0.041},
    4: {"DEDPUL": 0.0095, "TIcE": 0.031, "KM": 0.036},
}
LAPLACE_BARS = {1: 0.021, 2: 0.015, 4: 0.012}
UCI_BAR, SMALL_SHARE_BAR = 0.020, 0.045
MOVES = (0.34, 0.5, 1.0, 2.0)


def text(folder, name):
    """Return a file's text, compressed or not."""
    packed = folder / f"{name}.xz"
    return lzma.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()


def parsed(raw, delimiter, *, header=False):
    options = csv.ReadOptions(autogenerate_column_names=not header)
    return csv.read_csv(
        pa.py_buffer(raw), read_options=options, parse_options=csv.ParseOptions(delimiter=delimiter)
    )


@cache
def uci(folder, name):
    """Return the rows, and which are the class that the reference has."""
    if name == "mushroom":
        table = parsed(text(folder, "agaricus-lepiota.data"), ",")
        return table.drop_columns(["f0"]), np.array(table["f0"].to_pylist()) == "p"
    if name == "spambase":
        table = parsed(text(folder, "spambase.data"), ",")
        return table.drop_columns(["f57"]), np.asarray(table["f57"]) == 1
    files = "winequality-red.csv", "winequality-white.csv"
    red, white = (parsed(text(folder, file), ";", header=True) for file in files)
    schema = pa.unify_schemas([red.schema, white.schema], promote_options="permissive")
    whole = pa.concat_tables([red.cast(schema), white.cast(schema)])
    return whole, np.arange(len(whole)) < len(red)


def foreign(reference, candidate, **more):
    """Return the best guess, the lower bound, and whether the check called it a gap."""
    found = detector.measure(reference, candidate, checks=["contamination"], **more)
    own = next(finding for finding in found if finding.outcome.name == "foreign_share")
    return own.evidence["best_guess"], own.evidence["at_least"], isinstance(own.outcome, Gap)


def summed(runs, truths):
    """Return errors of the estimate and coverage of the bound for each share."""
    errors = {
        share: np.mean([abs(r[0] - truths[share]) for r in own]) for share, own in runs.items()
    }
    bias = {share: np.mean([r[0] - truths[share] for r in own]) for share, own in runs.items()}
    every = [(run, truths[share]) for share, own in runs.items() for run in own]
    return {
        "mean absolute error": float(np.mean(list(errors.values()))),
        "by share": list(errors.values()),
        "bias by share": list(bias.values()),
        "bound covers": float(np.mean([run[1] <= truth for run, truth in every])),
        "mean bound over share": float(np.mean([run[1] / truth for run, truth in every])),
        "gaps": int(sum(run[2] for run, _ in every)),
    }


class Task(NamedTuple):
    """Settings, one run of a setting with a seed, and figures from all runs of all settings."""

    settings: list
    run: Callable
    figures: Callable


def uci_run(options, setting, seed):
    name, share = setting
    table, ours = uci(options.data, name)
    clean, real, other = SIZES[name][SHARES.index(share)]
    rng = np.random.default_rng([seed, round(100 * share)])
    own = rng.permutation(np.flatnonzero(ours))
    strange = rng.permutation(np.flatnonzero(~ours))[:other]
    mixed = rng.permutation(np.concatenate((own[clean : clean + real], strange)))
    return foreign(table.take(own[:clean]), table.take(mixed), seed=seed)


def uci_figures(runs):
    rows = []
    for name, sizes in SIZES.items():
        truths = {
            share: other / (real + other)
            for share, (_, real, other) in zip(SHARES, sizes, strict=True)
        }
        found = summed({share: runs[name, share] for share in SHARES}, truths)
        rows.append(found)
        yield {"task": f"uci {name}", "asked": UCI_BAR, **found, "published": PUBLISHED[name]}
    mean = float(np.mean([row["mean absolute error"] for row in rows]))
    small = float(np.mean([row["by share"][0] for row in rows]))
    yield {
        "task": "uci, mean of the sets",
        "asked": UCI_BAR,
        "mean absolute error": mean,
        "asked at share 0.05": SMALL_SHARE_BAR,
        "at share 0.05": small,
        "reached": bool(mean <= UCI_BAR and small <= SMALL_SHARE_BAR),
    }


def laplace_run(_, setting, seed):
    move, share = setting
    rng = np.random.default_rng([seed, round(100 * share), move])
    other = round(10_000 * share)
    clean = rng.laplace(size=1_000)
    mixed = np.append(rng.laplace(size=10_000 - other), rng.laplace(move, size=other))
    return foreign(pa.table({"x": clean}), pa.table({"x": mixed}), seed=seed)


def laplace_figures(runs):
    for move, bar in LAPLACE_BARS.items():
        truths = {share: share * (1 - np.exp(-move)) for share in SHARES}
        found = summed({share: runs[move, share] for share in SHARES}, truths)
        yield {
            "task": f"laplace, moved by {move}",
            "asked": bar,
            **found,
            "published": PUBLISHED_LAPLACE[move],
            "reached": bool(found["mean absolute error"] <= bar),
        }


def normal(rng, rows, *, move=0.0):
    """Return five columns, the first moved."""
    columns = rng.standard_normal((5, rows))
    columns[0] += move
    return pa.table({f"x{place}": column for place, column in enumerate(columns)})


def clean_run(options, _, seed):
    rng = np.random.default_rng([seed, 4])
    if seed % 4 == 3:
        sides = normal(rng, 200), normal(rng, 200)
    else:
        table, ours = uci(options.data, list(SIZES)[seed % 4])
        rows = rng.permutation(np.flatnonzero(ours))[:400]
        sides = table.take(rows[:180]), table.take(rows[180:])
    return foreign(*sides, seed=seed)


def clean_figures(runs):
    (own,) = runs.values()
    share = float(np.mean([run[1] == 0.0 for run in own]))
    yield {"task": "clean batches", "asked": 0.94, "batches": len(own), "bound is 0": share,
           "reached": share >= 0.94}  # fmt: skip


def information(move, share):
    """Return what one row says of the share: the integral of (f1 - f0)^2 over the mixture."""
    x = np.linspace(-9, 9 + move, 20_001)
    one, two = np.exp(-(x**2) / 2), np.exp(-((x - move) ** 2) / 2)
    values = (two - one) ** 2 / ((1 - share) * one + share * two + 1e-300)
    return float(values.sum() * (x[1] - x[0]) / np.sqrt(2 * np.pi))


def gaussian_run(_, setting, seed):
    move, share = setting
    rng = np.random.default_rng([seed, round(100 * move), round(100 * share)])
    other = int(rng.binomial(2_000, share))
    found = detector.measure(
        normal(rng, 2_000),
        pa.concat_tables([normal(rng, 2_000 - other), normal(rng, other, move=move)]),
        synthetic=normal(rng, 2_000, move=move),
        checks=["contamination"],
        seed=seed,
    )
    outcome = next(f.outcome for f in found if f.outcome.name == "synthetic_share")
    return None if isinstance(outcome, Gap) else (outcome.value, *outcome.interval)


def gaussian_figures(runs):
    for (move, share), own in runs.items():
        held = np.array([run for run in own if run is not None])
        errors = held[:, 0] - share
        bound = 1 / np.sqrt(2_000 * information(move, share))
        error = float(np.sqrt(np.mean(errors**2)))
        yield {
            "task": f"gaussian, moved by {move}, share {share}",
            "asked": 1.5,
            "error over bound": error / bound,
            "its standard error": error / bound / np.sqrt(2 * len(held)),
            "bound": bound,
            "bias": float(errors.mean()),
            "interval covers": float(np.mean((held[:, 1] <= share) & (share <= held[:, 2]))),
            "gaps": len(own) - len(held),
            "reached": bool(error <= 1.5 * bound),
        }


TASKS = {
    "uci": Task([(name, share) for name in SIZES for share in SHARES], uci_run, uci_figures),
    "laplace": Task(
        [(move, share) for move in LAPLACE_BARS for share in SHARES], laplace_run, laplace_figures
    ),
    "clean": Task([()], clean_run, clean_figures),
    "gaussian": Task(
        [(move, share) for move in MOVES for share in (0.05, 0.5)], gaussian_run, gaussian_figures
    ),
}


def completed(name, options, held, save):
    """Make the runs that are missing, seed by seed."""
    task, until = TASKS[name], time.monotonic() + 60 * options.minutes
    count = options.batches if name == "clean" else options.seeds
    for seed in range(options.first, options.first + count):
        for setting in task.settings:
            own = held.setdefault(" ".join(map(str, setting)), {})
            if str(seed) not in own and time.monotonic() < until:
                found = task.run(options, setting, seed)
                own[str(seed)] = found and [round(float(part), 6) for part in found]
                save()


def figures(name, held):
    """Return the rows of a task whose settings all have runs."""
    runs = {
        setting: list(held.get(" ".join(map(str, setting)), {}).values())
        for setting in TASKS[name].settings
    }
    fewest = min(map(len, runs.values()))
    return [{**row, "seeds": fewest} for row in TASKS[name].figures(runs)] if fewest else []


def shown(value):
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    return str(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--seeds", type=int, default=10, help="repetitions of each setting")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--batches", type=int, default=500, help="clean batches")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--minutes", type=float, default=1e6, help="for each task, at most")
    parser.add_argument("--json", type=Path, help="where runs are kept")
    options = parser.parse_args()
    if unknown := set(options.tasks) - set(TASKS):
        parser.error(f"there is no task {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    found = options.json and options.json.exists()
    runs = json.loads(options.json.read_text())["runs"] if found else {}

    def save():
        rows = [row for name, held in runs.items() for row in figures(name, held)]
        machine = {"machine": platform.machine(), "numpy": np.__version__}
        if options.json:
            text = json.dumps(machine | {"rows": rows}, indent=1)[:-2]
            kept = json.dumps(runs, separators=(",", ":")).replace("}", "}\n")
            part = options.json.with_suffix(".part")
            part.write_text(f'{text},\n "runs": {kept}}}\n')
            part.replace(options.json)

    for name in options.tasks or TASKS:
        completed(name, options, runs.setdefault(name, {}), save)
        save()
        for row in figures(name, runs[name]):
            print(row["task"])
            for key, value in row.items():
                if key != "task":
                    print(f"  {key:<26} {shown(value)}", flush=True)


if __name__ == "__main__":
    main()
