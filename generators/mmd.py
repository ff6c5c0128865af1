"""How far two samples lie apart, by kernels: what chooses a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


def squared_mmd(x: NDArray[Any], y: NDArray[Any], *, scales: Sequence[float]) -> float:
    """Return the squared kernel distance of two samples; its expectation is 0 when they agree.

    The kernel is exp(-|x - y|^2 / s), averaged over the scales; between bits |x - y|^2 is the
    Hamming distance.

    Args:
        x: Shape (n, d), n >= 2.
        y: Shape (m, d), m >= 2.
        scales: The s.

    Cost: O((n + m)^2 d) time, O((n + m)^2) memory.
    Source: Gretton et al. (2012), Journal of Machine Learning Research 13.
    """
    own = [(_kernel(z, z, scales).sum() - len(z)) / (len(z) * (len(z) - 1)) for z in (x, y)]
    return float(own[0] + own[1] - 2.0 * _kernel(x, y, scales).mean())


def median_scales(x: NDArray[Any]) -> tuple[float, ...]:
    """Return scales around the median squared distance of rows, shape (n, d), n >= 2."""
    apart = squared_distances(x, x)
    middle = float(np.median(apart[np.triu_indices(len(x), k=1)]))
    return tuple(factor * (middle or 1.0) for factor in (0.1, 0.5, 2.0))


def squared_distances(x: NDArray[Any], y: NDArray[Any]) -> Numbers:
    """Return all squared distances, shape (n, m)."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    apart = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2.0 * (x @ y.T)
    found: Numbers = np.maximum(apart, 0.0)
    return found


def _kernel(x: NDArray[Any], y: NDArray[Any], scales: Sequence[float]) -> Numbers:
    apart = squared_distances(x, y)
    kernel: Numbers = np.mean([np.exp(-apart / scale) for scale in scales], axis=0)
    return kernel
