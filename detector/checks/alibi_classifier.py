"""A second opinion on telling rows apart: alibi-detect's classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from detector.checks._alibi import EXTRA, Answer, asked, network
from detector.checks._options import at_least
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.checks._alibi import Rows
    from detector.findings import Finding
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class AlibiClassifier:
    """Asks alibi-detect's ClassifierDrift: a small network, scored on a quarter of the rows.

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        min_rows: Rows that each side needs.
        epochs: Passes over the training rows.

    """

    name: ClassVar[str] = "alibi_classifier"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"alibi_classifier"})
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
        from alibi_detect.cd import ClassifierDrift

        drift = ClassifierDrift(
            rows.x,
            network(backend, (rows.x.shape[1], 32, 2), softmax=True),
            backend=backend,
            epochs=self.epochs,
            seed=seed,
        )
        said = drift.predict(rows.y)["data"]
        return Answer(float(said["distance"]), float(said["p_val"]), {"epochs": self.epochs})
