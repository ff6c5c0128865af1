"""Progress on stderr, for people, when something takes more than a second."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from detector.cli.terminal import has_color, is_terminal
from detector.formats._escape import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

PATIENCE = 1.0
"""Seconds before anything is drawn."""

WORDS = 30
"""Characters of a stage's name: the line fits into 80 columns."""

EARLY = 0.05
"""The share done from which the time left is more than a guess."""


@contextmanager
def progress(
    *, quiet: bool = False, no_color: bool = False
) -> Iterator[Callable[[str, float], None] | None]:
    """Give a callback `(stage, share done)` that draws on stderr; None where nobody watches."""
    if quiet or os.environ.get("TERM") == "dumb" or not is_terminal(sys.stderr):
        yield None
        return
    bar = _Bar(no_color=no_color)
    try:
        yield bar.draw
    finally:
        bar.stop()


class _Bar:
    """One line that appears after a while and leaves nothing behind."""

    def __init__(self, *, no_color: bool) -> None:
        self._due = time.monotonic() + PATIENCE
        self._no_color = no_color
        self._shown: Progress | None = None
        self._began, self._from = time.monotonic(), 0.0

    def draw(self, stage: str, done: float) -> None:
        """Show how far a stage is, 0 to 1, and how long the rest of it will take."""
        if done < self._from or done == 0:
            self._began = time.monotonic()
        self._from = done
        if self._shown is None:
            if time.monotonic() < self._due:
                return
            self._shown = self._started(visible(stage, limit=WORDS))
        task = self._shown.task_ids[0]
        words, left = visible(stage, limit=WORDS), self._left(done)
        self._shown.update(task, description=words, completed=done, left=left)

    def _left(self, done: float) -> str:
        """Return the time left of this stage; nothing while it would be a guess."""
        elapsed = time.monotonic() - self._began
        if not EARLY < done < 1 or elapsed < PATIENCE:
            return ""
        seconds = round(elapsed * (1 - done) / done)
        return f"{seconds // 60}:{seconds % 60:02} left"

    def stop(self) -> None:
        """Wipe the line."""
        if self._shown is not None:
            self._shown.stop()

    def _started(self, stage: str) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True, no_color=not has_color(sys.stderr, refused=self._no_color))
        shown = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(16),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=console,
            transient=True,
        )
        shown.add_task(stage, total=1.0, left="")
        shown.start()
        return shown
