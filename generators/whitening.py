"""Whitening: rows of the codec on independent axes, each uniform again.

Ranks become normal scores, those are turned onto their principal axes, and each axis becomes
ranks again. A model that draws every whitened dimension independently then is a Gaussian
copula in all but name: what a recipe learns on top of that is its own merit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.ranks import Quantiles, joined, parted, quantiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Arrays = dict[str, NDArray[Any]]

EDGE = 2.0**-23
"""Ranks keep this distance from 0 and 1, so that normal scores stay finite."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Whitening:
    """An invertible change of axes.

    Attributes:
        axes: Principal axes in columns, shape (d, d), orthonormal, largest variance first.
        variances: The normal scores' variance along each axis, shape (d,), falling.
        ranks: The quantiles of each axis.

    """

    axes: NDArray[np.float64]
    variances: NDArray[np.float64]
    ranks: tuple[Quantiles, ...]

    @staticmethod
    def learn(rows: Rows) -> Whitening:
        """Learn the axes of rows, shape (n, d), n >= 2."""
        scores = normal_scores(rows)
        scores = scores - scores.mean(axis=0)
        variances, axes = np.linalg.eigh(scores.T @ scores / max(1, len(scores) - 1))
        order = np.argsort(-variances, kind="stable")
        axes = axes[:, order]
        largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
        axes = axes * np.where(largest < 0, -1.0, 1.0)  # one sign on every machine
        turned = normal_scores(rows) @ axes
        ranks = tuple(quantiles(turned[:, place]) for place in range(turned.shape[1]))
        return Whitening(axes=axes, variances=np.maximum(variances[order], 0.0), ranks=ranks)

    def forward(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return whitened rows, shape (n, d), within [-1, 1]."""
        turned = normal_scores(rows) @ self.axes
        places = [rank.positions(turned[:, i], rng) for i, rank in enumerate(self.ranks)]
        return uniform(np.column_stack([np.empty((len(rows), 0)), *places]))

    def backward(self, rows: Rows) -> Rows:
        """Return rows of the codec from whitened ones: the inverse of `forward`."""
        positions = (rows.astype(np.float64) + 1.0) / 2.0
        scores = [rank.at(positions[:, i]) for i, rank in enumerate(self.ranks)]
        return of_scores(np.column_stack([np.empty((len(rows), 0)), *scores]) @ self.axes.T)

    def save(self) -> Arrays:
        """Return what `restored` needs."""
        return {"axes": self.axes, "variances": self.variances, **joined(self.ranks)}

    @staticmethod
    def restored(arrays: Mapping[str, NDArray[Any]]) -> Whitening:
        """Return the whitening that `save` wrote."""
        ranks = tuple(parted(arrays))
        return Whitening(axes=arrays["axes"], variances=arrays["variances"], ranks=ranks)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rematch:
    """Maps what a model draws onto uniform dimensions, one by one, by what it has drawn.

    Attributes:
        ranks: The quantiles of each dimension over rows that the model drew after its fit.

    """

    ranks: tuple[Quantiles, ...]

    @staticmethod
    def learn(drawn: Rows) -> Rematch:
        """Learn from drawn rows, shape (m, d), m >= 1."""
        wide = drawn.astype(np.float64)
        return Rematch(ranks=tuple(quantiles(wide[:, i]) for i in range(wide.shape[1])))

    def apply(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return rows whose dimensions are each uniform on [-1, 1]."""
        wide = rows.astype(np.float64)
        places = [rank.positions(wide[:, i], rng) for i, rank in enumerate(self.ranks)]
        return uniform(np.column_stack([np.empty((len(rows), 0)), *places]))


def normal_scores(rows: Rows) -> NDArray[np.float64]:
    """Return the standard normal score of each number of rows in [-1, 1]."""
    from scipy.special import ndtri

    positions = (rows.astype(np.float64) + 1.0) / 2.0
    scores: NDArray[np.float64] = ndtri(np.clip(positions, EDGE, 1.0 - EDGE))
    return scores


def of_scores(scores: NDArray[np.float64]) -> Rows:
    """Return rows in [-1, 1] whose normal scores are these."""
    from scipy.special import ndtr

    return uniform(ndtr(scores))


def uniform(positions: NDArray[np.float64]) -> Rows:
    """Return positions in [0, 1] as rows in [-1, 1]."""
    return np.clip(2.0 * positions - 1.0, -1.0, 1.0).astype(np.float32)
