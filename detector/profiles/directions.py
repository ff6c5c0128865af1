"""Random directions addressed by name, and the projection of mixed rows on them.

A number leans along its column's direction, a missing value and a level each along their
own. That is the projection of the one-hot row on Gaussian frequencies, without the one-hot
row: equal names have equal directions on every machine, in every batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.profiles import hashing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from detector.profiles.fold import Decoded

    Floats = NDArray[np.float32]
    Scales = Mapping[str, NDArray[np.float64]]

CLIP = 30.0
"""Scaled numbers stop this many spreads from the median; infinities stop there too."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MOST_COMBINED = 4096
_MOST_NUMBERS = 1 << 24


def directions(keys: NDArray[np.uint64], count: int) -> Floats:
    """Return standard normal numbers that belong to each key, shape (keys, count).

    They come from the counter-based splitmix64 by the Box-Muller transform.
    """
    half = -(-count // 2)
    steps = np.arange(1, half + 1, dtype=np.uint64) * _GOLDEN
    bits = hashing.mix(keys[:, None] + steps)
    scale = np.float32(2.0**-24)
    radius = ((bits >> np.uint64(40)).astype(np.float32) + 1) * scale
    np.log(radius, out=radius)
    radius *= -2
    np.sqrt(radius, out=radius)
    turn = (bits & np.uint64(0xFFFFFF)).astype(np.float32) * (scale * np.float32(2 * np.pi))
    return np.hstack((radius * np.cos(turn), radius * np.sin(turn)))[:, :count]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projector:
    """A batch ready to be projected, block by block."""

    numbers: _Numbers
    levels: tuple[_Levels, ...]

    @classmethod
    def of(cls, decoded: Decoded, scales: Scales, count: int) -> Projector:
        """Look up the directions of every column that the batch and the scales share."""
        numbers = _Numbers.of(decoded, scales, count)
        return cls(numbers=numbers, levels=tuple(_combined(decoded, scales, count)))

    def project(self, start: int, stop: int) -> Floats:
        """Return these rows times the directions, shape (stop - start, count), new."""
        total = self.numbers.project(start, stop)
        for levels in self.levels:
            total += levels.look_up(start, stop)
        return total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Numbers:
    """Numeric and vector columns side by side.

    Attributes:
        values: One array of shape (n,) for each dimension, NaN for missing.
        center: Subtracted from each dimension, shape (p,).
        inverse: One over each dimension's spread, shape (p,).
        along: Each dimension's direction, shape (p, count).
        first: The first dimension of each column, shape (c,).
        missing: The direction of each column's missing values, shape (c, count).

    """

    values: list[NDArray[Any]]
    center: NDArray[np.float64]
    inverse: NDArray[np.float64]
    along: Floats
    first: NDArray[np.int64]
    missing: Floats

    @classmethod
    def of(cls, decoded: Decoded, scales: Scales, count: int) -> _Numbers:
        held: dict[str, NDArray[Any]] = {n: v[:, None] for n, v in decoded.numbers.items()}
        held |= decoded.vectors
        names = [name for name in held if name in scales]
        widths = [held[name].shape[1] for name in names]
        both = np.hstack([np.empty((2, 0)), *(scales[name] for name in names)])
        places = [(name, str(i)) for name in names for i in range(held[name].shape[1])]
        keys = [hashing.key("along", *place) for place in places]
        lost = [hashing.key("missing", name) for name in names]
        return cls(
            values=[column for name in names for column in held[name].T],
            center=both[0],
            inverse=1 / both[1],
            along=directions(np.array(keys, np.uint64), count),
            first=np.cumsum([0, *widths], dtype=np.int64)[:-1],
            missing=directions(np.array(lost, np.uint64), count),
        )

    def project(self, start: int, stop: int) -> Floats:
        scaled = np.empty((len(self.values), stop - start), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for row, values, center, inverse in zip(
                scaled, self.values, self.center, self.inverse, strict=True
            ):
                wide = values[start:stop] - center
                wide *= inverse
                row[:] = wide
        np.minimum(scaled, CLIP, out=scaled)
        np.maximum(scaled, -CLIP, out=scaled)
        gone = np.isnan(scaled)
        if not gone.any():
            return scaled.T @ self.along
        scaled[gone] = 0
        return scaled.T @ self.along + gone[self.first].astype(np.float32).T @ self.missing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Levels:
    """Some level columns looked up at once.

    Attributes:
        codes: Codes of each column, shape (n,), -1 for missing.
        sizes: Number of codes of each column, missing included.
        table: The directions of every combination, shape (product of sizes, count).

    """

    codes: list[NDArray[np.int32]]
    sizes: list[int]
    table: Floats

    def look_up(self, start: int, stop: int) -> Floats:
        place = np.zeros(stop - start, np.int64)
        for codes, size in zip(self.codes, self.sizes, strict=True):
            place *= size
            place += codes[start:stop]
            place += 1
        return self.table.take(place, axis=0)

    def joined(self, other: _Levels) -> _Levels:
        table = self.table[:, None] + other.table[None]
        return _Levels(
            codes=[*self.codes, *other.codes],
            sizes=[*self.sizes, *other.sizes],
            table=table.reshape(-1, table.shape[2]),
        )


def _combined(decoded: Decoded, scales: Scales, count: int) -> Iterator[_Levels]:
    """Yield level columns, the small ones together: one look-up costs as much as another.

    The more columns and frequencies there are, the fewer are joined: tables stay small.
    """
    names = [name for name in decoded.levels if name in scales]
    columns = (
        _levels(name, *decoded.levels[name], float(scales[name][0, 0]), count) for name in names
    )
    most = min(_MOST_COMBINED, _MOST_NUMBERS // (count * max(1, len(names))))
    whole: _Levels | None = None
    for own in sorted(columns, key=lambda levels: len(levels.table)):
        if whole is not None and len(whole.table) * len(own.table) > most:
            yield whole
            whole = None
        whole = own if whole is None else whole.joined(own)
    if whole is not None:
        yield whole


def _levels(
    name: str, codes: NDArray[np.int32], levels: list[str], weight: float, count: int
) -> _Levels:
    import pyarrow as pa

    keys = hashing.texts(pa.array(levels, pa.string())) * hashing.key("level", name)
    lost = np.array([hashing.key("missing", name)], np.uint64)
    table = directions(np.concatenate((lost, keys)), count) * np.float32(weight)
    return _Levels(codes=[codes], sizes=[len(table)], table=table)
