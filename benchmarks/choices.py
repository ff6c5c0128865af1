"""Bin edges and couplings as discrete choices: `qaoa` and `vqe` beside random and exact ways.

    python -m benchmarks.choices [--seeds 5] [--json FILE]

Tables as bits of 10 qubits, whitened and not, half of the rows to learn and half unseen.

Edges: of each ordered axis, the best energy seen above the lowest there is, in standard deviations
of all energies, mean over axes, beside random search (20 runs) that looks at as many choices. Then
what the chosen bins of all axes tell about the others' bins, in nats, beside even bins, random ones
(the best that as many looks found) and the best there are, by dynamic programming. Then the area
under the curve of trees that tell 500 rows of `qcbm` from 500 unseen ones, for each kind of bins.

Couplings: the energies likewise (the problem is that of a layout), and the surprise of unseen rows
in nats under `qbm` machines with all couplings, as many random ones as there are qubits, as many of
the most telling pairs, and those that a solver chose.
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

import detector
from benchmarks.generators import table
from benchmarks.layouts import DATA, QUBITS, energies_of, task_of
from detector.data.export import canonical_table
from detector.data.opening import open_data
from generators.codec import Codec
from generators.comparing.apart import Sample, told_apart
from generators.diary import Diary
from generators.quantum.boltzmann import Machine
from generators.quantum.climbing import Climb, Evidence
from generators.quantum.edges import CANDIDATES, edges_problem, exactly, tables_of, told
from generators.quantum.layouts import SOLVERS, chosen_pairs, layout_problem, mutual_information
from generators.quantum.observables import states_of
from generators.quantum.optimisers import random_search

COMPARED, HIDDEN, STEPS = 500, (0, 4), 300


def best_edges(tables, count):
    """Return the edges that tell most: what a bin tells depends on its two ends alone."""
    cells = CANDIDATES + 1

    def part(first, last):
        found = 0.0
        for shares in tables:
            own, other = shares[first:last].sum(axis=0), shares.sum(axis=0)
            seen = own > 0
            found += float(own[seen] @ np.log(own[seen] / own.sum() / other[seen]))
        return found

    parts = {ends: part(*ends) for ends in combinations(range(cells + 1), 2)}
    found = {last: (parts[0, last], ()) for last in range(1, cells + 1)}
    for _ in range(count):
        found = {
            last: max(
                (found[cut][0] + parts[cut, last], (*found[cut][1], cut - 1))
                for cut in found
                if cut < last
            )
            for last in range(min(found) + 1, cells + 1)
        }
    return found[cells][1]


def edges(task, seeds):
    found = []
    for axis, cuts in enumerate(task.code.cuts):
        count, tables = len(cuts) - 2, tables_of(task.code, task.rows, axis)
        if task.dimensions[axis].edges is not None or not 0 < count <= CANDIDATES or not tables:
            continue
        problem = edges_problem(tables, count)

        def telling(bits, problem=problem, tables=tables, count=count):
            return told(tables, np.flatnonzero(exactly(problem, bits, count)))

        even = np.round(np.linspace(0, CANDIDATES + 1, count + 2)[1:-1]).astype(int) - 1
        own = {"axis": axis, "edges": count, "energies": energies_of(problem, seeds)}
        own["told"] = {"even": told(tables, even), "exact": told(tables, best_edges(tables, count))}
        for how, solve in SOLVERS.items():
            rngs = [np.random.default_rng(seed) for seed in range(seeds)]
            solved = [solve(problem, rng=rng) for rng in rngs]
            looks = solved[0].evaluations
            blind = [random_search(problem, evaluations=looks, rng=rng) for rng in rngs]
            own["told"][how] = float(np.mean([telling(one.bits) for one in solved]))
            own["told"][f"random, {looks}"] = float(np.mean([telling(one.bits) for one in blind]))
        found.append(own)
    return found


def area_of(name, how, seed, *, whiten):
    rows = open_data(table(name), name=name).to_arrow()
    order = np.random.default_rng(seed).permutation(len(rows))
    half, unseen = (rows.take(part) for part in np.array_split(order, 2))
    recipe = detector.recipe("qcbm", qubits=QUBITS, whiten=whiten, edges=how)
    drawn = recipe.fit(half, np.random.default_rng(seed), examine=False).sample(
        COMPARED, np.random.default_rng(seed)
    )
    data = open_data(half)
    codec = Codec.learn(canonical_table(data), data.schema)
    sides = [
        Sample(rows=codec.encode(canonical_table(open_data(side)), np.random.default_rng(0))[0])
        for side in (unseen.slice(0, COMPARED), drawn)
    ]
    return told_apart(*sides, np.random.default_rng(seed)).mean.value


def pairs_of(bits, how, rng):
    every = list(combinations(range(QUBITS), 2))
    if how == "all":
        return None
    if how == "random":
        return tuple(every[k] for k in rng.permutation(len(every))[:QUBITS])
    if how == "most telling":
        telling = mutual_information(bits)
        return tuple(sorted(every, key=lambda pair: -telling[pair])[:QUBITS])
    return chosen_pairs(bits, by=how, rng=rng)


def surprise_of(task, how, hidden, seed):
    rng = np.random.default_rng(seed)
    learnt, unseen = np.array_split(rng.permutation(task.bits), 2)
    evidence = Evidence.split(learnt, held=0.1, rng=rng)
    gamma = 0.5 if hidden else 0.0
    machine = Machine.started(QUBITS, hidden=hidden, gamma=gamma, rng=rng, on_visible=False)
    climb = Climb(
        rate=0.1,
        decay=0.0,
        steps=STEPS,
        train_transverse=True,
        couplings=pairs_of(learnt, how, rng),
    )
    diary, mask = Diary(total=STEPS, patience=80), task.code.mask()
    climb.summed(machine, evidence, diary, mask=mask, way="hidden")
    law = Machine.restored(diary.best).probabilities() * mask
    return float(-np.log(law[states_of(unseen)] / law.sum()).mean())


def measure(seeds):
    results = []
    for name, whiten in product(DATA, (True, False)):
        task = task_of(name, whiten=whiten)
        own = {"data": name, "whitened": whiten, "edges": edges(task, seeds)}
        if own["edges"]:
            own["areas"] = {
                how: [area_of(name, how, seed, whiten=whiten) for seed in range(seeds)]
                for how in ("even", *SOLVERS)
            }
        own["couplings"] = energies_of(layout_problem(task.bits)[1], seeds)
        own["surprise"] = {
            hidden: {
                how: [surprise_of(task, how, hidden, seed) for seed in range(seeds)]
                for how in ("all", "random", "most telling", *SOLVERS)
            }
            for hidden in HIDDEN
        }
        show(own)
        results.append(own)
    return results


def show(own):
    print(f"\n{own['data']}{', whitened' if own['whitened'] else ''}")
    if own["edges"]:
        _show_edges(own)
    for how, found in own["couplings"].items():
        print(
            f"  couplings by {how}: {np.mean(found['solver']):.3f} above the lowest;"
            f" random {found['random']:.3f}"
        )
    for hidden, figures in own["surprise"].items():
        print(f"  surprise, {hidden} hidden: " + _means(figures), flush=True)


def _show_edges(own):
    for how in SOLVERS:
        edge = [axis["energies"][how] for axis in own["edges"]]
        solver, blind = (np.mean([one[key] for one in edge]) for key in ("solver", "random"))
        print(f"  edges by {how}: {solver:.3f} above the lowest; random {blind:.3f}")
    told_by = own["edges"][0]["told"]
    sums = {how: sum(axis["told"][how] for axis in own["edges"]) for how in told_by}
    print("  told, nats: " + ", ".join(f"{how} {value:.3f}" for how, value in sums.items()))
    print("  area: " + _means(own["areas"]))


def _means(figures):
    return ", ".join(f"{how} {np.mean(values):.3f}" for how, values in figures.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = measure(given.seeds)
    if given.json:
        plain = {"command": f"python -m benchmarks.choices --seeds {given.seeds}"}
        text = json.dumps({**plain, "results": results}, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
