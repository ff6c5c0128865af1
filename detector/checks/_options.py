"""Options of a check that have a least value."""

from __future__ import annotations

from typing import ClassVar, Protocol


class Named(Protocol):
    """A check, as far as its options go."""

    name: ClassVar[str]


def at_least(check: Named, **bounds: int) -> None:
    """Refuse options that cannot work.

    Raises:
        ValueError: An option is below its bound.

    """
    for option, bound in bounds.items():
        if getattr(check, option) < bound:
            raise ValueError(f"{check.name}: {option} must be at least {bound}")
