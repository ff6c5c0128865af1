"""Pooled rows in the forms that measures of diversity read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.data.encode import encode_codes, encode_dense
from detector.data.schema import NOMINAL
from detector.profiles.fold import decode, row_hashes
from detector.stats import diversity
from detector.stats.random_features import frequencies as draw_frequencies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.checks._pooled import Pooled
    from detector.data.encode import Codes

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]

_BINS = 16
_BETWEEN = 1_000
_CLIP = 5.0
"""Spreads from the middle at which numbers stop: one outlier shall not be the variance."""
_ROWS_PER_AXIS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kinds:
    """Pooled rows, the reference's first.

    Attributes:
        volume: On their widest axes, shape (r, a).
        features: Of a Gaussian kernel, each row of length 1, shape (r, f).
        cells: Cell of each value, columns numbered on, shape (r, d).
        content: Which repeated row it is, shape (r,); -1 where it occurs once.

    """

    names: ClassVar[tuple[str, ...]] = (
        "log_det_change",
        "entropy_change",
        "vendi_1",
        "vendi_2",
        "vendi_inf",
        "duplicate_share",
        "effective_row_share",
    )

    volume: Rows
    features: Rows
    cells: NDArray[np.int64]
    content: NDArray[np.int64]

    @classmethod
    def of(
        cls, pooled: Pooled, *, axes: int, frequencies: int, rng: np.random.Generator
    ) -> Kinds | None:
        """Prepare pooled rows; None where they are all equal.

        Args:
            pooled: Both sides.
            axes: Axes of the volume, at most; fewer where rows are few.
            frequencies: Random frequencies of the kernel.
            rng: Draws them, and the rows whose distances set the kernel's width.

        """
        dense = encode_dense(pooled.reference, pooled.candidate, pooled.schema)
        rows = np.clip(np.concatenate((dense.x, dense.y)), -_CLIP, _CLIP)
        if not np.ptp(rows, axis=0).any():
            return None
        most = max(1, min(axes, min(pooled.rows) // _ROWS_PER_AXIS))
        codes = encode_codes(pooled.reference, pooled.candidate, pooled.schema)
        return cls(
            volume=diversity.volume_axes(_numbers(rows, dense.sources, pooled), most),
            features=_kernel_features(rows, frequencies, rng),
            cells=_cells(codes),
            content=_content(pooled),
        )

    def numbers(self, marks: NDArray[np.int8]) -> Numbers:
        """Return each number for the reference (mark 0) and the candidate (mark 1), (s, 2)."""
        return np.array([self._of_side(marks == side) for side in (0, 1)]).T

    def _of_side(self, own: NDArray[np.bool_]) -> tuple[float, ...]:
        spectrum = diversity.kernel_spectrum(self.features[own])
        scores = (float(np.log(diversity.vendi(spectrum, order))) for order in (1, 2, np.inf))
        counts = np.bincount(self.cells[own].ravel())
        content = self.content[own]
        times = np.bincount(content[content >= 0], minlength=1)
        return (
            diversity.log_volume(self.volume[own]),
            diversity.mean_entropy(counts, self.cells.shape[1]),
            *scores,
            *diversity.repeats(times, len(content)),
        )


def _numbers(rows: Rows, sources: tuple[str, ...], pooled: Pooled) -> Rows:
    """Return the dimensions of numbers and vectors; of levels where there are no others."""
    levels = {spec.name for spec in pooled.schema.columns if spec.kind in NOMINAL}
    kept = [place for place, name in enumerate(sources) if name not in levels]
    varied = rows[:, kept]
    return varied if kept and np.ptp(varied, axis=0).any() else rows


def _kernel_features(rows: Rows, count: int, rng: np.random.Generator) -> Rows:
    """Return cosines and sines whose inner products are a Gaussian kernel, nearly.

    Its width is the median distance between rows, of a draw of the pooled ones.
    """
    some = rows[rng.permutation(len(rows))[: 2 * _BETWEEN]]
    half = len(some) // 2
    gaps = np.linalg.norm(some[:half] - some[half : 2 * half], axis=1)
    width = float(np.median(gaps)) or float(gaps.max()) or 1.0
    angles = rows @ (draw_frequencies(rows.shape[1], count, rng) / np.float32(width))
    waves = np.concatenate((np.cos(angles), np.sin(angles)), axis=1)
    return np.asarray(waves / np.float32(np.sqrt(count)), np.float32)


def _cells(codes: Codes) -> NDArray[np.int64]:
    """Return a cell for each value: a level, or one of sixteen bins of equal width.

    The bins lie between the pooled 1 % and 99 % quantiles, with one more on either side. Bins of
    equal mass would not do: a narrow and a wide sample fill them equally unevenly.
    """
    columns, first = [], 0
    for values, level in zip(np.concatenate((codes.x, codes.y)).T, codes.categorical, strict=True):
        known = values[~np.isnan(values)]
        if level or not len(known):
            place = np.unique(values, return_inverse=True)[1]
        else:
            low, high = np.quantile(known, (0.01, 0.99), method="lower")
            edges = np.linspace(float(low), float(high), _BINS + 1)
            place = np.searchsorted(edges, values, side="right")
            place[np.isnan(values)] = _BINS + 2
        columns.append(first + place)
        first += int(place.max()) + 1
    return np.column_stack(columns).astype(np.int64)


def _content(pooled: Pooled) -> NDArray[np.int64]:
    """Return which of the rows that occur more than once each row is, -1 where none."""
    hashes = np.concatenate(
        [
            row_hashes(decode(batch, pooled.schema.columns))
            for side in (pooled.reference, pooled.candidate)
            for batch in side.combine_chunks().to_batches()
        ]
    )
    _, place, times = np.unique(hashes, return_inverse=True, return_counts=True)
    again = times > 1
    number = np.where(again, np.cumsum(again) - 1, -1)
    return np.asarray(number[place], np.int64)
