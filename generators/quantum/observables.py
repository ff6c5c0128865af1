"""Bits, signs and words of Z over basis states; qubit 0 is the first and most significant bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]


def bit_table(qubits: int) -> NDArray[np.uint8]:
    """Return the bits of every basis state, shape (2^q, q).

    >>> bit_table(2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return bits_of(np.arange(2**qubits), qubits=qubits)


def bits_of(states: Integers, *, qubits: int) -> NDArray[np.uint8]:
    """Return numbers of basis states as bitstrings, shape (n, q), qubit 0 first."""
    places = np.arange(qubits - 1, -1, -1)
    return ((states[:, None] >> places) & 1).astype(np.uint8)


def states_of(bits: Integers) -> NDArray[np.int64]:
    """Return bitstrings of shape (n, q), qubit 0 first, as numbers of basis states.

    >>> states_of(np.array([[1, 0, 0]])).tolist()
    [4]
    """
    places = np.arange(bits.shape[1] - 1, -1, -1)
    return np.asarray(bits.astype(np.int64) @ (1 << places.astype(np.int64)))


def z_signs(qubits: int) -> NDArray[np.float64]:
    """Return the value of each qubit's Z on each basis state, shape (q, 2^q): 1 for bit 0.

    >>> z_signs(1).tolist()
    [[1.0, -1.0]]
    """
    return np.ascontiguousarray(1.0 - 2.0 * bit_table(qubits).T)


def z_expectations(probabilities: Floats) -> Floats:
    """Return the expectation of each qubit's Z, shape (n, q), from probabilities, shape (n, 2^q).

    Cost: O(n 2^q) time.

    >>> z_expectations(np.array([[0.0, 0.0, 1.0, 0.0]])).tolist()
    [[-1.0, 1.0]]
    """
    left, found = probabilities, []
    while (half := left.shape[1] // 2) > 0:
        zero, one = left[:, :half], left[:, half:]
        found.append(zero.sum(axis=1) - one.sum(axis=1))
        left = zero + one
    return np.stack(found, axis=1)


def z_combination(factors: Floats) -> Floats:
    """Return sums of every qubit's Z times its factor, on each basis state.

    Args:
        factors: Shape (n, q).

    Returns:
        Shape (n, 2^q).

    Cost: O(n 2^q) time.

    >>> z_combination(np.array([[1.0, 10.0]])).tolist()
    [[11.0, -9.0, 9.0, -11.0]]
    """
    rows, qubits = factors.shape
    sums, done = np.zeros((rows, 2**qubits), factors.dtype), 1
    for k in reversed(range(qubits)):
        factor = factors[:, k : k + 1]
        np.subtract(sums[:, :done], factor, out=sums[:, done : 2 * done])
        sums[:, :done] += factor
        done *= 2
    return sums


def walsh_hadamard(values: Floats) -> NDArray[np.float64]:
    """Return the sums of each row against the signs of every word of Z, shape as given.

    Word w is the product of Z on the qubits whose bits are set in w. Applied to probabilities it
    gives the expectation of every word; applied twice it multiplies by 2^q.

    Args:
        values: Shape (n, 2^q).

    Cost: O(n q 2^q) time.

    >>> walsh_hadamard(np.array([[1.0, 0.0]])).tolist()
    [[1.0, 1.0]]
    """
    sums = np.array(values, np.float64)
    rows, states = sums.shape
    stride = states // 2
    while stride:
        halves = sums.reshape(rows, -1, 2, stride)
        low, high = halves[:, :, 0].copy(), halves[:, :, 1]
        halves[:, :, 0] += high
        halves[:, :, 1] = low - high
        stride //= 2
    return sums
