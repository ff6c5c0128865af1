"""Fits that survive Ctrl-C and worse: a model's folder that is kept while training goes on.

>>> model = recipe.fit(data, rng, checkpoints=Checkpoints(folder="model"))  # doctest: +SKIP

Ctrl-C ends the training between two steps, once there is a checkpoint. The folder then holds a
model that draws rows, and what `Checkpoints(folder="model", resume=True)` needs to go on. Killed
without a word, it holds the same as of the last minute.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detector.errors import DetectorError
from generators.store import plain_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from detector.data.schema import Schema
    from generators.model import FittedModel
    from generators.watch import State

STOPPING = b"\ngenerators: stopping at the next checkpoint; Ctrl-C again cuts it short.\n"

AGAIN = "Leave out `resume` to fit from the start, or choose another folder."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Where a fit keeps what it has so far.

    Attributes:
        folder: The model's folder; an older model there is replaced.
        resume: Go on from the training that the folder holds.
        every: Seconds between two checkpoints, at least.

    """

    folder: str | os.PathLike[str]
    resume: bool = False
    every: float = 60.0


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a wish that the loop looks for; the second one is raised."""
    asked = threading.Event()

    def remember(*_: Any) -> None:
        asked.set()
        with contextlib.suppress(OSError):
            os.write(2, STOPPING)
        signal.signal(signal.SIGINT, before)

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield asked.is_set
        return
    signal.signal(signal.SIGINT, remember)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def in_order(hashes: NDArray[np.uint64], schema: Schema) -> str:
    """Return a digest of rows, their order and kinds: a training goes on with the same only."""
    columns = json.dumps(plain_columns(schema)).encode()
    return hashlib.blake2b(columns + hashes.tobytes(), digest_size=16).hexdigest()


def left(model: FittedModel, *, options: Mapping[str, Any], seed: int, rows: str) -> State:
    """Return what is left of the training of a saved model.

    Args:
        model: The saved one.
        options: What the recipe is given now.
        seed: Where the fit's random choices come from now.
        rows: Digest of the rows now, by `in_order`.

    Raises:
        DetectorError: It is finished, or of other options, rows or another seed.

    """
    state = model.training
    if state is None:
        ended = model.log.stop.value.replace("_", " ")
        raise DetectorError(
            f"The model has no training to go on with: it ended by `{ended}`.", hint=AGAIN
        )
    for name in sorted(options.keys() | model.options.keys()):
        if (now := options.get(name)) != (before := model.options.get(name)):
            raise DetectorError(
                f"The training was begun with {name} = {before!r}, and it is {now!r} now.",
                hint=f"Give the same options to go on. {AGAIN}",
            )
    if state.facts["rows"] != rows:
        raise DetectorError(
            f"The training was begun with {model.lineage.n_rows:,} rows of "
            f"`{model.lineage.name}`; these rows, their kinds or their order are others.",
            hint=f"Give the same data to go on. {AGAIN}",
        )
    if model.seed != seed:
        raise DetectorError(
            "The training was begun with another seed.",
            hint=f"Give the same seed to go on. {AGAIN}",
        )
    return state
