"""What a reference freezes so that every later data set is counted alike."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from detector.data.schema import NOMINAL, ORDERED, ColumnSpec, Kind, Role, Schema
from detector.profiles.binning import choose_edges
from detector.profiles.columns import as_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.profiles.kernel import KernelSpec
    from detector.profiles.sample import RowSample


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """Edges, scales and kinds, frozen by the reference.

    Profiles that share a frame can be merged and compared, count by count.

    Attributes:
        schema: The reference's columns.
        edges: The bin edges of each ordered column.
        kernel: The frozen scales and bandwidths of the kernel features; None when they were
            not asked for, or nothing can be compared by them.

    """

    schema: Schema
    edges: Mapping[str, NDArray[np.float64]]
    kernel: KernelSpec | None = None
    _digest: list[str] = field(default_factory=list, init=False, repr=False)

    @property
    def digest(self) -> str:
        """Return a hexadecimal digest of everything frozen here."""
        if not self._digest:
            state = hashlib.blake2b(digest_size=16)
            columns = [[c.name, c.kind, c.role, c.width] for c in self.schema.columns]
            state.update(json.dumps(columns).encode())
            for name in sorted(self.edges):
                state.update(name.encode("utf-8", "surrogatepass"))
                state.update(self.edges[name].tobytes())
            self._digest.append(state.hexdigest())
        return self._digest[0]


def kept_columns(schema: Schema) -> tuple[ColumnSpec, ...]:
    """Return the columns whose values enter row hashes and samples: all but ids."""
    return tuple(spec for spec in schema.columns if spec.role is not Role.ID)


def freeze_edges(schema: Schema, sample: RowSample) -> dict[str, NDArray[np.float64]]:
    """Return the edges of every ordered column, chosen from the reference's sample."""
    edges = {}
    for name in schema.of(*ORDERED):
        values = as_numbers(sample.table[name].combine_chunks())
        edges[name] = choose_edges(values[np.isfinite(values)])
    return edges


def is_ordered(spec: ColumnSpec) -> bool:
    """Tell whether the column is profiled as numbers."""
    return spec.kind in ORDERED


def is_nominal(spec: ColumnSpec) -> bool:
    """Tell whether the column is profiled as levels."""
    return spec.kind in NOMINAL


def is_vector(spec: ColumnSpec) -> bool:
    """Tell whether the column holds vectors."""
    return spec.kind is Kind.VECTOR
