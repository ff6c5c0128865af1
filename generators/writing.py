"""Samples as files, each with its manifest beside it, and inside where the format has a place."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.data.fingerprints import IN_MANIFESTS, MOST_COLUMNS, Fingerprint
from detector.data.provenance import MAX_BYTES, METADATA_KEY, SUFFIX, parse
from detector.data.schema import Kind
from detector.errors import DetectorError
from detector.files import write_atomically, write_bytes_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import pyarrow as pa

    from detector.data.dataset import Dataset


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Refuse a file name whose format cannot be written, before any work is done.

    Raises:
        DetectorError: The suffix is unknown, or the folder does not exist.

    """
    target = Path(path)
    if target.suffix.lower() not in _WRITERS:
        raise DetectorError(
            f"`{target.name}` has no suffix of a format that is written.",
            hint=f"There are: {', '.join(_WRITERS)}.",
        )
    if not target.resolve().parent.is_dir() or target.is_dir():
        raise DetectorError(f"`{path}` is no place for a file.", hint="Choose an existing folder.")


def write_sample(dataset: Dataset, path: str | os.PathLike[str]) -> None:
    """Write rows as the suffix says, and the manifest beside them; each file whole or not at all.

    The manifest goes first, so that no row is ever seen without it.

    Raises:
        DetectorError: The format cannot hold the rows, or the place cannot be written to.

    """
    check_suffix(path)
    content = _WRITERS[Path(path).suffix.lower()](dataset)
    manifest = dataset.metadata.get(METADATA_KEY)
    if manifest is not None:
        write_atomically(f"{path}{SUFFIX}", _with_fingerprint(manifest, dataset))
    write_bytes_atomically(path, content)


def _with_fingerprint(manifest: str, dataset: Dataset) -> str:
    """Return a manifest by which the rows are known again; inside a file it has no place."""
    from dataclasses import replace

    declared = parse(manifest, name="the manifest")
    if not dataset.n_rows or len(dataset.schema.columns) > MOST_COLUMNS:
        return manifest
    made = Fingerprint.of(dataset, most=IN_MANIFESTS)
    text = replace(declared, fingerprint=made.to_plain()).to_json()
    return text if len(text) < MAX_BYTES else manifest


def _parquet(dataset: Dataset) -> memoryview:
    from pyarrow import parquet

    return _written(lambda sink: parquet.write_table(dataset.to_arrow(), sink, compression="zstd"))


def _arrow(dataset: Dataset) -> memoryview:
    import pyarrow as pa

    table = dataset.to_arrow()

    def write(sink: Any) -> None:
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    return _written(write)


def _csv(dataset: Dataset, *, delimiter: str = ",") -> memoryview:
    from pyarrow import csv

    flat = _without_vectors(dataset, "CSV")
    options = csv.WriteOptions(delimiter=delimiter)
    return _written(lambda sink: csv.write_csv(flat, sink, options))


def _tsv(dataset: Dataset) -> memoryview:
    return _csv(dataset, delimiter="\t")


def _jsonl(dataset: Dataset) -> bytes:
    import json

    table = dataset.to_arrow()
    for place, spec in enumerate(dataset.schema.columns):
        if spec.kind is Kind.DATETIME:
            table = table.set_column(place, spec.name, table[spec.name].cast("string"))
    lines = (
        json.dumps({name: None if _is_nan(value) else value for name, value in row.items()})
        for batch in table.to_batches()
        for row in batch.to_pylist()
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)  # JSON has no word for it


def _without_vectors(dataset: Dataset, format_: str) -> pa.Table:
    """Return the rows with text in place of dictionaries; vectors have no place in a line."""
    if vectors := [s.name for s in dataset.schema.columns if s.kind is Kind.VECTOR]:
        raise DetectorError(
            f"{format_} has no place for the vector `{vectors[0]}`.",
            hint="Write Parquet, Arrow or JSON lines.",
        )
    table = dataset.to_arrow()
    for place, spec in enumerate(dataset.schema.columns):
        if spec.kind is Kind.CATEGORY:
            table = table.set_column(place, spec.name, table[spec.name].cast("string"))
    return table


def _written(write: Callable[[Any], None]) -> memoryview:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    write(sink)
    return memoryview(sink.getvalue())


_WRITERS: dict[str, Callable[[Dataset], bytes | memoryview]] = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".arrow": _arrow,
    ".ipc": _arrow,
    ".feather": _arrow,
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
}
