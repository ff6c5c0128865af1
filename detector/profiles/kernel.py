"""Mean kernel features of all rows: a mergeable summary of a whole joint law.

A row becomes a point: a number its distance from the reference's median in the reference's
spreads, a level a direction of its own. What is kept is the mean, over all rows, of cosines
and sines of random projections of that point at several bandwidths; the distance of two such
means estimates the maximum mean discrepancy of all rows. Directions are addressed by column
and level, so unseen levels are like any other and nothing needs a list of levels.

Sums are float64, so merged parts agree with one pass to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.schema import Kind
from detector.profiles.directions import Projector
from detector.profiles.fold import Decoded, decode
from detector.stats.kernels import Ladder, choose_ladder
from detector.stats.random_features import octaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema

__all__ = ["KernelMeans", "KernelSpec", "fold_kernel", "freeze_kernel", "merge_kernels"]

_BLOCK = 2048
_LOOKED_AT = 4096
_NEAR_ROWS = 600
_NEAR_COUNT = 1024
_WAVES = 320
_FEWEST = 32
_HUGE = 1e300
_SPREADS = ((0.25, 0.75, 1.349), (0.05, 0.95, 3.290))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KernelSpec:
    """What the reference freezes: scales, bandwidths and the number of frequencies.

    Attributes:
        scales: Of each numeric or vector column the center and spread of its dimensions,
            shape (2, width); of each level column its weight, shape (1, 1).
        ladder: The bandwidths, each half the one before.
        count: Random frequencies, f of them.

    """

    scales: Mapping[str, NDArray[np.float64]]
    ladder: Ladder
    count: int

    def to_plain(self) -> dict[str, Any]:
        """Return JSON data that `from_plain` takes back, exactly."""
        return {
            "scales": {name: scale.tolist() for name, scale in self.scales.items()},
            "bandwidths": self.ladder.bandwidths.tolist(),
            "second_moments": self.ladder.second_moments.tolist(),
            "count": self.count,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> KernelSpec:
        """Return the spec that `to_plain` wrote."""
        ladder = Ladder(np.array(plain["bandwidths"]), np.array(plain["second_moments"]))
        scales = {name: np.array(scale) for name, scale in plain["scales"].items()}
        return cls(scales=scales, ladder=ladder, count=plain["count"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KernelMeans:
    """Feature sums of the rows seen.

    Attributes:
        spec: What the reference froze.
        sums: Shape (k, 2 f), float64.
        n: Rows seen.

    """

    spec: KernelSpec
    sums: NDArray[np.float64]
    n: int

    @property
    def mean(self) -> NDArray[np.float64]:
        """Return the mean features, shape (k, 2 f), of squared norm at most 1 each."""
        return np.asarray(self.sums / (max(self.n, 1) * np.sqrt(self.spec.count)))


def freeze_kernel(schema: Schema, sample: pa.Table) -> KernelSpec | None:
    """Choose scales and bandwidths from a reference's sampled rows.

    Args:
        schema: The reference's columns; text is left out.
        sample: Rows in an order that means nothing; the first 4096 are looked at.

    Returns:
        The spec, or None when there is no usable column or all rows are equal.

    """
    columns = tuple(spec for spec in schema.compared if spec.kind is not Kind.TEXT)
    if not columns or not sample.num_rows:
        return None
    rows = sample.slice(0, _LOOKED_AT).combine_chunks().to_batches()[0]
    decoded = decode(rows, columns)
    spec = KernelSpec(
        scales={column.name: _scale(decoded, column.name) for column in columns},
        ladder=Ladder(np.ones(1), np.ones(1)),
        count=_NEAR_COUNT,
    )
    # With many frequencies, distances of projections are distances of rows.
    near = decode(rows.slice(0, _NEAR_ROWS), columns)
    projected = project(near, spec) / np.float32(np.sqrt(_NEAR_COUNT))
    ladder = choose_ladder(projected)
    if ladder is None:
        return None
    count = max(_FEWEST, _WAVES // len(ladder.bandwidths))
    return replace(spec, ladder=ladder, count=count)


def fold_kernel(decoded: Decoded, spec: KernelSpec) -> KernelMeans:
    """Return the feature sums of one batch; columns that it lacks are left out.

    Cost: O(rows (numeric columns + k) f) time; blocks of 2048 rows.

    """
    projector = Projector.of(decoded, spec.scales, spec.count)
    ones = np.ones(_BLOCK, np.float32)
    sums = np.zeros((len(spec.ladder.bandwidths), 2, spec.count))
    for start in range(0, decoded.rows, _BLOCK):
        projected = projector.project(start, min(start + _BLOCK, decoded.rows))
        each = ones[: len(projected)]
        for own, waves in zip(sums, octaves(projected, spec.ladder.bandwidths), strict=True):
            own += [each @ wave for wave in waves]
    return KernelMeans(spec=spec, sums=sums.reshape(len(sums), -1), n=decoded.rows)


def merge_kernels(parts: Sequence[KernelMeans]) -> KernelMeans:
    """Return the feature sums of all parts together; they share one spec."""
    return KernelMeans(
        spec=parts[0].spec,
        sums=sum((part.sums for part in parts[1:]), start=parts[0].sums),
        n=sum(part.n for part in parts),
    )


def project(decoded: Decoded, spec: KernelSpec) -> NDArray[np.float32]:
    """Return all rows of a batch times the random frequencies, shape (rows, f)."""
    return Projector.of(decoded, spec.scales, spec.count).project(0, decoded.rows)


def _scale(decoded: Decoded, name: str) -> NDArray[np.float64]:
    """Return a column's center and spread, shape (2, width), or a level column's weight."""
    if name in decoded.levels:
        codes, _ = decoded.levels[name]
        counts = np.bincount(codes[codes >= 0], minlength=1)
        alike = float(np.square(counts / max(1, counts.sum())).sum())
        return np.array([[1 / np.sqrt(max(0.25, 1 - alike))]])
    values = decoded.vectors[name].T if name in decoded.vectors else [decoded.numbers[name]]
    return np.array([_center_and_spread(dimension) for dimension in values]).T


def _center_and_spread(values: NDArray[Any]) -> tuple[float, float]:
    """Return the median and the first positive spread: quartiles, tails, mean square, 1."""
    known = np.clip(values[np.isfinite(values)].astype(np.float64), -_HUGE, _HUGE)
    if not len(known):
        return 0.0, 1.0
    center = float(np.median(known))
    for low, high, normal in _SPREADS:
        bottom, top = np.quantile(known, (low, high))
        if (spread := float(top - bottom) / normal) > 0:
            return center, spread
    farthest = float(np.abs(known - center).max()) or 1.0
    return center, farthest * (float(np.sqrt(np.mean(((known - center) / farthest) ** 2))) or 1.0)
