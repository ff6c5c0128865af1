"""JSON lines: one object a line. Each block is parsed by Arrow or, when mixed, by Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.readers import _text
from detector.data.readers._sorts import (
    Sort,
    arrow_type,
    as_sort,
    joined,
    sort_of_type,
    sort_of_value,
)
from detector.data.source import Source, shown
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

BLOCK_BYTES = 4 * 2**20
"""Bytes parsed at a time; a longer line is a block of its own."""

MAX_LINE = 64 * 2**20
"""Bytes of a line, at most."""

MAX_DEPTH = 256
"""Levels of nesting that Arrow is trusted with."""

_OPENING = np.frombuffer(b"[{", np.uint8)
_CLOSING = np.frombuffer(b"]}", np.uint8)

MIXED = "values of different types, read as text"
NESTED = "nested values, read as text"


def open(paths: Sequence[Path]) -> Source:
    """Return JSON lines as one source; a key that a line lacks is missing there."""
    import pyarrow as pa

    found: dict[str, set[Sort]] = {}
    n_rows = 0
    for path in paths:
        for block, line in _blocks(path):
            rows, sorts = _sorts(block, path, line)
            n_rows += rows
            for name, some in sorts.items():
                found.setdefault(name, set()).update(some)
    known = {name: joined(sorts) for name, sorts in found.items()}

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        wanted = {name: known[name] for name in columns}
        for path in paths:
            for block, line in _blocks(path):
                yield from _batches(block, wanted, path, line)

    remarks = {Sort.MIXED: MIXED, Sort.NESTED: NESTED}
    if not known:
        raise InputError(
            f"`{paths[0].name}` holds no keys and no values.",
            hint='Put one object such as {"a": 1} on each line.',
        )
    return Source(
        schema=pa.schema([(name, arrow_type(sort)) for name, sort in known.items()]),
        read=read,
        n_rows=n_rows,
        by_row=True,
        remarks={name: remarks[sort] for name, sort in known.items() if sort in remarks},
    )


def _blocks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield blocks of whole lines, each with the number of its first line."""
    _, encoding = _text.start(path, size=4_096)
    if encoding != "utf-8":
        raise InputError(
            f"`{path.name}` is {encoding.upper()}; JSON lines are UTF-8.",
            hint=f"Convert it, for example with `iconv -f {encoding} -t utf-8`.",
        )
    line, rest = 1, b""
    with _text.binary(path) as file:
        while part := file.read(BLOCK_BYTES):
            rest = (rest + part).removeprefix(b"\xef\xbb\xbf") if line == 1 else rest + part
            end = rest.rfind(b"\n") + 1
            if len(rest) - end > MAX_LINE:
                raise InputError(
                    f"`{path.name}`, line {line:,} has more than {MAX_LINE // 2**20} MiB.",
                    hint="Put one object on each line.",
                )
            if end:
                yield _checked(rest[:end], path), line
                line += rest.count(b"\n", 0, end)
                rest = rest[end:]
    if rest.strip():
        yield _checked(rest, path), line


def _checked(block: bytes, path: Path) -> bytes:
    """Return the block when it is UTF-8; Arrow does not look."""
    try:
        block.decode()
    except UnicodeDecodeError as error:
        raise _text.not_utf8(path) from error
    return block


def _sorts(block: bytes, path: Path, line: int) -> tuple[int, dict[str, set[Sort]]]:
    """Return the rows of a block and what each of its keys holds."""
    table = _by_arrow(block, None)
    if table is not None:
        return table.num_rows, {field.name: sort_of_type(field.type) for field in table.schema}
    found: dict[str, set[Sort]] = {}
    rows = _by_python(block, path, line)
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, set()).update(sort_of_value(value))
    return len(rows), found


def _batches(
    block: bytes, wanted: Mapping[str, Sort | None], path: Path, line: int
) -> Iterator[pa.RecordBatch]:
    """Yield one block's columns, with the types of the whole file."""
    import pyarrow as pa

    schema = pa.schema([(name, arrow_type(sort)) for name, sort in wanted.items()])
    if not {Sort.MIXED, Sort.NESTED} & {*wanted.values()}:
        table = _by_arrow(block, schema)
        if table is not None:
            yield from table.select(schema.names).to_batches()
            return
    rows = _by_python(block, path, line)
    columns = [
        pa.array([as_sort(row.get(name), sort) for row in rows], arrow_type(sort))
        for name, sort in wanted.items()
    ]
    yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _by_arrow(block: bytes, schema: pa.Schema | None) -> pa.Table | None:
    """Parse a block with Arrow; None when it cannot be, because values are mixed or broken."""
    import pyarrow as pa
    from pyarrow import json as arrow_json

    if not block.strip():
        return pa.table({}, schema=schema)
    if _is_deep(block):
        return None  # it would exhaust the stack
    known = "infer" if schema is None else "ignore"
    try:
        return arrow_json.read_json(
            pa.BufferReader(block),
            arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=known),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None


def _is_deep(block: bytes) -> bool:
    """Tell whether brackets may be nested too deep; those inside of text count too."""
    opened = block.count(b"[") + block.count(b"{")
    if opened <= block.count(b"\n") + MAX_DEPTH:
        return False
    letters = np.frombuffer(block, np.uint8)
    steps = np.isin(letters, _OPENING).view(np.int8) - np.isin(letters, _CLOSING).view(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max()) > MAX_DEPTH


def _by_python(block: bytes, path: Path, line: int) -> list[dict[str, Any]]:
    """Parse a block line by line, and say which line is at fault."""
    rows = []
    for number, text in enumerate(block.decode().split("\n"), start=line):
        if not text.strip():
            continue
        where = f"`{path.name}`, line {number:,}"
        try:
            row = json.loads(text, object_pairs_hook=_unique)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{where}: not JSON at character {error.pos + 1:,}: {error.msg}.",
                hint="Put one complete JSON object on each line.",
            ) from error
        except (KeyError, RecursionError, ValueError) as error:
            twice = isinstance(error, KeyError)
            said = (
                f"the key {shown(error.args[0])} comes twice"
                if twice
                else "a value is too deep or long"
            )
            raise InputError(f"{where}: {said}.", hint="Mend the line.") from error
        if not isinstance(row, dict):
            raise InputError(
                f"{where}: a {type(row).__name__}, not an object.",
                hint='Put one object such as {"a": 1} on each line.',
            )
        rows.append(row)
    return rows


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise KeyError(next(name for name in names if names.count(name) > 1))
    return row
