"""What is wrong with rules, all of it at once, in words for the person who wrote them."""

from __future__ import annotations

import difflib
import math
from datetime import date
from typing import TYPE_CHECKING, Any

from detector.data.schema import NOMINAL, ORDERED, Kind, Role
from generators.rules.model import LIMITS, MAY, NEEDS, RELATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TABLES = ("column", "dependence", "condition", "constraint")
_OF_COLUMN = {"name", "kind", "role", "width", "missing", "distribution"}
_OF_CONDITION = {"column", "when", "level", "distribution"}
_OF_CONSTRAINT = {"left", "relation", "right", "value"}
_NUMBERS = {"mean", "spread", "low", "high", "step"}


def faults_of(plain: Mapping[str, Any]) -> list[str]:
    """Return every fault of the parsed TOML; none when it makes sense."""
    if unknown := sorted(set(plain) - {*_TABLES, "version"}):
        return [f"there is no [[{unknown[0]}]]{_near(unknown[0], _TABLES)}"]
    for table in _TABLES:
        rows = plain.get(table, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return [f"`{table}` must be written as [[{table}]]"]
    if not plain.get("column"):
        return ["there is no [[column]]"]
    kinds: dict[str, Kind] = {}
    found: list[str] = []
    for number, column in enumerate(plain["column"], start=1):
        found += _column_faults(column, number, kinds)
    for one in plain.get("dependence", []):
        found += _dependence_faults(one, kinds)
    levels = {
        str(one.get("name")): {str(level) for level in one.get("values", [one.get("value")])}
        for one in plain["column"]
        if isinstance(one.get("values", []), list)
    }
    for one in plain.get("condition", []):
        found += _condition_faults(one, kinds, levels)
    for one in plain.get("constraint", []):
        found += _constraint_faults(one, kinds)
    return found


def _column_faults(column: Mapping[str, Any], number: int, kinds: dict[str, Kind]) -> Iterator[str]:
    name = column.get("name")
    if not isinstance(name, str):
        yield f"column {number} has no name"
        return
    where = f"column `{name}`"
    if name in kinds:
        yield f"{where} is there twice"
    if column.get("kind") not in set(Kind):
        yield f"{where} has the kind {column.get('kind')!r}; there are {', '.join(Kind)}"
        return
    kinds[name] = Kind(column["kind"])
    if column.get("role", "feature") not in set(Role):
        yield f"{where} has the role {column['role']!r}; there are {', '.join(Role)}"
    if not _is_share(column.get("missing", 0.0)):
        yield f"{where}: `missing` must be a share from 0 to 1"
    width = column.get("width", 1)
    if type(width) is not int or width < 1:
        yield f"{where}: `width` must be a whole number from 1"
        return
    vector = width if kinds[name] is Kind.VECTOR else None
    yield from _shape_faults(column, where, kinds[name], besides=_OF_COLUMN, width=vector)


def _shape_faults(
    plain: Mapping[str, Any], where: str, kind: Kind, *, besides: set[str], width: int | None = None
) -> Iterator[str]:
    name = str(plain.get("distribution"))
    if name not in NEEDS:
        yield f"{where} has the distribution {name!r}; there are {', '.join(NEEDS)}"
        return
    allowed = {*NEEDS[name], *MAY.get(name, ()), *(LIMITS if kind not in NOMINAL else ())}
    for key in sorted(set(plain) - besides - allowed):
        yield f"{where}: {name} takes no `{key}`{_near(key, tuple(allowed | besides))}"
    for key in NEEDS[name]:
        if key not in plain:
            yield f"{where}: {name} needs `{key}`"
    if kind in NOMINAL and name not in {"choice", "constant", "keys"}:
        yield f"{where} holds levels; its distribution is choice, constant or keys"
    if kind is Kind.TEXT and name != "keys":
        yield f"{where} holds text; its distribution is keys"
    if kind is Kind.VECTOR and name not in {"normal", "constant"}:
        yield f"{where} holds vectors; its distribution is normal or constant"
    yield from _number_faults(plain, where, name, kind, width)


def _number_faults(
    plain: Mapping[str, Any], where: str, name: str, kind: Kind, width: int | None
) -> Iterator[str]:
    for key in sorted(_NUMBERS & set(plain)):
        value = plain[key]
        numbers = value if width and key in {"mean", "spread"} else [value]
        if not isinstance(numbers, list) or not all(_is_number(one, kind) for one in numbers):
            yield f"{where}: `{key}` must be a number"
        elif key in {"spread", "step"} and any(one < 0 for one in numbers):
            yield f"{where}: `{key}` must not be negative"
        elif width and key in {"mean", "spread"} and len(numbers) != width:
            yield f"{where}: `{key}` must have {width} numbers"
    mean = plain.get("mean", 0)
    if name in {"exponential", "poisson"} and _is_number(mean, kind) and mean < 0:
        yield f"{where}: `mean` must not be negative"
    if name in {"choice", "quantiles"}:
        yield from _list_faults(plain, where, kind)
    if {"low", "high"} <= set(plain) and _ordered_wrong(plain["low"], plain["high"]):
        yield f"{where}: `low` is above `high`"


def _list_faults(plain: Mapping[str, Any], where: str, kind: Kind) -> Iterator[str]:
    values = plain.get("values", [None])
    if not isinstance(values, list) or not values or not all(_fits(v, kind) for v in values):
        what = "texts" if kind in NOMINAL else "numbers"
        yield f"{where}: `values` must be a list of {what}, one at least"
        return
    weights = plain.get("weights", [1.0] * len(values))
    if not isinstance(weights, list) or len(weights) != len(values):
        yield f"{where}: `weights` must be as many as `values`"
    elif not all(_is_number(one, Kind.NUMERIC) and one >= 0 for one in weights) or not sum(weights):
        yield f"{where}: `weights` must be numbers from 0, one above"


def _dependence_faults(one: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Iterator[str]:
    columns = one.get("columns")
    if not isinstance(columns, list) or len(columns) != 2 or columns[0] == columns[1]:
        yield "a dependence has `columns`, two different names"
        return
    for name in columns:
        yield from _unknown(name, kinds, "a dependence")
    correlation = one.get("correlation", 1)
    if not _is_number(correlation, Kind.NUMERIC) or not -1 < correlation < 1:
        pair = f"{columns[0]!r} and {columns[1]!r}"
        yield f"the dependence of {pair}: `correlation` lies between -1 and 1"
    if extra := sorted(set(one) - {"columns", "correlation"}):
        yield f"a dependence takes no `{extra[0]}`"


def _condition_faults(
    one: Mapping[str, Any], kinds: Mapping[str, Kind], levels: Mapping[str, set[str]]
) -> Iterator[str]:
    column, when = str(one.get("column")), str(one.get("when"))
    unknown = [*_unknown(column, kinds, "a condition"), *_unknown(when, kinds, "a condition")]
    if unknown:
        yield from unknown
        return
    where = f"the condition on `{when}`"
    if kinds[when] not in NOMINAL:
        yield f"{where} needs a category"
    elif one.get("level") not in levels.get(when, set()):
        listed = ", ".join(sorted(levels.get(when, ()))[:5])
        yield f"{where}: {one.get('level')!r} is none of its levels ({listed})"
    if column == when:
        yield f"{where} changes the column that it reads"
    if kinds[column] is Kind.VECTOR:
        yield f"{where} changes a vector, which no condition can"
    else:
        yield from _shape_faults(one, where, kinds[column], besides=_OF_CONDITION)


def _constraint_faults(one: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Iterator[str]:
    left, relation = str(one.get("left")), str(one.get("relation"))
    if relation not in RELATIONS:
        yield f"a constraint has the relation {relation!r}; there are {' '.join(RELATIONS)}"
    if ("right" in one) == ("value" in one):
        yield "a constraint compares with either `right`, a column, or `value`"
    if extra := sorted(set(one) - _OF_CONSTRAINT):
        yield f"a constraint takes no `{extra[0]}`"
    sides = [left, *([str(one["right"])] if "right" in one else [])]
    for side in sides:
        yield from _unknown(side, kinds, "a constraint")
        if side not in kinds:
            return
        if kinds[side] in {Kind.VECTOR, Kind.TEXT}:
            yield f"a constraint compares `{side}`, and {kinds[side]} cannot be compared"
        elif kinds[side] in NOMINAL and relation not in {"==", "!="}:
            yield f"a constraint orders `{side}`, which has no order"
    if "value" in one and not _fits(one["value"], kinds[left]):
        yield f"a constraint compares `{left}` with {one['value']!r}, which is no value of its kind"
    if len({kinds[side] in ORDERED for side in sides}) > 1:
        yield f"a constraint compares `{left}` with `{sides[1]}`, a number with a level"


def _unknown(name: Any, kinds: Mapping[str, Kind], where: str) -> Iterator[str]:
    if name not in kinds:
        yield f"{where} names {name!r}, which is no column{_near(str(name), tuple(kinds))}"


def _near(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean `{near[0]}`?)" if near else ""


def _is_number(value: Any, kind: Kind) -> bool:
    if kind is Kind.DATETIME and isinstance(value, date):
        return True
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and not math.isnan(value)


def _fits(value: Any, kind: Kind) -> bool:
    """Tell whether a value can stand in a column of this kind."""
    return isinstance(value, str) if kind in NOMINAL else _is_number(value, kind)


def _is_share(value: Any) -> bool:
    return _is_number(value, Kind.NUMERIC) and 0 <= value <= 1


def _ordered_wrong(low: Any, high: Any) -> bool:
    try:
        return bool(low > high)
    except TypeError:
        return False
