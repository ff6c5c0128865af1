"""Options in a policy, held against the types that a check or a rule kind declares."""

from __future__ import annotations

import dataclasses
import inspect
import math
import sys
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detector.policy.faults import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = inspect.Parameter.empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: its name, its type as far as it can be known, and whether it must be given."""

    name: str
    type: Any
    required: bool


def options_of(plugin: Callable[..., object]) -> tuple[Option, ...]:
    """Return the options of a check (its fields) or of a rule kind (its keyword parameters)."""
    if dataclasses.is_dataclass(plugin):
        missing = dataclasses.MISSING
        return tuple(
            Option(
                name=spec.name,
                type=_resolved(spec.type, plugin),
                required=spec.default is missing and spec.default_factory is missing,
            )
            for spec in dataclasses.fields(plugin)
            if spec.init
        )
    return tuple(
        Option(
            name=parameter.name,
            type=_resolved(parameter.annotation, plugin),
            required=parameter.default is NOTHING,
        )
        for parameter in inspect.signature(plugin).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    )


def fault_of(option: Option, value: object) -> str | None:
    """Return what is wrong with a value's type, or None."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"`{option.name}` is {shown(value)}; it has to be a finite number"
    if option.type is NOTHING or _is(value, option.type):
        return None
    return f"`{option.name}` is {shown(value)}; it has to be {_named(option.type)}"


def unknown_option(name: str, known: tuple[str, ...], owner: str) -> str:
    """Return the fault of an option that its owner does not have."""
    return f"{owner} has no option `{name}`; {nearest(name, known)}"


def settled(value: object) -> object:
    """Return a TOML value as an option takes it: arrays as tuples."""
    return tuple(map(settled, value)) if isinstance(value, list) else value


def shown(value: object) -> str:
    """Return a value as a policy writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def _resolved(annotation: Any, plugin: Callable[..., object]) -> Any:
    """Return the type that an annotation means; nothing where it cannot be told cheaply."""
    if not isinstance(annotation, str):
        return annotation
    module = sys.modules.get(plugin.__module__)
    try:
        return eval(annotation, vars(module) if module else {})  # noqa: S307 - our own source
    except (NameError, SyntaxError, TypeError):
        return NOTHING


def _is(value: object, wanted: Any) -> bool:
    """Tell whether a TOML value has this type."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return any(_is(value, each) for each in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, list) and all(_is(item, arguments[0]) for item in value)
    if wanted in (int, float):
        return isinstance(value, int | wanted) and not isinstance(value, bool)
    return not isinstance(wanted, type) or isinstance(value, wanted)


def _named(wanted: Any) -> str:
    """Return a type in words."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_named(each) for each in arguments if each is not types.NoneType)
    if origin is typing.Literal:
        return "one of " + ", ".join(shown(each) for each in arguments)
    if origin is tuple:
        return f"an array of {_PLURALS.get(arguments[0], 'values')}"
    return _NAMES.get(wanted, getattr(wanted, "__name__", str(wanted)))


_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
_PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}
