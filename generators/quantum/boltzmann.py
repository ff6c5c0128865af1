"""Boltzmann machines, quantum and classical: units that are seen, hidden units, two ways to learn.

A machine is a thermal state (`ising.py`) whose first qubits are seen. Hidden qubits meet the seen
ones and not each other. Without a transverse field it is a classical Boltzmann machine.

    machine = Machine.started(8, hidden=2, gamma=1.0, rng=rng)
    loss, slope = exact_loss(machine, target)          # cross entropy, its derivatives
    loss, slope = bound_loss(machine, seen, share)     # its upper bound (Golden and Thompson)
    machine = machine.moved(machine.vector - 0.1 * slope)

The exact derivatives need the state diagonalised and reach every term. Those of the bound are
differences of moments, which annealed chains can estimate at any size. The bound knows nothing of
the transverse field on seen qubits, where it is tight only without one: it cannot train the field.

Where only hidden qubits feel a transverse field, the bound is exact and has a closed form:

    loss, slope = hidden_loss(machine, target)         # any number of hidden qubits

Source: Amin et al. (2018), Phys. Rev. X 8, 021050.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.quantum.ising import Terms, clamped_log_weights, clamped_moments, thermal_state
from generators.quantum.observables import bit_table
from generators.quantum.problems import Ising

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bitstrings = NDArray[np.uint8]

RAREST = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """The terms of a machine's Hamiltonian.

    Attributes:
        problem: The energy of the bits; seen qubits come first.
        transverse: The strength of X on each qubit, shape (q,).
        visible: How many qubits are seen.

    """

    problem: Ising
    transverse: Floats
    visible: int

    @staticmethod
    def started(
        visible: int,
        *,
        hidden: int,
        gamma: float,
        rng: np.random.Generator,
        on_visible: bool = True,
    ) -> Machine:
        """Return a machine of nearly independent units; `rng` tells the hidden ones apart.

        Args:
            visible: How many qubits are seen.
            hidden: How many are not.
            gamma: The transverse field.
            rng: Draws small couplings.
            on_visible: Whether seen qubits feel the field too.

        """
        qubits = visible + hidden
        transverse = np.full(qubits, gamma)
        if not on_visible:
            transverse[:visible] = 0.0
        couplings = np.zeros((qubits, qubits))
        couplings[:visible, visible:] = 0.02 * rng.standard_normal((visible, hidden))
        problem = Ising(fields=np.zeros(qubits), couplings=couplings)
        return Machine(problem=problem, transverse=transverse, visible=visible)

    @property
    def qubits(self) -> int:
        """Return the number of units, seen and hidden."""
        return self.problem.qubits

    @property
    def vector(self) -> Floats:
        """Return all terms as one vector: fields, couplings row by row, transverse fields."""
        terms = Terms(
            fields=self.problem.fields,
            couplings=self.problem.couplings,
            transverse=self.transverse,
        )
        return self.flat(terms)

    def flat(self, terms: Terms) -> Floats:
        """Return numbers for each term in the order of `vector`."""
        return np.concatenate([terms.fields, terms.couplings[self.pairs], terms.transverse])

    def moved(self, vector: Floats) -> Machine:
        """Return the machine with these terms."""
        fields, pairs, transverse = np.split(vector, [self.qubits, len(vector) - self.qubits])
        couplings = np.zeros((self.qubits, self.qubits))
        couplings[self.pairs] = pairs
        problem = Ising(fields=fields, couplings=couplings)
        return Machine(problem=problem, transverse=transverse, visible=self.visible)

    def probabilities(self) -> Floats:
        """Return the probability of every seen bitstring, shape (2^visible,)."""
        if self.transverse[: self.visible].any() or self.visible == self.qubits:
            return self.seen(thermal_state(self.problem, self.transverse).probabilities)
        logs = clamped_log_weights(self.problem, self.transverse, bit_table(self.visible))
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    def seen(self, probabilities: Floats) -> Floats:
        """Return those of the seen bits from those of all basis states."""
        return np.asarray(probabilities.reshape(2**self.visible, -1).sum(axis=1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `restored` needs."""
        return {
            "fields": self.problem.fields,
            "couplings": self.problem.couplings,
            "transverse": self.transverse,
            "visible": np.array(self.visible),
        }

    @staticmethod
    def restored(arrays: Mapping[str, NDArray[Any]]) -> Machine:
        """Return the machine that `arrays` wrote."""
        problem = Ising(fields=arrays["fields"], couplings=arrays["couplings"])
        visible = int(arrays["visible"])
        return Machine(problem=problem, transverse=arrays["transverse"], visible=visible)

    @property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the pairs that may be coupled: all but two hidden qubits."""
        first, second = np.triu_indices(self.qubits, 1)
        meet = first < self.visible
        return first[meet], second[meet]


def exact_loss(
    machine: Machine, target: Floats, *, mask: NDArray[np.bool_] | None = None
) -> tuple[float, Floats, Floats]:
    """Return the cross entropy of a target and the machine, and its derivatives.

    Args:
        machine: At most `ising.MOST_QUBITS` qubits, unless it has no transverse field.
        target: The wanted probability of each seen bitstring, shape (2^visible,).
        mask: Which seen bitstrings count; the machine's probabilities are those given that one
            of them is seen.

    Returns:
        -sum target log p in nats; its derivatives in the order of `machine.vector`; and p, shape
        (2^visible,).

    Cost: O(8^q) time; O(q^2 2^q) without a transverse field.
    """
    state = thermal_state(machine.problem, machine.transverse)
    seen = np.maximum(machine.seen(state.probabilities), RAREST)
    counted = np.ones(len(seen)) if mask is None else mask.astype(np.float64)
    total = float(seen @ counted)
    loss = float(np.log(total) - target @ np.log(seen))
    upstream = counted / total - target / seen
    hidden = 2 ** (machine.qubits - machine.visible)
    slope = machine.flat(state.pull(np.repeat(upstream, hidden)))
    return loss, slope, seen * counted / total


def hidden_loss(
    machine: Machine, target: Floats, *, mask: NDArray[np.bool_] | None = None
) -> tuple[float, Floats, Floats]:
    """Return what `exact_loss` does, of a machine whose seen qubits feel no transverse field.

    Its bits, seen, stay what they are, and each hidden qubit follows them on its own: nothing is
    diagonalised, and the number of hidden qubits is free.

    Cost: O(2^visible q^2) time.
    """
    seen = bit_table(machine.visible)
    if machine.transverse[: machine.visible].any():
        raise ValueError("seen qubits feel a transverse field; use exact_loss or bound_loss")
    logs = clamped_log_weights(machine.problem, machine.transverse, seen)
    if mask is not None:
        logs = np.where(mask, logs, -np.inf)
    weights = np.exp(logs - logs.max())
    chances = weights / weights.sum()
    loss = -float(target @ np.log(np.maximum(chances, RAREST)))
    data, own = (
        clamped_moments(machine.problem, machine.transverse, seen, share)
        for share in (target, chances)
    )
    slope = Terms(
        fields=data.fields - own.fields,
        couplings=data.couplings - own.couplings,
        transverse=own.transverse - data.transverse,
    )
    return loss, machine.flat(slope), chances


def bound_slope(machine: Machine, seen: Bitstrings, share: Floats, moments: Terms) -> Floats:
    """Return the derivatives of the upper bound of the cross entropy.

    Args:
        machine: Of any size.
        seen: Different bitstrings, shape (n, visible).
        share: Their wanted probabilities, shape (n,).
        moments: Of the machine itself, exact or from annealed chains.

    Returns:
        In the order of `machine.vector`; zero for the transverse fields, which the bound would
        only ever lower.

    """
    data = clamped_moments(machine.problem, machine.transverse, seen, share)
    difference = Terms(
        fields=data.fields - moments.fields,
        couplings=data.couplings - moments.couplings,
        transverse=np.zeros(machine.qubits),
    )
    return machine.flat(difference)


def bound_loss(machine: Machine, seen: Bitstrings, share: Floats) -> tuple[float, Floats, Floats]:
    """Return the upper bound of the cross entropy, its derivatives, and p, as `exact_loss` does.

    The derivatives are those of `bound_slope` with exact moments.

    >>> machine = Machine.started(1, hidden=0, gamma=0.0, rng=np.random.default_rng(0))
    >>> bound_loss(machine, np.array([[0]], np.uint8), np.ones(1))[1].tolist()  # more field up
    [1.0, 0.0]
    """
    state = thermal_state(machine.problem, machine.transverse)
    held = clamped_log_weights(machine.problem, machine.transverse, seen)
    loss = float(state.log_partition - share @ held)
    slope = bound_slope(machine, seen, share, state.moments())
    return loss, slope, machine.seen(state.probabilities)
