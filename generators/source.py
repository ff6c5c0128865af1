"""Where the rows of a model of the codec come from: a core, and the way back to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from detector.errors import DetectorError
from generators.bits import Bits
from generators.codec import Codec
from generators.ranks import joined, parted
from generators.smoothing import Smoothing
from generators.store import below
from generators.whitening import Rematch, Whitening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema

    Rows = NDArray[np.float32]
    Bitstrings = NDArray[np.uint8]
    Arrays = Mapping[str, NDArray[Any]]


class Core(Protocol):
    """What a recipe has learned; `generators.tabular` says what it must do."""

    def draw(self, n: int, rng: np.random.Generator) -> Rows | Bitstrings:
        """Return n independent rows, or bitstrings if the recipe asked for bits."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that was learned."""


PARTS = ("whitening", "bits", "rematch", "smoothing", "core")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TabularSource:
    """Draws from a core and writes its rows as a table.

    Attributes:
        codec: What rows mean.
        core: What was learned; None where nothing varies.
        whitening: The axes that the core's rows are on, if any.
        code: What the core's bits mean, if it draws bits.
        rematch: How drawn dimensions are mapped onto the training ranks, if they are.
        smoothing: How those ranks lose the chance of few rows, if they do.

    """

    codec: Codec
    core: Core | None
    whitening: Whitening | None = None
    code: Bits | None = None
    rematch: Rematch | None = None
    smoothing: Smoothing | None = None

    @property
    def schema(self) -> Schema:
        """Return the columns."""
        return self.codec.schema

    @property
    def declared(self) -> Mapping[str, Any]:
        """Return what the core wants samples to declare."""
        found: Mapping[str, Any] = getattr(self.core, "declared", {})
        return found

    def drawn(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows of the codec, as the core makes them."""
        if self.core is None:
            return np.empty((n, 0), np.float32)
        rows = self.core.draw(n, rng)
        _check(rows, n, self._width)
        if self.code is not None:
            rows = self.code.decode(rows.astype(np.uint8, copy=False), rng)
        rows = rows.astype(np.float32, copy=False)
        return rows if self.whitening is None else self.whitening.backward(rows)

    @property
    def _width(self) -> int:
        """Return how many numbers, or bits, a row of the core has."""
        return len(self.codec.dimensions) if self.code is None else self.code.total

    def rows(self, n: int, rng: np.random.Generator) -> pa.RecordBatch:
        """Return n rows of the table."""
        rows = self.drawn(n, rng)
        if self.rematch is not None:
            rows = self.rematch.apply(rows, rng)
        if self.smoothing is not None:
            rows = self.smoothing.apply(rows)
        return self.codec.decode(rows, rng)

    def save(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what `TabularRecipe.source_of` needs."""
        facts, codec = self.codec.save()
        held = {
            "codec": codec,
            "whitening": {} if self.whitening is None else self.whitening.save(),
            "bits": {} if self.code is None else self.code.save(),
            "rematch": {} if self.rematch is None else joined(self.rematch.ranks),
            "smoothing": {} if self.smoothing is None else self.smoothing.save(),
            "core": {} if self.core is None else self.core.arrays(),
        }
        arrays = {
            f"{part}/{name}": array for part, own in held.items() for name, array in own.items()
        }
        return {**facts, "trained": self.core is not None}, arrays

    @staticmethod
    def restored(
        facts: Mapping[str, Any], arrays: Arrays, core_of: Callable[[Arrays], Core]
    ) -> TabularSource:
        """Return what `save` wrote; `core_of` rebuilds the core from its arrays."""
        whitening, code, rematch, smoothing, core = (below(arrays, part) for part in PARTS)
        return TabularSource(
            codec=Codec.restored(facts, below(arrays, "codec")),
            core=core_of(core) if facts["trained"] else None,
            whitening=Whitening.restored(whitening) if whitening else None,
            code=Bits.restored(code) if code else None,
            rematch=Rematch(ranks=tuple(parted(rematch))) if rematch else None,
            smoothing=Smoothing.restored(smoothing) if smoothing else None,
        )


def _check(rows: NDArray[Any], n: int, width: int) -> None:
    """Refuse rows that are no numbers: a table made from them would look healthy."""
    if rows.shape != (n, width):
        raise ValueError(f"the core drew rows of shape {rows.shape}, not {(n, width)}")
    if not np.isfinite(rows).all():
        raise DetectorError(
            "The model draws rows that are no numbers.", hint="Fit it again with another seed."
        )
