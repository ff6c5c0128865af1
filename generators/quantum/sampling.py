"""Bitstrings and frequencies drawn from probabilities: seeded, and in no order.

TensorFlow Quantum's own samplers take no seed and return sorted bitstrings, so that the place of a
row tells its content. Draws are made here from the probabilities instead.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.quantum.observables import bits_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]


def draw_states(probabilities: Floats, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return n independent basis states: a longer draw begins with a shorter one.

    Args:
        probabilities: Shape (2^q,); rounding errors in their sum are taken out.
        n: How many.
        rng: Gives one uniform number for each.

    Raises:
        ValueError: A probability is negative or not finite, or all are zero.

    Cost: O(2^q + n q) time.

    >>> draw_states(np.array([0.0, 0.0, 1.0, 0.0]), 3, np.random.default_rng(0)).tolist()
    [2, 2, 2]
    """
    total = np.cumsum(_checked(probabilities))
    places = np.searchsorted(total, rng.random(n) * total[-1], side="right")
    last = int(np.flatnonzero(probabilities)[-1])
    return np.asarray(np.minimum(places, last), np.int64)


def draw_bits(probabilities: Floats, n: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return n independent bitstrings, shape (n, q), qubit 0 first."""
    qubits = len(probabilities).bit_length() - 1
    return bits_of(draw_states(probabilities, n, rng), qubits=qubits)


def frequencies(
    probabilities: Floats, *, repetitions: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return how often each basis state comes up in finitely many executions, shape as given.

    Args:
        probabilities: Shape (n, 2^q).
        repetitions: Executions of the circuit for each row.
        rng: Draws the executions.

    """
    if repetitions < 1:
        raise ValueError(f"a circuit must be executed at least once, got {repetitions} repetitions")
    exact = np.array([_checked(row) for row in probabilities])
    exact /= exact.sum(axis=1, keepdims=True)
    return np.asarray(rng.multinomial(repetitions, exact) / repetitions)


def executions(
    repetitions: int | None, rng: np.random.Generator | None, gradient: str | None
) -> Callable[[Floats], Floats] | None:
    """Return what turns exact probabilities into frequencies; nothing without repetitions.

    Args:
        repetitions: Executions of the circuit for each row.
        rng: Draws them.
        gradient: How the executor was asked to differentiate.

    Raises:
        ValueError: There is no generator, or adjoint derivatives were asked for.

    """
    if repetitions is None:
        return None
    if gradient == "adjoint":
        raise ValueError(
            "adjoint derivatives need the state, and repetitions show frequencies only; "
            'use gradient="parameter_shift"'
        )
    if rng is None:
        raise ValueError("repetitions are random; give rng")
    return partial(frequencies, repetitions=repetitions, rng=rng)


def _checked(probabilities: Floats) -> NDArray[np.float64]:
    exact = np.asarray(probabilities, np.float64)
    if not np.isfinite(exact).all() or (exact < 0).any() or not exact.any():
        raise ValueError("probabilities must be finite, at least zero and not all zero")
    return exact
