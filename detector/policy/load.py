"""Finding a policy: the one named, else detector.toml, else pyproject.toml, else the built-in."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from detector.errors import PolicyError
from detector.policy.parse import parse
from detector.policy.policy import Policy

if TYPE_CHECKING:
    import os

OWN_FILE = "detector.toml"
PROJECT_FILE = "pyproject.toml"
SECTION = ("tool", "detector")


def load_policy(
    named: Policy | os.PathLike[str] | str | None = None, *, directory: Path | None = None
) -> Policy:
    """Return the policy that holds.

    Args:
        named: A policy, or the path of its file; it goes before everything else.
        directory: Where `detector.toml` and then `[tool.detector]` in `pyproject.toml` are
            looked for; the working directory unless given.

    Raises:
        PolicyError: The file cannot be read, or is not a policy.

    """
    if isinstance(named, Policy):
        return named
    if named is not None:
        return read_policy(Path(named))
    folder = directory or Path()
    if (own := folder / OWN_FILE).is_file():
        return read_policy(own)
    if (project := folder / PROJECT_FILE).is_file() and _has_section(project):
        return read_policy(project)
    return built_in_policy()


def read_policy(path: Path) -> Policy:
    """Return the policy in a file; a file without a rule takes the built-in ones.

    Raises:
        PolicyError: The file cannot be read, or is not a policy.

    """
    text = _text(path)
    section = SECTION if path.name == PROJECT_FILE else ()
    return parse(text, source=str(path), section=section, rules=built_in_policy().rules)


def built_in_policy() -> Policy:
    """Return the built-in policy."""
    return parse(built_in_text(), source="built-in policy")


def built_in_text() -> str:
    """Return the built-in policy as TOML with comments, as `detector policy init` writes it."""
    return resources.files("detector.policy").joinpath("default.toml").read_text(encoding="utf-8")


def _has_section(path: Path) -> bool:
    """Tell whether a pyproject.toml holds a policy; one that cannot be read might."""
    try:
        return "detector" in tomllib.loads(_text(path)).get("tool", {})
    except tomllib.TOMLDecodeError:
        return True


def _text(path: Path) -> str:
    """Return the text of a file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        fault = f"the policy cannot be read: {error.strerror or error}"
        raise PolicyError((fault,), source=str(path)) from error
    except UnicodeDecodeError as error:
        fault = f"the policy is not UTF-8 text (byte {error.start})"
        raise PolicyError((fault,), source=str(path)) from error
