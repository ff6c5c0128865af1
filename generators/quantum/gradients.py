"""Derivatives from probabilities alone: shifted angles and finite differences.

Both differentiate the probabilities, which the upstream derivative then turns into the loss's
derivative. The shift rule holds for expectations only: shifting the argument of a loss that is not
linear in the probabilities (a likelihood, a squared kernel distance) gives a wrong gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

_ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Stencil:
    """A derivative as a weighted sum of values: f'(t) = sum of factors x f(t + steps).

    Args:
        steps: How far to go from the point.
        factors: The weight of the value found there.

    """

    steps: tuple[float, ...]
    factors: tuple[float, ...]


def shift_rule(order: int, *, frequency: float = 1.0) -> Stencil:
    """Return the exact rule for functions whose frequencies are 1, ..., order times one.

    A turn or a phase has order 1; a partial swap has order 2.

    Source: Wierichs, Izaac, Wang and Lin (2022), Quantum 6, 677.

    >>> shift_rule(1).steps[0] == np.pi / 2
    True
    """
    odd = np.arange(1, 4 * order, 2)
    alternating = np.where(np.arange(2 * order) % 2, -1.0, 1.0)
    factors = alternating / (4 * order * np.sin(odd * np.pi / (4 * order)) ** 2)
    steps = odd * np.pi / (2 * order)
    return Stencil(steps=tuple(steps / frequency), factors=tuple(factors * frequency))


def central_difference(step: float) -> Stencil:
    """Return the central difference of fourth order: it errs by step^4 / 30 times f^(5)."""
    factors = np.array([1.0, -8.0, 8.0, -1.0]) / (12 * step)
    return Stencil(steps=(-2 * step, -step, step, 2 * step), factors=tuple(factors))


def differentiate(
    probabilities: Callable[[Floats], Floats],
    angles: Floats,
    *,
    stencils: Sequence[Stencil | None],
    upstream: Floats,
) -> NDArray[np.float64]:
    """Return the loss's derivative by every angle of every row, shape (n, s).

    Args:
        probabilities: Those of rows of angles, shapes (m, s) to (m, 2^q).
        angles: Shape (n, s).
        stencils: One for each angle, none for an angle that never moves.
        upstream: The loss's derivative by the probabilities, shape (n, 2^q).

    Cost: One run of the circuit for each row and each step of each stencil.
    """
    rows = len(angles)
    moves = [
        (slot, step, factor)
        for slot, stencil in enumerate(stencils)
        if stencil is not None
        for step, factor in zip(stencil.steps, stencil.factors, strict=True)
    ]
    result = np.zeros(angles.shape)
    at_once = max(1, _ROWS_AT_ONCE // rows)
    for start in range(0, len(moves), at_once):
        some = moves[start : start + at_once]
        moved = np.repeat(np.asarray(angles, np.float64)[None], len(some), axis=0)
        for copy, (slot, step, _) in zip(moved, some, strict=True):
            copy[:, slot] += step
        found = probabilities(moved.reshape(-1, angles.shape[1])).reshape(len(some), rows, -1)
        for value, (slot, _, factor) in zip(found, some, strict=True):
            result[:, slot] += factor * np.einsum("ns,ns->n", value, upstream)
    return result
