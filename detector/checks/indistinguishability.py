"""Is it shown that rows cannot be told apart? Not being able to tell is no proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from detector.checks._options import at_least
from detector.checks._told_apart import ADDRESS, MIN_ROWS, told_apart
from detector.findings import TABLE, Finding
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.profiles.comparison import Comparison
    from detector.rng import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Indistinguishability:
    """Measures the same area as `discriminator`, two-sided, for a test of equivalence.

    Attributes:
        rows: Sampled rows of each side that enter, at most; with the same number both
            checks share one fit.

    """

    name: ClassVar[str] = "indistinguishability"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"auc"})
    address: ClassVar[str] = ADDRESS

    rows: int = 10_000

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=MIN_ROWS)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the area and its interval; a policy says what margin counts as the same."""
        made = told_apart(comparison, check=self.name, rows=self.rows, streams=streams)
        if isinstance(made, Finding):
            yield made
            return
        yield Finding(
            check=self.name,
            subject=TABLE,
            outcome=made.area("auc", two_sided=True),
            n_reference=made.rows[0],
            n_candidate=made.rows[1],
            evidence={"learners": {name: own.value for name, own in made.found.learners.items()}},
        )
