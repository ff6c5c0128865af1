"""A circuit's layout as a discrete choice: `qaoa` and `vqe` beside the ring and random pairs.

    python -m benchmarks.layouts [--seeds 5] [--json FILE]

Tables as bits of 10 qubits, whitened and not. First the choice itself: the best energy seen above
the lowest there is, in standard deviations of all energies, beside random search (20 runs) that
looks at as many layouts. Then what the choice is worth: the loss (squared kernel distance, in
ten-thousandths) that a Born machine of 2 or 4 layers reaches in 300 steps with each layout. Random
pairs are as many as the ring has.
"""

from __future__ import annotations

import argparse
import json
import os
from itertools import combinations, product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.generators import table
from detector.data.export import canonical_table
from detector.data.opening import open_data
from generators.binned import target_of
from generators.bits import Bits
from generators.born import Plan, train
from generators.codec import Codec, Dimension
from generators.diary import Diary
from generators.filling import filled
from generators.quantum.circuits import hardware_efficient
from generators.quantum.engines import executor
from generators.quantum.layouts import SOLVERS, chosen_pairs, layout_problem
from generators.quantum.optimisers import random_search
from generators.tabular import Task
from generators.whitening import Whitening

QUBITS, STEPS, BLIND = 10, 300, 20
DATA, LAYERS = ("moons", "cancer6"), (2, 4)


def task_of(name, *, whiten):
    data, rng = open_data(table(name), name=name), np.random.default_rng(0)
    codec = Codec.learn(canonical_table(data), data.schema)
    rows, known = codec.encode(canonical_table(data), rng)
    rows = filled(rows, known, codec.dimensions, rng)
    dimensions, variances = codec.dimensions, None
    if whiten:
        whitening = Whitening.learn(rows)
        rows, variances = whitening.forward(rows, rng), whitening.variances
        dimensions = tuple(Dimension("", f"axis {k}") for k in range(rows.shape[1]))
    code = Bits.by_weight(dimensions, total=QUBITS, weights=variances)
    return Task(
        rows=rows,
        known=known,
        dimensions=dimensions,
        variances=variances,
        code=code,
        bits=code.encode(rows),
        tell=lambda _words, _done: None,
    )


def pairs_of(task, how, rng):
    if how == "ring":
        return None
    if how == "random":
        every = list(combinations(range(QUBITS), 2))
        return [every[k] for k in rng.permutation(len(every))[:QUBITS]]
    return chosen_pairs(task.bits, by=how, rng=rng)


def loss_of(task, how, layers, seed):
    rng = np.random.default_rng(seed)
    target = target_of(task, validation=0.0, rng=rng)
    ansatz = hardware_efficient(QUBITS, layers=layers, pairs=pairs_of(task, how, rng))
    run, diary = executor(ansatz), Diary(total=STEPS)
    train(run, target, Plan(steps=STEPS, early_stop=False), diary, rng)
    law = run.probabilities(diary.best["angles"])[0]
    return 1e4 * target.loss("mmd", law).value


def energies_of(problem, seeds):
    every, found = problem.energies(), {}

    def above(solution):
        return float((solution.energy - every.min()) / every.std())

    for how, solve in SOLVERS.items():
        ours = [solve(problem, rng=np.random.default_rng(seed)) for seed in range(seeds)]
        looks = ours[0].evaluations
        blind = [
            above(random_search(problem, evaluations=looks, rng=np.random.default_rng([seed, k])))
            for seed in range(seeds)
            for k in range(BLIND)
        ]
        own = [above(solution) for solution in ours]
        found[how] = {"solver": own, "random": float(np.mean(blind)), "layouts": looks}
    return found


def measure(seeds):
    results = []
    for name, whiten in product(DATA, (True, False)):
        task = task_of(name, whiten=whiten)
        own = {
            "data": name,
            "whitened": whiten,
            "energies": energies_of(layout_problem(task.bits)[1], seeds),
        }
        own["losses"] = {
            layers: {
                how: [loss_of(task, how, layers, seed) for seed in range(seeds)]
                for how in ("ring", "random", *SOLVERS)
            }
            for layers in LAYERS
        }
        show(own)
        results.append(own)
    return results


def show(own):
    print(f"\n{own['data']}{', whitened' if own['whitened'] else ''}")
    for how, found in own["energies"].items():
        print(
            f"  {how}: {np.mean(found['solver']):.3f} above the lowest; "
            f"random {found['random']:.3f} ({found['layouts']} layouts)"
        )
    for layers, losses in own["losses"].items():
        cells = (f"{how} {np.mean(values):.1f}" for how, values in losses.items())
        print(f"  {layers} layers: " + ", ".join(cells), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = measure(given.seeds)
    if given.json:
        plain = {"command": f"python -m benchmarks.layouts --seeds {given.seeds}"}
        text = json.dumps({**plain, "results": results}, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
