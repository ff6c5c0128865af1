"""Rows of the codec as bits, and back: what Boltzmann and Born machines are trained on.

Each dimension is cut into intervals, and a row's bits are the numbers of its intervals, most
significant bit first. Reading back draws a uniform place in the interval. Where the intervals
are no power of two, some codes mean nothing: `mask` says which bitstrings are left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.errors import DetectorError
from generators.ranks import within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from generators.codec import Dimension

    Rows = NDArray[np.float32]
    Bitstrings = NDArray[np.uint8]

MOST_BITS = 6
"""Bits that one ordered dimension gets at most; 64 quantiles are fine enough."""

MOST_MASKED = 26
"""Bits up to which all bitstrings can be listed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bits:
    """How many bits each dimension has, and what they mean.

    Attributes:
        cuts: The ends of each dimension's intervals on [-1, 1], rising, one array of k + 1
            numbers a dimension; one interval means no bit.

    """

    cuts: tuple[NDArray[np.float64], ...]

    @staticmethod
    def even(dimensions: Sequence[Dimension], *, each: int, levels: int = 16) -> Bits:
        """Give each ordered dimension the same number of bits, a nominal one what it needs.

        Args:
            dimensions: What the dimensions mean.
            each: Bits of an ordered dimension.
            levels: Bits of a nominal dimension at most; where there are more levels, rare
                neighbors share a code and come back by their shares.

        """
        return Bits(cuts=tuple(_cuts(dimension, each, levels) for dimension in dimensions))

    @staticmethod
    def by_weight(
        dimensions: Sequence[Dimension], *, total: int, weights: NDArray[np.float64] | None = None
    ) -> Bits:
        """Spend a number of bits where they save most: each bit quarters a variance.

        Args:
            dimensions: What the dimensions mean; whitened ones are all ordered.
            total: Bits there are.
            weights: The variance along each dimension, shape (d,); with them dimensions may
                get no bit and are drawn at random. Without, every dimension gets one at least.

        Raises:
            DetectorError: There are too few bits for the dimensions.

        """
        widths = np.array([_needed(dimension) for dimension in dimensions], np.int64)
        if weights is None:
            _check_room(widths, total)
        else:
            widths[:] = 0
        left = np.ones(len(widths)) if weights is None else np.array(weights, np.float64)
        left = left / 4.0**widths
        most = [MOST_BITS if d.edges is None else _needed(d) for d in dimensions]
        for _ in range(total - int(widths.sum())):
            open_ = widths < most
            if not open_.any():
                break
            place = int(np.argmax(np.where(open_, left, -1.0)))
            widths[place] += 1
            left[place] /= 4.0
        pairs = zip(dimensions, widths.tolist(), strict=True)
        return Bits(cuts=tuple(_cuts(dimension, width, width) for dimension, width in pairs))

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the number of bits of each dimension."""
        return tuple(_bits(len(cuts) - 1) for cuts in self.cuts)

    @property
    def total(self) -> int:
        """Return the number of bits of a row."""
        return sum(self.widths)

    def encode(self, rows: Rows) -> Bitstrings:
        """Return the bitstrings of rows, shape (n, d) to (n, q)."""
        parts = [np.empty((len(rows), 0), np.uint8)]
        for place, (cuts, width) in enumerate(zip(self.cuts, self.widths, strict=True)):
            codes = np.searchsorted(cuts[1:-1], rows[:, place], side="right")
            parts.append(_unpacked(codes, width))
        return np.hstack(parts)

    def decode(self, bits: Bitstrings, rng: np.random.Generator) -> Rows:
        """Return rows, shape (n, d), at a random place of each interval.

        A code that means nothing is read as the last interval; draw with `mask` or `valid`.
        """
        rows = np.empty((len(bits), len(self.cuts)), np.float32)
        for place, (codes, cuts) in enumerate(zip(self._codes(bits), self.cuts, strict=True)):
            held = np.minimum(codes, len(cuts) - 2)
            rows[:, place] = within(cuts[held], cuts[held + 1], rng)
        return rows

    def valid(self, bits: Bitstrings) -> NDArray[np.bool_]:
        """Return which bitstrings mean something, shape (n, q) to (n,)."""
        fine = np.ones(len(bits), bool)
        for codes, cuts in zip(self._codes(bits), self.cuts, strict=True):
            fine &= codes < len(cuts) - 1
        return fine

    def mask(self) -> NDArray[np.bool_]:
        """Return which of all 2**q bitstrings mean something, bit 0 the most significant.

        Raises:
            DetectorError: There are too many to list.

        """
        if self.total > MOST_MASKED:
            raise DetectorError(f"{self.total} bits have too many bitstrings to list.")
        fine = np.ones(1, bool)
        for cuts, width in zip(self.cuts, self.widths, strict=True):
            own = np.arange(2**width) < len(cuts) - 1
            fine = (fine[:, None] & own).reshape(-1)
        return fine

    def _codes(self, bits: Bitstrings) -> list[NDArray[np.int64]]:
        """Return the number of each dimension's interval, d arrays of shape (n,)."""
        ends = np.cumsum([0, *self.widths])
        return [indices(bits[:, ends[i] : ends[i + 1]]) for i in range(len(self.cuts))]

    def save(self) -> dict[str, NDArray[Any]]:
        """Return what `restored` needs."""
        return {
            "cuts": np.concatenate([np.empty(0), *self.cuts]),
            "lengths": np.array([len(cuts) for cuts in self.cuts], np.int64),
        }

    @staticmethod
    def restored(arrays: Mapping[str, NDArray[Any]]) -> Bits:
        """Return the bits that `save` wrote."""
        ends = np.cumsum(arrays["lengths"])[:-1]
        return Bits(cuts=tuple(np.split(arrays["cuts"], ends)) if len(arrays["lengths"]) else ())


def indices(bits: Bitstrings) -> NDArray[np.int64]:
    """Return the number that each bitstring spells, bit 0 the most significant.

    >>> indices(np.array([[1, 0, 0], [0, 1, 1]], np.uint8)).tolist()
    [4, 3]
    """
    powers = 2 ** np.arange(bits.shape[1] - 1, -1, -1, dtype=np.int64)
    return bits.astype(np.int64) @ powers


def bitstrings(numbers: NDArray[np.int64], total: int) -> Bitstrings:
    """Return the bitstrings that spell numbers, shape (n, total): the inverse of `indices`."""
    return _unpacked(numbers, total)


def _unpacked(numbers: NDArray[np.int64], width: int) -> Bitstrings:
    shifts = np.arange(width - 1, -1, -1, dtype=np.int64)
    return ((numbers[:, None] >> shifts) & 1).astype(np.uint8)


def _bits(intervals: int) -> int:
    return max(0, math.ceil(math.log2(intervals)))


def _needed(dimension: Dimension) -> int:
    """Return the bits that a dimension should have: one, or enough for its levels."""
    return 1 if dimension.edges is None else _bits(len(dimension.edges) - 1)


def _cuts(dimension: Dimension, each: int, levels: int) -> NDArray[np.float64]:
    """Return equal intervals, or those of the levels with rare neighbors joined."""
    if dimension.edges is None:
        return np.linspace(-1.0, 1.0, 2**each + 1)
    edges = dimension.edges
    while len(edges) - 1 > 2**levels:
        joined = edges[2:] - edges[:-2]
        edges = np.delete(edges, int(joined.argmin()) + 1)
    return edges


def _check_room(widths: NDArray[np.int64], total: int) -> None:
    if (needed := int(widths.sum())) > total:
        fit = int(np.searchsorted(np.cumsum(widths), total, side="right"))
        raise DetectorError(
            f"The columns need {needed} bits at least, and there are {total}: "
            f"the first {fit} of {len(widths)} dimensions fit.",
            hint="Leave columns out, allow more bits, or set `whiten` to project them.",
        )
