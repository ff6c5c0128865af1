"""Recipes side by side: what is asked of each, and what came of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from detector import catalogue
from detector.recipes import GROUP, missing_packages, option_names, recipe, recipe_class

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generators.comparing.apart import Areas

COPULA = "gaussian_copula"
REAL = "real half"


class Part(StrEnum):
    """Why a row is in the table."""

    FLOOR = "floor"
    BASELINE = "baseline"
    ASKED = "asked"
    UNTRAINED = "untrained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One recipe with its options.

    Attributes:
        label: What the row is called.
        recipe: The recipe's name.
        options: Its options.
        part: Why it is there.
        of: For an untrained circuit, the label of the trained one.

    """

    label: str
    recipe: str
    options: Mapping[str, Any] = field(default_factory=dict)
    part: Part = Part.ASKED
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """How real drawn rows are, all against the half that the recipe has not seen.

    Attributes:
        areas: How well trees tell them from real rows; 0.5 is perfect.
        levels: Share of levels, and of eighths of ordered columns, that are reached.
        lost: Columns that lost one.
        modes: Share of the real rows' clusters that are reached.
        intervals: 95 % intervals of `levels`, `modes`, `tails` and `copies`.
        tails: Rows beyond the 5 % and 95 % quantiles, as a multiple of the real ones.
        thinnest: The column with the thinnest tails.
        thinnest_tails: Its own figure.
        copies: Share of drawn rows that equal a training row.

    """

    areas: Areas
    levels: float
    lost: tuple[str, ...]
    modes: float
    tails: float
    thinnest: str
    thinnest_tails: float
    copies: float
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a recipe costs.

    Attributes:
        fit_cpu_seconds: Processor time of the fit.
        rows_per_second: Rows drawn in a second of processor time.
        qubits: Of its circuit, if it has one.
        gates: Likewise.
        parameters: What is trained.
        engine: What ran the circuit.
        stop: Why training ended.

    """

    fit_cpu_seconds: float
    rows_per_second: float
    qubits: int | None = None
    gates: int | None = None
    parameters: int | None = None
    engine: str = ""
    stop: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table; without figures it has a reason."""

    entry: Entry
    fidelity: Fidelity | None = None
    cost: Cost | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """All rows, and what they were made from.

    Attributes:
        data: The data set's name.
        columns: Columns that are compared.
        trained_on: Real rows that recipes were fitted to.
        unseen: Real rows that none of them saw.
        drawn: Rows that each of them drew.
        group: The column whose groups stayed whole.
        seed: Decides everything.
        rows: The floor, the baseline, then what was asked for.
        versions: Of what made this.

    """

    data: str
    columns: int
    trained_on: int
    unseen: int
    drawn: int
    group: str | None
    seed: int
    rows: tuple[Row, ...]
    versions: Mapping[str, str]

    def to_plain(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        return dataclasses.asdict(self)

    def named(self, label: str) -> Row | None:
        """Return the row of this name."""
        return next((row for row in self.rows if row.entry.label == label), None)


def entries(
    names: Sequence[str], options: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[Entry, ...]:
    """Return what to compare: the copula, each recipe, each circuit once more untrained.

    Args:
        names: Of recipes.
        options: Of recipes, by their names.

    Raises:
        DetectorError: There is no such recipe, or it does not take its options.

    """
    options = options or {}
    found = [Entry(label=COPULA, recipe=COPULA, part=Part.BASELINE)]
    for name in dict.fromkeys(names):
        own = dict(options.get(name, {}))
        check(name, own)
        if name != COPULA or own:
            label = name if name != COPULA else f"{name}, options"
            found.append(Entry(label=label, recipe=name, options=own))
            found.extend(_untrained(name, own))
    return tuple(found)


def check(name: str, options: Mapping[str, Any]) -> None:
    """Refuse a recipe that nobody has, or that does not take these options.

    One whose packages are missing is not refused: its row will say what to install.
    """
    if name not in catalogue.names(GROUP):
        catalogue.load(GROUP, name)  # says which there are
    if not missing_packages(recipe_class(name)):
        recipe(name, **options)


def _untrained(name: str, options: Mapping[str, Any]) -> list[Entry]:
    """Return the same circuit with as few steps as it can have, if the recipe has a circuit."""
    kind = recipe_class(name)
    known = option_names(kind)
    if "qubits" not in known or "steps" not in known or missing_packages(kind):
        return []
    for steps, word in ((0, "untrained"), (1, "one step")):
        least = {**options, "steps": steps}
        try:
            kind(**least)
        except (TypeError, ValueError):
            continue
        label = f"{name}, {word}"
        return [Entry(label=label, recipe=name, options=least, part=Part.UNTRAINED, of=name)]
    return []
