"""Options of recipes, checked: the type of each is that of its default."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def check_types(recipe: Any) -> None:
    """Refuse options whose type is not that of their default.

    A whole number may stand for a number. An option whose default is None takes anything.

    Raises:
        ValueError: It names the option, and what it must be.

    """
    for option in dataclasses.fields(recipe):
        wanted, value = type(option.default), getattr(recipe, option.name)
        if wanted not in _WORDS:
            continue
        fine = isinstance(value, int | float) if wanted is float else type(value) is wanted
        if isinstance(value, bool) is not (wanted is bool) or not fine:
            raise ValueError(f"{option.name} is {value!r}; it must be {_WORDS[wanted]}")
        if wanted is float and not math.isfinite(value):
            raise ValueError(f"{option.name} is {value}; it must be finite")


def check_least(recipe: Any, **least: float) -> None:
    """Refuse options below their least value.

    Raises:
        ValueError: It names the option and the least value.

    """
    for name, lowest in least.items():
        if getattr(recipe, name) < lowest:
            raise ValueError(f"{name} is {getattr(recipe, name)}; it must be {lowest} at least")


def check_between(recipe: Any, **ends: tuple[float, float]) -> None:
    """Refuse options outside their interval; its ends are allowed.

    Raises:
        ValueError: It names the option and the interval.

    """
    for name, (low, high) in ends.items():
        if not low <= getattr(recipe, name) <= high:
            value = getattr(recipe, name)
            raise ValueError(f"{name} is {value}; it must lie between {low} and {high}")


def check_choice(recipe: Any, **choices: tuple[str, ...]) -> None:
    """Refuse options that are none of their choices.

    Raises:
        ValueError: It names the option and the choices.

    """
    for name, allowed in choices.items():
        if getattr(recipe, name) not in allowed:
            listed = ", ".join(allowed)
            raise ValueError(f"{name} is {getattr(recipe, name)!r}; it can be {listed}")
