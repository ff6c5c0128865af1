"""Noise in a trained Born machine: does the gate see it rise, and do the ways to simulate it agree?

    python -m benchmarks.noise [--seeds 3] [--json FILE]

A `qcbm` of 8 qubits is trained on 2,000 rows of two moons, without noise; its circuit then meets
six levels of depolarising noise, none to where its law is uniform, and six of amplitude damping, by
exact density matrices. 4,000 rows of each are held against as many unseen ones by the gate's own
checks: `joint` (kernel distance) and `discriminator` (area under the curve). Columns are not
put back on the training ranks afterwards, as in audits. Spearman's correlation of level and
measure is taken over the six levels, seed by seed.

At each level of depolarising noise 2,000 trajectories and the surrogate are held against the
density matrix, by total variation over all 256 readings.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
from scipy.stats import spearmanr
from sklearn.datasets import make_moons

import detector
from generators.quantum.circuits import hardware_efficient
from generators.quantum.engines import executor
from generators.quantum.noise import Noise
from generators.quantum.surrogate import SurrogateExecutor
from generators.running import disturbed

LEVELS = {
    "depolarising": (0.0, 0.001, 0.003, 0.006, 0.012, 0.03),
    "amplitude_damping": (0.0, 0.01, 0.03, 0.1, 0.2, 0.4),
}
CIRCUIT = {"qubits": 8, "layers": 4}
TRAINED, DRAWN, TRAJECTORIES = 2_000, 4_000, 2_000
MEASURES = ("mmd", "auc")
LEAST, MOST_TRAJECTORIES, MOST_SURROGATE = 0.9, 0.05, 0.15


def halves(seed):
    rows, side = make_moons(TRAINED + DRAWN, noise=0.08, random_state=seed)
    made = pa.table({"x": rows[:, 0], "y": rows[:, 1], "side": [f"s{one}" for one in side]})
    return made.slice(0, TRAINED), made.slice(TRAINED)


def measured(train, unseen, seed, kind, level):
    """Return the gate's measures and the recipe's own report at one level."""
    recipe = detector.recipe("qcbm", **CIRCUIT, rematch_marginals=False, **{kind: level})
    model = recipe.fit(train, np.random.default_rng(seed))
    drawn = model.sample(DRAWN, np.random.default_rng(seed + 1_000))
    found = detector.measure(unseen, drawn, checks=["joint", "discriminator"], seed=seed)
    own = {one.outcome.name: float(one.outcome.value) for one in found}
    facts = model.log.facts
    own |= {"coverage": facts["coverage"], "moved": facts.get("moved", 0.0)}
    return model, own | {"states": facts.get("states"), "distance": facts.get("distance")}


def agreement(angles, seed, level):
    """Return the total variation of trajectories and surrogate from the density matrix."""
    ansatz = hardware_efficient(CIRCUIT["qubits"], layers=CIRCUIT["layers"])
    run, noise = executor(ansatz), Noise(depolarising=level)
    exact, _ = disturbed(run, angles, noise, rng=np.random.default_rng(seed))
    options = {"noise": noise, "trajectories": TRAJECTORIES, "rng": np.random.default_rng(seed)}
    paths = executor(ansatz, engine="cirq", **options).probabilities(angles)[0]
    quick = SurrogateExecutor(inner=run, noise=noise).probabilities(angles)[0]
    return [float(0.5 * np.abs(found - exact).sum()) for found in (paths, quick)]


def one(seed):
    train, unseen = halves(seed)
    figures, apart = {}, []
    for kind, levels in LEVELS.items():
        for level in levels:
            model, own = measured(train, unseen, seed, kind, level)
            figures.setdefault(kind, []).append({"level": level, **own})
            if kind == "depolarising" and level:
                pair = agreement(model.source.core.angles, seed, level)
                apart.append({"level": level, "trajectories": pair[0], "surrogate": pair[1]})
    return {"levels": figures, "agreement": apart}


def rank(run, kind, measure):
    rows = run["levels"][kind]
    values = [row[measure] for row in rows]
    return float(spearmanr(range(len(rows)), values).statistic)


def bars(runs):
    found = [
        {
            "bar": f"Spearman of {kind} and {measure}, worst seed >= {LEAST}",
            "measured": (worst := min(rank(run, kind, measure) for run in runs)),
            "met": bool(worst >= LEAST),
        }
        for kind in LEVELS
        for measure in MEASURES
    ]
    for way, most in (("trajectories", MOST_TRAJECTORIES), ("surrogate", MOST_SURROGATE)):
        worst = max(row[way] for run in runs for row in run["agreement"])
        words = f"total variation of {way} from the density matrix, worst <= {most}"
        found.append({"bar": words, "measured": worst, "met": bool(worst <= most)})
    return found


def show(runs, judged):
    keys = ("mmd", "auc", "moved", "states", "distance", "coverage")
    for kind, levels in LEVELS.items():
        print(f"\n{kind}\n{'level':<10}" + "".join(f"{key:>10}" for key in keys))
        for place, level in enumerate(levels):
            cells = [[run["levels"][kind][place][key] for run in runs] for key in keys]
            shown = (f"{np.mean(c):>10.4g}" if None not in c else f"{'-':>10}" for c in cells)
            print(f"{level:<10}" + "".join(shown))
    print()
    for bar in judged:
        print(f"{'reached' if bar['met'] else 'MISSED':<9}{bar['bar']}: {bar['measured']:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    runs = [one(seed) for seed in range(given.seeds)]
    judged = bars(runs)
    show(runs, judged)
    if given.json:
        plain = {"command": f"python -m benchmarks.noise --seeds {given.seeds}"}
        plain |= {"machine": platform.machine(), "python": platform.python_version()}
        text = json.dumps({**plain, "bars": judged, "runs": runs}, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
