"""Gaussian kernels over a ladder of bandwidths, exact, summed over units of rows.

A unit is what a permutation moves: a row, a handful of rows of one side, or a whole group.
Everything a permutation test needs is in the sums over pairs of units, so the kernel itself
is made block by block and never held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]

MOST_BANDWIDTHS = 12
"""Bandwidths in a ladder, at most: the widest is 2048 times the narrowest."""

_LOOKED_AT = 600
_BLOCK = 256
_FRESH = 4  # exponentials are made anew this often, so that squaring adds up no rounding


class Ladder(NamedTuple):
    """Bandwidths from wide to narrow, each half the one before.

    bandwidths: Standard deviations of the Gaussian kernels, shape (k,).
    second_moments: Mean of the squared kernel over pairs of pooled rows, shape (k,).
    """

    bandwidths: Numbers
    second_moments: Numbers


class KernelSums(NamedTuple):
    """Kernel values summed over the pairs of rows of each pair of units.

    grams: Shape (k, units, units), float32.
    """

    grams: NDArray[np.float32]

    def forms(self, weights: NDArray[np.float32]) -> Numbers:
        """Return the squared norm of each weighted sum of units, shape (k, c).

        Args:
            weights: Shape (units, c).

        """
        return np.array([_forms(gram, weights) for gram in self.grams], np.float64)

    def against(self, weights: NDArray[np.float32]) -> Numbers:
        """Return each unit's inner product with each weighted sum, shape (units, c).

        The kernel is the mean of all kernels of the ladder.
        """
        return np.asarray(self.grams.mean(0, dtype=np.float64) @ weights)

    def squares(self) -> Numbers:
        """Return each unit's squared norm under the mean kernel, shape (units,)."""
        return np.asarray(np.einsum("kii->i", self.grams, dtype=np.float64) / len(self.grams))


def choose_ladder(rows: Rows) -> Ladder | None:
    """Return bandwidths that fit these rows, or None when all rows are equal.

    The narrowest is half the 5 % quantile of the distances between distinct rows and the
    widest is at least twice the 95 % quantile (Biggs, Schrab and Gretton 2023, NeurIPS,
    "MMD-FUSE"), unless that is more than `MOST_BANDWIDTHS`.

    Args:
        rows: Pooled rows of both samples in an order that does not tell them apart,
            shape (r, d); the first 600 are looked at.

    """
    some = rows[:_LOOKED_AT]
    above = np.triu_indices(len(some), 1)
    squared = np.maximum(_squared_distances(some, some)[above], 0.0).astype(np.float64)
    # What is left of the distance between equal rows after rounding is no distance.
    apart = squared[squared > 1e-6 * max(1e-12, float(squared.max(initial=0.0)))]
    if not len(apart):
        return None
    near, far = np.sqrt(np.quantile(apart, (0.05, 0.95)))
    steps = min(MOST_BANDWIDTHS, 1 + int(np.ceil(np.log2(4 * far / near))))
    bandwidths = far * 2 if steps == MOST_BANDWIDTHS else near / 2 * 2.0 ** (steps - 1)
    ladder = bandwidths / 2.0 ** np.arange(steps)
    moments = np.array([np.exp(-squared / width**2).mean() for width in ladder])
    return Ladder(ladder, moments)


def sum_kernels(rows: Rows, unit: NDArray[np.int64], bandwidths: Numbers) -> KernelSums:
    """Return the kernels' sums over all pairs of units.

    Args:
        rows: Pooled rows, shape (r, d).
        unit: Unit of each row from 0, shape (r,); no number left out.
        bandwidths: Shape (k,), each half the one before.

    Cost: O(r^2 (d + k)) time, a few megabytes beside the result.

    """
    order = np.argsort(unit, kind="stable")
    rows, unit = rows[order], unit[order]
    units = int(unit[-1]) + 1
    grams = np.zeros((len(bandwidths), units, units), np.float32)
    starts = range(0, len(rows), _BLOCK)
    blocks = [_Block.of(rows, unit, start) for start in starts]
    scale = np.float32(-0.5 / bandwidths[0] ** 2)
    for i, one in enumerate(blocks):
        for two in blocks[i:]:
            exponent = _squared_distances(one.rows, two.rows)
            np.maximum(exponent, 0.0, out=exponent)
            exponent *= scale
            _add_block(grams, one, two, exponent)
    return KernelSums(grams)


class _Block(NamedTuple):
    """Some rows next to one another, and which units they belong to."""

    rows: Rows
    span: slice
    member: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Rows, unit: NDArray[np.int64], start: int) -> _Block:
        own = unit[start : start + _BLOCK]
        first, last = int(own[0]), int(own[-1]) + 1
        member = (own == np.arange(first, last)[:, None]).astype(np.float32)
        return cls(rows[start : start + _BLOCK], slice(first, last), member)


def _add_block(
    grams: NDArray[np.float32], one: _Block, two: _Block, exponent: NDArray[np.float32]
) -> None:
    """Add one block of pairs, and its mirror image, to every kernel's sums."""
    kernel = exponent
    for step, gram in enumerate(grams):
        if step % _FRESH == 0:
            kernel = np.exp(exponent * np.float32(4.0**step))
        else:
            # Half the bandwidth is the fourth power of the kernel.
            np.square(kernel, out=kernel)
            np.square(kernel, out=kernel)
        part = one.member @ kernel @ two.member.T
        gram[one.span, two.span] += part
        if one is not two:
            gram[two.span, one.span] += part.T


def _squared_distances(x: Rows, y: Rows) -> NDArray[np.float32]:
    """Return squared Euclidean distances, shape (len(x), len(y)), possibly just below 0."""
    product = x @ y.T
    product *= -2
    product += np.einsum("ij,ij->i", x, x)[:, None]
    product += np.einsum("ij,ij->i", y, y)
    return product


def _forms(gram: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.einsum("ij,ij->j", weights, gram @ weights))
