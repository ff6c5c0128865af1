"""Rules as TOML: read with every fault named, written so that reading gives the same rules."""

from __future__ import annotations

import json
import math
import tomllib
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from detector.data.schema import Kind, Role
from generators.rules.faults import faults_of
from generators.rules.model import (
    ColumnRule,
    Condition,
    Constraint,
    Dependence,
    Rules,
    Shape,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

from detector.errors import DetectorError

VERSION = 1

HEAD = """\
# Rules for rows: see docs/rules.md. Change what is wrong, then
#   generators fit DATA --recipe rules --option file=THIS_FILE -o model
version = 1
"""


def read_rules(text: str, *, name: str) -> Rules:
    """Return the rules in a TOML text.

    Args:
        text: The file's content.
        name: What errors call it.

    Raises:
        DetectorError: It is no TOML, or a rule makes no sense; every fault is named.

    """
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DetectorError(f"{name} is not TOML: {error}.") from error
    if plain.get("version") != VERSION:
        raise DetectorError(
            f"{name} has rules version {plain.get('version')}; this release reads {VERSION}."
        )
    if faults := faults_of(plain):
        raise DetectorError(
            f"{name}: {'; '.join(faults[:5])}.",
            hint=f"There are {len(faults) - 5} more faults." if len(faults) > 5 else "",
        )
    return Rules(
        columns=tuple(_column(one) for one in plain["column"]),
        dependences=tuple(
            Dependence(columns=tuple(one["columns"]), correlation=float(one["correlation"]))
            for one in plain.get("dependence", ())
        ),
        conditions=tuple(_condition(one) for one in plain.get("condition", ())),
        constraints=tuple(
            Constraint(**{part: _number(value) for part, value in one.items()})
            for one in plain.get("constraint", ())
        ),
    )


def write_rules(rules: Rules) -> str:
    """Return the rules as TOML."""
    lines = [HEAD]
    for rule in rules.columns:
        fixed: dict[str, Any] = {"name": rule.name, "kind": rule.kind.value}
        if rule.role is not Role.FEATURE:
            fixed["role"] = rule.role.value
        if rule.width != 1:
            fixed["width"] = rule.width
        if rule.missing:
            fixed["missing"] = rule.missing
        lines += _table("column", fixed | _plain(rule.shape, rule.kind))
    for dependence in rules.dependences:
        plain = {"columns": list(dependence.columns), "correlation": dependence.correlation}
        lines += _table("dependence", plain)
    for condition in rules.conditions:
        kind = rules.column(condition.column).kind
        asked = {"column": condition.column, "when": condition.when, "level": condition.level}
        lines += _table("condition", asked | _plain(condition.shape, kind))
    for constraint in rules.constraints:
        parts = ("left", "relation", "right", "value")
        held = {part: getattr(constraint, part) for part in parts}
        lines += _table("constraint", {n: v for n, v in held.items() if v is not None})
    return "\n".join(lines)


_COLUMN = ("name", "kind", "role", "width", "missing", "distribution")


def _column(plain: Mapping[str, Any]) -> ColumnRule:
    return ColumnRule(
        name=plain["name"],
        kind=Kind(plain["kind"]),
        role=Role(plain.get("role", "feature")),
        width=plain.get("width", 1),
        missing=float(plain.get("missing", 0.0)),
        shape=_shape(plain, besides=_COLUMN),
    )


def _condition(plain: Mapping[str, Any]) -> Condition:
    return Condition(
        column=plain["column"],
        when=plain["when"],
        level=plain["level"],
        shape=_shape(plain, besides=("column", "when", "level", "distribution")),
    )


def _shape(plain: Mapping[str, Any], *, besides: tuple[str, ...]) -> Shape:
    given = {name: _number(value) for name, value in plain.items() if name not in besides}
    return Shape(distribution=plain["distribution"], given=given)


def _number(value: Any) -> Any:
    """Return dates as seconds since 1970; everything else as it is."""
    if isinstance(value, list):
        return [_number(one) for one in value]
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return value


def _plain(shape: Shape, kind: Kind) -> dict[str, Any]:
    """Return a shape's entries, places in time as dates."""
    given = dict(shape.given)
    if kind is Kind.DATETIME:
        for name in {"low", "high", "mean", "value", "values"} & set(given):
            given[name] = _dated(given[name])
    return {"distribution": shape.distribution, **given}


def _dated(value: Any) -> Any:
    if isinstance(value, list):
        return [_dated(one) for one in value]
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return value  # beyond the calendar


def _table(name: str, entries: Mapping[str, Any]) -> Iterator[str]:
    yield f"[[{name}]]"
    for key, value in entries.items():
        yield f"{key} = {_word(value)}"
    yield ""


def _word(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(_word(one) for one in value)}]"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, float) and not math.isfinite(value):
        return {"inf": "inf", "-inf": "-inf"}.get(str(value), "nan")
    return repr(value)
