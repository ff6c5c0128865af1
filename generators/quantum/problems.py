"""Discrete problems as energies over bitstrings: Ising models and quadratic binary problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.quantum.observables import bit_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ising:
    """The energy sum_i fields[i] z_i + sum_{i<j} couplings[i, j] z_i z_j + offset, z = 1 - 2 bit.

    Args:
        fields: Shape (q,).
        couplings: Shape (q, q), zero on and below the diagonal.
        offset: The energy of no bit at all.

    """

    fields: Floats
    couplings: Floats
    offset: float = 0.0

    def __post_init__(self) -> None:
        if self.couplings.shape != (len(self.fields),) * 2 or np.tril(self.couplings).any():
            raise ValueError(
                f"{len(self.fields)} fields need couplings of shape "
                f"{(len(self.fields),) * 2} with nothing on or below the diagonal"
            )

    @property
    def qubits(self) -> int:
        """How many bits the problem has."""
        return len(self.fields)

    @classmethod
    def from_qubo(cls, matrix: Floats) -> Ising:
        """Return the problem bits @ matrix @ bits.

        >>> Ising.from_qubo(np.array([[1.0, -2.0], [0.0, 1.0]])).energies().tolist()
        [0.0, 1.0, 1.0, 0.0]
        """
        both = np.triu(matrix, 1) + np.tril(matrix, -1).T
        alone = np.diag(matrix)
        return cls(
            fields=-alone / 2 - (both.sum(0) + both.sum(1)) / 4,
            couplings=both / 4,
            offset=float(alone.sum() / 2 + both.sum() / 4),
        )

    def energies_of(self, bits: NDArray[np.integer[Any]]) -> Floats:
        """Return the energies of bitstrings, shape (n, q) to (n,)."""
        signs = 1.0 - 2.0 * bits
        pairs = np.einsum("ni,ni->n", signs @ self.couplings, signs)
        return np.asarray(signs @ self.fields + pairs + self.offset)

    def energies(self) -> Floats:
        """Return the energy of every basis state, shape (2^q,)."""
        return self.energies_of(bit_table(self.qubits))
