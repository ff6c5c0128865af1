"""Several files read as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.data.source import shown
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa


def one_schema(schemas: Mapping[Path, pa.Schema]) -> pa.Schema:
    """Return the schema of all files, in the order of the first one.

    Raises:
        InputError: A file lacks a column, has one more, or has one of another type.

    """
    (first, schema), *others = schemas.items()
    if len(set(schema.names)) < len(schema.names):
        return schema  # refused later, with the places of both
    for path, other in others:
        if odd := sorted(set(schema.names) ^ set(other.names)):
            owner, lacking = (first, path) if odd[0] in schema.names else (path, first)
            raise InputError(
                f"`{owner.name}` has the column {shown(odd[0])}, and `{lacking.name}` has not.",
                hint="Files that are read together must have the same columns.",
            )
        for field in schema:
            if (found := other.field(field.name).type) != field.type:
                raise InputError(
                    f"Column {shown(field.name)} is {field.type} in `{first.name}` "
                    f"and {found} in `{path.name}`.",
                    hint="Files that are read together must have the same types.",
                )
    return schema
