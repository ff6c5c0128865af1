"""Rows that keep rules: latent normal scores, distributions on top, constraints by redrawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.build import primitive, strings
from detector.data.schema import NOMINAL, Kind
from detector.errors import DetectorError
from generators.cells import ordered_cells, with_gaps
from generators.columns import Keys
from generators.latent import positive_definite
from generators.rules.model import RELATIONS, Rules
from generators.rules.shapes import levels_of, values_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema
    from generators.rules.model import ColumnRule, Constraint

    Numbers = NDArray[np.float64]
    Values = dict[str, Numbers]

ROUNDS = 200
"""How often the rows that break a constraint are drawn again."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleRows:
    """Draws rows by rules.

    Attributes:
        rules: The rules.
        text: The same as TOML.
        levels: The levels of each column of levels, in the order of their numbers.

    """

    rules: Rules
    text: str
    levels: Mapping[str, tuple[str, ...]]

    @staticmethod
    def by(rules: Rules, text: str) -> RuleRows:
        """Return what draws by these rules."""
        shapes = {rule.name: [rule.shape] for rule in rules.columns if rule.kind in NOMINAL}
        for condition in rules.conditions:
            if condition.column in shapes:
                shapes[condition.column].append(condition.shape)
        return RuleRows(
            rules=rules,
            text=text,
            levels={name: levels_of(several) for name, several in shapes.items()},
        )

    @property
    def schema(self) -> Schema:
        """Return the columns."""
        return self.rules.schema

    def rows(self, n: int, rng: np.random.Generator) -> pa.RecordBatch:
        """Return n rows that keep every constraint.

        Raises:
            DetectorError: Hardly any row keeps them.

        """
        import pyarrow as pa

        values = self._values(n, rng)
        for _ in range(ROUNDS):
            broken = self._broken(values)
            places = np.flatnonzero(
                np.logical_or.reduce(list(broken.values()) or [np.zeros(n, bool)])
            )
            if not len(places):
                break
            again = self._values(len(places), rng)
            for name, column in values.items():
                column[places] = again[name]
        else:
            worst = max(broken, key=lambda rule: float(broken[rule].mean()))
            raise DetectorError(
                f"Rows that keep `{worst}` are too rare to be found.",
                hint="Change the constraint or the distributions of its columns.",
            )
        arrays = [self._array(rule, values[rule.name], rng) for rule in self.rules.columns]
        return pa.RecordBatch.from_arrays(arrays, names=list(self.schema.names))

    def save(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the rules as text."""
        return {"rules": self.text}, {}

    def _values(self, n: int, rng: np.random.Generator) -> Values:
        """Return n whole rows before the constraints: numbers, and numbers of levels."""
        from scipy.special import ndtr

        positions = ndtr(rng.standard_normal((n, len(self.rules.columns))) @ self._root().T)
        values: Values = {}
        for place, rule in enumerate(self.rules.columns):
            wide = rule.kind is Kind.VECTOR
            own = rng.random((n, rule.width)) if wide else positions[:, place]
            values[rule.name] = values_at(rule.shape, own, self.levels.get(rule.name))
        for condition in self.rules.conditions:
            level = self.levels[condition.when].index(condition.level)
            meant = values[condition.when] == level
            name = condition.column
            own = positions[meant, self.schema.names.index(name)]
            values[name][meant] = values_at(condition.shape, own, self.levels.get(name))
        return values

    def _root(self) -> Numbers:
        """Return a root of the correlations of all columns."""
        names = self.schema.names
        matrix = np.eye(len(names))
        for dependence in self.rules.dependences:
            one, two = (names.index(name) for name in dependence.columns)
            matrix[one, two] = matrix[two, one] = dependence.correlation
        root: Numbers = np.linalg.cholesky(positive_definite(matrix))
        return root

    def _broken(self, values: Values) -> dict[Constraint, NDArray[np.bool_]]:
        """Return for each constraint which rows break it."""
        found = {}
        for constraint in self.rules.constraints:
            left = values[constraint.left]
            right = self._right(constraint, values)
            found[constraint] = ~RELATIONS[constraint.relation](left, right)
        return found

    def _right(self, constraint: Constraint, values: Values) -> Numbers:
        """Return what the left side is compared with, in the left side's numbers."""
        levels = self.levels.get(constraint.left)
        if constraint.right is not None:
            right = values[constraint.right]
            others = self.levels.get(constraint.right)
            if levels is None or others is None:
                return right
            table = [levels.index(name) if name in levels else -1 for name in others]
            return np.array(table, np.float64)[right.astype(np.int64)]
        value = constraint.value
        if levels is not None:
            value = levels.index(str(value)) if str(value) in levels else -1
        return np.full(len(values[constraint.left]), float(value or 0.0))

    def _array(self, rule: ColumnRule, values: Numbers, rng: np.random.Generator) -> pa.Array:
        """Return one column as canonical Arrow, with its gaps."""
        import pyarrow as pa

        n = len(values)
        missing = rng.random(n) < rule.missing
        if rule.shape.distribution == "keys":
            present = Keys(spec=rule.spec, present=1.0).decode(np.empty((n, 0)), rng)
            return with_gaps(present, missing)
        if rule.kind in NOMINAL:
            codes = with_gaps(primitive(values.astype(np.int32)), missing)
            return pa.DictionaryArray.from_arrays(codes, strings(self.levels[rule.name]))
        return ordered_cells(values.reshape(n, -1), missing, spec=rule.spec, wide=False)
