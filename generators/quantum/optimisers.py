"""Every optimiser under one roof: steps, the quantum natural gradient, and discrete solvers.

`Adam` and `Spsa` live in `descent.py`, `vqe` and `qaoa` in `solvers.py`; the geometry is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from generators.quantum.descent import Adam, AdamState, Spsa
from generators.quantum.solvers import Solution, qaoa, random_search, vqe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.compiled import Program

    Floats = NDArray[np.float64]

__all__ = [
    "Adam",
    "AdamState",
    "Solution",
    "Spsa",
    "fubini_study",
    "natural_direction",
    "qaoa",
    "random_search",
    "vqe",
]


class StateRunner(Protocol):
    """What the metric needs of an executor: the fast one has it."""

    @property
    def ansatz(self) -> Ansatz:
        """Return the circuit."""

    @property
    def program(self) -> Program:
        """Return the circuit's slots."""

    def states(self, angles: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Return amplitudes at rows of slot angles."""


def fubini_study(run: StateRunner, weights: Floats, inputs: Floats | None = None) -> Floats:
    """Return the metric of the states over the weights, shape (k, k), for one row of inputs.

    Args:
        run: The fast executor.
        weights: Shape (k,).
        inputs: One row, shape (number of inputs,).

    Cost: O(slots x gates x 2^q) time, O(slots x 2^q) memory.
    Source: Stokes, Izaac, Killoran and Carleo (2020), Quantum 4, 269.
    """
    program = run.program
    angles = program.offsets + program.weights @ weights
    if inputs is not None:
        angles = angles + program.inputs @ inputs
    moving = np.flatnonzero(program.weights.any(axis=1))
    rows = np.tile(angles, (len(moving) + 1, 1))
    # A half turn puts the generator in front of the state: twice its derivative.
    rows[np.arange(len(moving)) + 1, moving] += np.pi
    planes = run.states(rows).astype(np.float64)
    states = planes[0] + (1j * planes[1] if len(planes) == 2 else 0)
    slopes = program.weights[moving].T @ states[1:] / 2
    along = slopes @ states[0].conj()
    return np.asarray((slopes.conj() @ slopes.T).real - np.outer(along.conj(), along).real)


def natural_direction(
    gradient: Floats,
    metric: Floats,
    *,
    names: Sequence[str],
    kind: Literal["full", "block", "diagonal"] = "block",
    damping: float = 0.01,
) -> Floats:
    """Return the gradient in the geometry of the states.

    Args:
        gradient: By each weight, shape (k,).
        metric: Shape (k, k).
        names: The weights' names; those of one layer, `t_lll_...`, are one block.
        kind: Which part of the metric counts.
        damping: Added to its diagonal, where it may be singular.

    """
    layers = np.array([name.split("_")[1] if "_" in name else name for name in names])
    if kind == "diagonal":
        metric = np.diag(np.diag(metric))
    elif kind == "block":
        metric = np.where(layers[:, None] == layers, metric, 0.0)
    return np.linalg.solve(metric + damping * np.eye(len(gradient)), gradient)
