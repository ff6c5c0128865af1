"""What runs a circuit: one protocol, three executors, and the choice among them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np

from generators.quantum.errors import EngineError, UnsupportedGateError
from generators.quantum.observables import z_combination, z_expectations

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz

    Floats = NDArray[np.floating[Any]]

Engine = Literal["auto", "fast", "tfq", "cirq"]
Derivative = Literal["adjoint", "parameter_shift", "finite_difference"]

_HOMES = {
    "fast": ("generators.quantum.engine_fast", "FastExecutor"),
    "tfq": ("generators.quantum.engine_tfq", "TfqExecutor"),
    "cirq": ("generators.quantum.engine_cirq", "CirqExecutor"),
    "noisy": ("generators.quantum.pauli", "PauliNoiseExecutor"),
}
_CIRQ_ONLY = frozenset({"noise", "trajectories"})
_FAST_ONLY = frozenset({"precision", "threads"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradient:
    """A loss's derivatives.

    Args:
        weights: By each weight, shape (number of weights,).
        inputs: By each input of each row, shape (n, number of inputs).

    """

    weights: NDArray[np.float64]
    inputs: NDArray[np.float64]


class Executor(Protocol):
    """One circuit, ready to run on many rows.

    `weights` has shape (number of weights,) and is shared by the rows. `inputs` has a row for each
    row and a column for each input; a circuit without inputs is run once unless it is given inputs
    of shape (n, 0).
    """

    @property
    def name(self) -> str:
        """Return which engine this is: "fast", "tfq" or "cirq"."""

    @property
    def ansatz(self) -> Ansatz:
        """Return the circuit."""

    def probabilities(self, weights: Floats, inputs: Floats | None = None) -> Floats:
        """Return the probability of every basis state, shape (n, 2^q)."""

    def expectations(
        self, weights: Floats, inputs: Floats | None = None, *, observables: Floats | None = None
    ) -> Floats:
        """Return the expectations of diagonal observables, shape (n, k).

        Args:
            weights: Shape (number of weights,).
            inputs: Shape (n, number of inputs).
            observables: The value of each on each basis state, shape (k, 2^q); Z of each qubit
                unless given.

        """

    def gradient(
        self, weights: Floats, inputs: Floats | None = None, *, upstream: Floats
    ) -> Gradient:
        """Return the derivatives of a loss by all weights and inputs.

        Args:
            weights: Shape (number of weights,).
            inputs: Shape (n, number of inputs).
            upstream: The loss's derivative by the probabilities, shape (n, 2^q), or by the
                expectations of Z, shape (n, q). For other observables it is the derivative by
                their expectations times `observables`.

        """

    def pullback(
        self, weights: Floats, inputs: Floats | None = None
    ) -> tuple[Floats, Callable[[Floats], Gradient]]:
        """Return the probabilities, and what turns an upstream derivative into a gradient.

        Cheaper than `probabilities` followed by `gradient` where the engine can keep its states.
        """


def executor(
    ansatz: Ansatz, *, engine: Engine = "auto", gradient: Derivative | None = None, **options: Any
) -> Executor:
    """Return an executor; its `name` says which engine it is.

    "auto" is the fast engine where it can run the circuit, then TensorFlow Quantum, then Cirq. It
    is Cirq where noise is asked for. The fast engine takes noise too, without amplitude damping,
    as `trajectories` drawn with `rng`.

    Args:
        ansatz: The circuit.
        engine: Which one.
        gradient: How to differentiate; adjoint unless given, in Cirq parameter shift.
        options: The engine's own, for example `precision="double"` or `noise=...`.

    Raises:
        EngineError: The engine's libraries are not installed.
        UnsupportedGateError: The fast engine was asked for and cannot run a gate.

    """
    if gradient is not None:
        options["gradient"] = gradient
    if engine == "fast" and "noise" in options:
        return _load("noisy")(ansatz, **options)
    if engine != "auto":
        return _load(engine)(ansatz, **options)
    if options.keys() & _CIRQ_ONLY:
        return _load("cirq")(ansatz, **options)
    try:
        return _load("fast")(ansatz, **options)
    except (EngineError, UnsupportedGateError):
        return _second_best(ansatz, options)


def _second_best(ansatz: Ansatz, options: dict[str, Any]) -> Executor:
    """Return what runs a circuit that the fast engine cannot, without that engine's own options."""
    kept = {name: value for name, value in options.items() if name not in _FAST_ONLY}
    if not kept.keys() - {"gradient"}:
        try:
            return _load("tfq")(ansatz, **kept)
        except (EngineError, ValueError):  # a ValueError says what it cannot serialise
            pass
    return _load("cirq")(ansatz, **kept)


def _load(engine: str) -> Callable[..., Executor]:
    module, name = _HOMES[engine]
    try:
        return cast("Callable[..., Executor]", getattr(import_module(module), name))
    except ModuleNotFoundError as error:
        raise EngineError(
            f"the {engine} engine needs {error.name}, which is not installed.",
            hint="Install collapse-detector[quantum] (Linux on x86-64, Python up to 3.12).",
        ) from error


def row_inputs(ansatz: Ansatz, weights: Floats, inputs: Floats | None) -> NDArray[np.float64]:
    """Return the inputs as rows, after checking that weights and inputs fit the circuit.

    Raises:
        ValueError: A shape is wrong, or a value is not finite.

    """
    rows = np.zeros((1, 0)) if inputs is None else np.asarray(inputs, np.float64)
    given, wanted = np.shape(weights), (len(ansatz.weights),)
    if given != wanted:
        raise ValueError(f"the circuit has {wanted[0]} weights, got shape {given}")
    if rows.ndim != 2 or rows.shape[1] != len(ansatz.inputs):
        raise ValueError(f"the circuit has {len(ansatz.inputs)} inputs, got shape {rows.shape}")
    if not (np.isfinite(weights).all() and np.isfinite(rows).all()):
        raise ValueError("a weight or an input is not finite; training has diverged")
    return rows


def state_weights(upstream: Floats, *, rows: int, qubits: int) -> Floats:
    """Return an upstream derivative as one by the probabilities, shape (n, 2^q).

    Raises:
        ValueError: The shape is neither (n, 2^q) nor (n, q).

    """
    if upstream.shape == (rows, qubits):
        return z_combination(upstream)
    if upstream.shape != (rows, 2**qubits):
        raise ValueError(
            f"upstream has shape {upstream.shape}; derivatives by probabilities have shape "
            f"{(rows, 2**qubits)}, those by expectations of Z {(rows, qubits)}"
        )
    return upstream


def observe(probabilities: Floats, observables: Floats | None) -> Floats:
    """Return the expectations of diagonal observables, Z of each qubit unless given."""
    if observables is None:
        return z_expectations(probabilities)
    return np.asarray(probabilities @ np.asarray(observables, probabilities.dtype).T)
