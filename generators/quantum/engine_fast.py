"""The fast executor: compiled kernels with adjoint derivatives, for batches and for lone circuits.

Rows of small circuits run sixteen at a time, side by side. Larger circuits run one row at a time,
so that a state and its adjoint stay in the cache, with the last four qubits side by side.

Cost: O(2^q) for each gate and row.
Source: Jones and Gacon (2020), arXiv 2009.02823, for the adjoint method.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from generators.quantum import kernels
from generators.quantum.compiled import compile_circuit
from generators.quantum.engines import Gradient, observe, row_inputs, state_weights
from generators.quantum.gradients import central_difference, differentiate, shift_rule
from generators.quantum.layout import LANE_QUBITS, Layout, lane_constants
from generators.quantum.sampling import executions

if TYPE_CHECKING:
    from collections.abc import Callable

    from generators.quantum.circuits import Ansatz
    from generators.quantum.compiled import Program
    from generators.quantum.engines import Derivative, Floats

_BY_ROW_FROM = 10  # qubits; below, sixteen states and their adjoints fit the cache
_FEW_ROWS = 6  # a block of sixteen lanes costs as much as six to eight rows one by one
_WORTH_THREADS = 1 << 24  # amplitudes times slots: some milliseconds of work
_STEP = {"single": 0.05, "double": 2e-3}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Rows of angles, laid out for the kernels."""

    rows: int
    layout: Layout
    angles: tuple[Any, Any]


class FastExecutor:
    """Run one circuit on the machine's own vector instructions."""

    name = "fast"

    def __init__(
        self,
        ansatz: Ansatz,
        *,
        gradient: Derivative | None = None,
        precision: Literal["single", "double"] = "single",
        threads: int | None = None,
        repetitions: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Compile the circuit.

        Args:
            ansatz: The circuit.
            gradient: How `gradient` and `pullback` differentiate; adjoint unless given, with
                repetitions parameter shift.
            precision: Of the amplitudes; "double" is for checking.
            threads: At most how many; all processors unless given.
            repetitions: Return frequencies of that many executions, not exact probabilities.
            rng: Draws the executions.

        Raises:
            UnsupportedGateError: A gate cannot be run here.
            ValueError: Repetitions have no generator, or were to be differentiated by adjoint.

        """
        self._shots = executions(repetitions, rng, gradient)
        self.ansatz = ansatz
        self.program: Program = compile_circuit(ansatz)
        self._gradient = gradient or ("parameter_shift" if self._shots else "adjoint")
        self._precision = precision
        self._dtype = np.dtype(np.float32 if precision == "single" else np.float64)
        self._signs = self.program.signs.astype(self._dtype)
        self._constants = lane_constants(self._dtype)
        self._threads = len(os.sched_getaffinity(0)) if threads is None else threads

    def probabilities(self, weights: Floats, inputs: Floats | None = None) -> Floats:
        """Return the probability of every basis state, shape (n, 2^q)."""
        return self._probabilities(self._angles(weights, inputs))

    def expectations(
        self, weights: Floats, inputs: Floats | None = None, *, observables: Floats | None = None
    ) -> Floats:
        """Return the expectations of diagonal observables, Z of each qubit unless given."""
        return observe(self.probabilities(weights, inputs), observables)

    def gradient(
        self, weights: Floats, inputs: Floats | None = None, *, upstream: Floats
    ) -> Gradient:
        """Return the derivatives of a loss from those by probabilities or expectations of Z."""
        angles = self._angles(weights, inputs)
        onto = state_weights(upstream, rows=len(angles), qubits=self.program.qubits)
        if self._gradient == "adjoint":
            return self._chain(self._backward(self._lay(angles), onto))
        return self._chain(self._differentiate(angles, onto))

    def pullback(
        self, weights: Floats, inputs: Floats | None = None
    ) -> tuple[Floats, Callable[[Floats], Gradient]]:
        """Return the probabilities, and what turns an upstream derivative into a gradient."""
        if self._gradient != "adjoint":
            later = partial(self.gradient, weights, inputs)
            return self.probabilities(weights, inputs), lambda upstream: later(upstream=upstream)
        run = self._lay(self._angles(weights, inputs))
        states = self._forward(run)

        def pull(upstream: Floats) -> Gradient:
            onto = state_weights(upstream, rows=run.rows, qubits=self.program.qubits)
            return self._chain(self._backward(run, onto, states=states))

        return _observe(states, run), pull

    def states(self, angles: Floats) -> Floats:
        """Return the amplitudes at rows of slot angles, real and imaginary planes.

        Args:
            angles: Shape (n, s), as `program` orders them.

        Returns:
            Shape (planes, n, 2^q).

        """
        run = self._lay(angles)
        planes = self._forward(run).reshape(-1, run.layout.planes, run.layout.block)
        parts = (np.ascontiguousarray(planes[:, k]) for k in range(run.layout.planes))
        return np.stack([run.layout.unpack(part, run.rows) for part in parts])

    def _angles(self, weights: Floats, inputs: Floats | None) -> Floats:
        rows = row_inputs(self.ansatz, weights, inputs)
        shared = self.program.offsets + self.program.weights @ np.asarray(weights, np.float64)
        return np.asarray(shared + rows @ self.program.inputs.T)

    def _lay(self, angles: Floats) -> _Run:
        qubits = self.program.qubits
        few = len(angles) <= _FEW_ROWS and qubits > LANE_QUBITS
        layout = Layout(
            qubits=qubits,
            planes=self.program.planes,
            by_row=few or qubits >= _BY_ROW_FROM,
            dtype=self._dtype,
        )
        return _Run(rows=len(angles), layout=layout, angles=layout.pack_angles(angles / 2))

    def _forward(self, run: _Run) -> Any:
        layout, angles = run.layout, (*run.angles, self._constants)
        states = layout.empty(layout.blocks(run.rows) * layout.planes * layout.block)

        def work(blocks: tuple[int, int], circuit: Any, space: Any) -> None:
            kernels.run_forward(blocks, circuit, angles, space, states)

        self._each_part(run, work)
        return states

    def _backward(self, run: _Run, onto: Floats, *, states: Any = None) -> Floats:
        layout, angles = run.layout, (*run.angles, self._constants)
        kept = layout.empty(0) if states is None else states
        upstream, grads = layout.pack(onto), np.zeros_like(run.angles[0])

        def work(blocks: tuple[int, int], circuit: Any, space: Any) -> None:
            kernels.run_backward(blocks, circuit, angles, space, kept, upstream, grads)

        self._each_part(run, work)
        return layout.unpack_angles(grads, run.rows)

    def _each_part(self, run: _Run, work: Callable[[tuple[int, int], Any, Any], None]) -> None:
        """Do the work on all blocks, on several threads where that pays."""
        layout, program = run.layout, self.program
        circuit = (program.ops, program.targets, layout.shape, self._signs)
        blocks = layout.blocks(run.rows)
        effort = blocks * layout.block * len(program.targets)
        parts = min(self._threads, blocks) if effort >= _WORTH_THREADS else 1
        edges = [blocks * k // parts for k in range(parts + 1)]
        ranges = list(pairwise(edges))
        if parts == 1:
            work(ranges[0], circuit, layout.space())
            return
        with ThreadPoolExecutor(parts) as pool:
            done = [pool.submit(work, some, circuit, layout.space()) for some in ranges]
            for one in done:
                one.result()

    def _probabilities(self, angles: Floats) -> Floats:
        run = self._lay(angles)
        exact = _observe(self._forward(run), run)
        return self._shots(exact) if self._shots else exact

    def _differentiate(self, angles: Floats, onto: Floats) -> Floats:
        moves = self.program.weights.any(axis=1) | self.program.inputs.any(axis=1)
        rule = shift_rule(1)
        if self._gradient == "finite_difference":
            rule = central_difference(_STEP[self._precision])
        stencils = [rule if moving else None for moving in moves]
        return differentiate(self._probabilities, angles, stencils=stencils, upstream=onto)

    def _chain(self, slots: Floats) -> Gradient:
        """Carry derivatives by slots, shape (n, s), to weights and inputs."""
        return Gradient(
            weights=slots.sum(axis=0) @ self.program.weights,
            inputs=slots @ self.program.inputs,
        )


def _observe(states: Any, run: _Run) -> Floats:
    """Return probabilities; rounding has moved their sum by a millionth or so."""
    planes = states.reshape(-1, run.layout.planes, run.layout.block)
    found = run.layout.unpack(np.einsum("bpi,bpi->bi", planes, planes), run.rows)
    found /= found.sum(axis=1, keepdims=True, dtype=np.float64).astype(found.dtype)
    return found
