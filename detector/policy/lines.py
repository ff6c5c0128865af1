"""Line numbers of a TOML text, which the standard library's reader does not keep."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

Path = tuple[str | int, ...]
"""Where a value stands: keys and places in arrays of tables, as `("rule", 2, "kind")`."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # the longest forms first
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
_HEADER = re.compile(r"[ \t]*(\[\[?)")
_KEY = re.compile(r"""[ \t]*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")


class Lines:
    """The line of each table and key."""

    def __init__(self, text: str) -> None:
        """Read the places off a text that is valid TOML."""
        self._lines: dict[Path, int] = {}
        self._arrays: Counter[Path] = Counter()
        self._scan(text)

    def find(self, path: Path) -> int:
        """Return the line of a value, or of the nearest table around it; 1 at the least."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _scan(self, text: str) -> None:
        """Note every header and key."""
        table: Path = ()
        place = 0
        while place < len(text):
            line = text.count("\n", 0, place) + 1
            if opening := _HEADER.match(text, place):
                keys, place = _keys(text, opening.end())
                table = self._header(keys, line, is_array=opening[1] == "[[")
                place = text.find("\n", place) + 1 or len(text)
            else:
                keys, after = _keys(text, place)
                if keys:
                    self._key(table, keys, line)
                place = _end_of_value(text, after)

    def _header(self, keys: Path, line: int, *, is_array: bool) -> Path:
        """Note a table's header; return its path, with places in arrays filled in."""
        path: Path = ()
        for place, key in enumerate(keys, start=1):
            path = (*path, key)
            self._lines.setdefault(path, line)
            if is_array and place == len(keys):
                self._arrays[path] += 1
            if count := self._arrays[path]:
                path = (*path, count - 1)
                self._lines.setdefault(path, line)
        return path

    def _key(self, table: Path, keys: Path, line: int) -> None:
        """Note a key; a dotted one stands for the tables on its way too."""
        for length in range(1, len(keys) + 1):
            self._lines.setdefault((*table, *keys[:length]), line)


def _keys(text: str, place: int) -> tuple[Path, int]:
    """Return the dotted key that begins here, and where it ends."""
    keys: list[str] = []
    while found := _KEY.match(text, place):
        keys.append(_unquoted(found[1]))
        place = found.end()
        if not text.startswith(".", place):
            break
        place += 1
    return tuple(keys), place


def _unquoted(key: str) -> str:
    """Return a key without its quotes and escapes."""
    if key[0] not in "\"'":
        return key
    return next(iter(tomllib.loads(f"{key} = 0")))


def _end_of_value(text: str, place: int) -> int:
    """Return where the line after a value begins; a value may go over many lines."""
    depth = 0
    for token in _TOKEN.finditer(text, place):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and depth == 0:
            return token.end()
    return len(text)
