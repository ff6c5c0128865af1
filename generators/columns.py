"""One column of a table as positions between 0 and 1, and back: a code for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from detector.data.build import strings
from detector.data.schema import NOMINAL, ORDERED, Kind, Role
from generators.cells import absent, ordered_cells, read_numbers, with_gaps
from generators.nominal import Nominal
from generators.ranks import Quantiles, joined, parted, quantiles, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Arrays = dict[str, NDArray[Any]]

KEY_DIGITS = 16
"""Hexadecimal digits of a made-up key or text."""


class ColumnCode(Protocol):
    """How one column is written as dimensions, and read back."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What each dimension holds: `value`, `missing`, `level`, or a vector's entry."""

    @property
    def levels(self) -> tuple[Numbers | None, ...]:
        """Edges, from 0 to 1, of each nominal dimension's intervals; None for an ordered one."""

    @property
    def ranks(self) -> tuple[Quantiles | None, ...]:
        """The quantiles behind each ordered dimension; None for a nominal one."""

    def encode(self, column: pa.Array, rng: np.random.Generator) -> tuple[Numbers, Mask]:
        """Return positions (n, d) and which of them are known; the others are random."""

    def decode(self, positions: Numbers, rng: np.random.Generator) -> pa.Array:
        """Return the column at these positions, shape (n, d)."""

    def save(self) -> tuple[dict[str, Any], Arrays]:
        """Return what `restored` needs, as JSON data and as arrays."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ordered:
    """Numbers, whole numbers, dates, vectors: a position each, and one for being missing.

    Attributes:
        spec: The column.
        values: The quantiles of each entry, or its one value; one entry but for vectors.
        present: Share of present values.
        wide: Whole numbers that are held as float64.

    """

    spec: ColumnSpec
    values: tuple[Quantiles | float, ...]
    present: float
    wide: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Return `value` or the places of the entries that vary, then `missing`."""
        varied = [str(i) for i, value in enumerate(self.values) if isinstance(value, Quantiles)]
        names = varied if self.spec.kind is Kind.VECTOR else ["value"] * len(varied)
        return (*names, "missing") if self._gaps else tuple(names)

    @property
    def levels(self) -> tuple[Numbers | None, ...]:
        """Return the edges of being present and missing; values are ordered."""
        count = len(self.labels) - self._gaps
        return (None,) * count + ((np.array([0.0, self.present, 1.0]),) if self._gaps else ())

    @property
    def ranks(self) -> tuple[Quantiles | None, ...]:
        """Return the quantiles of the entries that vary."""
        varied = [value for value in self.values if isinstance(value, Quantiles)]
        return (*varied, None) if self._gaps else tuple(varied)

    @property
    def _gaps(self) -> bool:
        return 0.0 < self.present < 1.0

    def encode(self, column: pa.Array, rng: np.random.Generator) -> tuple[Numbers, Mask]:
        """Return positions; those of missing values are random and not known."""
        values = read_numbers(column)
        missing = np.isnan(values).any(axis=1)
        parts: list[NDArray[Any]] = []
        known: list[NDArray[Any]] = []
        for place, varied in enumerate(self.values):
            if isinstance(varied, Quantiles):
                found = varied.positions(np.where(missing, 0.0, values[:, place]), rng)
                parts.append(np.where(missing, rng.random(len(found)), found))
                known.append(~missing)
        if self._gaps:
            parts.append(_presence(missing, self.present, rng))
            known.append(np.ones(len(missing), bool))
        return _stacked(parts, len(missing)), _stacked(known, len(missing)).astype(bool)

    def decode(self, positions: Numbers, rng: np.random.Generator) -> pa.Array:
        """Return the values at these positions."""
        n, place = len(positions), 0
        values = np.empty((n, len(self.values)))
        for entry, varied in enumerate(self.values):
            if isinstance(varied, Quantiles):
                values[:, entry] = varied.at(positions[:, place])
                place += 1
            else:
                values[:, entry] = varied
        missing = positions[:, -1] >= self.present if self._gaps else np.full(n, not self.present)
        return ordered_cells(values, missing, spec=self.spec, wide=self.wide)

    def save(self) -> tuple[dict[str, Any], Arrays]:
        """Return the quantiles of the entries that vary, and the values of the others."""
        learned = [value for value in self.values if isinstance(value, Quantiles)]
        fixed = [np.nan if isinstance(value, Quantiles) else value for value in self.values]
        facts = {"present": self.present, "wide": self.wide}
        return facts, {"fixed": np.array(fixed, np.float64), **joined(learned)}

    @staticmethod
    def restored(spec: ColumnSpec, facts: Mapping[str, Any], arrays: Arrays) -> Ordered:
        """Return what `save` wrote."""
        learned = iter(parted(arrays))
        values = tuple(
            next(learned) if np.isnan(fixed) else fixed for fixed in arrays["fixed"].tolist()
        )
        present, wide = float(facts["present"]), bool(facts["wide"])
        return Ordered(spec=spec, values=values, present=present, wide=wide)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keys:
    """Ids and running text: never learned; each present cell gets a random key of its own."""

    spec: ColumnSpec
    present: float
    wide: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Return `missing` where some are."""
        return ("missing",) if 0.0 < self.present < 1.0 else ()

    @property
    def levels(self) -> tuple[Numbers | None, ...]:
        """Return the edges of being present and missing."""
        return (np.array([0.0, self.present, 1.0]),) if self.labels else ()

    @property
    def ranks(self) -> tuple[Quantiles | None, ...]:
        """Return None: there is no order."""
        return (None,) * len(self.labels)

    def encode(self, column: pa.Array, rng: np.random.Generator) -> tuple[Numbers, Mask]:
        """Return positions that say whether there is a value."""
        if not self.labels:
            return np.empty((len(column), 0)), np.empty((len(column), 0), bool)
        found = _presence(absent(column), self.present, rng)
        return found[:, None], np.ones((len(found), 1), bool)

    def decode(self, positions: Numbers, rng: np.random.Generator) -> pa.Array:
        """Return random keys: none is taken from a row of the training data."""
        n = len(positions)
        numbers = rng.integers(0, 2**53, n)
        missing = positions[:, 0] >= self.present if self.labels else np.full(n, not self.present)
        if self.spec.kind in ORDERED:
            return ordered_cells(
                numbers[:, None].astype(np.float64), missing, spec=self.spec, wide=self.wide
            )
        keys = with_gaps(strings([f"{number:0{KEY_DIGITS}x}" for number in numbers]), missing)
        return keys.dictionary_encode() if self.spec.kind in NOMINAL else keys

    def save(self) -> tuple[dict[str, Any], Arrays]:
        """Return the share of present values."""
        return {"present": self.present, "wide": self.wide}, {}

    @staticmethod
    def restored(spec: ColumnSpec, facts: Mapping[str, Any]) -> Keys:
        """Return what `save` wrote."""
        return Keys(spec=spec, present=float(facts["present"]), wide=bool(facts["wide"]))


def column_code(column: pa.Array, spec: ColumnSpec) -> ColumnCode:
    """Return how to write a column, learned from its canonical values, one at least."""
    import pyarrow as pa

    wide = pa.types.is_floating(column.type)
    present = 1.0 - float(absent(column).mean())
    if spec.kind is Kind.TEXT or (spec.role is Role.ID and spec.kind is not Kind.VECTOR):
        return Keys(spec=spec, present=present, wide=wide)
    if spec.kind in NOMINAL:
        return Nominal.learn(column)
    values = read_numbers(column)
    values = values[~np.isnan(values).any(axis=1)]
    learned = tuple(_varied(values[:, place]) for place in range(spec.width))
    return Ordered(spec=spec, values=learned, present=present, wide=wide)


def restored(spec: ColumnSpec, facts: Mapping[str, Any], arrays: Arrays) -> ColumnCode:
    """Return the code that `ColumnCode.save` wrote."""
    if "names" in facts:
        return Nominal.restored(facts, arrays)
    if "fixed" in arrays:
        return Ordered.restored(spec, facts, arrays)
    return Keys.restored(spec, facts)


def _presence(missing: Mask, present: float, rng: np.random.Generator) -> Numbers:
    """Return positions below `present` for values that are there, above it for the others."""
    start = np.where(missing, present, 0.0)
    return within(start, np.where(missing, 1.0, present), rng)


def _varied(values: Numbers) -> Quantiles | float:
    """Return the quantiles of values that vary, or the one value."""
    if not len(values):
        return 0.0
    return float(values[0]) if (values == values[0]).all() else quantiles(values)


def _stacked(parts: list[NDArray[Any]], rows: int) -> NDArray[Any]:
    return np.column_stack(parts) if parts else np.empty((rows, 0))
