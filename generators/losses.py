"""Losses of generators, each with its derivative: kernel distance, likelihood, and a critic's word.

Every function here returns a value and the slope of that value by what a model made: by drawn rows,
by the probabilities of basis states, or by logits. Circuits and networks carry the slope on from
there, so no gate is ever shifted inside a loss that is not linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

ROW_BANDWIDTHS = (0.1, 0.25, 0.6)
"""Of rows in [-1, 1]^d, in units of the root of d."""

RANK_BANDWIDTHS = (0.03, 0.09, 0.3)
"""Of intervals, as shares of the rows between two of them, in units of the root of their number."""

BIT_BANDWIDTHS = (0.8, 1.7, 2.4)
"""Of bitstrings, in roots of flipped bits."""

WIDEST = 128
"""States of neighboring dimensions that one matrix may cover."""


class Loss(NamedTuple):
    """A loss and its derivative.

    Attributes:
        value: The loss.
        slope: Its derivative, in the shape of what it was taken by.

    """

    value: float
    slope: Floats


def row_distance(
    drawn: Floats, real: Floats, *, bandwidths: Sequence[float] = ROW_BANDWIDTHS
) -> Loss:
    """Return the squared kernel distance (MMD) of two samples, and its slope by the drawn rows.

    It is unbiased: zero on average for two samples of one law, and sometimes below.

    Args:
        drawn: Shape (m, d), m >= 2.
        real: Shape (n, d), n >= 2.
        bandwidths: Of the Gaussian kernels, whose mean is taken; in units of the root of d.

    Raises:
        ValueError: There is one row on a side, or the columns differ.

    Cost: O((m + n)^2 d) time, O(m^2 + m n + n^2) memory.
    Source: Gretton et al. (2012), JMLR 13.
    """
    if drawn.shape[1] != real.shape[1]:
        raise ValueError(f"drawn has {drawn.shape[1]} columns and real has {real.shape[1]}")
    if min(len(drawn), len(real)) < 2:
        raise ValueError(f"need two rows on each side, got {len(drawn)} and {len(real)}")
    scales = [2.0 * width**2 * drawn.shape[1] for width in bandwidths]
    within, pull = _kernels(drawn, drawn, scales)
    across, push = _kernels(drawn, real, scales)
    beyond, _ = _kernels(real, real, scales)
    m, n = len(drawn), len(real)
    value = (within - m) / (m * (m - 1)) + (beyond - n) / (n * (n - 1)) - 2.0 * across / (m * n)
    return Loss(float(value), 2.0 * pull / (m * (m - 1)) - 2.0 * push / (m * n))


def relative_distance(
    x: Floats, y: Floats, real: Floats, *, bandwidths: Sequence[float] = ROW_BANDWIDTHS
) -> tuple[float, float]:
    """Return how much further x lies from the real rows than y does, and its standard error.

    Both are held against the same real rows, so most of the chance in them cancels. The error is
    that of the real rows; x and y can be drawn in any number.

    Args:
        x: Rows of one model, shape (m, d).
        y: Rows of another, shape (k, d).
        real: Shape (n, d).
        bandwidths: As in `row_distance`.

    Source: Bounliphone et al. (2016), ICLR.
    """
    scales = [2.0 * width**2 * x.shape[1] for width in bandwidths]
    seen = _mean_kernel(real, x, scales) - _mean_kernel(real, y, scales)
    more = row_distance(x, real, bandwidths=bandwidths).value
    less = row_distance(y, real, bandwidths=bandwidths).value
    return more - less, float(2.0 * seen.std(ddof=1) / np.sqrt(len(real)))


def _mean_kernel(x: Floats, y: Floats, scales: Sequence[float]) -> Floats:
    """Return the mean kernel of each row of x with the rows y, shape (n,)."""
    apart = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2.0 * (x @ y.T)
    found: Floats = np.mean([np.exp(apart / -scale).mean(axis=1) for scale in scales], axis=0)
    return found


def _kernels(x: Floats, y: Floats, scales: Sequence[float]) -> tuple[float, Floats]:
    """Return the sum of the mean kernel over all pairs, and its slope by the rows x."""
    apart = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2.0 * (x @ y.T)
    np.maximum(apart, 0.0, out=apart)
    total, slope = 0.0, np.zeros_like(x)
    for scale in scales:
        kernel = np.exp(apart * (-1.0 / scale))
        total += float(kernel.sum(dtype=np.float64)) / len(scales)
        slope += (kernel @ y - kernel.sum(axis=1)[:, None] * x) * (2.0 / scale / len(scales))
    return total, slope


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateKernel:
    """A kernel between basis states: the mean of products over dimensions, one on the diagonal.

    Attributes:
        parts: For each bandwidth a matrix for each group of bits, first bits first.

    """

    parts: tuple[tuple[NDArray[np.float64], ...], ...]

    @staticmethod
    def of_places(
        places: Sequence[NDArray[np.float64]], *, bandwidths: Sequence[float] = RANK_BANDWIDTHS
    ) -> StateKernel:
        """Return Gaussian kernels of the places in [0, 1] that each dimension's codes stand for.

        Args:
            places: For each dimension, shape (2^b,); an array (2^b, k) is a place in k-space.
            bandwidths: Of the kernels, in the unit of the places.

        """
        apart = [_squared(np.asarray(place, np.float64)) for place in places]
        return StateKernel(
            parts=tuple(_grouped([np.exp(a / (-2.0 * w * w)) for a in apart]) for w in bandwidths)
        )

    @staticmethod
    def of_bits(qubits: int, *, bandwidths: Sequence[float] = BIT_BANDWIDTHS) -> StateKernel:
        """Return the kernels exp(-flipped bits / (2 w^2)) of bitstrings."""
        return StateKernel.of_places([np.arange(2.0)] * qubits, bandwidths=bandwidths)

    @property
    def alone(self) -> tuple[StateKernel, ...]:
        """Return the kernel of each bandwidth."""
        return tuple(StateKernel(parts=(part,)) for part in self.parts)

    def apply(self, values: Floats) -> Floats:
        """Return the kernel matrix times values, shape (2^q,), without ever holding the matrix.

        Cost: O(2^q times the sum of the groups' sizes) time.
        """
        total = np.zeros_like(values)
        for part in self.parts:
            found = values
            for matrix in part:  # each turn takes the first group and puts it last
                flat = found.reshape(len(matrix), -1)
                found = (flat.T @ matrix.astype(values.dtype, copy=False)).reshape(-1)
            total += found
        mean: Floats = total / len(self.parts)
        return mean

    def floor(self, target: Floats, n: int) -> float:
        """Return the squared distance that n fresh rows of the target's own law would have.

        A model that comes closer to its n training rows than this repeats their accidents.

        Args:
            target: Shares of the basis states among the n rows, shape (2^q,).
            n: Rows, at least 2.

        """
        exact = np.asarray(target, np.float64)
        return float((1.0 - exact @ self.apply(exact)) / (n - 1))


def _squared(places: NDArray[np.float64]) -> NDArray[np.float64]:
    wide = places.reshape(len(places), -1)
    apart: NDArray[np.float64] = np.square(wide[:, None] - wide[None]).sum(axis=2)
    return apart


def _grouped(factors: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
    """Return Kronecker products of neighbors, so that few and large matrices are left."""
    found = [np.eye(1)]
    for factor in factors:
        if len(found[-1]) * len(factor) <= WIDEST:
            found[-1] = np.kron(found[-1], factor)
        else:
            found.append(factor)
    return tuple(found)


def state_distance(probabilities: Floats, target: Floats, kernel: StateKernel) -> Loss:
    """Return the squared kernel distance (MMD) of two laws of basis states, each shape (2^q,).

    Source: Liu and Wang (2018), Phys. Rev. A 98, 062324.
    """
    apart = probabilities - target
    smooth = kernel.apply(apart)
    return Loss(float(apart @ smooth), 2.0 * smooth)


def negative_log_likelihood(probabilities: Floats, target: Floats, *, least: float = 1e-9) -> Loss:
    """Return the mean negative log-likelihood of a target law, in nats.

    Args:
        probabilities: Shape (2^q,).
        target: Shares of the basis states, shape (2^q,).
        least: Added to every probability, so that one that is zero has a slope.

    """
    seen = target > 0
    lifted = np.where(seen, probabilities + least, 1.0)
    value = -float(np.sum(target * np.log(lifted), dtype=np.float64))
    return Loss(value, np.where(seen, -target / lifted, 0.0).astype(probabilities.dtype))


def among(valid: NDArray[np.bool_], probabilities: Floats) -> Floats:
    """Return the probabilities given that the state is valid; zero for the others.

    Raises:
        ValueError: No valid state has a probability.

    """
    kept = np.where(valid, probabilities, 0.0).astype(probabilities.dtype)
    if not (total := kept.sum(dtype=np.float64)) > 0:
        raise ValueError("no valid state has a probability above zero")
    found: Floats = (kept / total).astype(probabilities.dtype)
    return found


def among_slope(valid: NDArray[np.bool_], probabilities: Floats, slope: Floats) -> Floats:
    """Return a slope by `among(valid, probabilities)` as one by the probabilities."""
    total = probabilities[valid].sum(dtype=np.float64)
    mean = float(probabilities[valid] @ slope[valid]) / total
    found: Floats = np.where(valid, (slope - mean) / total, 0.0).astype(probabilities.dtype)
    return found


def cross_entropy(logits: Floats, targets: Floats | float) -> Loss:
    """Return the mean cross-entropy of logits and wished-for probabilities, and its slope.

    A critic's loss has targets near 1 for real rows and 0 for drawn ones. A generator's is that of
    its own rows against 1: it does not fade where the critic is sure.

    Args:
        logits: Shape (n,).
        targets: Shape (n,), or one for all.

    Source: Goodfellow et al. (2014), NeurIPS; soft targets: Salimans et al. (2016), NeurIPS.
    """
    value = np.logaddexp(0.0, logits) - targets * logits
    share = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return Loss(float(value.mean()), (share - targets) / len(logits))
