"""Random streams with addresses: one seed, independent streams."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


class Streams(Protocol):
    """What a check is given: its own corner of the run's randomness."""

    def __call__(self, *path: str) -> np.random.Generator:
        """Return the stream at this path below the check's own address."""


def stream(seed: int, *path: str) -> np.random.Generator:
    """Return the generator that belongs to one place in the run.

    Two different paths give independent streams, so adding a check or a column
    never changes the numbers of another one.

    Args:
        seed: The run's seed, at least 0.
        path: The address, for example `"joint", "table"`.

    """
    import numpy as np

    digest = hashlib.blake2b("\x1f".join(path).encode(), digest_size=16).digest()
    words = np.frombuffer(digest, dtype="<u4")
    return np.random.default_rng([seed, *map(int, words)])


def streams(seed: int, *prefix: str) -> Streams:
    """Return the streams below one address."""

    def below(*path: str) -> np.random.Generator:
        return stream(seed, *prefix, *path)

    return below
