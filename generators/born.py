"""Training of quantum circuit Born machines: angles whose outcomes follow a target law.

Tables, images and the anchor tasks of `benchmarks/anchors.py` all come down to this: shares of
basis states, a kernel that says which states are alike, and a circuit. `train` moves the angles
from the uniform law towards the shares, and stops where the shares themselves are chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.recipes import Stop
from generators.losses import (
    Loss,
    StateKernel,
    among,
    among_slope,
    negative_log_likelihood,
    state_distance,
)
from generators.quantum.descent import Adam, AdamState, Place, slope_by
from generators.quantum.geometry import among_states
from generators.quantum.sampling import frequencies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from generators.diary import Diary
    from generators.quantum.circuits import Ansatz
    from generators.quantum.engines import Executor, Gradient

    Floats = NDArray[np.floating[Any]]
    Angles = NDArray[np.float64]

LAST = 0.02
"""What is left of the learning rate at the last step."""

SURE = 3.0
"""Standard errors by which trained angles have to be closer to the rows than the first ones."""

KEPT = "Training brought nothing that the rows can show: the untrained circuit is kept."

LOOKS = 10
"""Steps between two looks at the sampling floor."""

HEAD = "t_000_y_"
"""Names of the angles that turn |0...0> into the uniform superposition at a quarter turn."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """What a Born machine shall draw.

    Attributes:
        shares: Of every basis state, shape (2^q,).
        kernel: Which states are alike.
        valid: Which states mean something, shape (2^q,); None for all.
        rows: Rows behind the shares; None where the shares are exact.
        held_out: Shares among rows that are not trained on; None for none.

    """

    shares: Floats
    kernel: StateKernel
    valid: NDArray[np.bool_] | None = None
    rows: int | None = None
    held_out: Floats | None = None

    def at_floor(self, probabilities: Floats) -> bool:
        """Return whether fresh rows of the true law would be no closer to the shares.

        Every kernel has to agree: fine structure shows to narrow ones, few rows to wide ones.
        """
        if self.rows is None or self.rows < 2:
            return False
        law, rows = self.law(probabilities), self.rows
        return all(
            state_distance(law, self.shares, kernel).value <= kernel.floor(self.shares, rows)
            for kernel in self.kernel.alone
        )

    def surely_closer(self, probabilities: Floats, others: Floats) -> bool:
        """Return whether the rows show one law to be closer than the other, by standard errors.

        Source: after Bounliphone et al. (2016), ICLR.
        """
        law, other = self.law(probabilities), self.law(others)
        seen = self.kernel.apply(np.asarray(law - other, np.float64))
        mean = float(self.shares @ seen)
        error = 2.0 * math.sqrt(max(0.0, float(self.shares @ seen**2) - mean**2) / (self.rows or 1))
        ends = [state_distance(some, self.shares, self.kernel).value for some in (law, other)]
        return ends[0] < ends[1] - SURE * error

    def law(self, probabilities: Floats) -> Floats:
        """Return the law of the states that are kept."""
        return probabilities if self.valid is None else among(self.valid, probabilities)

    def loss(self, kind: str, probabilities: Floats) -> Loss:
        """Return the loss, `mmd` or `nll`, and its slope by the circuit's probabilities."""
        law, shares = self.law(probabilities), self.shares.astype(probabilities.dtype, copy=False)
        if kind == "nll":
            found = negative_log_likelihood(law, shares)
        else:
            found = state_distance(law, shares, self.kernel)
        if self.valid is None:
            return found
        return Loss(found.value, among_slope(self.valid, probabilities, found.slope))

    def distance(self, probabilities: Floats) -> float:
        """Return the squared kernel distance to the held-out rows."""
        assert self.held_out is not None  # noqa: S101 - the caller has looked
        held_out = self.held_out.astype(probabilities.dtype, copy=False)
        return state_distance(self.law(probabilities), held_out, self.kernel).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the angles are trained.

    Attributes:
        loss: `mmd` or `nll`.
        steps: Of each start, at most.
        rate: Learning rate at the start; it falls along a cosine.
        restarts: Starts from other angles.
        spread: Standard deviation of the angles around the uniform start.
        optimiser: `adam`, `natural` or `spsa`.
        early_stop: Stop at the sampling floor.
        repetitions: Executions of the circuit that a loss is taken from; 0 for exact ones.

    """

    loss: str = "mmd"
    steps: int = 600
    rate: float = 0.03
    restarts: int = 1
    spread: float = 0.05
    optimiser: str = "adam"
    early_stop: bool = True
    repetitions: int = 0

    @property
    def total(self) -> int:
        """Return the steps of all starts."""
        return max(1, self.steps * self.restarts)

    def scale(self, step: int) -> float:
        """Return what is left of the learning rate at a step."""
        return LAST + (1.0 - LAST) * 0.5 * (1.0 + math.cos(math.pi * step / self.steps))


def starting_angles(ansatz: Ansatz, *, spread: float, rng: np.random.Generator) -> Angles:
    """Return angles near those at which every bitstring is equally likely.

    Args:
        ansatz: A `hardware_efficient` one.
        spread: Standard deviation around them.
        rng: Draws the angles.

    """
    first = np.array([name.startswith(HEAD) for name in ansatz.weights])
    return np.asarray(np.where(first, np.pi / 2, 0.0) + rng.normal(0.0, spread, len(first)))


def train(
    run: Executor, target: Target, plan: Plan, diary: Diary, rng: np.random.Generator
) -> tuple[Angles, tuple[str, ...]]:
    """Train, and return the best angles, with notes.

    Checkpoints are judged by the kernel distance to the held-out rows where there are some, else
    by the loss itself; training ends once every kernel finds the shares at their floor. The first
    angles are kept where the rows do not show that others are better.
    """
    first: list[Angles] = []
    with diary:
        for step, angles, found, probabilities in _descent(run, target, plan, diary, rng, first):
            diary.record(loss=found.value)
            held_out = target.held_out is not None
            score = target.distance(probabilities) if held_out else found.value
            diary.keep({"angles": angles}, score=score)
            if plan.early_stop and step % LOOKS == 0 and target.at_floor(probabilities):
                diary.stop(Stop.SAMPLING_FLOOR)
    best = diary.best["angles"]
    if not first or not plan.early_stop or target.rows is None:
        return best, ()
    last, start = (run.probabilities(some)[0] for some in (best, first[0]))
    return (best, ()) if target.surely_closer(last, start) else (first[0], (KEPT,))


def _descent(
    run: Executor,
    target: Target,
    plan: Plan,
    diary: Diary,
    rng: np.random.Generator,
    first: list[Angles],
) -> Iterator[tuple[int, Angles, Loss, Floats]]:
    """Yield step, angles, loss and probabilities, from start to start; note the first angles."""
    adam = Adam(rate=plan.rate)
    angles, state = np.zeros(0), adam.start(np.zeros(0))

    def restore(arrays: Mapping[str, NDArray[Any]]) -> None:
        nonlocal angles, state
        angles, state = arrays["angles"], AdamState.restored(arrays)
        first.append(arrays["first"])

    diary.carry(rng, lambda: {"angles": angles, "first": first[0], **state.arrays()}, restore)
    for number in diary.steps():
        step = number % plan.steps if plan.steps else 0
        if step == 0:
            angles = starting_angles(run.ansatz, spread=plan.spread, rng=rng)
            state = adam.start(angles)
            first[:] = first or [angles]
        if not np.isfinite(angles).all():
            diary.record(loss=math.nan)
        seen, pull = run.pullback(angles)
        probabilities = _counted(seen[0], plan.repetitions, rng)
        found = target.loss(plan.loss, probabilities)
        yield step, angles, found, probabilities
        place = Place(
            slope=partial(_pulled, pull, found),
            loss=_asked(run, target, plan, rng),
            natural=partial(among_states, run),
        )
        slope = slope_by(plan.optimiser, place, angles, taken=state.steps, rng=rng)
        angles, state = adam.step(angles, slope, state, scale=plan.scale(step))


def _pulled(pull: Callable[[Floats], Gradient], found: Loss) -> Angles:
    return pull(np.asarray(found.slope)[None]).weights


def _counted(probabilities: Floats, repetitions: int, rng: np.random.Generator) -> Floats:
    """Return the frequencies of some executions, or the probabilities for none."""
    if not repetitions:
        return probabilities
    found = frequencies(probabilities[None], repetitions=repetitions, rng=rng)
    return np.asarray(found[0], probabilities.dtype)


def _asked(
    run: Executor, target: Target, plan: Plan, rng: np.random.Generator
) -> Callable[[Angles], float]:
    """Return the loss as a function of the angles."""

    def loss(angles: Angles) -> float:
        probabilities = _counted(run.probabilities(angles)[0], plan.repetitions, rng)
        return target.loss(plan.loss, probabilities).value

    return loss
