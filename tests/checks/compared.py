"""Comparisons built in memory for the tests of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from detector.data.dataset import Dataset
from detector.data.schema import ColumnSpec, Kind, Role, Schema
from detector.profiles.comparison import Comparison
from detector.profiles.make import make_profile
from detector.profiles.parts import Part
from detector.rng import streams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detector.findings import Finding

PARTS = frozenset({Part.COUNTS, Part.SAMPLE})


def dataset(name: str, columns: Mapping[str, object], *, roles: Mapping[str, Role]) -> Dataset:
    """Return a data set of these columns: arrays of numbers, or lists of texts."""
    arrays, specs = {}, []
    for title, values in columns.items():
        arrays[title], kind = _column(values)
        specs.append(ColumnSpec(name=title, kind=kind, role=roles.get(title, Role.FEATURE)))
    table = pa.table(arrays)

    def read(names: Sequence[str]) -> object:
        return iter(table.select(list(names)).to_batches(max_chunksize=4096))

    schema = Schema(columns=tuple(specs))
    return Dataset(name=name, schema=schema, read=read, n_rows=table.num_rows)  # type: ignore[arg-type]


def compared(
    reference: Mapping[str, object],
    candidate: Mapping[str, object],
    *,
    roles: Mapping[str, Role] | None = None,
) -> Comparison:
    """Return the comparison of two sets of columns."""
    one = make_profile(dataset("reference", reference, roles=roles or {}), parts=PARTS)
    two = dataset("candidate", candidate, roles=roles or {})
    return Comparison(reference=one, candidate=make_profile(two, against=one, parts=PARTS, salt=1))


def findings(check: object, comparison: Comparison, *, seed: int = 0) -> dict[str, Finding]:
    """Run a check; its findings by `measurement` or `measurement of column`."""
    found = check.run(comparison, streams(seed, check.name))  # type: ignore[attr-defined]
    return {
        " of ".join([finding.outcome.name, *finding.subject.columns]): finding for finding in found
    }


def _column(values: object) -> tuple[pa.Array, Kind]:
    if isinstance(values, pa.Array):
        return values, Kind.TEXT if pa.types.is_string(values.type) else Kind.NUMERIC
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        return pa.array(values.astype(np.float64), from_pandas=True), Kind.NUMERIC
    return pa.array(list(values), pa.string()).dictionary_encode(), Kind.CATEGORY  # type: ignore[call-overload]
