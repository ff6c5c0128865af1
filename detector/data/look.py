"""Show a source's values to the evidence on its columns, reading as little as settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.data.evidence import Evidence, Floats, Integers, Lists, named_like_id
from detector.data.families import Family, family, simplified
from detector.data.infer import needs_a_look
from detector.data.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.data.schema import Kind
    from detector.data.source import Source


def look_at(source: Source, wanted: Mapping[str, Kind]) -> dict[str, Evidence]:
    """Return evidence on each column whose declared type leaves its kind open.

    Args:
        source: The data; it is read until all evidence is settled.
        wanted: The kinds that the caller or the reference asks for, by column.

    """
    looks = {}
    for field in source.schema:
        family_ = family(field.type)
        known = wanted.get(field.name, source.kinds.get(field.name))
        if needs_a_look(family_, known):
            look = _evidence(family_, name=field.name, untyped=source.untyped)
            if look is not None:
                looks[field.name] = look
    _gather(source, looks)
    return looks


def _evidence(family_: Family, *, name: str, untyped: bool) -> Evidence | None:
    """Return what looks at a column of this family; None when its type says it all."""
    if family_ is Family.INTEGER:
        return Integers(named_id=named_like_id(name))
    if family_ is Family.FLOAT:
        return Floats()
    if family_ is Family.LIST:
        return Lists()
    if family_ in {Family.TEXT, Family.CODED}:
        return Texts(untyped=untyped, named_id=named_like_id(name))
    return None


def _gather(source: Source, looks: dict[str, Evidence]) -> None:
    """Show the values to each column's evidence until all of it is settled."""
    while looks:
        _show(source, looks)
        looks = {
            name: look for name, look in looks.items() if isinstance(look, Texts) and look.recount()
        }


def _show(source: Source, looks: dict[str, Evidence], *, seen: int = 0) -> None:
    """Read on from a row; when half of the columns are settled, read only the others."""
    passed = 0
    for batch in source.read(list(looks)):
        fresh = batch.slice(max(seen - passed, 0))
        passed += batch.num_rows
        if not fresh.num_rows:
            continue
        for column, look in zip(fresh.columns, looks.values(), strict=True):
            look.add(simplified(column))
        still_open = {n: k for n, k in looks.items() if not k.settled(source.n_rows)}
        if not still_open:
            return
        if not source.by_row and 2 * len(still_open) <= len(looks):
            _show(source, still_open, seen=passed)
            return
