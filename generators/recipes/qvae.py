"""`qvae`: a variational autoencoder whose encoder and decoder are circuits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.errors import DetectorError
from generators.density import chosen_density
from generators.diary import Diary
from generators.mixture import Mixture
from generators.options import check_between, check_choice, check_least
from generators.quantum.autoencoder import Autoencoder, joined
from generators.quantum.descent import OPTIMISERS
from generators.quantum.encoding import Encoding
from generators.running import (
    ENGINES,
    GRADIENTS,
    check_engine,
    check_optimiser,
    circuit_bytes,
    declared_circuit,
    drawing,
    started,
)
from generators.tabular import TabularRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from detector.recipes import TrainingLog
    from generators.codec import Dimension
    from generators.quantum.autoencoder import Weights
    from generators.tabular import Core, Task

    Floats = NDArray[np.float64]
    Rows = NDArray[np.float32]

MOST_QUBITS = 12
"""Qubits of either circuit that train in minutes."""

FEW_QUBITS = 8
"""Axes of a projected table that are modelled unless `qubits` says more."""

VALIDATION = 0.1
"""Share of the rows that are not trained on; they choose the checkpoint and the density."""

SHARED = ("steps", "batch", "rate", "beta", "checks", "optimiser")
"""Options that the plan of the training has too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qvae(TabularRecipe):
    """A quantum variational autoencoder: a circuit reads rows, another one writes them.

    The weight of the divergence rises from nothing to `beta`. The checkpoint kept has the best
    bound on held-out rows. The density of the codes is fitted to all rows after training, as a
    mixture of normal densities; no code of a training row is ever drawn again.

    Attributes:
        qubits: Of each circuit, and columns that are modelled at most; 0 for one a column, 4 at
            least, and 8 at most of a table that is whitened.
        latent: Dimensions of a code; 0 for one for each two columns, 2 to 6.
        encoder_layers: How often the encoder reads a row.
        decoder_layers: How often the decoder reads a code.
        beta: Weight of the divergence at the end.
        prior: `mixture` fits normal components to the codes after training, `normal` draws codes
            from the standard normal density.
        components: Of the mixture, at most.
        batch: Rows of each step.
        steps: Steps at most; 0 leaves the circuits untrained.
        rate: Learning rate at the start; it falls to a twentieth.
        optimiser: Of both circuits' angles: `adam`, `natural` (the quantum natural gradient,
            averaged over rows) or `spsa`. The layers between the circuits keep Adam.
        checks: How often held-out rows are looked at.
        patience: Looks without progress that end the training.
        engine: `fast`, `tfq`, `cirq`, or `auto` for the first that can.
        gradient: `adjoint`, `parameter_shift`, `finite_difference`, or `auto`.
        budget: CPU seconds that end the training; 0 for no limit.

    Cost: O(steps batch layers qubits 2^qubits) time.
    Source: Khoshaman et al. (2018), Quantum Science and Technology 4; Kingma and Welling (2014),
    ICLR; Ghosh et al. (2020), ICLR, for the density fitted afterwards.
    """

    name: ClassVar[str] = "qvae"
    needs: ClassVar[tuple[str, ...]] = ("cirq",)
    extra: ClassVar[str] = "quantum"

    qubits: int = 0
    latent: int = 0
    encoder_layers: int = 3
    decoder_layers: int = 5
    beta: float = 0.3
    prior: str = "mixture"
    components: int = 16
    batch: int = 64
    steps: int = 1_500
    rate: float = 0.02
    optimiser: str = "adam"
    checks: int = 60
    patience: int = 20
    engine: str = "auto"
    gradient: str = "auto"
    budget: float = 0.0

    def check(self) -> None:
        """Refuse circuits that cannot be built or trained."""
        check_between(self, qubits=(0, MOST_QUBITS), rate=(0.0, 1.0))
        least = dict.fromkeys(("encoder_layers", "decoder_layers", "components", "batch"), 1)
        check_least(self, **least, latent=0, beta=0, steps=0, checks=1, patience=1, budget=0)
        check_choice(self, prior=("mixture", "normal"), optimiser=OPTIMISERS)
        check_choice(self, engine=ENGINES, gradient=GRADIENTS)
        check_engine(self.engine, self.gradient)
        check_optimiser(self.optimiser, self.engine)

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Train both circuits and the layers around them, then fit the density of the codes."""
        columns = self._columns(task)
        rows = centered(task.rows[:, :columns], task.dimensions)
        latent = self.latent or min(6, max(2, (columns + 1) // 2))
        network = self._network(columns, latent)
        diary = Diary(
            total=self.steps, tell=task.tell, patience=self.patience, budget=self.budget or None
        )
        order = rng.permutation(len(rows))
        held = max(1, int(VALIDATION * len(rows)))
        plan = Encoding(**{name: getattr(self, name) for name in SHARED})
        weights = network.started(rng)
        if self.steps:
            plan.train(network, weights, (rows[order[held:]], rows[order[:held]]), diary, rng)
            weights = dict(diary.best)
        density = Mixture.standard(latent)
        if self.prior == "mixture":
            mean, log_variance = network.encode(weights, rows[order])
            codes = mean + np.exp(log_variance / 2) * rng.standard_normal(mean.shape)
            density = chosen_density(codes, held=held, most=self.components, rng=rng)
        core = QvaeCore(network=network, weights=weights, density=density, width=task.rows.shape[1])
        facts: dict[str, float | int | str] = {
            "qubits": len(network.encoder.ansatz.qubits),
            "latent": latent,
            "components": len(density.shares),
            "parameters": len(joined(weights)),
            "engine": network.encoder.name,
        }
        notes = () if self.steps else ("The circuits are untrained.",)
        return core, diary.log(facts=facts, notes=notes)

    def _columns(self, task: Task) -> int:
        """Return how many columns the circuits model: all, or the first axes of a projection."""
        columns = task.rows.shape[1]
        most = self.qubits or (FEW_QUBITS if self.whiten else MOST_QUBITS)
        if columns <= most:
            return columns
        if self.whiten:
            return most
        raise DetectorError(
            f"The table has {columns} dimensions, and {most} qubits take {most} of them.",
            hint=f"Set `whiten` to project the table onto {most} axes and draw the others at "
            "random, or leave columns out"
            + (f"; {MOST_QUBITS} `qubits` at most can be given." * (most < MOST_QUBITS) or "."),
        )

    def _network(self, columns: int, latent: int) -> Autoencoder:
        from generators.quantum.circuits import reuploading

        qubits = self.qubits or max(4, columns)
        run = [
            started(reuploading(qubits, layers=layers), engine=self.engine, gradient=self.gradient)
            for layers in (self.encoder_layers, self.decoder_layers)
        ]
        return Autoencoder(encoder=run[0], decoder=run[1], columns=columns, latent=latent)

    def core_of(self, arrays: Mapping[str, NDArray[Any]]) -> Core:
        """Return the circuits with these weights."""
        head = "weights."
        weights = {
            name.removeprefix(head): array
            for name, array in arrays.items()
            if name.startswith(head)
        }
        columns, latent = len(weights["row_bias"]), len(weights["code_bias"]) // 2
        return QvaeCore(
            network=self._network(columns, latent),
            weights=weights,
            density=Mixture.restored(arrays),
            width=int(arrays["width"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QvaeCore:
    """Draws codes from their density, decodes them and adds each column's spread.

    Attributes:
        network: The circuits.
        weights: All weights.
        density: Of the codes.
        width: Dimensions of a row; those that the circuits do not model are drawn at random.

    """

    network: Autoencoder
    weights: Weights
    density: Mixture
    width: int

    @property
    def declared(self) -> Mapping[str, Any]:
        """Return what samples say of the circuits."""
        circuit = circuit_bytes(self.network.decoder.ansatz)
        return {"engine": self.network.decoder.name, **declared_circuit(circuit)}

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows; what lies beyond an end is reflected there, so that none pile up."""
        codes = self.density.draw(n, rng).astype(np.float64)
        rows = rng.uniform(-1.0, 1.0, (n, self.width))
        means = self.network.decode(self.weights, codes)
        spread = self.network.spread(self.weights)
        noisy = means + spread * rng.standard_normal(means.shape)
        rows[:, : means.shape[1]] = np.abs((noisy - 1.0) % 4.0 - 2.0) - 1.0
        return rows.astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights, the density and the circuits in Cirq's JSON."""
        return {
            **{f"weights.{name}": array for name, array in self.weights.items()},
            **self.density.save(),
            "width": np.array(self.width),
            "encoder": circuit_bytes(self.network.encoder.ansatz),
            "decoder": circuit_bytes(self.network.decoder.ansatz),
        }

    def describe(self) -> str:
        """Return both circuits as text."""
        parts = (self.network.encoder, self.network.decoder)
        drawn = [drawing(circuit_bytes(part.ansatz)) for part in parts]
        return f"encoder\n{drawn[0]}\n\ndecoder\n{drawn[1]}"


def centered(rows: Rows, dimensions: Sequence[Dimension]) -> Floats:
    """Return rows with every number that is tied moved to the middle of its tie.

    Equal values lie at random places of one interval. A network would take that for noise and
    blur the values next to it; the middle tells it that they are one.
    """
    found = rows.astype(np.float64)
    for place, dimension in enumerate(dimensions[: rows.shape[1]]):
        ties = dimension.ties
        if len(ties):
            number = np.maximum(np.searchsorted(ties[:, 0], rows[:, place], side="right") - 1, 0)
            inside = rows[:, place] <= ties[number, 1]
            middle = ties[number].mean(axis=1)
            found[:, place] = np.where(inside, middle, found[:, place])
    return found
