"""What rules say: a distribution for each column, how columns go together, what must hold."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from detector.data.schema import ColumnSpec, Kind, Role, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NEEDS: Mapping[str, tuple[str, ...]] = {
    "uniform": ("low", "high"),
    "normal": ("mean", "spread"),
    "lognormal": ("mean", "spread"),
    "exponential": ("mean",),
    "poisson": ("mean",),
    "quantiles": ("values",),
    "choice": ("values",),
    "constant": ("value",),
    "keys": (),
}
"""The distributions, and what each must be told."""

MAY: Mapping[str, tuple[str, ...]] = {"choice": ("weights",)}
"""What a distribution may be told besides."""

LIMITS = ("low", "high", "step")
"""What every number may be told: its bounds and its granularity."""

RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One distribution with its parameters.

    Attributes:
        distribution: One of `NEEDS`.
        given: Its parameters by name.

    """

    distribution: str
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """One column: what it is, how its values are spread, how often one is missing."""

    name: str
    kind: Kind
    shape: Shape
    missing: float = 0.0
    role: Role = Role.FEATURE
    width: int = 1

    @property
    def spec(self) -> ColumnSpec:
        """Return the column as a schema has it."""
        return ColumnSpec(name=self.name, kind=self.kind, role=self.role, width=self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """Two columns whose normal scores are correlated."""

    columns: tuple[str, str]
    correlation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A column's other distribution, where another column has one level."""

    column: str
    when: str
    level: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A relation that every row keeps before gaps are made."""

    left: str
    relation: str
    right: str | None = None
    value: float | str | None = None

    def __str__(self) -> str:
        other = repr(self.value) if self.right is None else self.right
        return f"{self.left} {self.relation} {other}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A whole table's rules."""

    columns: tuple[ColumnRule, ...]
    dependences: tuple[Dependence, ...] = ()
    conditions: tuple[Condition, ...] = ()
    constraints: tuple[Constraint, ...] = ()

    @property
    def schema(self) -> Schema:
        """Return the columns of the rows."""
        return Schema(columns=tuple(rule.spec for rule in self.columns))

    def column(self, name: str) -> ColumnRule:
        """Return the rule of one column."""
        return next(rule for rule in self.columns if rule.name == name)
