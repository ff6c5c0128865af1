"""`qcbm`: a quantum circuit Born machine on a whitened, binned table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.errors import DetectorError
from generators.bits import Bits
from generators.cores import QcbmCore
from generators.diary import Diary
from generators.options import check_between, check_choice, check_least
from generators.quantum.descent import OPTIMISERS
from generators.quantum.noise import Noise
from generators.quantum.sampling import frequencies
from generators.running import (
    ENGINES,
    GRADIENTS,
    MOST_DAMPED,
    check_engine,
    check_optimiser,
    circuit_bytes,
    damped,
    disturbed,
    noisy,
    started,
)
from generators.tabular import TabularRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.born import Target
    from generators.codec import Dimension
    from generators.quantum.circuits import Ansatz
    from generators.quantum.engines import Executor
    from generators.tabular import Core, Task

    Bitstrings = NDArray[np.uint8]
    Rows = NDArray[np.float32]
    Floats = NDArray[np.floating[Any]]

MOST_QUBITS = 20
"""Qubits whose probabilities are held and trained in seconds to minutes."""

SHARED = ("loss", "steps", "rate", "restarts", "spread", "optimiser", "early_stop")
"""Options that the plan of the training has too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qcbm(TabularRecipe):
    """A quantum circuit Born machine: each row is what one execution of a circuit reads out.

    Axes of the whitened table get bits by their variance; an axis without bits is drawn at
    random. The circuit starts at the uniform law, which is the normal copula in all but name,
    and learns what that misses. It stops where the training rows themselves are chance.

    Attributes:
        qubits: Bits of a row, at most.
        layers: Layers of turns and entangling gates.
        layout: Which qubits meet: `ring`, whose range grows from layer to layer, or the pairs that
            `qaoa` or `vqe` choose by what bits tell about each other, for few layers unwhitened.
        edges: Where axes are cut: `even` has bins of equal weight; `qaoa` or `vqe` choose edges by
            what the bins tell about other axes.
        loss: `mmd` compares by a kernel, `nll` by the likelihood, which repeats small tables.
        steps: Steps of each start, at most; 0 leaves the circuit untrained.
        rate: Learning rate.
        restarts: Starts; the best one is kept.
        spread: Standard deviation of the angles around the uniform start.
        optimiser: `adam`, `natural` (the quantum natural gradient) or `spsa`; Adam makes the
            steps of all three.
        validation: Share of rows held out to judge checkpoints; 0 judges by the loss.
        early_stop: Stop at the sampling floor, and keep the untrained circuit where the rows do
            not show that training made it better.
        engine: `fast`, `tfq`, `cirq`, or `auto` for the first that can.
        gradient: `adjoint`, `parameter_shift`, `finite_difference`, or `auto`.
        depolarising: Rate of random Pauli errors, for every qubit and moment.
        amplitude_damping: Rate of decay.
        phase_damping: Rate of lost phases.
        readout: Rate of bits read as their opposites.
        repetitions: Executions whose readings rows are drawn from; 0 for no limit.
        noisy_training: Let noise and repetitions act in training too.
        budget: CPU seconds that end the training; 0 for no limit.

    Cost: O(steps layers qubits 2^qubits) time. Rows are drawn from 2^qubits probabilities.
    Source: Liu and Wang (2018), Phys. Rev. A 98, 062324; Benedetti et al. (2019), npj Quantum
    Information 5, 45.
    """

    name: ClassVar[str] = "qcbm"
    needs: ClassVar[tuple[str, ...]] = ("cirq",)
    extra: ClassVar[str] = "quantum"

    whiten: bool = True
    qubits: int = 14
    layers: int = 12
    layout: str = "ring"
    edges: str = "even"
    loss: str = "mmd"
    steps: int = 1_000
    rate: float = 0.03
    restarts: int = 1
    spread: float = 0.05
    optimiser: str = "adam"
    validation: float = 0.0
    early_stop: bool = True
    engine: str = "auto"
    gradient: str = "auto"
    depolarising: float = 0.0
    amplitude_damping: float = 0.0
    phase_damping: float = 0.0
    readout: float = 0.0
    repetitions: int = 0
    noisy_training: bool = False
    budget: float = 0.0

    def check(self) -> None:
        """Refuse a machine that cannot be built or trained."""
        check_between(self, qubits=(1, MOST_QUBITS), validation=(0.0, 0.5), rate=(0.0, 1.0))
        check_least(self, layers=1, steps=0, restarts=1, spread=0, repetitions=0, budget=0)
        check_choice(
            self,
            layout=("ring", "qaoa", "vqe"),
            edges=("even", "qaoa", "vqe"),
            loss=("mmd", "nll"),
            optimiser=OPTIMISERS,
            engine=ENGINES,
            gradient=GRADIENTS,
        )
        check_engine(self.engine, self.gradient)
        noise = self.noise
        check_optimiser(self.optimiser, self.engine)
        if self.optimiser == "natural" and self.noisy_training and damped(noise):
            raise ValueError(
                "optimiser is 'natural', and states that are damped have no such metric; "
                "train without damping, or by adam or spsa"
            )
        if self.noisy_training and damped(noise) and self.qubits > MOST_DAMPED:
            raise ValueError(
                f"noisy_training with damping runs {MOST_DAMPED} qubits at most, "
                f"and there are {self.qubits}; train without damping"
            )

    @property
    def noise(self) -> Noise:
        """Return the rates together."""
        return Noise(
            depolarising=self.depolarising,
            amplitude_damping=self.amplitude_damping,
            phase_damping=self.phase_damping,
            readout=self.readout,
        )

    def bits_for(
        self, dimensions: tuple[Dimension, ...], variances: NDArray[np.float64] | None
    ) -> Bits:
        """Spend the qubits on the axes by their variance; unwhitened columns need one each."""
        try:
            return Bits.by_weight(dimensions, total=self.qubits, weights=variances)
        except DetectorError as error:
            raise DetectorError(
                error.message,
                hint=f"Set `whiten` to project them onto {self.qubits} qubits, leave columns "
                f"out, or give more `qubits` ({MOST_QUBITS} at most).",
            ) from None

    def recut(
        self, code: Bits, rows: Rows, dimensions: tuple[Dimension, ...], rng: np.random.Generator
    ) -> Bits:
        """Let a solver choose the edges, if it is asked to."""
        if self.edges == "even":
            return code
        from generators.quantum.edges import chosen_edges

        return chosen_edges(code, rows, dimensions, by=self.edges, rng=rng)

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Train the angles, then read out the law that rows are drawn from."""
        from generators.binned import target_of
        from generators.blurring import blurred_law
        from generators.born import Plan, starting_angles, train
        from generators.quantum.circuits import hardware_efficient

        assert task.code is not None  # noqa: S101 - this recipe asks for bits
        pairs = self._pairs(task, rng)
        ansatz = hardware_efficient(task.code.total, layers=self.layers, pairs=pairs)
        run = started(ansatz, engine=self.engine, gradient=self.gradient)
        counted = self.repetitions if self.noisy_training else 0
        plan = Plan(**{name: getattr(self, name) for name in SHARED}, repetitions=counted)
        diary = Diary(total=plan.total, tell=task.tell, budget=self.budget or None)
        target, taught = target_of(task, validation=self.validation, rng=rng), run
        if self.noisy_training:
            taught = noisy(run, self.noise, repetitions=self.repetitions, rng=rng)
        if self.steps:
            angles, notes = train(taught, target, plan, diary, rng)
        else:
            angles = starting_angles(ansatz, spread=self.spread, rng=rng)
            notes = ("The circuit is untrained.",)
        core = self._core(run, angles, target, rng)
        facts: dict[str, float | int | str] = {
            "qubits": len(ansatz.qubits),
            "gates": _gates(ansatz),
            "parameters": len(angles),
            "engine": run.name,
        }
        if pairs is not None:
            facts["pairs"] = len(pairs)
        if core.noise_by or self.repetitions:
            exact = run.probabilities(angles)[0]
            blur, said = blurred_law(target, exact, core.law)
            facts, notes = facts | blur, notes + said
        return core, diary.log(facts=facts, notes=notes)

    def _pairs(self, task: Task, rng: np.random.Generator) -> tuple[tuple[int, int], ...] | None:
        """Return the pairs of qubits that meet in every layer; None for the ring."""
        if self.layout == "ring" or task.bits is None or task.bits.shape[1] < 2:
            return None
        from generators.quantum.layouts import chosen_pairs

        return chosen_pairs(task.bits, by=self.layout, rng=rng)

    def _core(
        self, run: Executor, angles: NDArray[np.float64], target: Target, rng: np.random.Generator
    ) -> QcbmCore:
        """Return the machine with the law of its noisy, counted readings."""
        read, how = disturbed(run, angles, self.noise, rng=rng)
        law = target.law(read)
        if self.repetitions:
            law = frequencies(law[None], repetitions=self.repetitions, rng=rng)[0]
        return QcbmCore(
            law=law.astype(np.float32),
            angles=angles,
            circuit=circuit_bytes(run.ansatz),
            engine=run.name,
            noise=self.noise,
            noise_by=how,
        )

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the machine with these angles and this law."""
        return QcbmCore(
            law=arrays["law"],
            angles=arrays["angles"],
            circuit=arrays["circuit"],
            engine=str(arrays["engine"]),
            noise=self.noise,
            noise_by=str(arrays["noise_by"]),
        )


def _gates(ansatz: Ansatz) -> int:
    return sum(1 for _ in ansatz.circuit.all_operations())
