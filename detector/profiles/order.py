"""How neighbouring rows differ, counted while the rows pass: what a shuffle would destroy.

This is beside a profile, not in it: digests, samples and counts know nothing of order, and a
merged profile has none, since nobody knows in which order its parts belong. It holds counts and
no values. Parts of one pass are joined in their order, so the result is the same for any batches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from detector.profiles.fold import Decoded

    Edges = Mapping[str, NDArray[np.float64]]

_BLOCK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnOrder:
    """How rows of one column differ from the row before them.

    Attributes:
        changes: Rows on another side than the row before. Numbers have two sides, below a cut in
            the middle of the frame's edges and the rest; each level is a side, and so is missing.
        above: Numbers at the cut or above it; 0 for levels.
        rises: Whether a number is larger than the one before.
        falls: Whether a number is smaller than the one before.

    """

    changes: int
    above: int = 0
    rises: bool = False
    falls: bool = False


class Stretch(NamedTuple):
    """The order of a column in some consecutive rows, with the side and value at both ends."""

    order: ColumnOrder
    first: tuple[object, float]
    last: tuple[object, float]


def fold_order(decoded: Decoded, edges: Edges) -> dict[str, Stretch]:
    """Return the order of each column of numbers or levels in one batch; nothing for no rows."""
    if not decoded.rows:
        return {}
    numbers = {
        name: _of_numbers(values, _cut(edges.get(name))) for name, values in decoded.numbers.items()
    }
    return numbers | {name: _of_levels(*held) for name, held in decoded.levels.items()}


def join_order(stretches: Iterable[Mapping[str, Stretch]]) -> dict[str, ColumnOrder]:
    """Return the order of all rows from that of consecutive stretches."""
    held: dict[str, Stretch] = {}
    for stretch in stretches:
        held |= {name: _joined(held.get(name), after) for name, after in stretch.items()}
    return {name: stretch.order for name, stretch in held.items()}


def _joined(before: Stretch | None, after: Stretch) -> Stretch:
    if before is None:
        return after
    one, two = before.order, after.order
    order = ColumnOrder(
        changes=one.changes + two.changes + (before.last[0] != after.first[0]),
        above=one.above + two.above,
        rises=one.rises or two.rises or after.first[1] > before.last[1],
        falls=one.falls or two.falls or after.first[1] < before.last[1],
    )
    return after._replace(order=order, first=before.first)


def _of_numbers(values: NDArray[np.float64], cut: float) -> Stretch:
    above = values >= cut
    rises = falls = False
    for start in range(0, len(values) - 1, _BLOCK):
        block = values[start : start + _BLOCK + 1]
        rises = rises or bool((block[1:] > block[:-1]).any())
        falls = falls or bool((block[1:] < block[:-1]).any())
        if rises and falls:
            break
    order = replace(_changes(above), above=int(above.sum()), rises=rises, falls=falls)
    ends = [(bool(above[place]), float(values[place])) for place in (0, -1)]
    return Stretch(order, *ends)


def _of_levels(codes: NDArray[np.int32], levels: list[str]) -> Stretch:
    ends = [(levels[codes[place]] if codes[place] >= 0 else None, 0.0) for place in (0, -1)]
    return Stretch(_changes(codes), *ends)


def _changes(sides: NDArray[np.bool_] | NDArray[np.int32]) -> ColumnOrder:
    return ColumnOrder(changes=int(np.count_nonzero(sides[1:] != sides[:-1])))


def _cut(edges: NDArray[np.float64] | None) -> float:
    """Return the middle edge, which is the median of a column of many values."""
    return float(edges[len(edges) // 2]) if edges is not None and len(edges) else np.inf
