"""A second opinion on whole rows: alibi-detect's least-squares density difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from detector.checks._alibi import EXTRA, Answer, asked, bandwidth, gap, permuted
from detector.checks._options import at_least
from detector.findings import Reason
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.checks._alibi import Rows
    from detector.findings import Finding, Gap
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class AlibiLsdd:
    """Asks alibi-detect's LSDDDrift.

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        min_rows: Rows that each side needs.
        permutations: Relabelings behind the p-value.

    """

    name: ClassVar[str] = "alibi_lsdd"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"alibi_lsdd"})
    extra: ClassVar[str] = EXTRA

    rows: int = 1_000
    min_rows: int = 50
    permutations: int = 199

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=50, min_rows=50, permutations=99)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table."""
        yield asked(self, comparison, streams, self._ask)

    def _ask(self, backend: str, rows: Rows, _seed: int) -> Answer | Gap:
        from alibi_detect.cd import LSDDDrift

        spread = rows.x.std(0) + 1e-12  # the scale that LSDDDrift puts rows on
        sigma = bandwidth(rows.x / spread, rows.y / spread)
        drift = LSDDDrift(rows.x, backend=backend, sigma=sigma, n_permutations=self.permutations)
        try:
            said = drift.predict(rows.y)["data"]
        except ValueError:  # its only one, in so many words: too many equal rows
            return gap(self, Reason.KIND_NOT_SUPPORTED, "too many equal rows for this statistic")
        p_value = permuted(float(said["p_val"]), self.permutations)
        return Answer(float(said["distance"]), p_value, {"bandwidth": float(sigma[0])})
