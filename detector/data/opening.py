"""Open anything that holds rows and columns as a `Dataset`."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from detector.data.convert import canonical_type, convert
from detector.data.dataset import Batches, Dataset
from detector.data.schema import Kind, Role, Schema
from detector.data.settle import Settled, settle
from detector.data.source import Source, reading, shown
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

HOLD_BYTES = 64 * 2**20
"""Files of at most this size, decoded, are read once and kept in memory."""

MAX_COLUMNS = 10_000
"""More columns than this are refused: the work grows with their square."""

MAX_NAME = 1_000
"""Characters of a column name."""


class Explained(NamedTuple):
    """What was decided about a column, and why, for people."""

    column: str
    kind: str
    role: str
    reason: str


def open_data(
    source: Any,
    *,
    name: str | None = None,
    kinds: Mapping[str, Kind] | None = None,
    roles: Mapping[str, Role] | None = None,
    like: Schema | None = None,
) -> Dataset:
    """Open a file, a folder, a glob, a frame or an array as typed, replayable rows.

    Kinds are inferred from the declared types and from all values, so row order never
    matters; `docs/data.md` has the rules. Files larger than `HOLD_BYTES` are streamed.

    Args:
        source: A path; a pandas, polars or pyarrow table; anything with
            `__arrow_c_stream__`; a numpy array; a mapping of columns; a `Dataset`.
        name: What reports call it; the file's base name when it is None.
        kinds: Kinds that overrule what is inferred, by column.
        roles: Roles, by column.
        like: The reference's schema: columns it shares take its kinds and roles where
            nothing is lost; the others keep their own kind.

    Raises:
        InputError: It cannot be read as rows and columns; says what, where, what to do.

    >>> dataset = open_data({"size": [1.5, 2.0], "color": ["red", "blue"]}, name="toys")
    >>> [(spec.name, spec.kind.value) for spec in dataset.schema.columns]
    [('size', 'numeric'), ('color', 'category')]
    """
    if isinstance(source, Dataset) and not (kinds or roles or like):
        return replace(source, name=name or source.name)
    label, raw, path = _opened(source)
    label = name or label
    _check_names(raw, label)
    kinds = {column: _member(Kind, kind, column) for column, kind in (kinds or {}).items()}
    roles = {column: _member(Role, role, column) for column, role in (roles or {}).items()}
    _check_known(raw, label, {**kinds, **roles}, like)
    with reading(label):
        raw = _held(raw)
        columns = settle(raw, label=label, kinds=kinds, roles=roles, like=like)
    schema = Schema(columns=tuple(column.spec for column in columns.values()))
    return Dataset(
        name=label,
        schema=schema,
        read=_reader(raw, label, columns),
        n_rows=raw.n_rows,
        metadata=raw.metadata,
        source=path,
        notes={name: column.reason for name, column in columns.items()},
    )


def explain(dataset: Dataset) -> tuple[Explained, ...]:
    """Return what was decided about each column, and why, in file order."""
    return tuple(
        Explained(spec.name, spec.kind.value, spec.role.value, dataset.notes.get(spec.name, ""))
        for spec in dataset.schema.columns
    )


def _opened(source: Any) -> tuple[str, Source, str | None]:
    """Return a name, the raw columns and the path if there is one."""
    if isinstance(source, str | os.PathLike):
        from detector.data.locate import file_source

        path = os.fspath(source)
        return Path(path).name or "data", file_source(path), path
    if isinstance(source, Dataset):
        return source.name, _again(source), source.source
    from detector.data.frames import frame_source

    with reading("data"):
        return "data", frame_source(source), None


def _again(dataset: Dataset) -> Source:
    """Return a data set as raw columns whose kinds and roles are known."""
    import pyarrow as pa

    fields = [(spec.name, canonical_type(spec)) for spec in dataset.schema.columns]
    return Source(
        schema=pa.schema(fields),
        read=dataset.read,
        n_rows=dataset.n_rows,
        metadata=dataset.metadata,
        kinds={spec.name: spec.kind for spec in dataset.schema.columns},
        roles={spec.name: spec.role for spec in dataset.schema.columns},
        remarks=dataset.notes,
    )


def _check_names(raw: Source, label: str) -> None:
    """Refuse what cannot be told apart or handled: doubled, endless or far too many names."""
    names = raw.schema.names
    if not names:
        raise InputError(f"`{label}` has no columns.", hint="A table needs at least one.")
    if len(names) > MAX_COLUMNS:
        raise InputError(
            f"`{label}` has {len(names):,} columns; at most {MAX_COLUMNS:,} can be compared.",
            hint="Keep those you mean, or turn an embedding into one vector column (.npy).",
        )
    places: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        if len(name) > MAX_NAME:
            raise InputError(
                f"`{label}`: the name of column {place} has {len(name):,} characters.",
                hint=f"Shorten it to {MAX_NAME:,}; perhaps the header row is missing.",
            )
        if name in places:
            raise InputError(
                f"`{label}` has two columns named {shown(name)}: {places[name]} and {place}.",
                hint="Rename one; a file without a header row needs one.",
            )
        places[name] = place


def _check_known(raw: Source, label: str, asked: Mapping[str, object], like: Schema | None) -> None:
    """Refuse kinds and roles of columns that exist on neither side."""
    known = {*raw.schema.names, *(like.names if like else ())}
    for column in asked:
        if column not in known:
            near = difflib.get_close_matches(column, known, n=1)
            hint = f"Did you mean {shown(near[0])}?" if near else "Check the kinds and roles."
            raise InputError(f"`{label}` has no column {shown(column)}.", hint=hint)


def _member(members: Any, value: Any, column: str) -> Any:
    """Return the kind or role that a word means."""
    try:
        return members(value)
    except ValueError:
        listed = ", ".join(members)
        raise InputError(
            f"{shown(column)} is given the {members.__name__.lower()} {shown(str(value))}.",
            hint=f"There are: {listed}.",
        ) from None


def _held(raw: Source) -> Source:
    """Return the source read into memory when it is small, else as it is."""
    width = len(raw.schema) * 8
    if raw.in_memory or (raw.n_rows or 0) * width > HOLD_BYTES:
        return raw
    batches: list[pa.RecordBatch] = []
    size = 0
    for batch in raw.read(raw.schema.names):
        size += batch.nbytes
        if size > HOLD_BYTES:
            return raw
        batches.append(batch)

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return (batch.select(list(columns)) for batch in batches)

    n_rows = sum(batch.num_rows for batch in batches)
    return replace(raw, read=read, n_rows=n_rows, in_memory=True, by_row=False)


def _reader(raw: Source, label: str, columns: Mapping[str, Settled]) -> Batches:
    """Return what streams canonical batches; what is in memory is converted once."""

    def stream(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with reading(label):
            for batch in raw.read(names):
                yield _canonical(batch, [columns[name] for name in names], untyped=raw.untyped)

    if not raw.in_memory:
        return stream
    batches = tuple(stream(tuple(columns)))

    def again(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return (batch.select(list(names)) for batch in batches)

    return again


def _canonical(batch: pa.RecordBatch, columns: list[Settled], *, untyped: bool) -> pa.RecordBatch:
    import pyarrow as pa

    arrays = [
        convert(array, kind=column.spec.kind, to=column.type, untyped=untyped)
        for array, column in zip(batch.columns, columns, strict=True)
    ]
    fields = [(column.spec.name, column.type) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
