"""A training loop's diary: time, losses, the best checkpoint, and why it ended.

>>> diary = Diary(total=100)
>>> with diary:
...     for step in diary.steps():
...         loss = 1.0 / (step + 1)
...         diary.record(loss=loss)
...         _ = diary.keep({"weights": np.full(2, loss)}, score=loss)
>>> diary.log().stop, diary.best["weights"].tolist()
(<Stop.ALL_STEPS: 'all_steps'>, [0.01, 0.01])
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from detector.errors import DetectorError
from detector.recipes import Stop, TrainingLog
from generators.store import below, under
from generators.watch import State, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from numpy.typing import NDArray

    Checkpoint = Mapping[str, NDArray[Any]]

POINTS = 400
"""Points that a loss's course keeps; longer ones are thinned evenly."""


class _NotFiniteError(Exception):
    """A loss was not a number; the diary ends the loop."""


class Diary:
    """Keeps what a training log needs. Ctrl-C and a loss that is no number end the loop only.

    Whatever ends it, the best checkpoint stays; without one there is nothing to save, so an
    interrupt goes on and a loss that is no number is an error.

    A loop that names all that it carries from step to step, before the first of them, can be kept
    while it runs and gone on with later::

        diary.carry(rng, save, restore)
    """

    def __init__(
        self,
        *,
        total: int,
        tell: Callable[[str, float], None] | None = None,
        patience: int | None = None,
        budget: float | None = None,
    ) -> None:
        """Start the clocks.

        Args:
            total: Steps at most.
            tell: Called with the loss as text and the share done; a `Watch` keeps checkpoints.
            patience: Calls of `keep` without a better score that end the loop.
            budget: CPU seconds that end the loop.

        """
        self._total, self._watch = total, tell if isinstance(tell, Watch) else Watch(tell)
        self._patience, self._budget = patience, math.inf if budget is None else budget
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._losses: dict[str, list[float]] = {}
        self._step, self._idle, self._score = 0, 0, math.inf
        self._best: Checkpoint | None = None
        self._stop: Stop | None = None
        self._carried: tuple[np.random.Generator | None, Callable[[], Checkpoint]] | None = None

    def carry(
        self,
        rng: np.random.Generator | None,
        save: Callable[[], Checkpoint],
        restore: Callable[[Checkpoint], None],
    ) -> None:
        """Name what the loop carries from one step to the next; go on from it where asked.

        Args:
            rng: The only source of its random choices; None for a loop without any.
            save: Returns all that it carries, as arrays.
            restore: Takes what `save` returned, when the training goes on from there.

        """
        self._carried = (rng, save)
        if (state := self._watch.resume) is None:
            return
        try:
            self._restore(state)
            restore(below(state.arrays, "carried"))
            if rng is not None:
                rng.bit_generator.state = state.facts["rng"]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            kind = type(error).__name__
            raise DetectorError(
                f"The training that is kept does not fit together ({kind}: {error}).",
                hint="It is damaged or of another version; fit from the start.",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        ended = {KeyboardInterrupt: Stop.INTERRUPTED, _NotFiniteError: Stop.NOT_FINITE}
        if kind not in ended:
            return False
        self._stop = ended[kind]
        if kind is _NotFiniteError and self._best is None:
            raise DetectorError(
                f"Training failed at step {self._step}: {error}.",
                hint="Try a smaller learning rate or another seed.",
            ) from None
        return self._best is not None

    def steps(self) -> Iterator[int]:
        """Yield step numbers from 0 until something ends the training."""
        began = time.process_time()
        for step in range(self._step, self._total):
            if self._stop is not None:
                return
            if time.process_time() - began > self._budget:
                self._end(Stop.BUDGET)
                return
            if self._watch.halted and self._best is not None:
                self._end(Stop.INTERRUPTED)
                return
            if self._watch.due and self._best is not None and self._carried is not None:
                self._watch.keep(self._state())
            yield step
            self._step = step + 1

    def record(self, **losses: float) -> None:
        """Write the losses of this step down; one that is no number ends the loop."""
        for name, value in losses.items():
            self._losses.setdefault(name, []).append(float(value))
            if not math.isfinite(value):
                raise _NotFiniteError(f"{name} is {value}")
        told = ", ".join(f"{name} {value:.4g}" for name, value in losses.items())
        self._watch(told, (self._step + 1) / self._total)

    def keep(self, checkpoint: Checkpoint, *, score: float) -> bool:
        """Keep a copy of the checkpoint if its score is the lowest so far; tell whether it is."""
        if not math.isfinite(score):
            raise _NotFiniteError(f"the score is {score}")
        if score < self._score:
            self._score, self._idle = score, 0
            self._best = {name: np.array(array) for name, array in checkpoint.items()}
            return True
        self._idle += 1
        if self._patience is not None and self._idle >= self._patience:
            self._stop = Stop.VALIDATION
        return False

    def stop(self, why: Stop) -> None:
        """End the loop after this step."""
        self._stop = why

    def _end(self, why: Stop) -> None:
        """End the loop between two steps, where it can be gone on with."""
        self._stop = why
        if self._carried is not None and self._best is not None:
            self._watch.last = self._state()

    def _state(self) -> State:
        """Return the training as it stands between two steps."""
        assert self._carried is not None  # noqa: S101 - the caller has looked
        rng, save = self._carried
        parts: dict[str, Checkpoint] = {
            "carried": save(),
            "best": self.best,
            "losses": {name: np.array(values) for name, values in self._losses.items()},
            "score": {"score": np.array(self._score)},
        }
        facts = {
            "step": self._step,
            "idle": self._idle,
            "rng": None if rng is None else rng.bit_generator.state,
            "seconds": self._seconds(),
            "cpu_seconds": self._cpu_seconds(),
            "losses": list(self._losses),
        }
        arrays = {
            name: np.array(array)
            for part, own in parts.items()
            for name, array in under(part, own).items()
        }
        return State(facts=facts, arrays=arrays)

    def _restore(self, state: State) -> None:
        facts, arrays = state.facts, state.arrays
        self._step, self._idle = int(facts["step"]), int(facts["idle"])
        self._wall -= float(facts["seconds"])
        self._cpu -= float(facts["cpu_seconds"])
        self._losses = {name: arrays[f"losses/{name}"].tolist() for name in facts["losses"]}
        self._score, self._best = float(arrays["score/score"]), below(arrays, "best")

    def _seconds(self) -> float:
        return round(time.perf_counter() - self._wall, 3)

    def _cpu_seconds(self) -> float:
        return round(time.process_time() - self._cpu, 3)

    @property
    def best(self) -> Checkpoint:
        """Return the checkpoint with the lowest score."""
        if self._best is None:
            raise DetectorError("Training kept no checkpoint.", hint="Allow more steps.")
        return self._best

    def log(
        self, *, facts: Mapping[str, float | int | str] | None = None, notes: tuple[str, ...] = ()
    ) -> TrainingLog:
        """Return the log of a loop that has ended."""
        said = {
            Stop.INTERRUPTED: f"Interrupted at step {self._step}; the best checkpoint is kept.",
            Stop.NOT_FINITE: f"Step {self._step} gave a loss that is no number; "
            "the best checkpoint before it is kept.",
        }
        stop = self._stop or Stop.ALL_STEPS
        return TrainingLog(
            stop=stop,
            steps=self._step,
            seconds=self._seconds(),
            cpu_seconds=self._cpu_seconds(),
            losses={name: _thinned(values) for name, values in self._losses.items()},
            facts=dict(facts or {}),
            notes=(*notes, *([said[stop]] if stop in said else []), *self._watch.notes),
        )


def _thinned(values: list[float]) -> tuple[float, ...]:
    if len(values) <= POINTS:
        return tuple(values)
    places = np.linspace(0, len(values) - 1, POINTS).round().astype(int)
    return tuple(values[place] for place in places)
