"""Noise of present-day devices: its rates, and what of it can be had from probabilities alone.

The exact treatment (density matrices, at most 10 qubits) and trajectories with any noise are in
`noisy.py`, trajectories at the speed of the fast engine in `pauli.py`. The surrogate here costs
nothing at any size: it mixes the probabilities with the uniform distribution and flips bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

# An error either spreads over all qubits or stays a flip of its own bit. These shares of both fit
# exact density matrices of hardware-efficient circuits with 2 to 6 qubits best at their worst.
_SPREADING, _STAYING = 0.1, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Rates of each kind of error; the first three act on every qubit after every moment.

    Args:
        depolarising: Chance of a random Pauli error.
        amplitude_damping: Chance that a 1 decays to 0.
        phase_damping: Chance that the phase is lost.
        readout: Chance that a bit is read as its opposite.

    """

    depolarising: float = 0.0
    amplitude_damping: float = 0.0
    phase_damping: float = 0.0
    readout: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 <= (rate := getattr(self, name)) <= 1:
                raise ValueError(f"the rate of {name} is {rate}; it must lie between 0 and 1")

    @property
    def in_circuit(self) -> bool:
        """Whether anything happens before the bits are read."""
        return max(self.depolarising, self.amplitude_damping, self.phase_damping) > 0


def flip_readout(values: Floats, rate: float) -> NDArray[np.float64]:
    """Flip every bit of the basis states independently; the map is its own transpose.

    Args:
        values: Probabilities, or upstream derivatives, shape (n, 2^q).
        rate: Chance of a flip.

    >>> flip_readout(np.array([[1.0, 0.0]]), 0.25).tolist()
    [[0.75, 0.25]]
    """
    flipped = np.asarray(values, np.float64)
    rows, states = flipped.shape
    stride = states // 2
    while stride:
        pairs = flipped.reshape(rows, -1, 2, stride)
        flipped = ((1 - rate) * pairs + rate * pairs[:, :, ::-1]).reshape(rows, states)
        stride //= 2
    return flipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrogate:
    """The rates that stand for noise inside a circuit.

    Args:
        share: Of the uniform distribution.
        flip: Chance that a bit flips, before readout.

    """

    share: float
    flip: float


def surrogate(noise: Noise, *, qubits: int, moments: int) -> Surrogate:
    """Return the surrogate of depolarising noise.

    Against exact density matrices (hardware-efficient circuits, 2 to 6 qubits, 2 to 6 layers,
    rates up to 0.03) it errs by 0.14 in total variation at most and 0.04 in the mean, where the
    noise itself moves the probabilities by up to 0.7.

    Raises:
        ValueError: There is damping, which leads neither to flips nor to the uniform distribution.

    """
    if noise.amplitude_damping or noise.phase_damping:
        raise ValueError(
            "the surrogate knows depolarising and readout noise only; "
            "use a density matrix (at most 10 qubits) or trajectories for damping"
        )
    rate = noise.depolarising
    return Surrogate(
        share=1 - (1 - rate) ** (_SPREADING * qubits * moments),
        flip=(1 - max(0.0, 1 - 4 * rate / 3) ** (_STAYING * moments)) / 2,
    )
