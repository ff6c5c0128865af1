"""From the text of a policy to a policy, or to all of its faults at once."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from detector import catalogue
from detector.data.schema import Kind, Role
from detector.errors import DetectorError, PolicyError
from detector.policy.faults import Faults, nearest
from detector.policy.lines import Lines
from detector.policy.options import fault_of, options_of, settled, unknown_option
from detector.policy.parse_rules import CHECKS, parse_rules, parse_waivers
from detector.policy.policy import ALPHA, Correction, Policy
from detector.policy.table import Choice, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.policy.policy import Rule


def parse(
    text: str, *, source: str, section: tuple[str, ...] = (), rules: tuple[Rule, ...] = ()
) -> Policy:
    """Read a policy.

    Args:
        text: TOML.
        source: The file's name, for messages.
        section: The table that holds the policy, `("tool", "detector")` in a pyproject.toml.
        rules: The rules of a policy that has none of its own.

    Raises:
        PolicyError: It is not TOML, or not a policy; every fault is named with its line.

    """
    try:
        body: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError((f"this is not TOML: {error}",), source=source) from error
    faults = Faults(Lines(text))
    top = Table(body, (), faults)
    for key in section:
        top = top.table(key)
    policy = _policy(top, rules, source)
    top.refuse_others(owner="a policy")
    faults.raise_for(source)
    return policy


def _policy(top: Table, built_in: tuple[Rule, ...], source: str) -> Policy:
    """Build the policy; what is faulty is left out."""
    rules = parse_rules(top) or built_in
    return Policy(
        name=top.text("name", source),
        alpha=top.fraction("alpha", ALPHA),
        correction=top.choice("correction", Correction.HOLM),
        kinds=_chosen(top, "kinds", Kind.NUMERIC),
        roles=_chosen(top, "roles", Role.FEATURE),
        ignore=top.texts("ignore"),
        options=_options(top),
        rules=rules,
        waivers=parse_waivers(top, tuple(rule.name for rule in rules)),
        source=source,
    )


def _chosen(top: Table, key: str, example: Choice) -> dict[str, Choice]:
    """Return a table from columns to members of an enumeration."""
    table = top.table(key)
    return {column: table.choice(column, example) for column in table.keys}


def _options(top: Table) -> dict[str, Mapping[str, object]]:
    """Return the options of each check."""
    tables = top.table("check")
    known = catalogue.names(CHECKS)
    options: dict[str, Mapping[str, object]] = {}
    for name in tables.keys:
        if name in known:
            options[name] = _options_of(name, tables.table(name))
        else:
            tables.fault(name, f"there is no check `{name}`; {nearest(name, known)}")
    return options


def _options_of(name: str, table: Table) -> dict[str, object]:
    """Return the options of one check; whether they make sense is for the check to say."""
    try:
        check = catalogue.load(CHECKS, name)
    except DetectorError as error:
        table.fault(None, str(error))
        return {}
    declared = {option.name: option for option in options_of(check)}
    given = {}
    sound = True
    for key in table.keys:
        value = table.take(key)
        fault = (
            fault_of(declared[key], value)
            if key in declared
            else unknown_option(key, tuple(declared), f"the check `{name}`")
        )
        if fault:
            table.fault(key, fault)
            sound = False
        given[key] = settled(value)
    if sound:
        try:
            check(**given)
        except (TypeError, ValueError) as error:
            table.fault(None, f"the check `{name}` does not take this: {error}")
    return given
