"""A reference and a candidate, side by side, and what they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from detector.data.schema import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from detector.profiles.profile import Profile

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """What every check is given.

    Attributes:
        reference: Rows we trust as real.
        candidate: Rows under question, profiled over the reference's frame.
        holdout: Real rows that no generator has seen, if the user has them.
        synthetic: Rows known to be synthetic, if the user has them.

    """

    reference: Profile
    candidate: Profile
    holdout: Profile | None = None
    synthetic: Profile | None = None
    _memory: dict[Hashable, object] = field(default_factory=dict, init=False, repr=False)

    def columns(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the compared columns that both sides have with one kind, in order.

        Args:
            kinds: Only these kinds; every kind when none is given.

        """
        held = self.candidate.columns
        return tuple(
            spec.name
            for spec in self.reference.frame.schema.compared
            if spec.name in held and (not kinds or spec.kind in kinds)
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the reference's compared columns that the candidate lacks."""
        own = self.candidate.schema
        return tuple(s.name for s in self.reference.frame.schema.compared if s.name not in own)

    @property
    def extra(self) -> tuple[str, ...]:
        """Return the columns that only the candidate has."""
        known = self.reference.frame.schema
        return tuple(name for name in self.candidate.schema.names if name not in known)

    @property
    def retyped(self) -> Mapping[str, tuple[Kind, Kind]]:
        """Return columns of both sides whose kinds differ: reference kind, candidate kind."""
        own = self.candidate.schema
        return {
            spec.name: (spec.kind, own[spec.name].kind)
            for spec in self.reference.frame.schema.compared
            if spec.name in own and spec.name not in self.candidate.columns
        }

    @property
    def group(self) -> str | None:
        """Return the group column (clustered rows) when both sides have it."""
        name = self.reference.frame.schema.role(Role.GROUP)
        return name if name is not None and name in self.candidate.schema else None

    def cached(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return what `compute` gives, computed once for each key in this comparison."""
        if key not in self._memory:
            self._memory[key] = compute()
        return cast("T", self._memory[key])
