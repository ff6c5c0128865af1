"""Random Fourier features of Gaussian kernels over a ladder of bandwidths: linear in the rows.

One projection serves every bandwidth: half the bandwidth doubles the angle, and the sine and
cosine of a doubled angle cost three multiplications.

Source: Rahimi and Recht (2007), NeurIPS, "Random features for large-scale kernel machines".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]

_BLOCK = 256


class FeatureSums(NamedTuple):
    """Features summed over the rows of each unit: a stand-in for `KernelSums`.

    sums: Shape (k, units, 2 f), float32, cosines first; inner products of two units' sums
        estimate the kernel's sum over their pairs of rows.
    """

    sums: NDArray[np.float32]

    def forms(self, weights: NDArray[np.float32]) -> Numbers:
        """Return the squared norm of each weighted sum of units, shape (k, c).

        Args:
            weights: Shape (units, c).

        """
        across = np.ascontiguousarray(weights.T)
        return np.array([_norms(across @ sums) for sums in self.sums], np.float64)

    def against(self, weights: NDArray[np.float32]) -> Numbers:
        """Return each unit's inner product with each weighted sum, shape (units, c).

        The kernel is the mean of all kernels of the ladder.
        """
        return self.project(np.array([weights.T @ sums for sums in self.sums], np.float64))

    def project(self, points: Numbers) -> Numbers:
        """Return each unit's inner product with points of feature space, shape (units, c).

        Args:
            points: Shape (k, c, 2 f).

        """
        parts = [sums @ own.T for sums, own in zip(self.sums, points, strict=True)]
        return np.asarray(np.mean(parts, axis=0))

    def squares(self) -> Numbers:
        """Return each unit's squared norm under the mean kernel, shape (units,)."""
        return np.asarray(np.mean([_norms(sums) for sums in self.sums], axis=0), np.float64)


def frequencies(dimensions: int, count: int, rng: np.random.Generator) -> Rows:
    """Draw frequencies of the Gaussian kernel with bandwidth 1, shape (dimensions, count)."""
    return rng.standard_normal((dimensions, count), np.float32)


def octaves(projected: Rows, bandwidths: Numbers) -> Iterator[Rows]:
    """Yield cosines and sines at each bandwidth, shape (2, r, f): the same array every time.

    Inner products divided by f estimate the kernel without bias, with variance below 1 / f.

    Args:
        projected: Rows times the frequencies of bandwidth 1, shape (r, f).
        bandwidths: Shape (k,), each half the one before.

    """
    rows, count = projected.shape
    # A row between them: numpy takes the slow road when one array ends where the other begins.
    waves = np.empty((2, rows + 1, count), np.float32)[:, :rows]
    cosine, sine = waves
    np.multiply(projected, np.float32(1 / bandwidths[0]), out=sine)
    np.cos(sine, out=cosine)
    np.sin(sine, out=sine)
    yield waves
    for _ in bandwidths[1:]:
        sine *= cosine
        sine += sine
        np.square(cosine, out=cosine)
        cosine += cosine
        cosine -= 1
        yield waves


def sum_features(
    rows: Rows, unit: NDArray[np.int64], bandwidths: Numbers, frequency: Rows | None
) -> FeatureSums:
    """Return the features' sums over the rows of each unit.

    Args:
        rows: Pooled rows, shape (r, d).
        unit: Unit of each row from 0, shape (r,); no number left out.
        bandwidths: Shape (k,), each half the one before.
        frequency: From `frequencies`, shape (d, f); None when the rows are projected
            already, then d is f.

    Cost: O(r f (d + k)) time; a few megabytes beside the result.

    """
    order = np.argsort(unit, kind="stable")
    unit = unit[order]
    count = (rows if frequency is None else frequency).shape[1]
    sums = np.zeros((len(bandwidths), int(unit[-1]) + 1, 2 * count), np.float32)
    for start in range(0, len(rows), _BLOCK):
        block = rows[order[start : start + _BLOCK]]
        projected = block if frequency is None else block @ frequency
        _add_waves(sums, octaves(projected, bandwidths), unit[start : start + _BLOCK])
    sums *= np.float32(1 / np.sqrt(count))
    return FeatureSums(sums)


def _add_waves(sums: NDArray[np.float32], waves: Iterator[Rows], unit: NDArray[np.int64]) -> None:
    """Add a block of rows, whose units never fall, to their units' sums in place."""
    first, last = int(unit[0]), int(unit[-1]) + 1
    alone = last - first == len(unit)
    member = (unit == np.arange(first, last)[:, None]).astype(np.float32)
    for own, (cosine, sine) in zip(sums, waves, strict=True):
        count = cosine.shape[1]
        own[first:last, :count] += cosine if alone else member @ cosine
        own[first:last, count:] += sine if alone else member @ sine


def _norms(rows: Rows) -> Rows:
    return np.asarray(np.einsum("ij,ij->i", rows, rows))
