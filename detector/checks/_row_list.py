"""The list of rows to hold back, from all rows of the candidate, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.checks._row_reasons import NUMBERS, described
from detector.data.arrays import positions
from detector.data.schema import Role
from detector.findings import Gap
from detector.stats.multiplicity import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from detector.checks._strange_rows import StrangeRows
    from detector.data.dataset import Dataset

AT_ONCE = 32_768
"""Rows that are judged in one go."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowList:
    """Judges all rows of a data set and describes those that are listed.

    Attributes:
        strange: The fitted score, or the gap that leaves the list empty.
        fdr: The false-discovery rate.

    """

    strange: StrangeRows | Gap
    fdr: float

    def table(self, dataset: Dataset) -> pa.Table:
        """Return one row for each listed row, the strangest first.

        Columns: `row` (0-based position), `id` where the data set has an id column, `reason`,
        `p_value`, `adjusted_p_value`, `nearest_distance`.

        Cost: two passes over the data set; memory for one p-value a row and for the list.
        """
        key = dataset.schema.role(Role.ID)
        strange = self.strange
        if isinstance(strange, Gap):
            return _joined([], with_id=key is not None)
        needed = [spec.name for spec in strange.columns.columns] + ([key] if key else [])
        scored = [strange.judge(rows).p_values for rows in _rows(dataset, needed)]
        p_values = np.concatenate([np.empty(0), *scored])
        adjusted = benjamini_hochberg(p_values)
        parts, start = [], 0
        for rows in _rows(dataset, needed):
            held = start + np.flatnonzero(adjusted[start : start + len(rows)] <= self.fdr)
            if len(held):
                listed = rows.take(positions(held - start))
                told = described(strange, listed, p_values[held], adjusted[held])
                ids = listed[key].cast("string").to_pylist() if key else [None] * len(held)
                first = zip(held.tolist(), ids, told, strict=True)
                parts += [{"row": row, "id": name, **rest} for row, name, rest in first]
            start += len(rows)
        return _joined(parts, with_id=key is not None)


def _rows(dataset: Dataset, names: list[str]) -> Iterator[pa.Table]:
    """Stream columns, `AT_ONCE` rows at a time however the file is cut."""
    import pyarrow as pa

    held: list[pa.Table] = []
    size = 0
    for batch in dataset.batches(names):
        for start in range(0, batch.num_rows, AT_ONCE):
            held.append(pa.Table.from_batches([batch.slice(start, AT_ONCE)]))
            size += len(held[-1])
            if size >= AT_ONCE:
                whole = pa.concat_tables(held).unify_dictionaries()
                yield whole.slice(0, AT_ONCE).combine_chunks()
                held, size = [whole.slice(AT_ONCE)], size - AT_ONCE
    if size:
        yield pa.concat_tables(held).unify_dictionaries().combine_chunks()


def _joined(told: list[dict[str, object]], *, with_id: bool) -> pa.Table:
    """Return the list as a table, the strangest rows first."""
    import pyarrow as pa

    fields = [pa.field("row", pa.int64())]
    fields += [pa.field("id", pa.string())] if with_id else []
    fields += [pa.field("reason", pa.string())]
    fields += [pa.field(name, pa.float64()) for name in NUMBERS]
    told.sort(key=lambda row: (row["p_value"], row["row"]))
    return pa.Table.from_pylist(told, schema=pa.schema(fields))
