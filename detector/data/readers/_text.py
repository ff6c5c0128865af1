"""The start, the lines and the encoding of text files, compressed or not."""

from __future__ import annotations

import codecs
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BLOCK = 2**20


def start(path: Path, *, size: int) -> tuple[str, str]:
    """Return the first bytes of a file as text, and the encoding that its mark tells.

    Raises:
        InputError: It is not text, or not in UTF-8 and without a mark.

    """
    with binary(path) as file:
        head = file.read(size)
    if not head:
        raise InputError(f"`{path.name}` is empty once it is unpacked.", hint="Write it again.")
    encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    line = text.removeprefix("\ufeff").lstrip("\r\n").partition("\n")[0]
    if "\0" in line:
        raise InputError(
            f"`{path.name}` is not text in UTF-8: its first line holds zero bytes.",
            hint="It is a binary file, or UTF-16 without a byte order mark; save it as UTF-8.",
        )
    if encoding == "utf-8" and "\ufffd" in line:
        raise not_utf8(path)
    return text.removeprefix("\ufeff"), encoding


@contextmanager
def binary(path: Path) -> Iterator[Any]:
    """Open a file for reading bytes, unpacked by its last suffix."""
    import pyarrow as pa

    with pa.input_stream(str(path), compression="detect") as file:
        yield file


@contextmanager
def lines(path: Path, encoding: str) -> Iterator[io.TextIOBase]:
    """Open a file for reading text; what cannot be decoded is replaced."""
    with binary(path) as file:
        bom = "utf-8-sig" if encoding == "utf-8" else encoding
        yield io.TextIOWrapper(io.BufferedReader(file), bom, errors="replace", newline="")


def not_utf8(path: Path) -> InputError:
    """Return the error that says where a file stops being UTF-8, and what it may be."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    guess, code = "Latin-1 (ISO 8859-1)", "latin1"
    with binary(path) as file:
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                if any(0x80 <= byte < 0xA0 for byte in error.object[error.start :]):
                    guess, code = "Windows-1252", "cp1252"
                break
            line += block.count(b"\n")
    return InputError(
        f"`{path.name}`, line {line:,}: the text is not UTF-8; it may be {guess}.",
        hint=f"Convert it, for example with `iconv -f {code} -t utf-8`.",
    )
