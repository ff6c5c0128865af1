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

    def draw(self, stage: str, done: float) -> None:
        """Show how far a stage is, 0 to 1."""
        if self._shown is None:
            if time.monotonic() < self._due:
                return
            self._shown = self._started(visible(stage, limit=40))
        task = self._shown.task_ids[0]
        self._shown.update(task, description=visible(stage, limit=40), completed=done)

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
            BarColumn(24),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        shown.add_task(stage, total=1.0)
        shown.start()
        return shown
