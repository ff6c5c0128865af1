"""`qgan`: a quantum generator against a quantum critic, and both hybrids with a network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from generators.diary import Diary
from generators.duel import Rules, latent_rows, play
from generators.losses import ROW_BANDWIDTHS
from generators.options import check_between, check_choice, check_least
from generators.quantum.descent import OPTIMISERS
from generators.quantum.noise import Noise
from generators.running import (
    ENGINES,
    GRADIENTS,
    check_engine,
    check_optimiser,
    declared_circuit,
    drawing,
)
from generators.stage import MOST_QUBITS, Stage
from generators.tabular import TabularRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.players import Numbers
    from generators.tabular import Core, Task

    Floats = NDArray[np.floating[Any]]
    Rows = NDArray[np.float32]

COMPARED = 512
"""Rows that are drawn with noise and without, and held against as many training rows."""

SHARED = ("steps", "batch", "rate", "smoothing", "average", "optimiser", "early_stop")
"""Options that the rules of the game have too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qgan(TabularRecipe):
    """A quantum generator trained by a quantum critic and a kernel distance.

    Latent noise is read by every layer of the generator; the means of its qubits are a row. It
    starts as independent axes, the normal copula in all but name. The critic reads a row in
    every layer, each angle with a trained scale. Axes without a qubit are drawn at random.

    Attributes:
        generator: `quantum` or `classical`, a network that starts at the same place.
        critic: `quantum` or `classical`.
        loss: `combined`, `adversarial` or `mmd`, which needs no critic.
        qubits: Of a generator's circuit; 0 for one a column, 4 to 10, or 8 in each patch.
        patches: Circuits side by side, each with the next axes; for images.
        layers: Of the generator's circuit.
        critic_qubits: 0 for as many as the generator's.
        critic_layers: Of the critic's circuit.
        width: Units of a network's hidden layers.
        steps: Steps of both sides; 0 leaves the generator untrained.
        batch: Rows of each step.
        rate: Learning rate.
        adversarial_weight: Of the critic's word in the combined loss.
        distance_weight: Of each of the three kernels in the combined loss.
        smoothing: What the critic shall say of real rows.
        instance_noise: Added to what the critic sees, falling to zero.
        average: How much of the running mean of the generator is kept at each step.
        optimiser: Of the circuits' angles, on both sides: `adam`, `natural` (the quantum natural
            gradient, averaged over rows) or `spsa`. The matrices and scales in front of the angles
            and what follows the readings are classical layers; they keep Adam.
        validation: Share of rows held out to judge checkpoints.
        early_stop: Stop at the sampling floor, and keep the untrained generator where the rows
            do not show that training made it better.
        engine: `fast`, `tfq`, `cirq`, or `auto` for the first that can.
        gradient: `adjoint`, `parameter_shift`, `finite_difference`, or `auto`.
        depolarising: Rate of random Pauli errors, for every qubit and moment.
        readout: Rate of bits read as their opposites.
        repetitions: Executions that each row's means are taken from; 0 for exact means.
        noisy_training: Let noise and repetitions act in training too.
        budget: CPU seconds that end the training; 0 for no limit.

    Cost: O(steps batch layers qubits 2^qubits) time; a row costs one run of the circuit.
    Source: Dallaire-Demers and Killoran (2018), Phys. Rev. A 98, 012324; re-uploading:
    Perez-Salinas et al. (2020), Quantum 4, 226; patches: Huang et al. (2021), Phys. Rev. Applied
    16, 024051.
    """

    name: ClassVar[str] = "qgan"
    needs: ClassVar[tuple[str, ...]] = ("cirq",)
    extra: ClassVar[str] = "quantum"

    whiten: bool = True
    generator: str = "quantum"
    critic: str = "quantum"
    loss: str = "combined"
    qubits: int = 0
    patches: int = 1
    layers: int = 4
    critic_qubits: int = 0
    critic_layers: int = 3
    width: int = 64
    steps: int = 600
    batch: int = 64
    rate: float = 0.02
    adversarial_weight: float = 0.3
    distance_weight: float = 3.0
    smoothing: float = 0.9
    instance_noise: float = 0.1
    average: float = 0.99
    optimiser: str = "adam"
    validation: float = 0.0
    early_stop: bool = True
    engine: str = "auto"
    gradient: str = "auto"
    depolarising: float = 0.0
    readout: float = 0.0
    repetitions: int = 0
    noisy_training: bool = False
    budget: float = 0.0

    def check(self) -> None:
        """Refuse a game that cannot be played."""
        check_choice(
            self,
            generator=("quantum", "classical"),
            critic=("quantum", "classical"),
            loss=("combined", "adversarial", "mmd"),
            optimiser=OPTIMISERS,
            engine=ENGINES,
            gradient=GRADIENTS,
        )
        least = dict.fromkeys(("patches", "layers", "critic_layers", "width"), 1)
        check_least(self, **least, steps=0, batch=2, repetitions=0, budget=0, instance_noise=0)
        check_least(self, adversarial_weight=0, distance_weight=0)
        most = (0, MOST_QUBITS)
        check_between(self, qubits=most, critic_qubits=most, average=(0.0, 1.0), rate=(0.0, 1.0))
        check_between(self, smoothing=(0.5, 1.0), validation=(0.0, 0.5))
        check_engine(self.engine, self.gradient)
        check_optimiser(self.optimiser, self.engine)
        _ = self.noise

    @property
    def noise(self) -> Noise:
        """Return the rates together."""
        return Noise(depolarising=self.depolarising, readout=self.readout)

    @property
    def rules(self) -> Rules:
        """Return how the game is played."""
        weights = {
            "combined": (self.adversarial_weight, self.distance_weight * len(ROW_BANDWIDTHS)),
            "adversarial": (1.0, 0.0),
            "mmd": (0.0, 1.0),
        }
        shared = {name: getattr(self, name) for name in SHARED}
        adversarial, distance = weights[self.loss]
        noise = self.instance_noise
        return Rules(**shared, adversarial=adversarial, distance=distance, noise=noise)

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Play the game on the axes that have a qubit."""
        stage = Stage.of(self, task.rows.shape[1])
        rows = task.rows[rng.permutation(len(task.rows)), : stage.width].astype(np.float64)
        held = int(self.validation * len(rows))
        held = held if min(held, len(rows) - held) >= 2 else 0
        trained = stage.generator(noise=self.noisy_training, rng=rng)
        diary = Diary(total=max(1, self.steps), tell=task.tell, budget=self.budget or None)
        numbers: Numbers = {}
        notes: tuple[str, ...] = ("The generator is untrained.",)
        if self.steps:
            critic = stage.critic() if self.rules.adversarial else None
            held_out = rows[:held] if held else None
            game = (trained, critic, rows[held:], self.rules, diary, rng)
            weights = stage.weights(task.variances)
            numbers, notes = play(*game, held_out=held_out, weights=weights)
        else:
            numbers = trained.start(rng)
        facts = {**stage.facts, "parameters": sum(value.size for value in numbers.values())}
        if self.generator == "quantum" and (self.repetitions or any(asdict(self.noise).values())):
            blur, said = self._blurred(stage, numbers, rows, rng)
            facts, notes = facts | blur, notes + said
        core = QganCore(stage=stage, numbers=numbers, circuit=stage.circuit)
        return core, diary.log(facts=facts, notes=notes)

    def _blurred(
        self, stage: Stage, numbers: Numbers, rows: Floats, rng: np.random.Generator
    ) -> tuple[dict[str, float | int | str], tuple[str, ...]]:
        """Draw from the same latent rows with noise and without, and return what a log says."""
        from generators.blurring import blurred_rows

        both = [stage.generator(noise=noise, rng=rng) for noise in (False, True)]
        latent = latent_rows(COMPARED, both[0].latents, rng)
        exact, read = (one.forward(numbers, latent)[0] for one in both)
        return blurred_rows(rows[:COMPARED], exact, read)

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the generator with these numbers."""
        head = "generator."
        numbers = {k.removeprefix(head): v for k, v in arrays.items() if k.startswith(head)}
        stage = Stage.of(self, int(arrays["columns"]))
        return QganCore(stage=stage, numbers=numbers, circuit=arrays["circuit"])


@dataclass(frozen=True, kw_only=True, eq=False)
class QganCore:
    """A trained generator.

    Attributes:
        stage: Builds it, when rows are drawn.
        numbers: What it has learned.
        circuit: In Cirq's JSON; empty for a network.

    """

    stage: Stage
    numbers: Mapping[str, NDArray[np.float64]]
    circuit: NDArray[np.uint8]

    @property
    def declared(self) -> Mapping[str, Any]:
        """Return what samples say of the circuit."""
        if not len(self.circuit):
            return {}
        rates = asdict(self.stage.noise)
        noise = {"noise": rates, "noise_by": "surrogate"} if any(rates.values()) else {}
        return {"engine": self.stage.run.name, **noise, **declared_circuit(self.circuit)}

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows; axes without a qubit are uniform."""
        rows = rng.uniform(-1.0, 1.0, (n, self.stage.columns))
        generator = self.stage.generator(noise=True, rng=rng)
        latent = latent_rows(n, generator.latents, rng)
        made, _ = generator.forward(self.numbers, latent)
        rows[:, : self.stage.width] = np.clip(made, -1.0, 1.0)
        return rows.astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the numbers, the circuit and how many columns there are."""
        numbers = {f"generator.{name}": value for name, value in self.numbers.items()}
        return {**numbers, "circuit": self.circuit, "columns": np.array(self.stage.columns)}

    def describe(self) -> str:
        """Return the generator's circuit as text."""
        return drawing(self.circuit) if len(self.circuit) else "The generator is a network."
