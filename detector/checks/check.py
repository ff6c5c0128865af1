"""What a check is: one question about a comparison. It measures; it never decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detector.findings import Finding
    from detector.profiles.comparison import Comparison
    from detector.profiles.parts import Part
    from detector.rng import Streams


class Check(Protocol):
    """One question about a comparison.

    A check is a frozen, slotted, keyword-only dataclass whose fields are its options
    (each with a default) and whose module has its name. It holds no threshold. Checks that
    share work share its random numbers: they name a common `address` (a class attribute);
    otherwise a check draws at its own name. `measures` are the names of all its
    measurements, so that a policy that misspells one is refused.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[Part]]
    measures: ClassVar[frozenset[str]]

    def run(self, comparison: Comparison, streams: Streams) -> Iterable[Finding]:
        """Measure. Raise nothing for data that cannot answer: yield a Gap."""
        ...
