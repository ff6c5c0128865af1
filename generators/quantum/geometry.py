"""The geometry of what a circuit makes: how far its states move when an angle does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.compiled import Program

    Floats = NDArray[np.float64]

LOOKED_AT = 8
"""Rows that a metric is averaged over: the first ones of a batch, which is in no order."""


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
    """Return the metric of the states over the weights, shape (k, k).

    It is the mean over the rows of inputs. A circuit without weights has the metric over its
    inputs, as if one number were added to that input of every row.

    Args:
        run: The fast executor.
        weights: Shape (k,).
        inputs: One row, shape (number of inputs,), or several, shape (n, number of inputs).

    Cost: O(n slots gates 2^q) time, O(slots 2^q) memory.
    Source: Stokes, Izaac, Killoran and Carleo (2020), Quantum 4, 269.
    """
    program = run.program
    angles = (program.offsets + program.weights @ weights)[None]
    if inputs is not None:
        angles = angles + np.atleast_2d(inputs) @ program.inputs.T
    by = program.weights if len(weights) else program.inputs
    found = [_metric(run, row, by) for row in angles]
    return np.asarray(np.mean(found, axis=0))


def _metric(run: StateRunner, angles: Floats, by: Floats) -> Floats:
    """Return the metric at one row of slot angles, by what moves the slots linearly."""
    moving = np.flatnonzero(by.any(axis=1))
    rows = np.tile(angles, (len(moving) + 1, 1))
    # A half turn puts the generator in front of the state: twice its derivative.
    rows[np.arange(len(moving)) + 1, moving] += np.pi
    planes = run.states(rows).astype(np.float64)
    states = planes[0] + (1j * planes[1] if len(planes) == 2 else 0)
    slopes = by[moving].T @ states[1:] / 2
    along = slopes @ states[0].conj()
    return np.asarray((slopes.conj() @ slopes.T).real - np.outer(along.conj(), along).real)


def natural_direction(
    gradient: Floats,
    metric: Floats,
    *,
    names: Sequence[str] = (),
    kind: Literal["full", "block", "diagonal"] = "block",
    damping: float = 0.01,
) -> Floats:
    """Return the gradient in the geometry that a metric describes.

    Args:
        gradient: By each weight, shape (k,).
        metric: Shape (k, k).
        names: The weights' names; those of one layer, `t_lll_...`, are one block.
        kind: Which part of the metric counts.
        damping: Added to its diagonal, where it may be singular.

    """
    if kind == "diagonal":
        metric = np.diag(np.diag(metric))
    elif kind == "block":
        layers = np.array([name.split("_")[1] if "_" in name else name for name in names])
        metric = np.where(layers[:, None] == layers, metric, 0.0)
    return np.linalg.solve(metric + damping * np.eye(len(gradient)), gradient)


def among_states(run: Any, slope: Floats, weights: Floats, inputs: Floats | None = None) -> Floats:
    """Return a slope in the geometry of a circuit's states, layer by layer.

    Args:
        run: The fast executor; noise in front of it has no part in the geometry.
        slope: By the weights, or by the inputs of a circuit without weights.
        weights: Shape (k,).
        inputs: Shape (n, number of inputs); the first few are looked at.

    """
    run = getattr(run, "inner", run)
    metric = fubini_study(run, weights, None if inputs is None else inputs[:LOOKED_AT])
    names = run.ansatz.weights or run.ansatz.inputs
    return natural_direction(slope, metric, names=names)
