"""Training of Boltzmann machines: summed over all bitstrings, or with chains that go on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from generators.quantum.annealing import Paths, anneal, swept
from generators.quantum.boltzmann import bound_loss, bound_slope, exact_loss, hidden_loss
from generators.quantum.descent import Adam, AdamState, Place, slope_by
from generators.quantum.fisher import among_laws
from generators.quantum.observables import states_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from generators.diary import Diary
    from generators.quantum.boltzmann import Machine

    Arrays = Mapping[str, NDArray[Any]]
    Floats = NDArray[np.float64]
    Bitstrings = NDArray[np.uint8]

CHECKS = 40
"""How often a machine's chains are held against validation rows."""

JUDGED_AFTER = 30
"""Sweeps of the annealing that judges a machine."""

STEADY = 0.95
"""How much of the running mean of the terms stays in each step."""

RAREST = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What a machine learns from.

    Attributes:
        seen: The different bitstrings of the training rows, shape (k, visible).
        share: The share of the training rows that each has, shape (k,).
        validation: Bitstrings that are not trained on, shape (m, visible).

    """

    seen: Bitstrings
    share: Floats
    validation: Bitstrings

    @staticmethod
    def split(rows: Bitstrings, *, held: float, rng: np.random.Generator) -> Evidence:
        """Hold a share of the rows back, two at least; under four rows, all are on both sides."""
        order = rng.permutation(len(rows))
        count = max(2, int(held * len(rows)))
        training, validation = rows[order[count:]], rows[order[:count]]
        if len(rows) < 4:
            training = validation = rows
        seen, counts = np.unique(training, axis=0, return_counts=True)
        return Evidence(seen=seen, share=counts / counts.sum(), validation=validation)

    def target(self) -> Floats:
        """Return the share of every bitstring, shape (2^visible,)."""
        found = np.zeros(2 ** self.seen.shape[1])
        found[states_of(self.seen)] = self.share
        return found


class _Loss(NamedTuple):
    """A loss of machines, and the geometry of their laws; see `among_laws`."""

    value: Callable[[Machine], float]
    natural: Callable[..., Floats]


class _Chained(NamedTuple):
    """What moves beside the terms: a random stream, and what to keep of the chains it moves."""

    rng: np.random.Generator | None
    save: Callable[[], Arrays]
    restore: Callable[[Arrays], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """How to train.

    Attributes:
        rate: Learning rate at the start; it falls to nothing at the last step.
        decay: Weight decay.
        steps: Steps at most.
        train_transverse: Whether the transverse fields move, where their derivatives are known.
        couplings: The pairs of seen qubits that may be coupled; None for all.
        optimiser: Where a step's slope comes from: `adam`; where all bitstrings are summed, also
            `spsa`, and where the loss is the cross entropy itself, `natural` in Fisher's metric.

    """

    rate: float
    decay: float
    steps: int
    train_transverse: bool
    couplings: tuple[tuple[int, int], ...] | None = None
    optimiser: str = "adam"

    def summed(
        self,
        machine: Machine,
        evidence: Evidence,
        diary: Diary,
        *,
        mask: NDArray[np.bool_],
        way: str,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Train with the probabilities of all bitstrings.

        Keeps the machine under which the validation rows are likeliest.

        Args:
            machine: Where to start.
            evidence: What to learn.
            diary: Keeps the best machine.
            mask: Which seen bitstrings mean something, shape (2^visible,).
            way: Descend the cross entropy by diagonalisation (`exact`) or, where seen qubits
                feel no transverse field, in closed form (`hidden`); or descend its bound
                (`bound`).
            rng: For SPSA, which cannot do without.

        """
        target, validation = evidence.target(), states_of(evidence.validation)

        def found(machine: Machine) -> tuple[float, Floats, Floats]:
            if way == "exact":
                return exact_loss(machine, target, mask=mask)
            if way == "hidden":
                return hidden_loss(machine, target, mask=mask)
            loss, slope, chances = bound_loss(machine, evidence.seen, evidence.share)
            return loss, slope, chances / max(RAREST, chances[mask].sum())

        def slope_of(machine: Machine, _step: int) -> Floats:
            loss, slope, chances = found(machine)
            surprise = -np.log(np.maximum(chances[validation], RAREST)).mean()
            diary.record(loss=loss, validation=surprise)
            diary.keep(machine.arrays(), score=float(surprise))
            return slope

        summed = _Loss(lambda machine: found(machine)[0], partial(among_laws, mask=mask))
        kept = _Chained(rng if self.optimiser == "spsa" else None, dict, lambda _arrays: None)
        self._descend(machine, diary, slope_of, kept, summed)

    def annealed(
        self,
        machine: Machine,
        evidence: Evidence,
        diary: Diary,
        *,
        chains: int,
        sweeps: int,
        slices: int,
        distance: Callable[[Bitstrings], float],
        rng: np.random.Generator,
    ) -> None:
        """Train by the bound, its moments taken from annealed chains that go on.

        Chains that go on lag behind the terms, and the terms swing around them. So what is judged
        and kept is a running mean of the terms, and it is judged by chains of its own.

        Args:
            machine: Where to start.
            evidence: What to learn.
            diary: Keeps the mean machine whose own chains are nearest to the validation rows.
            chains: How many.
            sweeps: Sweeps of each step.
            slices: Moments of imaginary time.
            distance: How far bitstrings, shape (n, visible), are from the validation rows.
            rng: Moves the chains.

        """
        begin = partial(anneal, chains=chains, slices=slices, sweeps=JUDGED_AFTER, rng=rng)
        paths = begin(machine.problem, machine.transverse)
        every = max(1, self.steps // CHECKS)
        mean = machine.vector

        def slope_of(machine: Machine, step: int) -> Floats:
            nonlocal paths, mean
            mean = STEADY * mean + (1.0 - STEADY) * machine.vector
            if step % every == 0 or step + 1 == self.steps:
                judged = machine.moved(mean)
                fresh = begin(judged.problem, judged.transverse)
                apart = distance(fresh.bits()[:, : machine.visible])
                diary.record(mmd=apart)
                diary.keep(judged.arrays(), score=apart)
            problem, transverse = machine.problem, machine.transverse
            paths = swept(paths, problem, transverse, sweeps=sweeps, rng=rng)
            return bound_slope(machine, evidence.seen, evidence.share, paths.moments(transverse))

        def restore(arrays: Arrays) -> None:
            nonlocal paths, mean
            paths, mean = Paths(zeros=arrays["zeros"]), arrays["running"]

        chained = _Chained(rng, lambda: {"zeros": paths.zeros, "running": mean}, restore)
        self._descend(machine, diary, slope_of, chained)

    def _descend(
        self,
        machine: Machine,
        diary: Diary,
        slope_of: Callable[[Machine, int], Floats],
        chained: _Chained,
        summed: _Loss | None = None,
    ) -> None:
        adam, vector = Adam(rate=self.rate), machine.vector
        state = adam.start(vector)
        moving = self._moving(machine)

        def restore(arrays: Arrays) -> None:
            nonlocal vector, state, machine
            vector, state = arrays["vector"], AdamState.restored(arrays)
            machine = machine.moved(vector)
            chained.restore(arrays)

        def save() -> Arrays:
            return {"vector": vector, **state.arrays(), **chained.save()}

        diary.carry(chained.rng, save, restore)
        with diary:
            for step in diary.steps():
                slope = (slope_of(machine, step) + self.decay * vector) * moving
                diary.record(slope=float(np.abs(slope).mean()))
                if summed is not None:
                    place = self._place(machine, slope, summed, moving)
                    by, rng = self.optimiser, chained.rng
                    slope = slope_by(by, place, vector, taken=step, rng=rng) * moving
                scale = 1.0 - step / self.steps
                vector, state = adam.step(vector, slope, state, scale=scale)
                machine = machine.moved(vector)

    def _moving(self, machine: Machine) -> Floats:
        """Return 1 for the terms that are trained, else 0; a field that is none stays none."""
        pairs = zip(*machine.pairs, strict=True)
        free = None if self.couplings is None else set(self.couplings)
        met = [free is None or j >= machine.visible or (i, j) in free for i, j in pairs]
        field = self.train_transverse * (machine.transverse != 0.0)
        return np.concatenate([np.ones(machine.qubits), np.array(met, float), field])

    def _place(self, machine: Machine, slope: Floats, summed: _Loss, moving: Floats) -> Place:
        """Return the loss around a machine's terms, of which only some move."""

        def loss(vector: Floats) -> float:
            other = machine.moved(np.where(moving, vector, machine.vector))
            return summed.value(other) + self.decay / 2 * float(vector @ vector)

        def natural(slope: Floats, _vector: Floats) -> Floats:
            return summed.natural(machine, slope, moving=moving)

        return Place(slope=lambda: slope, loss=loss, natural=natural)
