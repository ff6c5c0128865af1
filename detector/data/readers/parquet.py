"""Parquet: one file, or several with the same columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from detector.data.families import Family, family
from detector.data.readers._several import one_schema
from detector.data.source import Source, batch_rows, text_metadata
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa


BUFFER_BYTES = 2**18
"""Bytes of a column read ahead: without it a row group is held whole."""


def open(paths: Sequence[Path]) -> Source:
    """Return Parquet files as one source; text is read with its dictionary."""
    from pyarrow import parquet

    for path in paths:
        _check(path)
    files = {path: parquet.ParquetFile(path) for path in paths}
    schema = one_schema({path: file.schema_arrow for path, file in files.items()})
    footers = [file.metadata for file in files.values()]
    n_rows = sum(footer.num_rows for footer in footers)
    held = sum(
        footer.row_group(place).total_byte_size
        for footer in footers
        for place in range(footer.num_row_groups)
    )
    rows = batch_rows(held / max(n_rows, 1))
    text = [field.name for field in schema if family(field.type) is Family.TEXT]

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path in paths:
            with parquet.ParquetFile(
                path, read_dictionary=text, pre_buffer=False, buffer_size=BUFFER_BYTES
            ) as file:
                for groups in _runs(file.metadata, rows):
                    for batch in file.iter_batches(rows, row_groups=groups, columns=list(columns)):
                        yield batch.select(list(columns))

    return Source(
        schema=schema,
        read=read,
        n_rows=n_rows,
        metadata=text_metadata(footers[0].metadata),
    )


def _check(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4) not in {b"PAR1", b"PARE"}:
            raise InputError(
                f"`{path.name}` is no Parquet file.", hint="Give it the suffix of its own format."
            )


def _runs(footer: Any, rows: int) -> Iterator[list[int]]:
    """Return neighboring row groups that make a batch together, so that none is held in vain."""
    run: list[int] = []
    size = 0
    for place in range(footer.num_row_groups):
        more = footer.row_group(place).num_rows
        if run and size + more > rows:
            yield run
            run, size = [], 0
        run.append(place)
        size += more
    if run:
        yield run
