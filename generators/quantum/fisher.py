"""Fisher's metric of a Boltzmann machine: how far the law of its rows moves when a term does.

A machine's rows are readings of its seen bits, and what it goes down is their cross entropy. So
the natural geometry is that of this law, not that of states: the second derivatives of the loss
where machine and rows agree.

Source: Amari, Kurata and Nagaoka (1992), IEEE Trans. Neural Networks 3; Amari (1998), Neural
Computation 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.quantum.geometry import natural_direction
from generators.quantum.ising import clamped_signs, thermal_state
from generators.quantum.observables import bit_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from generators.quantum.boltzmann import Machine

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

TOGETHER = 4_096
"""Bitstrings whose slopes are held at once."""


def fisher(machine: Machine, mask: Mask | None = None) -> Floats:
    """Return the metric over the terms of a machine, shape (k, k), as `machine.vector` orders them.

    Args:
        machine: As small as `hidden_loss` or `exact_loss` asks.
        mask: Which seen bitstrings count; the law is that given that one of them is seen.

    Cost: O(2^visible k^2) time where seen qubits feel no transverse field; else a diagonalisation
    and 2^visible times O(8^q).
    """
    chances = machine.probabilities()
    if mask is not None:
        chances = chances * mask
    chances = chances / chances.sum()
    size = len(machine.vector)
    mean, square = np.zeros(size), np.zeros((size, size))
    for share, scores in _scores(machine, chances):
        mean += share @ scores
        square += scores.T @ (share[:, None] * scores)
    return square - np.outer(mean, mean)


def among_laws(machine: Machine, slope: Floats, *, mask: Mask | None, moving: Floats) -> Floats:
    """Return a slope in the geometry of the laws of seen bits; terms that do not move stay."""
    metric = fisher(machine, mask) * np.outer(moving, moving)
    return natural_direction(slope, metric, kind="full")


def _scores(machine: Machine, chances: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield chances of seen bitstrings, and the slopes of their log weights by all terms."""
    seen = bit_table(machine.visible)
    if not machine.transverse[: machine.visible].any():
        for start in range(0, len(seen), TOGETHER):
            part = slice(start, start + TOGETHER)
            yield chances[part], _closed(machine, seen[part])
        return
    state = thermal_state(machine.problem, machine.transverse)
    law, hidden = machine.seen(state.probabilities), 2 ** (machine.qubits - machine.visible)
    pulls = [state.pull(np.repeat(one, hidden)) for one in np.eye(len(seen))]
    slopes = np.array([machine.flat(pull) for pull in pulls])
    yield chances, slopes / law[:, None]


def _closed(machine: Machine, seen: NDArray[np.uint8]) -> Floats:
    """Return the slopes of the log weights of bitstrings whose bits feel no transverse field."""
    signs, across = clamped_signs(machine.problem, machine.transverse, seen)
    first, second = machine.pairs
    still = np.zeros((len(seen), machine.visible))
    return np.hstack([-signs, -signs[:, first] * signs[:, second], still, across])
