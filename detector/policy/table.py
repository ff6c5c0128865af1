"""One table of a policy, read key by key; whatever is wrong with it becomes a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from detector.policy.faults import nearest
from detector.policy.options import shown

if TYPE_CHECKING:
    import enum
    from collections.abc import Iterable, Mapping

    from detector.policy.faults import Faults
    from detector.policy.lines import Path

Choice = TypeVar("Choice", bound="enum.Enum")


class Table:
    """A table whose keys are asked for one after the other; the rest is unknown."""

    def __init__(self, body: Mapping[str, Any], path: Path, faults: Faults) -> None:
        """Take a table and where it stands."""
        self._body = body
        self._path = path
        self._faults = faults
        self._asked: set[str] = set()

    @property
    def keys(self) -> tuple[str, ...]:
        """Return its keys in order."""
        return tuple(self._body)

    def fault(self, key: str | None, fault: str) -> None:
        """Note a fault at a key, or at the table's head."""
        self._faults.add(self._path if key is None else (*self._path, key), fault)

    def take(self, key: str) -> Any:
        """Return a value as it stands, or None."""
        self._asked.add(key)
        return self._body.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty; without a default it has to be given."""
        value = self.take(key)
        if value is None and default is None:
            self.fault(None, f"`{key}` is missing")
        elif value is not None:
            if isinstance(value, str) and value.strip():
                return value
            self.fault(key, f"`{key}` is {shown(value)}; it has to be text that says something")
        return default or ""

    def texts(self, key: str) -> tuple[str, ...]:
        """Return an array of texts, empty where it is not given."""
        value = self.take(key)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        if value is not None:
            self.fault(key, f"`{key}` is {shown(value)}; it has to be an array of texts")
        return ()

    def fraction(self, key: str, default: float) -> float:
        """Return a number above 0 and below 1."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
            return float(value)
        self.fault(key, f"`{key}` is {shown(value)}; it has to be a number between 0 and 1")
        return default

    def flag(self, key: str) -> bool:
        """Return true or false, false where it is not given."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, f"`{key}` is {shown(value)}; it has to be true or false")
        return value is True

    def choice(self, key: str, default: Choice) -> Choice:
        """Return a member of an enumeration, named in small letters."""
        value = self.take(key)
        known = {member.name.lower(): member for member in type(default)}
        if value is None:
            return default
        if isinstance(value, str) and value in known:
            return known[value]
        self.fault(key, f"`{key}` is {shown(value)}; {nearest(str(value), known)}")
        return default

    def table(self, key: str) -> Table:
        """Return a table inside this one, empty where it is not given."""
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            self.fault(key, f"`{key}` is {shown(value)}; it has to be a table, `[{key}]`")
        body = value if isinstance(value, dict) else {}
        return Table(body, (*self._path, key), self._faults)

    def tables(self, key: str) -> list[Table]:
        """Return an array of tables, empty where it is not given."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.fault(key, f"`{key}` has to be an array of tables, `[[{key}]]`")
            return []
        path = (*self._path, key)
        return [Table(body, (*path, place), self._faults) for place, body in enumerate(value)]

    def refuse_others(self, *, owner: str, also: Iterable[str] = ()) -> None:
        """Note every key that nobody asked for."""
        known = {*self._asked, *also}
        for key in self.keys:
            if key not in known:
                self.fault(key, f"{owner} has no key `{key}`; {nearest(key, known)}")
