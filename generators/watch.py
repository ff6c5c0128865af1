"""What watches a training loop: it is told how things go, keeps checkpoints, may ask for an end.

A checkpoint is a `State`: the arrays that a loop carries from one step to the next, and where its
random stream stands. A loop that goes on from one does what it would have done without a break.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detector.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

SHARE = 20.0
"""Checkpoints take a twentieth of the time at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """A training between two steps.

    Attributes:
        facts: JSON data: the step, the state of the random stream, what was measured so far.
        arrays: What the loop carries, its losses and its best checkpoint.

    """

    facts: Mapping[str, Any]
    arrays: Arrays


class Watch:
    """Called with a few words and the share done, and asked by the loop between two steps."""

    def __init__(
        self,
        tell: Callable[[str, float], None] | None = None,
        *,
        resume: State | None = None,
        halted: Callable[[], bool] | None = None,
        keep: Callable[[State], None] | None = None,
        every: float = 60.0,
    ) -> None:
        """Start the clock.

        Args:
            tell: Called with a few words and the share done.
            resume: Where to go on from.
            halted: Whether the training should end now.
            keep: Writes a checkpoint.
            every: Seconds between two checkpoints, at least.

        """
        self._tell, self._keep, self._every = tell, keep, every
        self._halted = halted or (lambda: False)
        self._due = time.monotonic() + every
        self.resume = resume
        self.last: State | None = None
        self.notes: tuple[str, ...] = ()

    def __call__(self, words: str, done: float) -> None:
        """Tell a few words and the share done."""
        if self._tell is not None:
            self._tell(words, done)

    @property
    def halted(self) -> bool:
        """Whether the training should end now."""
        return self._halted()

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self._keep is not None and time.monotonic() >= self._due

    def keep(self, state: State) -> None:
        """Write a checkpoint; one that cannot be written is noted and ends nothing."""
        assert self._keep is not None  # noqa: S101 - it was due
        began, self.last = time.monotonic(), state
        try:
            self._keep(state)
        except DetectorError as error:
            self.notes = (f"A checkpoint could not be written: {error.message}",)
        now = time.monotonic()
        self._due = now + max(self._every, SHARE * (now - began))
