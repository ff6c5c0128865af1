"""A mixed table as rows of [-1, 1]^d, and back: one codec for all recipes.

Every recipe sees the same numbers, so what differs between two recipes' rows is the
models' doing. Each dimension is uniform on [-1, 1] over the rows it was learned from.

| column | dimensions |
| --- | --- |
| numeric, integer, datetime | its rank; equal values share an interval, so spikes stay spikes |
| category, boolean | one interval a level, like levels beside each other; missing is one too |
| vector | the rank of each entry that varies |
| any ordered one with gaps | one more dimension: present or missing |
| constant, all missing | none: written back as it was |
| id, text | none: random keys; one for being missing where some are |

Reading back keeps granularity (2 decimals stay 2 decimals, whole numbers whole) and bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from detector.errors import InputError
from generators.cells import one_array
from generators.columns import column_code, restored
from generators.levels import with_ordered_levels
from generators.store import plain_columns, schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema
    from generators.columns import ColumnCode
    from generators.ranks import Quantiles

    Rows = NDArray[np.float32]
    Arrays = dict[str, NDArray[Any]]


class Dimension(NamedTuple):
    """One dimension of the codec.

    Attributes:
        column: The column it belongs to.
        label: `value`, `level`, `missing`, or the place of a vector's entry.
        edges: The ends of a nominal dimension's intervals on [-1, 1], shape (k + 1,), which
            are its k levels; None for an ordered one.
        ranks: The quantiles behind an ordered dimension; None for a nominal or whitened one.

    """

    column: str
    label: str
    edges: NDArray[np.float64] | None = None
    ranks: Quantiles | None = None

    @property
    def ties(self) -> NDArray[np.float64]:
        """Return the intervals of [-1, 1] that mean one value each, shape (k, 2)."""
        if self.edges is not None:
            return np.column_stack([self.edges[:-1], self.edges[1:]])
        if self.ranks is None:
            return np.empty((0, 2))
        ends = 2.0 * np.column_stack([self.ranks.start, self.ranks.stop]) - 1.0
        return ends[ends[:, 1] > ends[:, 0]]


class Encoded(NamedTuple):
    """Rows of the codec.

    Attributes:
        rows: Shape (n, d), float32, within [-1, 1].
        known: Shape (n, d); false where a value is missing, and the row holds a random number.

    """

    rows: Rows
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codec:
    """What was learned about each column; `encode` and `decode` undo each other."""

    schema: Schema
    codes: tuple[ColumnCode, ...]

    @staticmethod
    def learn(table: pa.Table, schema: Schema) -> Codec:
        """Learn the columns of a canonical table.

        Raises:
            InputError: The table has no row.

        """
        if not table.num_rows:
            raise InputError(
                "There are no rows to learn from.", hint="A recipe needs one row at least."
            )
        codes = [column_code(one_array(table[spec.name]), spec) for spec in schema.columns]
        return with_ordered_levels(Codec(schema=schema, codes=tuple(codes)), table)

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """Return what each dimension of the rows means, length d."""
        return tuple(
            Dimension(spec.name, label, None if edges is None else 2.0 * edges - 1.0, ranks)
            for spec, code in zip(self.schema.columns, self.codes, strict=True)
            for label, edges, ranks in zip(code.labels, code.levels, code.ranks, strict=True)
        )

    def encode(self, table: pa.Table, rng: np.random.Generator) -> Encoded:
        """Return the rows of a canonical table with this schema.

        Equal values get random places in their interval, so `rng` decides them.
        """
        parts = [
            code.encode(one_array(table[spec.name]), rng)
            for spec, code in zip(self.schema.columns, self.codes, strict=True)
        ]
        positions = np.hstack([np.empty((table.num_rows, 0)), *(found for found, _ in parts)])
        known = np.hstack([np.empty((table.num_rows, 0), bool), *(mask for _, mask in parts)])
        return Encoded((2.0 * positions - 1.0).astype(np.float32), known)

    def decode(self, rows: Rows, rng: np.random.Generator) -> pa.RecordBatch:
        """Return rows, shape (n, d), as canonical columns; `rng` makes up ids and texts."""
        import pyarrow as pa

        positions = np.clip((rows.astype(np.float64) + 1.0) / 2.0, 0.0, 1.0)
        arrays, place = [], 0
        for code in self.codes:
            width = len(code.labels)
            arrays.append(code.decode(positions[:, place : place + width], rng))
            place += width
        return pa.RecordBatch.from_arrays(arrays, names=list(self.schema.names))

    def save(self) -> tuple[dict[str, Any], Arrays]:
        """Return what `restored` needs, as JSON data and as arrays."""
        facts: list[dict[str, Any]] = []
        arrays: Arrays = {}
        for number, code in enumerate(self.codes):
            fact, own = code.save()
            facts.append(fact)
            arrays |= {f"{number}/{part}": array for part, array in own.items()}
        return {"columns": plain_columns(self.schema), "codes": facts}, arrays

    @staticmethod
    def restored(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Codec:
        """Return the codec that `save` wrote."""
        schema = schema_of(facts["columns"])
        own: list[Arrays] = [{} for _ in schema.columns]
        for name, array in arrays.items():
            number, _, part = name.partition("/")
            own[int(number)][part] = array
        codes = zip(schema.columns, facts["codes"], own, strict=True)
        return Codec(schema=schema, codes=tuple(restored(*code) for code in codes))
