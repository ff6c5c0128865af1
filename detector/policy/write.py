"""A policy as the TOML text that reads back as the same policy."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING

from detector.verdicts import Action, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from detector.policy.policy import Policy, Rule, Waiver

_KEYS = ("name", "check", "measurement", "columns", "kind")
_NEVER = object()
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(policy: Policy, *, head: str = "", remarks: Mapping[str, str] | None = None) -> str:
    """Return the text of a policy.

    Args:
        policy: The policy.
        head: What the file says first, as comments.
        remarks: A comment above a rule, by the rule's name.

    """
    lines = _remark(head)
    lines += ["", f"name = {_value(policy.name)}", f"alpha = {_value(policy.alpha)}"]
    lines += [f"correction = {_value(policy.correction)}"]
    if policy.ignore:
        lines.append(f"ignore = {_value(list(policy.ignore))}")
    for key, table in (("kinds", policy.kinds), ("roles", policy.roles)):
        lines += _table(key, table) if table else []
    for check, options in policy.options.items():
        lines += _table(f"check.{_key(check)}", options)
    for rule in policy.rules:
        lines += ["", *_remark((remarks or {}).get(rule.name, "")), "[[rule]]", *_rule(rule)]
    for waiver in policy.waivers:
        lines += ["", "[[waiver]]", *_waiver(waiver)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _rule(rule: Rule) -> Iterator[str]:
    """Yield the lines of one rule; what goes without saying is left out."""
    levels: object = rule.on_gap
    if rule.gaps:
        own = {reason.value: level for reason, level in rule.gaps.items()}
        levels = {**own, "otherwise": rule.on_gap}
    told = (
        *((key, getattr(rule, key), "*") for key in _KEYS),
        *((option, value, _NEVER) for option, value in rule.options.items()),
        ("action", rule.action, Action.REJECT),
        ("cap", rule.cap, None),
        ("on_gap", levels, Level.UNKNOWN),
        ("tolerate", rule.tolerate, 0.0),
        ("family", rule.family, None),
        ("adjusted", rule.adjusted, False),
    )
    yield from (f"{_key(key)} = {_value(own)}" for key, own, default in told if own != default)


def _waiver(waiver: Waiver) -> Iterator[str]:
    for key in ("rule", "subject", "reason", "expires"):
        yield f"{key} = {_value(getattr(waiver, key))}"


def _table(name: str, values: Mapping[str, object]) -> list[str]:
    return ["", f"[{name}]", *(f"{_key(key)} = {_value(value)}" for key, value in values.items())]


def _remark(text: str) -> list[str]:
    """Return comment lines; what TOML does not take in a comment is a question mark."""
    shown = "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
    return [f"# {line}".rstrip() for line in shown.splitlines()]


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: object) -> str:
    """Return a value as TOML writes it; levels in small letters."""
    match value:
        case Level():
            written = _text(value.name.lower())
        case str():
            written = _text(str(value))
        case bool():
            written = str(value).lower()
        case date():
            written = value.isoformat()
        case dict():
            inside = ", ".join(f"{_key(key)} = {_value(own)}" for key, own in value.items())
            written = f"{{ {inside} }}"
        case list() | tuple():
            written = f"[{', '.join(map(_value, value))}]"
        case _:
            written = repr(value)
    return written


def _text(text: str) -> str:
    """Return a basic string: TOML takes JSON's escapes, and wants that of DEL as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
