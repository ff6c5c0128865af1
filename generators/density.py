"""A density of codes with no more components than held-out codes bear out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from generators.mixture import Mixture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def chosen_density(codes: Floats, *, held: int, most: int, rng: np.random.Generator) -> Mixture:
    """Return a mixture of as many components as held-out codes bear out, fitted to all codes.

    Args:
        codes: Shape (n, latent).
        held: The first so many are held out while the number is chosen.
        most: Components at most.
        rng: Starts the fits.

    """
    training, validation = codes[held:], codes[:held]
    if len(training) < 2:
        return _fitted(codes, 1, rng)
    fits = [_fitted(training, 2**k, rng) for k in range(most.bit_length())]
    best = min(fits, key=lambda fit: surprise(fit, validation))
    return _fitted(codes, len(best.shares), rng)


def _fitted(codes: Floats, components: int, rng: np.random.Generator) -> Mixture:
    """Return a mixture; rounds that ran out before it had settled are no reason to speak."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Mixture.fitted(codes.astype(np.float32), most=components, rng=rng)


def surprise(density: Mixture, codes: Floats) -> float:
    """Return minus the mean log density of codes, shape (n, latent), in nats, less a constant."""
    logs = []
    for share, mean, root in zip(density.shares, density.means, density.roots, strict=True):
        scaled = np.linalg.solve(root, (codes - mean).T)
        scale = np.log(share) - np.log(np.diagonal(root)).sum()
        logs.append(scale - 0.5 * np.square(scaled).sum(axis=0))
    return -float(np.logaddexp.reduce(logs).mean())
