"""`kde`: training rows with noise, which is sampling from a kernel density estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.data.schema import NOMINAL, Kind, Role
from detector.recipes import Stop, TrainingLog
from generators.cells import absent, one_array, ordered_cells, read_numbers
from generators.columns import column_code
from generators.fitting import FittedRecipe, Lesson
from generators.options import check_least
from generators.recipes.bootstrap import KeptRows
from generators.store import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec
    from generators.model import Source

    Numbers = NDArray[np.float64]

LARGEST = 1e150
"""Values are cut here before they are squared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kde(FittedRecipe):
    """A row drawn with replacement, with normal noise on each of its numbers.

    A loop of it spreads out: each round adds the square of the bandwidth to the variance.
    Levels and gaps are those of the row; keys and texts are made up.

    Attributes:
        bandwidth: Standard deviation of the noise, in the units of each column; 0 stands for
            Scott's rule in each column, n^(-1 / (d + 4)) standard deviations.

    Cost: the training rows are kept in the model; sampling is a look-up.
    Source: Scott (1992), Multivariate Density Estimation.
    """

    name: ClassVar[str] = "kde"

    bandwidth: float = 0.0

    def check(self) -> None:
        """Refuse a negative width."""
        check_least(self, bandwidth=0)

    def learn(self, lesson: Lesson) -> tuple[Source, TrainingLog]:
        """Keep the rows and choose the widths."""
        schema, table = lesson.dataset.schema, lesson.table
        spreads = [_spread(table, spec) for spec in schema.columns]
        entries = sum(int(np.count_nonzero(spread)) for spread in spreads)
        scott = table.num_rows ** (-1.0 / (entries + 4))
        widths = tuple(
            np.where(spread > 0, self.bandwidth, 0.0) if self.bandwidth else spread * scott
            for spread in spreads
        )
        kept = KeptRows(schema=schema, table=table)
        return Blurred(kept=kept, widths=widths), TrainingLog(stop=Stop.CLOSED_FORM)

    def source_of(self, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Source:
        """Return the rows that were kept, with their widths."""
        import pyarrow as pa

        with pa.ipc.open_stream(pa.py_buffer(arrays["rows"].tobytes())) as reader:
            kept = KeptRows(schema=schema_of(facts["columns"]), table=reader.read_all())
        widths = np.split(arrays["widths"], np.cumsum(arrays["entries"])[:-1])
        return Blurred(kept=kept, widths=tuple(widths))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blurred:
    """Rows of a table with noise on their numbers.

    Attributes:
        kept: The training rows.
        widths: The noise of each column's entries; empty where there is none.

    """

    kept: KeptRows
    widths: tuple[Numbers, ...]

    @property
    def schema(self) -> Any:
        """Return the columns."""
        return self.kept.schema

    def rows(self, n: int, rng: np.random.Generator) -> pa.RecordBatch:
        """Return n rows."""
        import pyarrow as pa

        batch = self.kept.rows(n, rng)
        arrays = []
        for spec, width in zip(self.schema.columns, self.widths, strict=True):
            column = batch.column(batch.schema.get_field_index(spec.name))
            if _is_key(spec):
                code = column_code(one_array(self.kept.table[spec.name]), spec)
                column = code.decode(rng.random((n, len(code.labels))), rng)
            elif width.any():
                values = read_numbers(column)
                values = values + width * rng.standard_normal(values.shape)
                missing = absent(column)
                wide = pa.types.is_floating(column.type)
                values = np.where(missing[:, None], 0.0, values)
                column = ordered_cells(values, missing, spec=spec, wide=wide)
            arrays.append(column)
        return pa.RecordBatch.from_arrays(arrays, names=list(self.schema.names))

    def save(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the rows and the widths."""
        facts, arrays = self.kept.save()
        return facts, arrays | {
            "widths": np.concatenate([np.empty(0), *self.widths]),
            "entries": np.array([width.size for width in self.widths], np.int64),
        }


def _is_key(spec: ColumnSpec) -> bool:
    """Tell whether a column's cells are made up: ids and running text."""
    return spec.kind is Kind.TEXT or (spec.role is Role.ID and spec.kind is not Kind.VECTOR)


def _spread(table: pa.Table, spec: ColumnSpec) -> Numbers:
    """Return the standard deviation of each entry of an ordered column; empty for another."""
    if spec.kind in NOMINAL or _is_key(spec):
        return np.empty(0)
    column = one_array(table[spec.name])
    values = read_numbers(column)
    values = values[np.isfinite(values).all(axis=1)]
    if len(values) < 2:
        return np.zeros(read_numbers(column).shape[1])
    spread: Numbers = np.clip(values, -LARGEST, LARGEST).std(axis=0)
    return spread
