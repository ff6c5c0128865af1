"""What quantum recipes share: the choice of an engine, noise, and circuits as data."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import cirq
    from numpy.typing import NDArray

    from generators.quantum.circuits import Ansatz
    from generators.quantum.engines import Executor
    from generators.quantum.noise import Noise

    Floats = NDArray[np.floating[Any]]
    Angles = NDArray[np.float64]

ENGINES = ("auto", "fast", "tfq", "cirq")
GRADIENTS = ("auto", "adjoint", "parameter_shift", "finite_difference")

MOST_DENSITY = 8
"""Qubits whose density matrix takes seconds."""

TRAJECTORIES = 128
"""Runs that a noisy law is averaged over where a density matrix is out of reach."""

MOST_DAMPED = 6
"""Qubits that can be trained with damping, which takes a density matrix for every shift."""

LONGEST = 1 << 19
"""Bytes of a circuit that samples declare whole; of a longer one they declare the digest."""

TERMINAL = 80
"""Columns that a drawing may take."""

DRAWN_MOMENTS = 6
"""Moments of a circuit that are drawn; the rest repeats them."""


def check_engine(engine: str, gradient: str) -> None:
    """Refuse derivatives that an engine does not have.

    Raises:
        ValueError: It says what to choose.

    """
    if engine == "cirq" and gradient == "adjoint":
        raise ValueError(
            "gradient is 'adjoint', which the engine `cirq` does not have; "
            "choose parameter_shift, or the engine `fast`"
        )


def check_optimiser(optimiser: str, engine: str) -> None:
    """Refuse a metric that an engine cannot tell.

    Raises:
        ValueError: It says what to choose.

    """
    if optimiser == "natural" and engine not in {"auto", "fast"}:
        raise ValueError("optimiser is 'natural', which needs the engine `fast`")


def started(ansatz: Ansatz, *, engine: str, gradient: str, **options: Any) -> Executor:
    """Return the executor that the options name."""
    from generators.quantum.engines import executor

    if gradient != "auto":
        options["gradient"] = gradient
    return executor(ansatz, engine=engine, **options)  # type: ignore[arg-type]


def all_inputs(qubits: int, *, layers: int) -> Ansatz:
    """Return a hardware-efficient circuit in which every row has angles of its own."""
    from generators.quantum.circuits import Ansatz, hardware_efficient

    made = hardware_efficient(qubits, layers=layers)
    return Ansatz(circuit=made.circuit, qubits=made.qubits, weights=(), inputs=made.weights)


def damped(noise: Noise) -> bool:
    """Return whether there is noise that no surrogate stands for."""
    return max(noise.amplitude_damping, noise.phase_damping) > 0


def noisy(run: Executor, noise: Noise, *, repetitions: int, rng: np.random.Generator) -> Executor:
    """Return an executor for training under noise.

    Depolarising and readout errors act through their surrogate; damping takes Cirq's density
    matrices, and repetitions with it.
    """
    if not damped(noise):
        from generators.quantum.surrogate import SurrogateExecutor

        return SurrogateExecutor(inner=run, noise=noise)
    options: dict[str, Any] = {"repetitions": repetitions, "rng": rng} if repetitions else {}
    return started(run.ansatz, engine="cirq", gradient="auto", noise=noise, **options)


def disturbed(
    run: Executor, angles: Angles, noise: Noise, *, rng: np.random.Generator
) -> tuple[Floats, str]:
    """Return the law of a noisy circuit's readings, shape (2^q,), and how it was found.

    Args:
        run: Runs the circuit without noise.
        angles: Its weights.
        noise: The rates.
        rng: Draws trajectories, where they are needed.

    """
    from generators.quantum.noise import flip_readout
    from generators.quantum.surrogate import SurrogateExecutor

    if not noise.in_circuit:
        exact = run.probabilities(angles)
        return (flip_readout(exact, noise.readout)[0], "exact") if noise.readout else (exact[0], "")
    if len(run.ansatz.qubits) <= MOST_DENSITY:
        matrix = started(run.ansatz, engine="cirq", gradient="auto", noise=noise)
        return matrix.probabilities(angles)[0], "density matrix"
    if not damped(noise):
        return SurrogateExecutor(inner=run, noise=noise).probabilities(angles)[0], "surrogate"
    options = {"noise": noise, "trajectories": TRAJECTORIES, "rng": rng}
    paths = started(run.ansatz, engine="cirq", gradient="auto", **options)
    return paths.probabilities(angles)[0], f"{TRAJECTORIES} trajectories"


def circuit_bytes(ansatz: Ansatz) -> NDArray[np.uint8]:
    """Return a circuit in Cirq's JSON, as an array that a model's folder can hold."""
    import cirq

    return np.frombuffer(cirq.to_json(ansatz.circuit, indent=None).encode(), np.uint8)


def declared_circuit(circuit: NDArray[np.uint8]) -> Mapping[str, str]:
    """Return what samples declare of a circuit: its digest, and itself unless it is very long."""
    digest = hashlib.blake2b(circuit.tobytes(), digest_size=16).hexdigest()
    whole = {"circuit": circuit.tobytes().decode()} if len(circuit) <= LONGEST else {}
    return {"circuit_digest": digest, **whole}


def drawing(circuit: NDArray[np.uint8]) -> str:
    """Return the first moments of a circuit as text, or why it cannot be drawn."""
    try:
        import cirq
    except ImportError:
        return "The circuit can be drawn where Cirq is installed: collapse-detector[quantum]."
    whole = cirq.read_json(json_text=circuit.tobytes().decode())
    shown = "\n\n".join(_blocks(whole[:DRAWN_MOMENTS]))
    more = len(whole) - DRAWN_MOMENTS
    return f"{shown}\n... and {more} more moments" if more > 0 else shown


def _blocks(circuit: cirq.Circuit) -> Iterator[str]:
    """Yield a circuit as text in blocks below each other, all wires in each, as wide as fits."""
    wires, first = sorted(circuit.all_qubits()), 0

    def drawn(last: int) -> str:
        return str(circuit[first:last].to_text_diagram(qubit_order=wires))

    for last in range(1, len(circuit) + 1):
        if last == len(circuit) or max(map(len, drawn(last + 1).splitlines())) > TERMINAL:
            yield drawn(last)
            first = last
