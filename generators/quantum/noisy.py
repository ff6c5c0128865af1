"""Noisy circuits, exactly and by trajectories.

The density matrix is exact and costs 4^q; ten qubits are the limit. A trajectory is one pure state
that suffers random errors; the mean of many estimates the probabilities at 2^q each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cirq
import numpy as np

from generators.quantum.noise import flip_readout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from generators.quantum.noise import Noise

    Numbers = NDArray[Any]

DENSITY_LIMIT = 10


def noisy_circuit(circuit: cirq.Circuit, qubits: Sequence[cirq.Qid], noise: Noise) -> cirq.Circuit:
    """Return the circuit with the channels on every qubit after every moment, without readout."""
    channels = list(_channels(noise))
    moments: list[cirq.Moment] = []
    for moment in circuit:
        moments.append(moment)
        moments += [cirq.Moment(channel.on_each(*qubits)) for channel in channels]
    return cirq.Circuit(moments)


def density_probabilities(
    circuit: cirq.Circuit, qubits: Sequence[cirq.Qid], noise: Noise
) -> NDArray[np.float64]:
    """Return the exact probabilities of a resolved circuit under noise, shape (2^q,).

    Raises:
        ValueError: There are more than ten qubits.

    Cost: O(4^q) for each gate and channel.
    """
    if len(qubits) > DENSITY_LIMIT:
        raise ValueError(
            f"a density matrix of {len(qubits)} qubits is out of reach (at most {DENSITY_LIMIT}); "
            "use trajectories, or the surrogate for depolarising noise"
        )
    simulator = cirq.DensityMatrixSimulator(dtype=np.complex128)
    found = simulator.simulate(noisy_circuit(circuit, qubits, noise), qubit_order=qubits)
    exact = np.clip(np.diag(found.final_density_matrix).real, 0, None)
    return flip_readout(exact[None] / exact.sum(), noise.readout).reshape(-1)


def trajectory_probabilities(
    circuit: cirq.Circuit,
    qubits: Sequence[cirq.Qid],
    noise: Noise,
    *,
    trajectories: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return probabilities of a resolved circuit averaged over trajectories, shape (2^q,).

    Their standard error falls with the root of the number of trajectories.

    Args:
        circuit: Without symbols.
        qubits: In the order of a bitstring.
        noise: The rates.
        trajectories: How many.
        rng: Chooses the errors.

    Cost: O(trajectories x 2^q) time and memory for each gate and channel.
    """
    places = {qubit: k for k, qubit in enumerate(qubits)}
    states = np.zeros((trajectories, 2 ** len(qubits)), np.complex64)
    states[:, 0] = 1
    for operation in noisy_circuit(circuit, qubits, noise).all_operations():
        targets = [places[qubit] for qubit in operation.qubits]
        if cirq.has_unitary(operation):
            states = _apply(states, cirq.unitary(operation), targets)
        else:
            states = _suffer(states, cirq.kraus(operation), targets[0], rng)
    weights = (states.real**2 + states.imag**2).astype(np.float64)
    mean = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
    return flip_readout(mean[None], noise.readout).reshape(-1)


def _channels(noise: Noise) -> Iterator[Any]:
    if noise.depolarising:
        yield cirq.depolarize(noise.depolarising)
    if noise.amplitude_damping:
        yield cirq.amplitude_damp(noise.amplitude_damping)
    if noise.phase_damping:
        yield cirq.phase_damp(noise.phase_damping)


def _apply(states: Numbers, unitary: Numbers, targets: Sequence[int]) -> Numbers:
    """Apply one matrix to some qubits of every state, shape (t, 2^q)."""
    rows, qubits = len(states), states.shape[1].bit_length() - 1
    axes = [1 + k for k in targets]
    front = list(range(1, 1 + len(axes)))
    tensor = np.moveaxis(states.reshape((rows, *(2,) * qubits)), axes, front)
    shape = tensor.shape
    matrix = unitary.astype(states.dtype)
    moved = matrix @ tensor.reshape(rows, len(matrix), -1)
    return np.moveaxis(moved.reshape(shape), front, axes).reshape(rows, -1)


def _suffer(
    states: Numbers, kraus: Sequence[Numbers], target: int, rng: np.random.Generator
) -> Numbers:
    """Let one qubit of every state meet one Kraus operator, chosen by its own probability."""
    rows = len(states)
    pairs = states.reshape(rows, 2**target, 2, -1)
    density = np.einsum("taib,tajb->tij", pairs, pairs.conj())
    weights = np.array([np.einsum("ij,tjk,ik->t", k, density, k.conj()).real for k in kraus])
    edges = np.cumsum(weights / weights.sum(axis=0), axis=0)
    chosen = (rng.random(rows) > edges[:-1]).sum(axis=0)
    scale = np.sqrt(np.maximum(weights[chosen, np.arange(rows)], np.finfo(np.float32).tiny))
    matrices = np.array(kraus)[chosen] / scale[:, None, None]
    moved: Numbers = np.einsum("tij,tajb->taib", matrices.astype(states.dtype), pairs)
    return moved.reshape(rows, -1)
