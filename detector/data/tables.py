"""A small table as a file, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import DetectorError
from detector.files import write_bytes_atomically

if TYPE_CHECKING:
    import os

    import pyarrow as pa

SUFFIXES = (".parquet", ".csv")


def refuse_suffix(path: str | os.PathLike[str]) -> None:
    """Refuse a file name that names no format, before any work is done.

    Raises:
        DetectorError: The suffix is none of `SUFFIXES`.

    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise DetectorError(
            f"`{Path(path).name}` names no format of tables.", hint="End it in .parquet or .csv."
        )


def write_table(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write a table as Parquet or CSV, by the suffix.

    Raises:
        DetectorError: The suffix names no format, or the file cannot be written.

    """
    import pyarrow as pa

    refuse_suffix(path)
    sink = pa.BufferOutputStream()
    _write(table, sink, Path(path).suffix.lower())
    write_bytes_atomically(path, memoryview(sink.getvalue()))


def _write(table: pa.Table, sink: Any, suffix: str) -> None:
    from pyarrow import csv, parquet

    if suffix == ".csv":
        csv.write_csv(table, sink)
    else:
        parquet.write_table(table, sink, compression="zstd")
