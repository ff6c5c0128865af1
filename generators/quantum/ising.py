"""Transverse-field Ising models in thermal equilibrium: exact probabilities, moments, gradients.

The state is exp(-H) / Z with H the energy of the bits (`problems.Ising`) less a transverse field on
every qubit, -sum_i transverse[i] X_i. Without that field it is the classical Boltzmann
distribution, and nothing needs to be diagonalised. The field's sign does not matter.

    state = thermal_state(problem, transverse)
    p = state.probabilities                    # (2^q,), qubit 0 the most significant bit
    g = state.pull(upstream)                   # derivatives of a loss from those by p
    m = state.moments()                        # expectations of Z, ZZ and X

`clamped_moments` and `clamped_log_weights` are what the bound of Golden and Thompson needs: a
model whose first qubits are held at given bits, and whose other qubits do not meet each other.

Source: Amin et al. (2018), Phys. Rev. X 8, 021050.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from detector.errors import DetectorError
from generators.quantum.observables import z_signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.quantum.problems import Ising

    Floats = NDArray[np.float64]
    Bitstrings = NDArray[np.uint8]

MOST_QUBITS = 12
"""Beyond, a dense matrix takes more than 128 MiB and its diagonalisation minutes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """One number for each term of a Hamiltonian: expectations, or derivatives.

    Attributes:
        fields: Of Z on each qubit, shape (q,).
        couplings: Of ZZ on each pair, shape (q, q), zero on and below the diagonal.
        transverse: Of X on each qubit, shape (q,).

    """

    fields: Floats
    couplings: Floats
    transverse: Floats


class ThermalState(Protocol):
    """A thermal state, diagonalised once."""

    @property
    def probabilities(self) -> Floats:
        """Return the probability of every basis state, shape (2^q,)."""

    @property
    def log_partition(self) -> float:
        """Return log Z."""

    def moments(self) -> Terms:
        """Return the expectations of every Z, ZZ and X."""

    def pull(self, upstream: Floats) -> Terms:
        """Return the derivatives of a loss by all terms of the Hamiltonian.

        Args:
            upstream: The loss's derivatives by the probabilities, shape (2^q,).

        """


def thermal_state(problem: Ising, transverse: Floats) -> ThermalState:
    """Return the thermal state at temperature 1.

    Args:
        problem: The energy of the bits.
        transverse: The strength of X on each qubit, shape (q,).

    Raises:
        DetectorError: There are too many qubits for a dense matrix, or a number is not finite.

    Cost: O(8^q) time and O(4^q) memory; O(q^2 2^q) time without a transverse field.

    >>> from generators.quantum.problems import Ising
    >>> one = Ising(fields=np.array([0.0]), couplings=np.zeros((1, 1)))
    >>> thermal_state(one, np.array([0.7])).moments().transverse.round(4).tolist()  # tanh 0.7
    [0.6044]
    """
    qubits = problem.qubits
    if transverse.shape != (qubits,):
        raise ValueError(f"{qubits} qubits need as many fields, got shape {transverse.shape}")
    if not all(np.isfinite(x).all() for x in (problem.fields, problem.couplings, transverse)):
        raise DetectorError("The Hamiltonian has a term that is no number; training has diverged.")
    if not transverse.any():
        return _Diagonal.of(problem)
    if qubits > MOST_QUBITS:
        raise DetectorError(
            f"{qubits} qubits are too many to diagonalise; {MOST_QUBITS} is the most.",
            hint="Sample by annealing instead.",
        )
    return _Dense.of(problem, transverse)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Diagonal:
    """A classical Boltzmann distribution."""

    probabilities: Floats
    log_partition: float

    @staticmethod
    def of(problem: Ising) -> _Diagonal:
        energies = problem.energies()
        lowest = energies.min()
        weights = np.exp(lowest - energies)
        log_partition = float(np.log(weights.sum()) - lowest)
        return _Diagonal(probabilities=weights / weights.sum(), log_partition=log_partition)

    def moments(self) -> Terms:
        return _diagonal_terms(self.probabilities)

    def pull(self, upstream: Floats) -> Terms:
        mean = float(upstream @ self.probabilities)
        return _diagonal_terms((mean - upstream) * self.probabilities)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Dense:
    """Eigenvalues of -H less the largest one, rising, and eigenvectors in columns."""

    values: Floats
    vectors: Floats
    probabilities: Floats
    log_partition: float

    @staticmethod
    def of(problem: Ising, transverse: Floats) -> _Dense:
        qubits = problem.qubits
        states = np.arange(2**qubits)
        matrix = np.zeros((2**qubits, 2**qubits))
        matrix[states, states] = -problem.energies()
        for k, flipped in enumerate(_flips(qubits)):
            matrix[states, flipped] = transverse[k]
        values, vectors = np.linalg.eigh(matrix)
        weights = np.square(vectors) @ np.exp(values - values[-1])
        return _Dense(
            values=values - values[-1],
            vectors=vectors,
            probabilities=weights / weights.sum(),
            log_partition=float(np.log(weights.sum()) + values[-1]),
        )

    def moments(self) -> Terms:
        grown = np.exp(self.values)
        return _matrix_terms((self.vectors * (grown / grown.sum())) @ self.vectors.T)

    def pull(self, upstream: Floats) -> Terms:
        """Differentiate the exponential by divided differences of its eigenvalues.

        Source: Daleckii and Krein (1965), AMS Translations 47.
        """
        total = np.exp(self.values).sum()
        observed = upstream - float(upstream @ self.probabilities)
        kernel = self.vectors.T @ (observed[:, None] * self.vectors)
        kernel *= _divided_differences(self.values) / total
        found = _matrix_terms(self.vectors @ kernel @ self.vectors.T)
        return Terms(fields=-found.fields, couplings=-found.couplings, transverse=found.transverse)


def clamped_moments(problem: Ising, transverse: Floats, seen: Bitstrings, share: Floats) -> Terms:
    """Return the moments of a model whose first qubits are held at rows of bits, averaged.

    Args:
        problem: The energy; qubits that are not held have no couplings among each other.
        transverse: Shape (q,); that of the held qubits does not act.
        seen: The held bits, shape (n, v).
        share: The weight of each row, shape (n,), with sum 1.

    """
    visible = seen.shape[1]
    everything, across = clamped_signs(problem, transverse, seen)
    pairs = np.triu(everything.T @ (share[:, None] * everything), 1)
    pairs[visible:, visible:] = 0.0
    return Terms(
        fields=share @ everything,
        couplings=pairs,
        transverse=np.append(np.zeros(visible), share @ across),
    )


def clamped_signs(problem: Ising, transverse: Floats, seen: Bitstrings) -> tuple[Floats, Floats]:
    """Return, held at each row of bits, the mean Z of every qubit and the mean X of those not held.

    Shapes (n, q) and (n, q - v).
    """
    signs = 1.0 - 2.0 * seen
    along, strength = _hidden_fields(problem, transverse, signs)
    pace = np.tanh(strength) / np.maximum(strength, 1e-12)
    return np.hstack([signs, along * pace]), transverse[seen.shape[1] :] * pace


def clamped_log_weights(problem: Ising, transverse: Floats, seen: Bitstrings) -> Floats:
    """Return log Tr exp(-H) of the model held at each row of bits, shape (n,).

    Less log Z it is a lower bound of the row's log probability; without a transverse field it is
    the log probability.
    """
    visible = seen.shape[1]
    signs = 1.0 - 2.0 * seen
    inside = np.einsum("ni,ij,nj->n", signs, problem.couplings[:visible, :visible], signs)
    held = signs @ problem.fields[:visible] + inside + problem.offset
    _, strength = _hidden_fields(problem, transverse, signs)
    found: Floats = np.logaddexp(strength, -strength).sum(axis=1) - held
    return found


def _hidden_fields(problem: Ising, transverse: Floats, signs: Floats) -> tuple[Floats, Floats]:
    """Return the field along Z on each qubit that is not held, and the whole field's length."""
    visible = signs.shape[1]
    if problem.couplings[visible:, visible:].any():
        raise ValueError("hidden qubits meet each other; the bound has no closed form then")
    along = -(signs @ problem.couplings[:visible, visible:] + problem.fields[visible:])
    return along, np.hypot(along, transverse[visible:])


def _diagonal_terms(weights: Floats) -> Terms:
    """Return the sums of Z and ZZ over basis states with these weights, shape (2^q,)."""
    signs = z_signs(len(weights).bit_length() - 1)
    weighted = signs * weights
    return Terms(
        fields=weighted.sum(axis=1),
        couplings=np.triu(weighted @ signs.T, 1),
        transverse=np.zeros(len(signs)),
    )


def _matrix_terms(matrix: Floats) -> Terms:
    """Return the traces of a matrix with every Z, ZZ and X."""
    found = _diagonal_terms(np.diagonal(matrix))
    states = np.arange(len(matrix))
    flips = _flips(len(found.fields))
    across = np.array([matrix[states, flipped].sum() for flipped in flips])
    return Terms(fields=found.fields, couplings=found.couplings, transverse=across)


def _divided_differences(values: Floats) -> Floats:
    """Return (e^a - e^b) / (a - b) for all pairs of values, and e^a where both are equal."""
    gap = np.abs(np.subtract.outer(values, values))
    near = gap < 1e-9
    ratio = np.where(near, 1.0, -np.expm1(-gap) / np.where(near, 1.0, gap))
    found: Floats = ratio * np.exp(np.maximum.outer(values, values))
    return found


def _flips(qubits: int) -> list[NDArray[Any]]:
    """Return, for each qubit, every basis state with that qubit's bit flipped."""
    states = np.arange(2**qubits)
    return [states ^ (1 << (qubits - 1 - k)) for k in range(qubits)]
