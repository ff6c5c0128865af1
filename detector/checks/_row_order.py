"""Columns whose neighbouring rows are more alike, or less, than a shuffle leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.data.schema import Kind, Role
from detector.findings import Gap, Reason
from detector.profiles.aggregates import LevelSummary
from detector.stats.runs import changes_p_value, expected_changes

if TYPE_CHECKING:
    from detector.profiles.comparison import Comparison
    from detector.profiles.order import ColumnOrder
    from detector.profiles.profile import Profile

LOOKED_AT = (Kind.NUMERIC, Kind.INTEGER, Kind.CATEGORY, Kind.BOOLEAN)
"""Kinds whose order may be a mark; that of dates is ordinary."""

_SURE = 1e-3


def order_gap(name: str, comparison: Comparison) -> Gap | None:
    """Return why the order of rows says nothing here, or None where it may say something."""
    for side, profile in (("reference", comparison.reference), ("candidate", comparison.candidate)):
        if profile.order is None:
            detail = f"the {side} is a merged or older profile, which knows no order of rows"
            return Gap(name=name, reason=Reason.NEEDS_ROWS, detail=detail)
    if comparison.group is not None:
        detail = f"rows of one `{comparison.group}` may follow each other"
        return Gap(name=name, reason=Reason.NOT_IDENTIFIABLE, detail=detail)
    if (time := _time_in_order(comparison.candidate)) is not None:
        detail = f"the rows are in order of `{time}`, and other columns may follow it"
        return Gap(name=name, reason=Reason.NOT_IDENTIFIABLE, detail=detail)
    return None


def in_order(profile: Profile, columns: tuple[str, ...]) -> tuple[list[dict[str, object]], int]:
    """Return columns in an order that chance does not leave, and how many were looked at.

    A mark says how many rows differ from the one before, the mean of that over all orders, and
    whether the column is sorted (its levels: whether each stands in one block). Those come first.
    """
    order = profile.order or {}
    sides = {name: _sides(profile, name, order[name]) for name in columns if name in order}
    chances = {name: changes_p_value(order[name].changes, held) for name, held in sides.items()}
    tested = {name: chance for name, chance in chances.items() if chance is not None}
    marks: list[dict[str, object]] = [
        {
            "name": name,
            "sorted": _sorted(order[name], sides[name]),
            "changes": order[name].changes,
            "expected": expected_changes(sides[name]),
            "p_value": chance,
        }
        for name, chance in tested.items()
        if chance * len(tested) <= _SURE
    ]
    return sorted(marks, key=lambda mark: not mark["sorted"]), len(tested)


def _sides(profile: Profile, name: str, order: ColumnOrder) -> list[int]:
    """Return how many rows each side of a column has; none where that is not known."""
    summary = profile.columns.get(name)
    if isinstance(summary, LevelSummary):
        return [] if summary.spilled else [*summary.levels.values(), summary.missing]
    return [order.above, profile.n_rows - order.above]


def _sorted(order: ColumnOrder, sides: list[int]) -> bool:
    in_blocks = order.changes == sum(count > 0 for count in sides) - 1
    return order.rises != order.falls or (in_blocks and not order.rises)


def _time_in_order(profile: Profile) -> str | None:
    """Return a column of times by which the rows are sorted, or nearly so."""
    order = profile.order or {}
    for spec in profile.schema.columns:
        if spec.name not in order or not (spec.kind is Kind.DATETIME or spec.role is Role.TIME):
            continue
        held = order[spec.name]
        if held.rises != held.falls or in_order(profile, (spec.name,))[0]:
            return spec.name
    return None
