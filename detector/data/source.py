"""A table as its file or its owner holds it, before the kinds of its columns are decided."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from detector.data.dataset import BATCH_ROWS, Batches
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from detector.data.schema import Kind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Raw columns that can be read again and again.

    Attributes:
        schema: The declared Arrow types. `read` may give text with a dictionary.
        read: Opens the stream again: these columns, in this order.
        n_rows: The number of rows when it is known without reading.
        metadata: Key-value text found in the file.
        untyped: Every column is text that may spell something else, as in CSV.
        in_memory: Reading costs nothing, so there is no point in keeping a copy.
        by_row: Reading one column costs as much as reading all.
        kinds: Kinds that are known already and need no look at the values.
        roles: Roles that are known already.
        remarks: What was changed in reading, by column.

    """

    schema: pa.Schema
    read: Batches
    n_rows: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    untyped: bool = False
    in_memory: bool = False
    by_row: bool = False
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)


BATCH_BYTES = 64 * 2**20
"""Batches of wide rows hold fewer rows, so that they stay near this size."""

_SHOWN = 60


def batch_rows(row_bytes: float) -> int:
    """Return how many rows of this size a batch should hold."""
    return int(min(BATCH_ROWS, max(1.0, BATCH_BYTES / max(row_bytes, 1.0))))


def shown(name: str) -> str:
    """Return a column or file name fit for one line: short, no control characters."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in name)
    return f"`{plain}`" if len(plain) <= _SHOWN else f"`{plain[:_SHOWN]}…`"


def table_source(table: pa.Table) -> Source:
    """Return a table in memory as a source."""

    def read(columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
        return iter(table.select(list(columns)).to_batches(max_chunksize=BATCH_ROWS))

    return Source(
        schema=table.schema,
        read=read,
        n_rows=table.num_rows,
        metadata=text_metadata(table.schema.metadata),
        in_memory=True,
    )


def text_metadata(metadata: Mapping[bytes, bytes] | None) -> dict[str, str]:
    """Return the key-value metadata that is text, without the copy of the Arrow schema."""
    pairs = {}
    for key, value in (metadata or {}).items():
        if key == b"ARROW:schema":
            continue
        pairs[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
    return pairs


@contextmanager
def reading(label: str) -> Iterator[None]:
    """Turn what Arrow and the system raise while reading into one line for people."""
    import pyarrow as pa

    try:
        yield
    except PermissionError as error:
        raise InputError(f"`{label}` may not be read: permission denied.") from error
    except pa.ArrowNotImplementedError as error:
        raise InputError(
            f"`{label}` holds what is not supported: {_one_line(error)}.",
            hint="Leave that column out, or write it in another format.",
        ) from error
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        raise InputError(
            f"`{label}` cannot be read to its end: {_one_line(error)}.",
            hint="It is damaged or was cut short; write or copy it again.",
        ) from error


def _one_line(error: Exception) -> str:
    plain = "".join(character if character.isprintable() else " " for character in str(error))
    return " ".join(plain.split())[:200].rstrip(". ")
