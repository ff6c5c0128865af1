"""What noise and finite executions do to a trained circuit: fidelity and variety with and without.

A recipe whose circuit is disturbed says so in its log, so that nobody takes the device's share of
the trouble for the model's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from generators.losses import row_distance, state_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.born import Target

    Floats = NDArray[np.floating[Any]]
    Facts = dict[str, float | int | str]

COLLAPSED = 0.8
"""A share of the variety without noise, below which the log speaks of a collapse."""


def blurred_law(target: Target, exact: Floats, read: Floats) -> tuple[Facts, tuple[str, ...]]:
    """Return what a log should say of a law that noise and finite executions have changed.

    Args:
        target: What the circuit was to learn.
        exact: Probabilities without noise, shape (2^q,).
        read: The law that rows are drawn from, shape (2^q,).

    """
    laws = [np.asarray(target.law(exact), np.float64), np.asarray(read, np.float64)]
    shares = np.asarray(target.shares, np.float64)
    moved = 0.5 * float(np.abs(laws[0] - laws[1]).sum())
    states = [_states(law) for law in laws]
    apart = [state_distance(law, shares, target.kernel).value for law in laws]
    facts: Facts = {"moved": moved, "states": states[1], "states_exact": states[0]}
    facts |= {"distance": apart[1], "distance_exact": apart[0]}
    note = (
        f"Noise and finite executions move {moved:.1%} of the law: {states[1]:,.0f} states in use "
        f"({states[0]:,.0f} without), squared distance to the rows {apart[1]:.2g} ({apart[0]:.2g})."
    )
    return facts, (note, *_collapse(states[1] / states[0]))


def blurred_rows(real: Floats, exact: Floats, read: Floats) -> tuple[Facts, tuple[str, ...]]:
    """Return what a log should say of rows that noise and finite executions have changed.

    Args:
        real: Training rows, shape (n, d).
        exact: Rows drawn without noise, shape (m, d).
        read: Rows drawn with it, from the same latent rows, shape (m, d).

    """
    spread = float(read.std(axis=0).mean() / max(1e-12, float(exact.std(axis=0).mean())))
    apart = [row_distance(rows, real).value for rows in (exact, read)]
    facts: Facts = {"spread_kept": spread, "distance": apart[1], "distance_exact": apart[0]}
    note = (
        f"Noise and finite executions leave {spread:.1%} of the spread; squared distance to the "
        f"rows {apart[1]:.2g} ({apart[0]:.2g} without)."
    )
    return facts, (note, *_collapse(spread))


def _states(law: Floats) -> float:
    """Return the number of states that a law is spread over: the exponential of its entropy."""
    seen = law[law > 0] / law.sum()
    return float(np.exp(-np.sum(seen * np.log(seen))))


def _collapse(kept: float) -> tuple[str, ...]:
    if kept >= COLLAPSED:
        return ()
    return (f"Collapse by noise: {kept:.1%} of the variety is left.",)
