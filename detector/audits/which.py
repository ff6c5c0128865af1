"""The recipe that an audit is about, whatever way it was named."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

from detector.errors import DetectorError
from detector.recipes import recipe as by_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.recipes import Recipe

REMATCH = "rematch_marginals"
"""The option that maps columns back onto the training ranks: it would hide their collapse."""


def chosen(named: object, options: Mapping[str, Any] | None = None) -> Recipe:
    """Return the recipe with its options, marginals going through the model.

    Args:
        named: A recipe's name, `module:Class`, a class, or a recipe.
        options: Keyword arguments for a name or a class.

    Raises:
        DetectorError: There is no such recipe or class, or it cannot be fitted.

    """
    given = dict(options or {})
    found: Any = named
    if isinstance(found, str) and ":" in found:
        found = _imported(found)
    if isinstance(found, str):
        return _honest(by_name(found, **given))
    if isinstance(found, type):
        try:
            found = found(**given | _told(found))
        except (TypeError, ValueError) as error:
            raise DetectorError(f"`{found.__name__}` does not take this: {error}.") from error
    elif given:
        raise DetectorError(
            "options were given beside a recipe that is made already.",
            hint="Give them when you make it.",
        )
    if not callable(getattr(found, "fit", None)):
        raise DetectorError(
            f"a {type(found).__name__} is no recipe: it has no `fit`.",
            hint="Give a name, `module:Class`, a class, or an object with `fit(data, rng)`.",
        )
    return _honest(found)


def identity(recipe: Any) -> dict[str, Any]:
    """Return what tells a recipe with its options from another, as JSON data."""
    kind = type(recipe)
    if dataclasses.is_dataclass(recipe):
        fields = dataclasses.fields(recipe)
        held: Any = {item.name: getattr(recipe, item.name) for item in fields}
    else:
        held = {
            name: repr(value) for name, value in sorted(getattr(recipe, "__dict__", {}).items())
        }
    return {"class": f"{kind.__module__}:{kind.__qualname__}", "options": held}


def title(recipe: Recipe) -> str:
    """Return what reports call a recipe."""
    name = getattr(recipe, "name", None)
    return name if isinstance(name, str) else type(recipe).__name__


def _told(kind: type) -> dict[str, Any]:
    """Return the option that keeps a class from putting its columns right, if it has it."""
    try:
        known = inspect.signature(kind).parameters
    except (TypeError, ValueError):
        return {}
    return {REMATCH: False} if REMATCH in known else {}


def _honest(recipe: Any) -> Recipe:
    """Return the recipe with nothing that puts its columns right after the fit."""
    if getattr(recipe, REMATCH, False):
        try:
            recipe = dataclasses.replace(recipe, **{REMATCH: False})
        except (TypeError, ValueError):
            raise DetectorError(
                f"this {type(recipe).__name__} has `{REMATCH}` set, which hides the collapse of "
                "columns.",
                hint=f"Make it with `{REMATCH}=False`, or give its class.",
            ) from None
    made: Recipe = recipe
    return made


def _imported(place: str) -> Any:
    """Import `module:Class`; the working directory counts as a place for modules."""
    module, _, name = place.partition(":")
    here = os.getcwd()  # noqa: PTH109 - sys.path holds text
    added = here not in sys.path and "" not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise DetectorError(
            f"`{place}` cannot be imported: {error}.",
            hint="Write module:Class, with the module importable from here.",
        ) from error
    finally:
        if added:
            sys.path.remove(here)
