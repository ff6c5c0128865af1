"""Rows as states of qubits: an entangled angle map, its fidelity kernel, and projected features.

Registered under the entry-point group `detector.kernels`, so that the gate's `joint` check can take
the kernel and its `discriminator` the features without knowing who makes them. Importing this
module loads numpy; Cirq and numba are loaded when a circuit is run.

Source: Havlíček et al. (2019), Nature 567, for kernels of feature states; Huang et al. (2021),
Nature Communications 12, for projected features; Shaydulin and Wild (2022), Physical Review A
106, for the scale of the angles, which decides whether such a kernel sees anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from generators.quantum.observables import z_signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.engine_fast import FastExecutor

    Rows = NDArray[np.floating[Any]]
    Numbers = NDArray[np.float64]
    States = NDArray[np.complex128]

QUBITS = 8
"""Qubits of a map, at most; wider rows are projected."""

LAYERS = 3
"""How often the circuit reads a row."""

REACH = 4.0
"""Spreads from the middle at which a value stops, so that no tail turns once round."""

_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantumFeatures:
    """A feature map scaled by some rows: one angle a qubit, and the products of neighbors' angles.

    Attributes:
        middle: Shape (d,): what is subtracted from a row.
        axes: Shape (d, q): what a row is then multiplied by; one number a qubit remains.

    """

    name: ClassVar[str] = "quantum"
    needs: ClassVar[tuple[str, ...]] = ("cirq", "numba")
    extra: ClassVar[str] = "quantum"
    scales: ClassVar[tuple[float, ...]] = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)

    middle: Numbers
    axes: Numbers

    @classmethod
    def of(cls, rows: Rows, *, qubits: int = QUBITS) -> QuantumFeatures:
        """Return the map whose unit is the spread of these rows, the reference's.

        With at most `qubits` columns each has a qubit; otherwise the rows' first principal
        directions have one each, whitened.

        Args:
            rows: Shape (n, d), finite, n and d at least 1.
            qubits: At most how many.

        """
        plain = np.asarray(rows, np.float64)
        middle, spread = plain.mean(axis=0), plain.std(axis=0)
        scale = np.where(spread > 1e-9, spread, 1.0)
        axes = np.diag(1 / scale)
        if plain.shape[1] > qubits:
            axes = axes @ _whitening((plain - middle) / scale, qubits=qubits)
        return cls(middle=middle, axes=axes)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the features: `Z0`, ..., then `Z0 Z1`, ..."""
        single = range(self.axes.shape[1])
        pairs = tuple(f"Z{i} Z{j}" for i, j in combinations(single, 2))
        return tuple(f"Z{k}" for k in single) + pairs

    def values(self, rows: Rows) -> Numbers:
        """Return rows in spreads, shape (n, q), within `REACH`."""
        scaled = (np.asarray(rows, np.float64) - self.middle) @ self.axes
        return np.asarray(np.clip(scaled, -REACH, REACH))

    def states(self, rows: Rows, *, scale: float) -> States:
        """Return the state of each row, shape (n, 2^q), at so many radians a spread."""
        return state_vectors(scale * self.values(rows))

    def gram(self, rows: Rows, *, scale: float) -> Numbers:
        """Return the fidelity of every pair of rows, shape (n, n)."""
        made = self.states(rows, scale=scale)
        return fidelities(made, made)

    def features(self, rows: Rows, *, scale: float = 1.0) -> Numbers:
        """Return each row's expectations of Z and of pairs of Z, shape (n, q (q + 1) / 2)."""
        return projected(self.states(rows, scale=scale))


def angle_map(qubits: int, *, layers: int = LAYERS) -> Ansatz:
    """Return the circuit: RY and RZ on every qubit, in each layer anew, with CZ rings between.

    Input `x_y_kkk` is the angle of RY on qubit k and `x_z_kkk` that of RZ, in every layer. The
    ring's range grows by one qubit from layer to layer.
    """
    import cirq
    import sympy

    from generators.quantum.circuits import Ansatz

    line = cirq.LineQubit.range(qubits)
    circuit = cirq.Circuit()
    for layer in range(layers):
        if layer:
            reach = 1 + (layer - 1) % max(1, qubits // 2)
            ends = {frozenset((k, (k + reach) % qubits)) for k in range(qubits)}
            pairs = sorted(tuple(sorted(pair)) for pair in ends if len(pair) == 2)
            circuit += (cirq.CZ(line[i], line[j]) for i, j in pairs)
        for gate, kind in ((cirq.ry, "y"), (cirq.rz, "z")):
            circuit += (gate(sympy.Symbol(f"x_{kind}_{k:03d}"))(line[k]) for k in range(qubits))
    return Ansatz.of(circuit, qubits=line)


def map_inputs(angles: Rows) -> Numbers:
    """Return the inputs of `angle_map`: angles, then each one's product with the one before.

    >>> map_inputs(np.array([[1.0, 2.0, 3.0]])).tolist()
    [[1.0, 2.0, 3.0, 3.0, 2.0, 6.0]]
    """
    return np.hstack((angles, angles * np.roll(angles, 1, axis=1))).astype(np.float64)


def state_vectors(angles: Rows) -> States:
    """Return the states of rows of angles, shape (n, 2^q), each up to a phase of its own.

    Args:
        angles: Shape (n, q), finite, in radians.

    Cost: O(n q 2^q) time.

    """
    run = _executor(angles.shape[1])
    inputs = map_inputs(angles)
    program = run.program
    made = np.empty((len(angles), 2 ** angles.shape[1]), np.complex128)
    for start in range(0, len(angles), _BLOCK):
        some = slice(start, start + _BLOCK)
        planes = run.states(program.offsets + inputs[some] @ program.inputs.T)
        made[some] = planes[0]
        if len(planes) > 1:
            made[some] += 1j * planes[1]
    return made


def fidelities(x: States, y: States) -> Numbers:
    """Return |<x|y>|^2 of every pair of states, shape (len(x), len(y)).

    Cost: O(n m 2^q) time; a block of rows of complex numbers beside the result.

    >>> fidelities(np.array([[1, 0j]]), np.array([[1, 0j], [0, 1j], [0.6, 0.8j]])).round(2).tolist()
    [[1.0, 0.0, 0.36]]
    """
    made = np.empty((len(x), len(y)))
    for start in range(0, len(x), _BLOCK):
        overlap = x[start : start + _BLOCK].conj() @ y.T
        made[start : start + _BLOCK] = overlap.real**2 + overlap.imag**2
    return made


def projected(states: States) -> Numbers:
    """Return the expectations of Z of every qubit, then of every pair, shape (n, q (q + 1) / 2).

    >>> projected(np.array([[0, 1, 0, 0j]])).tolist()
    [[1.0, -1.0, -1.0]]
    """
    signs = z_signs(states.shape[1].bit_length() - 1)
    pairs = [signs[i] * signs[j] for i, j in combinations(range(len(signs)), 2)]
    observables = np.vstack((signs, *pairs))
    return np.asarray((states.real**2 + states.imag**2) @ observables.T)


@cache
def _executor(qubits: int) -> FastExecutor:
    """Return the circuit, compiled; an engine keeps nothing of the rows it ran."""
    from generators.quantum.engine_fast import FastExecutor

    return FastExecutor(angle_map(qubits), precision="double", threads=1)


def _whitening(rows: Numbers, *, qubits: int) -> Numbers:
    """Return the first principal directions of centered rows, each over its spread, (d, q)."""
    variances, directions = np.linalg.eigh(rows.T @ rows / len(rows))
    first = directions[:, ::-1][:, :qubits]
    spread = np.sqrt(np.maximum(variances[::-1][:qubits], 0.0))
    # A direction's sign is nobody's choice: the largest entry is positive.
    loudest = np.take_along_axis(first, np.abs(first).argmax(axis=0)[None], axis=0)
    return np.asarray(first * np.sign(loudest) / np.where(spread > 1e-6, spread, 1.0))
