"""A second opinion on whole rows: alibi-detect's kernel test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from detector.checks._alibi import EXTRA, Answer, asked, bandwidth, permuted
from detector.checks._options import at_least
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.checks._alibi import Rows
    from detector.findings import Finding
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class AlibiMmd:
    """Asks alibi-detect's MMDDrift, a Gaussian kernel at the median distance.

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        min_rows: Rows that each side needs.
        permutations: Relabelings behind the p-value.

    """

    name: ClassVar[str] = "alibi_mmd"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"alibi_mmd"})
    extra: ClassVar[str] = EXTRA

    rows: int = 1_000
    min_rows: int = 20
    permutations: int = 199

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=20, min_rows=10, permutations=99)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table."""
        yield asked(self, comparison, streams, self._ask)

    def _ask(self, backend: str, rows: Rows, _seed: int) -> Answer:
        from alibi_detect.cd import MMDDrift

        sigma = bandwidth(rows.x, rows.y)
        drift = MMDDrift(
            rows.x,
            backend=backend,
            sigma=sigma,
            configure_kernel_from_x_ref=False,
            n_permutations=self.permutations,
        )
        said = drift.predict(rows.y)["data"]
        p_value = permuted(float(said["p_val"]), self.permutations)
        return Answer(float(said["distance"]), p_value, {"bandwidth": float(sigma[0])})
