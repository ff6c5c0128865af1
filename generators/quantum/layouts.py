"""Which qubits of a circuit meet: a discrete choice, made by `qaoa` or `vqe` from rows of bits.

Pairs of bits that tell much about each other should meet, and no qubit should take part in more
than its share of gates. That is a quadratic problem of one bit a pair, whose answer is a layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.quantum.problems import Ising
from generators.quantum.solvers import qaoa, vqe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bitstrings = NDArray[np.uint8]
    Floats = NDArray[np.float64]
    Pair = tuple[int, int]

CANDIDATES = 14
"""Pairs that are considered at most: one qubit of the solver each."""

EACH = 2
"""Gates in which a qubit should take part, as in a ring."""

EVEN = 0.2
"""What a missing or a surplus gate of a qubit costs, beside the strongest pair."""

SOLVERS = {"qaoa": qaoa, "vqe": vqe}


def mutual_information(bits: Bitstrings) -> Floats:
    """Return what each pair of bits tells about each other, in nats, shape (q, q).

    >>> mutual_information(np.array([[0, 0], [1, 1]], np.uint8)).round(3).tolist()
    [[0.0, 0.693], [0.693, 0.0]]
    """
    ones = bits.astype(np.float64)
    both = ones.T @ ones / len(ones)
    mean = np.diag(both)
    found = np.zeros(both.shape)
    for x in (0, 1):
        for y in (0, 1):
            joint = _joint(both, mean, x, y)
            alone = np.outer(mean if x else 1 - mean, mean if y else 1 - mean)
            seen = joint > 0
            found[seen] += joint[seen] * np.log(joint[seen] / alone[seen])
    np.fill_diagonal(found, 0.0)
    return np.maximum(found, 0.0)


def _joint(both: Floats, mean: Floats, x: int, y: int) -> Floats:
    """Return the chance that one bit is x and the other y, for each pair."""
    if x and y:
        return both
    if x:
        return np.maximum(mean[:, None] - both, 0.0)
    if y:
        return np.maximum(mean[None, :] - both, 0.0)
    return np.maximum(1.0 - mean[:, None] - mean[None, :] + both, 0.0)


def layout_problem(bits: Bitstrings) -> tuple[tuple[Pair, ...], Ising]:
    """Return the pairs that may meet, the most telling ones, and the energy of choosing some.

    Args:
        bits: Rows to learn, shape (n, q), q >= 2.

    """
    telling = mutual_information(bits)
    first, second = np.triu_indices(bits.shape[1], 1)
    order = np.argsort(-telling[first, second], kind="stable")[:CANDIDATES]
    pairs = tuple((int(first[k]), int(second[k])) for k in order)
    gain = telling[first[order], second[order]]
    cost = np.diag(-gain / max(float(gain.max()), 1e-12) + 2 * EVEN * (1 - 2 * EACH))
    for a, one in enumerate(pairs):
        for b in range(a):
            cost[b, a] = 2 * EVEN * len({*one} & {*pairs[b]})
    return pairs, Ising.from_qubo(cost)


def chosen_pairs(bits: Bitstrings, *, by: str, rng: np.random.Generator) -> tuple[Pair, ...]:
    """Return the pairs of qubits that shall meet in every layer.

    Args:
        bits: Rows to learn, shape (n, q), q >= 2.
        by: `qaoa` or `vqe`.
        rng: Decides what the solver sees.

    """
    pairs, problem = layout_problem(bits)
    found = SOLVERS[by](problem, rng=rng)
    return tuple(pair for pair, on in zip(pairs, found.bits, strict=True) if on)
