"""A second opinion on whole rows: alibi-detect's trained kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from detector.checks._alibi import EXTRA, Answer, asked, deep_kernel, network, permuted
from detector.checks._options import at_least
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.checks._alibi import Rows
    from detector.findings import Finding
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class AlibiLearnedKernel:
    """Asks alibi-detect's LearnedKernelDrift: a deep kernel, trained on three quarters of the rows.

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        min_rows: Rows that each side needs.
        permutations: Relabelings behind the p-value.
        epochs: Passes over the training rows.

    """

    name: ClassVar[str] = "alibi_learned_kernel"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"alibi_learned_kernel"})
    extra: ClassVar[str] = EXTRA

    rows: int = 2_000
    min_rows: int = 100
    permutations: int = 199
    epochs: int = 5

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=100, min_rows=100, permutations=99, epochs=1)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table."""
        yield asked(self, comparison, streams, self._ask)

    def _ask(self, backend: str, rows: Rows, _seed: int) -> Answer:
        from alibi_detect.cd import LearnedKernelDrift

        drift = LearnedKernelDrift(
            rows.x,
            deep_kernel(backend, network(backend, (rows.x.shape[1], 32, 8))),
            backend=backend,
            n_permutations=self.permutations,
            epochs=self.epochs,
        )
        said = drift.predict(rows.y)["data"]
        p_value = permuted(float(said["p_val"]), self.permutations)
        return Answer(float(said["distance"]), p_value, {"epochs": self.epochs})
