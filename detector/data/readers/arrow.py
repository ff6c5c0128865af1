"""Arrow IPC files and streams; Feather version 2 is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.data.dataset import BATCH_ROWS
from detector.data.readers._several import one_schema
from detector.data.source import Source, text_metadata
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa


def open(paths: Sequence[Path]) -> Source:
    """Return Arrow files as one source, mapped into memory; every batch is validated."""
    schema = one_schema({path: _reader(path, None).schema for path in paths})

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path in paths:
            for batch in _batches(_reader(path, columns)):
                batch.validate(full=True)
                picked = batch.select(list(columns))
                for start in range(0, picked.num_rows, BATCH_ROWS):
                    yield picked.slice(start, BATCH_ROWS)

    return Source(schema=schema, read=read, metadata=text_metadata(schema.metadata))


def _reader(path: Path, columns: Sequence[str] | None) -> pa.RecordBatchFileReader:
    """Open a file or a stream; of a file only some columns need be decoded."""
    import pyarrow as pa

    mapped = pa.memory_map(str(path))
    start = mapped.read(6)
    mapped.seek(0)
    if start[:4] == b"FEA1":
        raise InputError(
            f"`{path.name}` is Feather version 1, which is no longer read.",
            hint="Write it again as version 2 or as Parquet.",
        )
    if start != b"ARROW1":
        return pa.ipc.open_stream(mapped)
    if columns is None:
        return pa.ipc.open_file(mapped)
    names = pa.ipc.open_file(mapped).schema.names
    places = sorted(names.index(name) for name in columns)
    mapped.seek(0)
    return pa.ipc.open_file(mapped, options=pa.ipc.IpcReadOptions(included_fields=places))


def _batches(reader: pa.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    if isinstance(reader, pa.RecordBatchStreamReader):
        yield from reader
    else:
        for place in range(reader.num_record_batches):
            yield reader.get_batch(place)
