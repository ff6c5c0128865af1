"""A mixture of normal densities: fitted by scikit-learn, drawn from by us."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Floats = NDArray[np.float32]

ROWS_A_COMPONENT = 20
"""Rows that a component needs at least."""

FITTED_TO = 20_000
"""Rows that are looked at, at most."""

FLOOR = 1e-3
"""Added to the variances, so that no component shrinks to a point."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixture:
    """Normal components.

    Attributes:
        shares: Of each component, shape (k,).
        means: Shape (k, d).
        roots: Lower triangular roots of the covariances, shape (k, d, d).

    """

    shares: Numbers
    means: Numbers
    roots: Numbers

    @staticmethod
    def standard(dimensions: int) -> Mixture:
        """Return the standard normal density."""
        return Mixture(
            shares=np.ones(1), means=np.zeros((1, dimensions)), roots=np.eye(dimensions)[None]
        )

    @staticmethod
    def fitted(rows: Floats, *, most: int, rng: np.random.Generator) -> Mixture:
        """Return a mixture fitted to rows, shape (n, d), with no more components than n bears.

        Cost: O(n k d^2) time for each of at most 100 rounds.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        if len(rows) > FITTED_TO:
            rows = rows[rng.permutation(len(rows))[:FITTED_TO]]
        components = max(1, min(most, len(rows) // ROWS_A_COMPONENT))
        found = GaussianMixture(
            components, reg_covar=FLOOR, random_state=int(rng.integers(2**31)), tol=1e-4
        )
        with warnings.catch_warnings():  # a density that is not quite settled is good enough
            warnings.simplefilter("ignore", ConvergenceWarning)
            found.fit(rows.astype(np.float64))
        roots = np.linalg.cholesky(found.covariances_)
        return Mixture(shares=found.weights_, means=found.means_, roots=roots)

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Return n rows, shape (n, d)."""
        chosen = rng.choice(len(self.shares), n, p=self.shares / self.shares.sum())
        noise = rng.standard_normal((n, self.means.shape[1]))
        rows = self.means[chosen] + np.einsum("nij,nj->ni", self.roots[chosen], noise)
        drawn: Floats = rows.astype(np.float32)
        return drawn

    def save(self) -> dict[str, NDArray[Any]]:
        """Return what `restored` needs."""
        return {"shares": self.shares, "means": self.means, "roots": self.roots}

    @staticmethod
    def restored(arrays: Mapping[str, NDArray[Any]]) -> Mixture:
        """Return the mixture that `save` wrote."""
        return Mixture(shares=arrays["shares"], means=arrays["means"], roots=arrays["roots"])
