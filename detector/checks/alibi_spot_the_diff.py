"""A second opinion on telling rows apart, and by what: alibi-detect's spot the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._alibi import EXTRA, Answer, asked, bandwidth, gaussian
from detector.checks._options import at_least
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.checks._alibi import Rows
    from detector.findings import Finding
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams


_NAMED = 10
_STEP = 0.05  # its own, 0.001, needs hundreds of epochs to leave where it starts
_SPARSE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class AlibiSpotTheDiff:
    """Asks alibi-detect's SpotTheDiffDrift: rows are told apart by one learned difference.

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        min_rows: Rows that each side needs.
        epochs: Passes over the training rows.

    """

    name: ClassVar[str] = "alibi_spot_the_diff"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"alibi_spot_the_diff"})
    extra: ClassVar[str] = EXTRA

    rows: int = 2_000
    min_rows: int = 100
    epochs: int = 5

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=100, min_rows=100, epochs=1)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table."""
        yield asked(self, comparison, streams, self._ask)

    def _ask(self, backend: str, rows: Rows, seed: int) -> Answer:
        from alibi_detect.cd import SpotTheDiffDrift

        drift = SpotTheDiffDrift(
            rows.x,
            backend=backend,
            kernel=gaussian(backend, bandwidth(rows.x, rows.y)),
            epochs=self.epochs,
            learning_rate=_STEP,
            l1_reg=_SPARSE,
            seed=seed,
        )
        said = drift.predict(rows.y)["data"]
        push = np.ravel(said["diffs"]) * np.sign(np.ravel(said["diff_coeffs"]))
        largest = np.argsort(-np.abs(push), kind="stable")[:_NAMED]
        listed = [{"name": rows.sources[i], "difference": float(push[i])} for i in largest]
        evidence = {"epochs": self.epochs, "differences": listed}
        return Answer(float(said["distance"]), float(said["p_val"]), evidence)
