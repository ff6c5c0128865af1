"""Settle each column's kind and role: what was asked, what the reference has, what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.data.convert import canonical_type, convert
from detector.data.families import Family, family
from detector.data.infer import Found, decide, fits
from detector.data.look import look_at
from detector.data.schema import ColumnSpec, Kind, Role, Schema
from detector.data.source import Source, shown
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from detector.data.evidence import Evidence

_ON_DEMAND = {
    Family.BOOLEAN: frozenset({Kind.NUMERIC, Kind.INTEGER}),
    Family.DATETIME: frozenset({Kind.NUMERIC}),
}
"""Kinds that lose something, and are given when they are asked for; any can be text levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One column: its spec, its canonical Arrow type, and why it is so."""

    spec: ColumnSpec
    type: pa.DataType
    reason: str


def settle(
    source: Source,
    *,
    label: str,
    kinds: Mapping[str, Kind],
    roles: Mapping[str, Role],
    like: Schema | None,
) -> dict[str, Settled]:
    """Return the columns of a source, in order, by name.

    Args:
        source: The raw columns; their values are looked at where their type says too little.
        label: What errors call the data.
        kinds: Kinds that were asked for.
        roles: Roles that were asked for.
        like: The reference's schema.

    Raises:
        InputError: A kind that was asked for does not fit, or a role is given twice.

    """
    reference = {spec.name: spec for spec in like.columns} if like else {}
    wanted = {name: spec.kind for name, spec in reference.items()} | dict(kinds)
    looks = look_at(source, wanted)
    settled = {}
    for field in source.schema:
        name, look = field.name, looks.get(field.name)
        _check_alike(name, kinds, roles, reference, label=label)
        if name in kinds:
            found = _asked(source, field, look, kinds[name], label=label)
        elif name in reference:
            found = _alike(source, field, look, reference[name])
        else:
            found = _own(source, field, look)
        role = _role(name, found, roles=roles, reference=reference, source=source)
        spec = ColumnSpec(name=name, kind=found.kind, role=role, width=found.width)
        settled[name] = Settled(
            spec=spec,
            type=canonical_type(spec, wide=found.wide or str(field.type) == "uint64"),
            reason="; ".join(filter(None, (found.reason, source.remarks.get(name)))),
        )
    _check_roles(settled, label)
    return settled


def _own(source: Source, field: pa.Field, look: Evidence | None) -> Found:
    if field.name in source.kinds:
        width = getattr(field.type, "list_size", 1)
        return Found(kind=source.kinds[field.name], reason="", width=width)
    return decide(field, look, untyped=source.untyped)


def _alike(source: Source, field: pa.Field, look: Evidence | None, spec: ColumnSpec) -> Found:
    """Return the reference's kind where nothing is lost, else the column's own."""
    found = fits(spec.kind, field, look, width=spec.width)
    if found is not None:
        return Found(
            kind=spec.kind, reason="as in the reference", wide=found.wide, width=spec.width
        )
    own = _own(source, field, look)
    reason = f"{own.reason}; the reference has {spec.kind}, which not every value can be read as"
    return Found(kind=own.kind, reason=reason, wide=own.wide, width=own.width)


def _asked(
    source: Source, field: pa.Field, look: Evidence | None, kind: Kind, *, label: str
) -> Found:
    """Return the kind that was asked for, or say which row cannot be read so."""
    family_ = family(field.type)
    own = decide(field, look, untyped=source.untyped)
    found = fits(kind, field, look, width=own.width)
    if found is None and own.kind is kind:
        found = own
    allowed = {Kind.CATEGORY, Kind.TEXT} | _ON_DEMAND.get(family_, frozenset())
    if found is None and kind not in allowed:
        raise InputError(
            f"`{label}`: column {shown(field.name)} cannot be read as {kind}"
            f"{_where(source, field.name, kind)}.",
            hint=f"It holds {family_}; left alone it is read as {own.kind}.",
        )
    wide, width = (found.wide, found.width) if found else (False, 1)
    return Found(kind=kind, reason="as asked for", wide=wide, width=width)


def _check_alike(
    name: str,
    kinds: Mapping[str, Kind],
    roles: Mapping[str, Role],
    reference: Mapping[str, ColumnSpec],
    *,
    label: str,
) -> None:
    """Refuse to read a column otherwise than a reference that was read before, a profile."""
    if name not in reference:
        return
    had = reference[name]
    for asked, has in (
        (kinds.get(name, had.kind), had.kind),
        (roles.get(name, had.role), had.role),
    ):
        if asked is not has:
            word = type(has).__name__.lower()
            raise InputError(
                f"`{label}`: {shown(name)} is given the {word} {asked}, and the reference has "
                f"it as {has}.",
                hint=f"Make its profile again with `--{word} {name}={asked}`.",
            )


def _role(
    name: str,
    found: Found,
    *,
    roles: Mapping[str, Role],
    reference: Mapping[str, ColumnSpec],
    source: Source,
) -> Role:
    if name in roles:
        return roles[name]
    if name in reference:
        return reference[name].role
    if name in source.roles:
        return source.roles[name]
    return Role.ID if found.identifies else Role.FEATURE


def _check_roles(settled: Mapping[str, Settled], label: str) -> None:
    for role in (Role.TARGET, Role.GROUP, Role.TIME):
        names = [name for name, column in settled.items() if column.spec.role is role]
        if len(names) > 1:
            listed = " and ".join(shown(name) for name in names[:3])
            raise InputError(
                f"`{label}`: {listed} all have the role {role}.", hint="Only one column can."
            )


def _where(source: Source, name: str, kind: Kind) -> str:
    """Return the first row that cannot be read as this kind, for a message."""
    import pyarrow as pa

    to = canonical_type(ColumnSpec(name=name, kind=kind))
    seen = 0
    for batch in source.read([name]):
        column = batch.column(0)
        try:
            convert(column, kind=kind, to=to, untyped=source.untyped)
        except (pa.ArrowException, KeyError):
            return f": data row {seen + _first_misfit(column, kind, to) + 1:,} is something else"
        seen += batch.num_rows
    return ""


def _first_misfit(column: pa.Array, kind: Kind, to: pa.DataType) -> int:
    """Return the first place that makes the conversion fail, by halving."""
    import pyarrow as pa

    fine, bad = 0, len(column)
    while bad - fine > 1:
        middle = (fine + bad) // 2
        try:
            convert(column.slice(0, middle), kind=kind, to=to)
            fine = middle
        except (pa.ArrowException, KeyError):
            bad = middle
    return fine
