"""How rows lie in the blocks of sixteen lanes that the kernels work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

LANES = 16
LANE_QUBITS = 4
_LINE = 64  # bytes of a cache line


def lane_constants(dtype: np.dtype[Any]) -> Numbers:
    """Return the sign of each lane under the Z of its four bits, then ones, halves, zeros."""
    lanes = np.arange(LANES)
    signs = [1 - 2 * (lanes >> bit & 1) for bit in range(LANE_QUBITS - 1, -1, -1)]
    rest = [np.full(LANES, value) for value in (1.0, 0.5, 0.0)]
    return np.asarray(np.concatenate([*signs, *rest]), dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Sixteen rows side by side, or one row with its last four qubits side by side.

    Args:
        qubits: How many.
        planes: 1 where every amplitude is real, otherwise 2.
        by_row: Whether a block is one row.
        dtype: float32 or float64.

    """

    qubits: int
    planes: int
    by_row: bool
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the qubits among the strides, those among the lanes, and the planes."""
        low = LANE_QUBITS if self.by_row else 0
        return self.qubits - low, low, self.planes

    @property
    def block(self) -> int:
        """Return the numbers in one plane of a block."""
        return LANES << self.shape[0]

    def blocks(self, rows: int) -> int:
        """Return how many blocks hold this many rows."""
        return rows if self.by_row else -(-rows // LANES)

    def empty(self, size: int) -> Numbers:
        """Return a flat array that begins at a cache line."""
        item = self.dtype.itemsize
        raw = np.empty(size + _LINE // item, self.dtype)
        skip = -raw.__array_interface__["data"][0] % _LINE // item
        return raw[skip : skip + size]

    def space(self) -> tuple[Any, ...]:
        """Return the working memory of one thread."""
        height, _, planes = self.shape
        halves = [LANES << height // 2, LANES << (height - height // 2)]
        return (
            self.empty(planes * self.block),
            self.empty(planes * self.block),
            tuple(self.empty(2 * half) for half in halves),
            tuple(self.empty(half) for half in halves),
            (self.empty(LANE_QUBITS * LANES), self.empty(LANE_QUBITS * LANES)),
        )

    def pack_angles(self, half: Numbers) -> tuple[Numbers, Numbers]:
        """Lay cosines and sines for each row and slot, shape (n, s), into lanes.

        Slots that are the same in all rows, those of weights alone, are worked out once.
        """
        slots, varies = half.shape[1], (half != half[:1]).any(axis=0)
        tables = []
        for function in (np.cos, np.sin):
            table = self.empty(self.blocks(len(half)) * slots * LANES).reshape(-1, slots, LANES)
            table[:] = function(half[0])[None, :, None]
            if varies.any():
                own = function(half[:, varies])
                lanes = own[:, :, None] if self.by_row else self._blocks_of(own)
                table[:, varies] = lanes
            tables.append(table.reshape(-1))
        return tables[0], tables[1]

    def pack(self, values: Numbers) -> Numbers:
        """Lay a number for each row and basis state, shape (n, 2^q), into blocks."""
        if self.by_row:
            return np.ascontiguousarray(values, self.dtype).reshape(-1)
        return self._blocks_of(values).reshape(-1)

    def _blocks_of(self, values: Numbers) -> Numbers:
        rows, width = values.shape
        padded = np.zeros((self.blocks(rows), LANES, width), self.dtype)
        padded.reshape(-1, width)[:rows] = values
        return padded.swapaxes(1, 2)

    def unpack_angles(self, packed: Numbers, rows: int) -> Numbers:
        """Return a derivative for each row and slot, shape (n, s)."""
        if self.by_row:
            return np.asarray(packed.reshape(rows, -1, LANES).sum(-1, dtype=np.float64))
        return self.unpack(packed, rows).astype(np.float64)

    def unpack(self, packed: Numbers, rows: int) -> Numbers:
        """Return a number for each row and basis state, shape (n, 2^q)."""
        if self.by_row:
            return packed.reshape(rows, -1)
        blocks = packed.reshape(self.blocks(rows), -1, LANES).swapaxes(1, 2)
        return blocks.reshape(self.blocks(rows) * LANES, -1)[:rows]
