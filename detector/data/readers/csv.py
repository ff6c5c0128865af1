"""CSV: a header row, then text; what the text spells is inferred from all of it."""

from __future__ import annotations

import contextlib
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.data.readers import _several, _text
from detector.data.source import Source
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

BLOCK_BYTES = 4 * 2**20
"""Bytes parsed at a time; a row must fit in."""

MISSING = (
    *("", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "<NA>"),
    *("#N/A", "#N/A N/A", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""Cells that mean missing, quoted or not."""

_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What the start of a file says about the rest."""

    names: tuple[str, ...]
    lines: int
    delimiter: str
    encoding: str


def open(paths: Sequence[Path], *, delimiter: str | None = None) -> Source:
    """Return CSV files as one source of text columns.

    Args:
        paths: Files with a header row, the same columns in each.
        delimiter: What separates cells; the commonest of `,` `;` tab `|` in the header
            row when it is None.

    """
    import pyarrow as pa

    heads = {path: _head(path, delimiter) for path in paths}
    schemas = {
        path: pa.schema([(name, pa.string()) for name in head.names])
        for path, head in heads.items()
    }

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path, head in heads.items():
            yield from _rows(path, head, columns)

    return Source(schema=_several.one_schema(schemas), read=read, untyped=True, by_row=True)


def _head(path: Path, delimiter: str | None) -> _Head:
    start, encoding = _text.start(path, size=BLOCK_BYTES)
    delimiter = delimiter or _commonest(start)
    rows = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
    try:
        names = next((row for row in rows if row), None)
    except csv.Error as error:
        raise InputError(f"`{path.name}`: its header row cannot be read: {error}.") from error
    if names is None:
        raise InputError(f"`{path.name}` holds blank lines only.", hint="It needs a header row.")
    return _Head(
        names=tuple(names),
        lines=rows.line_num,
        delimiter=delimiter,
        encoding=encoding,
    )


def _commonest(start: str) -> str:
    """Return the delimiter found most often in the header row, outside of quotes."""
    header = start.lstrip("\r\n").partition("\n")[0]
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def _rows(path: Path, head: _Head, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        with arrow_csv.open_csv(
            str(path),
            read_options=arrow_csv.ReadOptions(
                block_size=BLOCK_BYTES,
                column_names=list(head.names),
                skip_rows=head.lines,
                encoding=head.encoding,
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=head.delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(head.names, pa.string()),
                null_values=MISSING,
                strings_can_be_null=True,
            ),
        ) as reader:
            last = None
            for batch in reader:
                yield batch
                last = batch if batch.num_rows else last
    except pa.ArrowInvalid as error:
        if any(said in str(error) for said in ("Empty CSV", "Could not skip initial")):
            return  # a header row alone
        raise _fault(path, head, str(error)) or error from error
    if last is not None and _runs_over_lines(last):
        _check_quotes(path, head)


def _runs_over_lines(batch: pa.RecordBatch) -> bool:
    """Tell whether a cell of the last row holds a line break: perhaps a quote is open."""
    row = batch.slice(batch.num_rows - 1).to_pylist()[0]
    return any("\n" in cell for cell in row.values() if cell)


def _check_quotes(path: Path, head: _Head) -> None:
    """Refuse a file whose last quote is never closed: Arrow takes the rest for one cell."""
    before = 0
    with _text.lines(path, head.encoding) as file:
        rows = csv.reader(file, delimiter=head.delimiter, strict=True)
        try:
            for _ in rows:
                before = rows.line_num
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise InputError(
                    f"`{path.name}`: a quote is opened in line {before + 1:,} and never closed.",
                    hint="Close it, or double it where it is meant as a character.",
                ) from error


def _fault(path: Path, head: _Head, said: str) -> InputError | None:
    """Return where and why the file cannot be parsed, when it can be told."""
    if "UTF8" in said:
        return _text.not_utf8(path)
    if "straddl" in said:
        return InputError(
            f"`{path.name}` holds a row of more than {BLOCK_BYTES // 2**20} MiB.",
            hint="Perhaps a quote is never closed.",
        )
    if "Expected" not in said:
        return None
    where = f"`{path.name}`"
    length = "another number"
    with _text.lines(path, head.encoding) as file, contextlib.suppress(csv.Error):
        rows = csv.reader(file, delimiter=head.delimiter)
        odd = next((len(row) for row in rows if row and len(row) != len(head.names)), 0)
        where, length = f"{where}, line {rows.line_num:,}", f"{odd:,}"
    return InputError(
        f"{where}: the header has {len(head.names):,} cells, and this row {length}.",
        hint="Quote cells that hold the delimiter or a quote, or mend the row.",
    )
