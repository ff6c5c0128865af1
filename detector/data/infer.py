"""The kind of each column, decided by its declared type and all of its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.data.evidence import Evidence, Floats, Integers, Lists
from detector.data.families import Family, family
from detector.data.schema import Kind
from detector.data.texts import NEARLY_ALL, Texts

if TYPE_CHECKING:
    import pyarrow as pa

SMALL = 20
"""With fewer values than this nothing is said about nearly all being different."""

_DECLARED = {
    Family.NOTHING: Kind.NUMERIC,
    Family.BOOLEAN: Kind.BOOLEAN,
    Family.INTEGER: Kind.INTEGER,
    Family.FLOAT: Kind.NUMERIC,
    Family.DATETIME: Kind.DATETIME,
    Family.SPAN: Kind.NUMERIC,
    Family.TEXT: Kind.CATEGORY,
    Family.CODED: Kind.CATEGORY,
    Family.LIST: Kind.TEXT,
    Family.OTHER: Kind.TEXT,
}
"""The kind that the declared type gives when the values need not be looked at."""

_ALWAYS = {
    Family.NOTHING: frozenset(Kind),
    Family.BOOLEAN: frozenset({Kind.BOOLEAN}),
    Family.INTEGER: frozenset({Kind.INTEGER, Kind.NUMERIC, Kind.CATEGORY}),
    Family.FLOAT: frozenset({Kind.NUMERIC}),
    Family.DATETIME: frozenset({Kind.DATETIME}),
    Family.SPAN: frozenset({Kind.NUMERIC}),
    Family.TEXT: frozenset({Kind.CATEGORY, Kind.TEXT}),
    Family.CODED: frozenset({Kind.CATEGORY, Kind.TEXT}),
    Family.LIST: frozenset({Kind.TEXT, Kind.CATEGORY}),
    Family.OTHER: frozenset({Kind.TEXT, Kind.CATEGORY}),
}
"""The kinds that a family can be read as without loss, whatever its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The kind of a column, and why.

    Attributes:
        kind: The kind.
        reason: Why, in a few words for people.
        identifies: Its values name the rows: it is an id.
        wide: Whole numbers beyond int64.
        width: The length of a vector.

    """

    kind: Kind
    reason: str
    identifies: bool = False
    wide: bool = False
    width: int = 1


def needs_a_look(family_: Family, wanted: Kind | None) -> bool:
    """Tell whether the declared type leaves the kind open."""
    if wanted is None:
        return family_ in {Family.INTEGER, Family.TEXT, Family.LIST}
    return wanted not in _ALWAYS[family_]


def decide(field: pa.Field, look: Evidence | None, *, untyped: bool) -> Found:
    """Return the kind that a column's own type and values give."""
    family_ = family(field.type)
    if isinstance(look, Integers):
        return _integers(look)
    if isinstance(look, Texts) and family_ is Family.TEXT:
        return _texts(look, untyped=untyped)
    if isinstance(look, Lists):
        return _lists(look)
    return Found(kind=_DECLARED[family_], reason=f"declared as {family_}")


def fits(kind: Kind, field: pa.Field, look: Evidence | None, *, width: int = 1) -> Found | None:
    """Return the column read as this kind, or None when that would lose something."""
    family_ = family(field.type)
    if kind in _ALWAYS[family_]:
        return Found(kind=kind, reason="", width=width)
    if isinstance(look, Integers):
        right = kind is Kind.BOOLEAN and not look.many and look.few <= {0, 1}
    elif isinstance(look, Floats):
        right = _floats_fit(kind, look)
    elif isinstance(look, Texts):
        right = _texts_fit(kind, look)
    elif isinstance(look, Lists):
        right = kind is Kind.VECTOR and look.widths <= {width}
    else:
        right = False
    wide = isinstance(look, Floats | Texts) and look.wide
    return Found(kind=kind, reason="", wide=wide, width=width) if right else None


def _integers(look: Integers, *, wide: bool = False) -> Found:
    """Order means nothing to two values; with three it may, so they stay numbers."""
    if look.identifies:
        reason = "whole numbers, no value comes twice, and it is named like an id"
        return Found(kind=Kind.INTEGER, reason=reason, identifies=True)
    if wide:
        reason = "whole numbers, some beyond 64 bits and rounded"
        return Found(kind=Kind.INTEGER, reason=reason, wide=True)
    if len(look.few) == 2:
        return Found(kind=Kind.CATEGORY, reason="two different whole numbers")
    if look.many or len(look.few) < 2:
        return Found(kind=Kind.INTEGER, reason="whole numbers")
    reason = f"whole numbers, {len(look.few)} different; if they are codes, call it a category"
    return Found(kind=Kind.INTEGER, reason=reason)


def _texts(look: Texts, *, untyped: bool) -> Found:
    if not look.present:
        return Found(kind=Kind.NUMERIC, reason="every value is missing")
    if look.spells.keys() & {"local", "zoned"}:
        return Found(kind=Kind.DATETIME, reason="text, and every value is an ISO 8601 date")
    if "clock" in look.spells:
        return Found(kind=Kind.NUMERIC, reason="text, and every value is a time of day, in seconds")
    if untyped and look.spells:
        return _untyped(look)
    return _words(look)


def _untyped(look: Texts) -> Found:
    """Read the cells of a file without types as what all of them spell."""
    if "whole" not in look.spells:
        if "number" in look.spells:
            return Found(kind=Kind.NUMERIC, reason="every value is a number")
        return Found(kind=Kind.BOOLEAN, reason="every value is true or false")
    if look.named_id and look.repeats.all_differ:
        reason = "whole numbers, no value comes twice, and it is named like an id"
        return Found(kind=Kind.INTEGER, reason=reason, identifies=True, wide=look.wide)
    return _integers(look.integers, wide=look.wide)


def _words(look: Texts) -> Found:
    """Tell categories, keys and running text apart by how often values repeat."""
    share = f"{NEARLY_ALL:.0%}"
    if look.named_id and look.identifies:
        reason = "text, no value comes twice, and it is named like an id"
        return Found(kind=Kind.TEXT, reason=reason, identifies=True)
    if not look.nearly_all_differ:
        return Found(kind=Kind.CATEGORY, reason="text whose values repeat")
    if look.present < SMALL:
        return Found(kind=Kind.CATEGORY, reason=f"text, fewer than {SMALL} values")
    if "number" in look.spells and "whole" not in look.spells:
        return Found(kind=Kind.NUMERIC, reason="text, and every value is a number")
    if look.identifies:
        reason = "text, no value comes twice, and all look like keys (short, no blank)"
        return Found(kind=Kind.TEXT, reason=reason, identifies=True)
    return Found(kind=Kind.TEXT, reason=f"text, at least {share} of its values are different")


def _lists(look: Lists) -> Found:
    if len(look.widths) == 1 and (width := max(look.widths)):
        reason = f"lists of {width} numbers each"
        return Found(kind=Kind.VECTOR, reason=reason, width=width)
    if not look.widths:
        return Found(kind=Kind.NUMERIC, reason="every value is missing")
    return Found(kind=Kind.TEXT, reason="lists of different lengths, read as text")


def _floats_fit(kind: Kind, look: Floats) -> bool:
    if kind is Kind.BOOLEAN:
        return look.zero_one
    return look.whole and kind in {Kind.INTEGER, Kind.CATEGORY}


def _texts_fit(kind: Kind, look: Texts) -> bool:
    if not look.present:
        return kind is not Kind.VECTOR
    spelled = look.spells.keys()
    return {
        Kind.NUMERIC: bool(spelled & {"number", "clock"}),
        Kind.INTEGER: "whole" in spelled or ("number" in spelled and look.floats.whole),
        Kind.BOOLEAN: "truth" in spelled or look.zero_one,
        Kind.DATETIME: bool(spelled & {"local", "zoned"}),
    }.get(kind, False)
