"""Progress on stderr, where a person watches."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from generators.cli import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 0.7
"""Seconds before anything is drawn: quick fits leave no trace."""

WORDS = 40
"""Characters that leave room for the bar and both times in 80 columns."""


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str, float], None] | None]:
    """Give a callback `(words, share done)` that draws one line; None where nobody watches."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        BarColumn(20),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True, no_color="NO_COLOR" in os.environ),
        transient=True,
    )
    task = bar.add_task("", total=1.0)
    due = time.monotonic() + PATIENCE

    def tell(words: str, done: float) -> None:
        if not bar.live.is_started and time.monotonic() >= due:
            bar.start()
        bar.update(task, description=one_line(words, limit=WORDS), completed=done)

    try:
        yield tell
    finally:
        bar.stop()
