"""Plug-ins, found by file name or entry point; only the one asked for is imported."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from typing import TYPE_CHECKING, Any

from detector.errors import DetectorError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

MEMBERS = {"rules": "judge", "formats": "render", "readers": "open"}
"""What a module of each folder offers; elsewhere it is a class named after the file."""


def names(package: str) -> tuple[str, ...]:
    """Return the names of the plug-ins of one package, sorted, importing none of them.

    A plug-in is a module file of the package, or an entry point in the group of the same
    name. Left out are private files, sub-packages and the module that says what a plug-in
    is (`check.py` in `checks`).

    Args:
        package: The dotted name, for example `detector.checks`.

    """
    return tuple(sorted({*_modules(package), *_entry_points(package)}))


def load(package: str, name: str) -> Any:
    """Import one plug-in and return its class or function.

    A module of `checks` offers the class with the file's name in CamelCase; one of `rules`
    a function `judge`, of `formats` a function `render`, of `readers` a function `open`.
    A module of the package goes before an entry point of the same name.

    Raises:
        DetectorError: No plug-in has this name, or what it needs is not installed.

    >>> load("detector.formats", "json").__module__
    'detector.formats.json'
    """
    if name in _modules(package):
        return getattr(_imported(f"{package}.{name}", package, name), _member(package, name))
    if entry := _entry_points(package).get(name):
        return _loaded(entry, package)
    raise DetectorError(
        f"There is no {_noun(package)} named `{name}`.", hint=_suggestion(name, names(package))
    )


def _modules(package: str) -> set[str]:
    """Return the names of the package's own plug-ins, read off the file names."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return {
        module.name
        for module in pkgutil.iter_modules(folders or [])
        if not module.ispkg and not module.name.startswith("_") and module.name != _noun(package)
    }


def _entry_points(group: str) -> dict[str, EntryPoint]:
    """Return what installed packages offer in one group."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=group)}


def _noun(package: str) -> str:
    """Return what one plug-in is called: `check` for `detector.checks`."""
    return package.rpartition(".")[2].removesuffix("s")


def _member(package: str, name: str) -> str:
    """Return the name that the plug-in's module exports."""
    camel_case = "".join(word.capitalize() for word in name.split("_"))
    return MEMBERS.get(package.rpartition(".")[2], camel_case)


def _imported(module: str, package: str, name: str) -> Any:
    """Import a module of ours; say so when a package that it needs is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == module.partition(".")[0]:
            raise  # a fault of ours, not of the user's environment
        raise _missing(package, name, error) from error


def _loaded(entry: EntryPoint, package: str) -> Any:
    """Import somebody else's plug-in; whatever is wrong with it is named after it."""
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise _missing(package, entry.name, error) from error


def _missing(package: str, name: str, error: Exception) -> DetectorError:
    """Return the error of a plug-in that exists and cannot be loaded."""
    return DetectorError(
        f"The {_noun(package)} `{name}` cannot be loaded: {error}.",
        hint="Install what it needs; `detector doctor` lists the extras.",
    )


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    """Return the nearest known name and the list of all."""
    listed = ", ".join(known) or "none is installed"
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean `{near[0]}`? There are: {listed}." if near else f"There are: {listed}."
