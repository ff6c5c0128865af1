"""The discrete solvers beside random search and Adam, all looking at as many bitstrings.

    python -m benchmarks.solvers [--qubits 12] [--seeds 5] [--json FILE]

The problem is a spin glass: every pair of bits coupled by a normal number, with small fields. The
figure is the best energy seen, above the lowest there is, in standard deviations of all energies:
0 is solved. Adam trains the same circuit from the same start for three steps; its gradient by
differences needs two circuits for each weight, so that each circuit is drawn from less often.
Random search is the mean of 50 runs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from generators.quantum.descent import Adam
from generators.quantum.optimisers import qaoa, random_search, vqe
from generators.quantum.problems import Ising


def spin_glass(seed, qubits):
    rng = np.random.default_rng(seed)
    couplings = np.triu(rng.normal(size=(qubits, qubits)), 1)
    return Ising(fields=rng.normal(0, 0.3, qubits), couplings=couplings)


def by_adam(solve, problem, evaluations, rng):
    """Run the solver with Adam: three steps, with as many draws as that leaves."""
    weights = len(solve(problem, rng=np.random.default_rng(0), steps=0).weights)
    draws = round(evaluations / (3 * 2 * weights))
    return solve(problem, rng=rng, steps=3, draws=draws, descent=Adam(rate=0.1))


def measure(qubits, seeds):
    found = {}
    for seed in range(seeds):
        problem = spin_glass(seed, qubits)
        energies = problem.energies()

        def above(solution, energies=energies):
            return float((solution.energy - energies.min()) / energies.std())

        for solve in (qaoa, vqe):
            ours = solve(problem, rng=np.random.default_rng(seed))
            adam = by_adam(solve, problem, ours.evaluations, np.random.default_rng(seed))
            blind = [
                above(
                    random_search(
                        problem, evaluations=ours.evaluations, rng=np.random.default_rng([seed, k])
                    )
                )
                for k in range(50)
            ]
            row = [
                above(ours),
                above(adam),
                float(np.mean(blind)),
                ours.evaluations,
                adam.evaluations,
            ]
            found.setdefault(solve.__name__, []).append(row)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--qubits", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = {}
    for name, rows in measure(given.qubits, given.seeds).items():
        ours, adam, blind, looked, adam_looked = np.mean(rows, axis=0)
        print(
            f"{name}: {ours:.3f} above the lowest; Adam {adam:.3f}, random {blind:.3f}"
            f" ({looked:.0f} bitstrings; Adam {adam_looked:.0f})"
        )
        results[name] = {
            "solver": [row[0] for row in rows],
            "adam": [row[1] for row in rows],
            "random": [row[2] for row in rows],
            "bitstrings": looked,
        }
    if given.json:
        text = json.dumps({"qubits": given.qubits, **results}, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
