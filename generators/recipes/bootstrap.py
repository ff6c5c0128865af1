"""`bootstrap`: the training rows again, drawn with replacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.recipes import Stop, TrainingLog
from generators.fitting import FittedRecipe, Lesson
from generators.store import plain_columns, schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema
    from generators.model import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap(FittedRecipe):
    """Draws training rows with replacement: perfect rows, and every one a copy.

    It is the opponent that a test of distributions cannot beat and a test for copies must.

    Cost: the training rows are kept in the model; sampling is a look-up.
    Source: Efron (1979), Annals of Statistics 7.
    """

    name: ClassVar[str] = "bootstrap"
    least_rows: ClassVar[int] = 1

    def learn(self, lesson: Lesson) -> tuple[Source, TrainingLog]:
        """Keep the rows."""
        note = "Every drawn row is a copy of a training row."
        log = TrainingLog(stop=Stop.CLOSED_FORM, notes=(note,))
        return KeptRows(schema=lesson.dataset.schema, table=lesson.table), log

    def source_of(self, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Source:
        """Return the rows that were kept."""
        import pyarrow as pa

        with pa.ipc.open_stream(pa.py_buffer(arrays["rows"].tobytes())) as reader:
            return KeptRows(schema=schema_of(facts["columns"]), table=reader.read_all())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptRows:
    """A table whose rows are drawn with replacement."""

    schema: Schema
    table: pa.Table

    def rows(self, n: int, rng: np.random.Generator) -> pa.RecordBatch:
        """Return n rows, each any of the table's with equal chance."""
        from detector.data.arrays import positions

        places = positions(rng.integers(0, self.table.num_rows, n))
        return self.table.take(places).combine_chunks().to_batches()[0]

    def save(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the table as the bytes of an Arrow stream."""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as writer:
            writer.write_table(self.table)
        return {"columns": plain_columns(self.schema)}, {
            "rows": np.frombuffer(sink.getvalue(), np.uint8)
        }
