"""Strangers' text made fit to print: nothing invisible, nothing endless."""

from __future__ import annotations

import re
import unicodedata

NAME = 60
"""Characters of a name or value that are shown."""

PROSE = 600
"""Characters of a sentence that are shown."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
_BLANK = frozenset(
    "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
)  # letters by category, empty to the eye
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def visible(text: object, *, limit: int = NAME) -> str:
    r"""Return text on one line, cut in the middle, with every invisible character spelled out.

    Control characters, bidirectional overrides, zero-width characters, odd spaces and lone
    surrogates become `\x1b` or `\u202e`; so the result is also valid in UTF-8 and XML.

    >>> visible("total\u202e\n")
    'total\\u202e\\n'
    >>> visible("x" * 1_000_000, limit=20)
    'xxxxxxxxxxxxx…xxxxxx'
    """
    text = str(text)
    if len(text) > limit:
        tail = (limit - 1) // 3
        text = f"{text[: limit - 1 - tail]}…{text[-tail:]}"
    return text if text.isascii() and text.isprintable() else "".join(map(_spelled, text))


def segments(text: object, *, limit: int = PROSE) -> list[tuple[bool, str]]:
    """Return a sentence as pieces, each with whether backticks marked it as a name.

    >>> segments("`age` moved")
    [(True, 'age'), (False, ' moved')]
    """
    text = visible(text, limit=limit)
    pieces, end = [], 0
    for match in _CODE.finditer(text):
        pieces += [(False, text[end : match.start()]), (True, match[1])]
        end = match.end()
    return [(code, piece) for code, piece in [*pieces, (False, text[end:])] if piece]


def plain(text: object, *, limit: int = PROSE) -> str:
    """Return a sentence without the backticks around names.

    >>> plain("`age` moved")
    'age moved'
    """
    return "".join(piece for _, piece in segments(text, limit=limit))


def _spelled(character: str) -> str:
    """Return the character, or its escape when the eye would not see it."""
    if character == " ":
        return character
    if unicodedata.category(character) in _INVISIBLE or character in _BLANK:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
