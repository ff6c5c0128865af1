"""`qbm`: a quantum Boltzmann machine of bits, with the classical one as its special case."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.errors import DetectorError
from generators.bits import Bits
from generators.cores import QbmCore
from generators.diary import Diary
from generators.mmd import squared_mmd
from generators.options import check_choice, check_least
from generators.quantum.annealing import SLICES
from generators.quantum.boltzmann import Machine
from generators.quantum.climbing import Climb, Evidence
from generators.quantum.descent import OPTIMISERS
from generators.tabular import TabularRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.codec import Dimension
    from generators.tabular import Core, Task

    Bitstrings = NDArray[np.uint8]

EXACT, LISTED = 10, 16
"""Qubits that are diagonalised at most, and seen bits whose bitstrings are listed at most."""

QUICK = 8
"""Qubits up to which exact derivatives take milliseconds: `auto` takes them."""

VALIDATION = 0.1
"""Share of the rows that are not trained on; they choose the checkpoint."""

COMPARED = 512
"""Validation rows that chains are held against at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qbm(TabularRecipe):
    """A quantum Boltzmann machine: bits in thermal equilibrium under a transverse field.

    Attributes:
        qubits: Bits of a row at most; whitened axes share them by variance.
        hidden: Qubits that are not seen.
        gamma: The transverse field at the start; 0 is the classical Boltzmann machine.
        field: Which qubits feel it: `all`, or `hidden`, which has closed forms.
        train_gamma: Train each qubit's field too, where the derivatives are exact.
        couplings: Which pairs of seen qubits are coupled: `all`, or those that `qaoa` or `vqe`
            choose by what bits tell about each other, two a qubit.
        gradient: `exact` diagonalises at every step, up to 10 qubits; `bound` climbs a lower
            bound of the likelihood; `auto` is exact up to 8 qubits, or 16 seen ones where the
            field is on hidden qubits or nowhere.
        sampler: `exact` or `annealing`; `auto` is exact up to 10 qubits, or 16 seen ones
            likewise. The bound takes its moments from the same source.
        steps: Steps at most; 0 leaves the machine untrained.
        rate: Learning rate at the start; it falls to nothing.
        decay: Weight decay.
        optimiser: Of the Hamiltonian's terms, a circuit has none here: `adam`; where bitstrings
            are listed also `spsa`; where their cross entropy is the loss also `natural`, in the
            geometry of the law of seen bits (Fisher's metric), not of states.
        patience: Checks of the validation rows without an improvement that end the training.
        chains: Annealed chains that go on from step to step.
        sweeps: Sweeps of the chains in each step.
        anneal: Sweeps of the annealing that draws a row.
        slices: Moments of imaginary time in annealing.
        budget: CPU seconds that end the training; 0 for no limit.

    Cost: O(steps 8^q) time with exact derivatives, else O(steps chains sweeps q slices).
    Source: Amin et al. (2018), Phys. Rev. X 8, 021050.
    """

    name: ClassVar[str] = "qbm"

    whiten: bool = True
    qubits: int = 12
    hidden: int = 8
    gamma: float = 0.5
    field: str = "hidden"
    train_gamma: bool = True
    couplings: str = "all"
    gradient: str = "auto"
    sampler: str = "auto"
    steps: int = 400
    rate: float = 0.1
    decay: float = 0.0
    optimiser: str = "adam"
    patience: int = 80
    chains: int = 512
    sweeps: int = 2
    anneal: int = 60
    slices: int = SLICES
    budget: float = 0.0

    def check(self) -> None:
        """Refuse a machine that cannot be trained."""
        check_choice(self, gradient=("auto", "exact", "bound"), optimiser=OPTIMISERS)
        check_choice(self, couplings=("all", "qaoa", "vqe"))
        if self.couplings != "all" and find_spec("cirq") is None:
            raise ValueError(
                f"couplings is {self.couplings!r}, a circuit, and Cirq is not installed; "
                "it comes with collapse-detector[quantum]"
            )
        check_choice(self, sampler=("auto", "exact", "annealing"), field=("all", "hidden"))
        check_least(
            self, qubits=1, hidden=0, gamma=0, steps=0, rate=0, decay=0, patience=1, budget=0
        )
        check_least(self, chains=2, sweeps=1, anneal=2, slices=2)
        if self.gradient == "exact" and self.sampler == "annealing":
            raise ValueError("gradient is exact; it needs no annealing, so sampler can be exact")
        if self.field == "hidden" and self.gamma and not self.hidden:
            raise ValueError("field is hidden, and there are no hidden qubits to feel it")

    def bits_for(
        self, dimensions: tuple[Dimension, ...], variances: NDArray[np.float64] | None
    ) -> Bits:
        """Spread the qubits over the dimensions, or say how many of them fit."""
        try:
            return Bits.by_weight(dimensions, total=self.qubits, weights=variances)
        except DetectorError as error:
            raise DetectorError(
                f"The table does not fit on {self.qubits} qubits. {error.message}",
                hint=f"Set `whiten` to project it onto {self.qubits} bits, leave columns out, "
                "or give more `qubits`; annealing takes any number.",
            ) from None

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Climb the likelihood, or its bound."""
        assert task.bits is not None  # noqa: S101 - this recipe asks for bits
        assert task.code is not None  # noqa: S101 - likewise
        evidence = Evidence.split(task.bits, held=VALIDATION, rng=rng)
        visible = task.bits.shape[1]
        way = self._way(visible)
        self._check_optimiser(way, visible + self.hidden)
        machine = Machine.started(
            visible,
            hidden=self.hidden,
            gamma=self.gamma,
            rng=rng,
            on_visible=self.field == "all",
        )
        diary = Diary(
            total=self.steps, tell=task.tell, patience=self.patience, budget=self.budget or None
        )
        climb = Climb(
            rate=self.rate,
            decay=self.decay,
            steps=self.steps,
            train_transverse=self.train_gamma and way in {"exact", "hidden"},
            couplings=(pairs := self._pairs(task.bits, rng)),
            optimiser=self.optimiser,
        )
        if way == "annealed":
            self._anneal(climb, machine, evidence, diary, rng)
        else:
            climb.summed(machine, evidence, diary, mask=task.code.mask(), way=way, rng=rng)
        if self.steps:
            machine = Machine.restored(diary.best)
        core = self._core(machine, task.code, summed=way != "annealed")
        facts = {**core.facts(), "trained": way}
        if pairs is not None:
            facts["pairs"] = len(pairs)
            facts["parameters"] = len(machine.vector) - visible * (visible - 1) // 2 + len(pairs)
        return core, diary.log(facts=facts, notes=self._notes(way))

    def _pairs(
        self, bits: Bitstrings, rng: np.random.Generator
    ) -> tuple[tuple[int, int], ...] | None:
        """Return the pairs of seen qubits that are coupled; None for all."""
        if self.couplings == "all" or bits.shape[1] < 2:
            return None
        from generators.quantum.layouts import chosen_pairs

        return chosen_pairs(bits, by=self.couplings, rng=rng)

    def _anneal(
        self,
        climb: Climb,
        machine: Machine,
        evidence: Evidence,
        diary: Diary,
        rng: np.random.Generator,
    ) -> None:
        compared = evidence.validation[:COMPARED]
        scales = tuple(share * machine.visible for share in (1 / 16, 1 / 8, 1 / 4))
        climb.annealed(
            machine,
            evidence,
            diary,
            chains=self.chains,
            sweeps=self.sweeps,
            slices=self.slices,
            distance=partial(squared_mmd, compared, scales=scales),
            rng=rng,
        )

    def _way(self, visible: int) -> str:
        """Return how to train: `exact`, `hidden`, `bound` or `annealed`."""
        closed = not self.gamma or self.field == "hidden"
        size, most = (visible, LISTED) if closed else (visible + self.hidden, EXACT)
        for option in ("gradient", "sampler"):
            if getattr(self, option) == "exact" and size > most:
                raise DetectorError(
                    f"`{option}` is exact, and {size} qubits are too many for it; {most} fit.",
                    hint=f"Set `qubits` or `hidden` lower, or `{option}` to auto.",
                )
        if self.sampler == "annealing" or size > most:
            return "annealed"
        if closed:
            return "hidden"
        quick = self.gradient == "auto" and size <= QUICK
        return "exact" if quick or self.gradient == "exact" else "bound"

    def _check_optimiser(self, way: str, qubits: int) -> None:
        """Refuse an optimiser that asks for what this way of training does not know."""
        why = ""
        if way == "annealed" and self.optimiser != "adam":
            why = "annealed chains tell the slope of the loss, and neither the loss nor its metric"
        elif self.optimiser == "natural" and way == "bound":
            why = "the bound is no law of rows, so it has no Fisher metric"
        elif self.optimiser == "natural" and way == "exact" and qubits > QUICK:
            why = f"its metric takes minutes a step with {qubits} qubits; {QUICK} are quick"
        if why:
            raise DetectorError(
                f"`optimiser` is {self.optimiser}, and {why}.",
                hint="Set `optimiser` to adam, or `field` to hidden with few enough `qubits`.",
            )

    def _notes(self, way: str) -> tuple[str, ...]:
        if not self.steps:
            return ("The machine is untrained.",)
        if way in {"exact", "hidden"} or not self.gamma or not self.train_gamma:
            return ()
        return ("The transverse field stayed as it was set: the bound cannot train it.",)

    def _core(self, machine: Machine, code: Bits, *, summed: bool) -> QbmCore:
        chances = np.empty(0)
        if summed:
            chances = machine.probabilities() * code.mask()
        return QbmCore(
            machine=machine, code=code, chances=chances, sweeps=self.anneal, slices=self.slices
        )

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the machine with these terms."""
        return QbmCore(
            machine=Machine.restored(arrays),
            code=Bits.restored(arrays),
            chances=arrays["chances"],
            sweeps=self.anneal,
            slices=self.slices,
        )
