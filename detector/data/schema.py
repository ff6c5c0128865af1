"""Columns, what kind each one is, and the part it plays."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Kind(enum.StrEnum):
    """What sort of values a column holds."""

    NUMERIC = "numeric"
    INTEGER = "integer"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    VECTOR = "vector"


class Role(enum.StrEnum):
    """The part a column plays."""

    FEATURE = "feature"
    TARGET = "target"
    ID = "id"
    GROUP = "group"
    TIME = "time"


ORDERED = frozenset({Kind.NUMERIC, Kind.INTEGER, Kind.DATETIME})
"""Kinds whose values lie on a line: they are profiled as float64 numbers."""

NOMINAL = frozenset({Kind.CATEGORY, Kind.BOOLEAN})
"""Kinds whose values are levels: they are profiled as text levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """One column: its name, kind, role and (for vectors) width."""

    name: str
    kind: Kind
    role: Role = Role.FEATURE
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The columns of a data set, in order, names unique."""

    columns: tuple[ColumnSpec, ...]
    _by_name: dict[str, ColumnSpec] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep a look-up by name: files of thousands of columns are looked up column by column."""
        object.__setattr__(self, "_by_name", {spec.name: spec for spec in self.columns})

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(spec.name for spec in self.columns)

    def __getitem__(self, name: str) -> ColumnSpec:
        """Return the column of this name."""
        return self._by_name[name]

    def __contains__(self, name: str) -> bool:
        """Tell whether a column of this name exists."""
        return name in self._by_name

    def of(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the names of compared columns of these kinds, in order."""
        return tuple(spec.name for spec in self.compared if spec.kind in kinds)

    @property
    def compared(self) -> tuple[ColumnSpec, ...]:
        """Return the columns that checks compare: features and the target."""
        parts = (Role.FEATURE, Role.TARGET)
        return tuple(spec for spec in self.columns if spec.role in parts)

    def role(self, role: Role) -> str | None:
        """Return the name of the one column with this role, or None."""
        return next((spec.name for spec in self.columns if spec.role is role), None)
