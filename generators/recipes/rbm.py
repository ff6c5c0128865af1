"""`rbm`: a restricted Boltzmann machine of bits, trained by contrastive divergence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from generators.bits import Bits
from generators.diary import Diary
from generators.mmd import squared_mmd
from generators.options import check_choice, check_least
from generators.store import below, under
from generators.tabular import TabularRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.codec import Dimension
    from generators.tabular import Core, Task

    Bitstrings = NDArray[np.uint8]
    Floats = NDArray[np.float32]

VALIDATION = 0.1
"""Share of the rows that are not trained on; they choose the checkpoint."""

CHECKS = 40
"""How often the checkpoint is judged."""

HALF = np.float32(0.5)

ROUNDS = 20
"""Attempts at a valid bitstring before the nearest valid one is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rbm(TabularRecipe):
    """A restricted Boltzmann machine on the codec's bits: visible bits, hidden bits, no more.

    The checkpoint kept is the one whose chains look most like held-out rows, by the kernel
    distance (MMD) of Hamming distances.

    Attributes:
        whiten: Learn independent axes, so that it only learns what a normal copula misses.
        bits: Bits of each dimension on average; without `whiten` categories get what they
            need, 8 at most.
        hidden: Hidden bits; 0 for twice the visible ones.
        method: `pcd` keeps its chains from step to step, `cd` restarts them at the data.
        gibbs: Gibbs sweeps of each step.
        steps: Steps at most.
        batch: Rows of each step.
        rate: Learning rate at the start; it falls to a tenth.
        decay: Weight decay.
        burn_in: Sweeps before a row is taken when sampling.

    Cost: O(steps batch q hidden) time. Sampling runs one chain a row.
    Source: Hinton (2002), Neural Computation 14; Tieleman (2008), ICML.
    """

    name: ClassVar[str] = "rbm"

    whiten: bool = True
    bits: int = 4
    hidden: int = 0
    method: str = "pcd"
    gibbs: int = 2
    steps: int = 3_000
    batch: int = 128
    rate: float = 0.05
    decay: float = 1e-4
    burn_in: int = 200

    def check(self) -> None:
        """Refuse a machine that cannot be trained."""
        check_choice(self, method=("cd", "pcd"))
        check_least(self, bits=1, hidden=0, gibbs=1, steps=1, batch=1, rate=0, decay=0, burn_in=1)

    def bits_for(
        self, dimensions: tuple[Dimension, ...], variances: NDArray[np.float64] | None
    ) -> Bits:
        """Give whitened dimensions bits by their variance, others the same number."""
        if variances is None:
            return Bits.even(dimensions, each=self.bits, levels=8)
        return Bits.by_weight(dimensions, total=self.bits * len(dimensions), weights=variances)

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Climb the likelihood by contrastive divergence."""
        assert task.bits is not None  # noqa: S101 - this recipe asks for bits
        assert task.code is not None  # noqa: S101 - likewise
        order = rng.permutation(len(task.bits))
        held = max(1, int(VALIDATION * len(order)))
        training = task.bits[order[held:]].astype(np.float32)
        validation = task.bits[order[:held]][:512].astype(np.float32)
        if len(training) < 2 or len(validation) < 2:
            training = validation = task.bits.astype(np.float32)
        hidden = self.hidden or 2 * training.shape[1]
        machine = _Machine.started(training, hidden, rng)
        batch = min(self.batch, len(training))
        chains = training[rng.integers(0, len(training), batch)]
        fantasies = training[rng.integers(0, len(training), 512)]
        diary = Diary(total=self.steps, tell=task.tell)
        every = max(1, self.steps // CHECKS)
        scales = tuple(share * training.shape[1] for share in (1 / 16, 1 / 8, 1 / 4))

        def restore(arrays: Mapping[str, NDArray[Any]]) -> None:
            nonlocal machine, chains, fantasies
            machine = _Machine(**below(arrays, "machine"))
            chains, fantasies = arrays["chains"], arrays["fantasies"]

        def save() -> dict[str, NDArray[Any]]:
            held = {"chains": chains, "fantasies": fantasies}
            return {**under("machine", machine.arrays()), **held}

        diary.carry(rng, save, restore)
        with diary:
            for step in diary.steps():
                rows = training[rng.integers(0, len(training), batch)]
                start = chains if self.method == "pcd" else rows
                chains = machine.swept(start, self.gibbs, rng)
                rate = self.rate * (1.0 - 0.9 * step / self.steps)
                machine = machine.moved(rows, chains, rate=rate, decay=self.decay)
                if (step + 1) % every == 0 or step + 1 == self.steps:
                    fantasies = machine.swept(fantasies, 20, rng)
                    distance = squared_mmd(fantasies, validation, scales=scales)
                    diary.record(mmd=distance)
                    diary.keep(machine.arrays(), score=distance)
        core = RbmCore(machine=_Machine(**diary.best), code=task.code, burn_in=self.burn_in)
        facts = {"visible": training.shape[1], "hidden": hidden}
        return core, diary.log(facts={**facts, "parameters": machine.size})

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the machine with these weights."""
        weights = {part: arrays[part] for part in ("weights", "visible", "hidden", "center")}
        code = Bits.restored(arrays)
        return RbmCore(machine=_Machine(**weights), code=code, burn_in=self.burn_in)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Machine:
    """Weights (q, h) between centered bits, and the two biases.

    Centering takes the bits' means out of the weights' gradient, which makes it far better
    conditioned; hidden bits are centered at a half.
    """

    weights: Floats
    visible: Floats
    hidden: Floats
    center: Floats

    @staticmethod
    def started(rows: Floats, hidden: int, rng: np.random.Generator) -> _Machine:
        """Start where the visible bits alone have the rows' means."""
        share = np.clip(rows.mean(axis=0), 0.01, 0.99)
        weights = 0.01 * rng.standard_normal((rows.shape[1], hidden))
        return _Machine(
            weights=weights.astype(np.float32),
            visible=np.log(share / (1.0 - share)).astype(np.float32),
            hidden=np.zeros(hidden, np.float32),
            center=share.astype(np.float32),
        )

    @property
    def size(self) -> int:
        """Return the number of parameters."""
        return self.weights.size + self.visible.size + self.hidden.size

    def above(self, rows: Floats) -> Floats:
        """Return the chances of the hidden bits given visible ones."""
        return _sigmoid((rows - self.center) @ self.weights + self.hidden)

    def swept(self, rows: Floats, sweeps: int, rng: np.random.Generator) -> Floats:
        """Return the visible bits after some Gibbs sweeps."""
        for _ in range(sweeps):
            on = self.above(rows)
            seen = (rng.random(on.shape, np.float32) < on) - HALF
            back = _sigmoid(seen @ self.weights.T + self.visible)
            rows = (rng.random(back.shape, np.float32) < back).astype(np.float32)
        return rows

    def moved(self, rows: Floats, chains: Floats, *, rate: float, decay: float) -> _Machine:
        """Return the machine one step up the difference of data and chains."""
        on, off = self.above(rows), self.above(chains)
        data = (rows - self.center).T @ (on - HALF) / len(rows)
        model = (chains - self.center).T @ (off - HALF) / len(chains)
        pull = data - model - np.float32(decay) * self.weights
        step = np.float32(rate)
        return _Machine(
            weights=self.weights + step * pull,
            visible=self.visible + step * (rows.mean(axis=0) - chains.mean(axis=0)),
            hidden=self.hidden + step * (on.mean(axis=0) - off.mean(axis=0)),
            center=self.center,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that was learned."""
        parts = ("weights", "visible", "hidden", "center")
        return {part: getattr(self, part) for part in parts}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RbmCore:
    """Runs one chain a row from noise, and goes on with those that ended at no valid code."""

    machine: _Machine
    code: Bits
    burn_in: int

    def draw(self, n: int, rng: np.random.Generator) -> Bitstrings:
        """Return n bitstrings, each from a chain of its own."""
        share = _sigmoid(self.machine.visible)
        rows = (rng.random((n, len(share)), np.float32) < share).astype(np.float32)
        rows = self.machine.swept(rows, self.burn_in, rng)
        for _ in range(ROUNDS):
            wrong = ~self.code.valid(rows.astype(np.uint8))
            if not wrong.any():
                break
            rows[wrong] = self.machine.swept(rows[wrong], 10, rng)
        return rows.astype(np.uint8)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights and what the bits mean."""
        return {**self.machine.arrays(), **self.code.save()}


def _sigmoid(values: Floats) -> Floats:
    found: Floats = HALF * (np.tanh(HALF * values) + np.float32(1.0))
    return found
