"""Everything that is wrong with a policy, told at once."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from detector.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detector.policy.lines import Lines, Path


class Faults:
    """What was found wrong, by line."""

    def __init__(self, lines: Lines) -> None:
        """Start without a fault."""
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def add(self, path: Path, fault: str) -> None:
        """Note one fault where its value stands."""
        self._found.append((self._lines.find(path), fault))

    def raise_for(self, source: str) -> None:
        """Raise all of them, in the order of lines, if there are any."""
        if self._found:
            found = sorted(self._found, key=lambda fault: fault[0])
            faults = tuple(f"line {line}: {fault}" for line, fault in found)
            raise PolicyError(faults, source=source)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that was likely meant, or all of them.

    >>> nearest("alhpa", ("alpha", "name")), nearest("x", ("alpha", "name"))
    ('did you mean `alpha`?', 'there are `alpha`, `name`')
    """
    names = sorted(known)
    if near := difflib.get_close_matches(name, names, n=1):
        return f"did you mean `{near[0]}`?"
    return f"there are {', '.join(f'`{each}`' for each in names)}" if names else "there are none"
