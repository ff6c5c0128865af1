"""A variational autoencoder of two circuits between classical layers, with its own derivatives.

    row -> scaled by layer -> encoder circuit -> <Z> -> linear -> mean and log variance
    latent -> linear by layer -> decoder circuit -> <Z> -> linear -> mean of each column

Each column has a normal spread of its own, learned with the rest. The circuits read their inputs
anew in every layer; their derivatives come from the executors, those of the classical layers and
of the bound are written out here.

Source: Kingma and Welling (2014), ICLR; Khoshaman et al. (2018), Quantum Science and Technology 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from generators.quantum.geometry import LOOKED_AT, among_states
from generators.quantum.observables import z_expectations

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from generators.quantum.engines import Executor, Gradient

    Floats = NDArray[np.float64]
    Weights = dict[str, Floats]

LOWEST, HIGHEST = -8.0, 3.0
"""Log variances of the latent code are cut here."""

SMALLEST_SPREAD = np.log(0.02)
"""A column's log spread is cut here, or a column of few values would outweigh the others."""


class Bound(NamedTuple):
    """The parts of the variational bound, in nats a row.

    Attributes:
        surprise: Minus the expected log density of a row given its code.
        divergence: Of the code's density from the standard normal one.

    """

    surprise: float
    divergence: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Autoencoder:
    """Both circuits and the sizes of everything between them; the weights are kept outside.

    Attributes:
        encoder: Runs a circuit whose inputs are read in layers, one a qubit and layer.
        decoder: Likewise.
        columns: Of a row.
        latent: Of a code.

    """

    encoder: Executor
    decoder: Executor
    columns: int
    latent: int

    def started(self, rng: np.random.Generator) -> Weights:
        """Return random weights: the encoder reads rows faithfully, the decoder starts flat."""
        encoder, decoder = self.encoder.ansatz, self.decoder.ansatz
        read, write = len(encoder.qubits), len(decoder.qubits)
        deep, high = len(encoder.inputs) // read, len(decoder.inputs) // write
        return {
            "read": 1.2 + 0.2 * rng.standard_normal((deep, read)),
            "encoder": 0.3 * rng.standard_normal(len(encoder.weights)),
            "code": 0.3 * rng.standard_normal((read, 2 * self.latent)),
            "code_bias": np.repeat([0.0, -2.0], self.latent),
            "write": 0.4 * rng.standard_normal((high, write, self.latent)),
            "decoder": 0.3 * rng.standard_normal(len(decoder.weights)),
            "row": np.eye(write, self.columns) + 0.1 * rng.standard_normal((write, self.columns)),
            "row_bias": np.zeros(self.columns),
            "spread": np.full(self.columns, -0.7),
        }

    def encode(self, weights: Weights, rows: Floats) -> tuple[Floats, Floats]:
        """Return the mean and the log variance of the code of each row, shape (n, latent)."""
        chances = self.encoder.probabilities(weights["encoder"], self._read(weights, rows))
        return self._code(weights, z_expectations(chances))

    def decode(self, weights: Weights, codes: Floats) -> Floats:
        """Return the mean of every column, shape (n, columns), from codes, shape (n, latent)."""
        chances = self.decoder.probabilities(weights["decoder"], self._write(weights, codes))
        found: Floats = z_expectations(chances) @ weights["row"] + weights["row_bias"]
        return found

    def spread(self, weights: Weights) -> Floats:
        """Return the standard deviation of each column around its mean, shape (columns,)."""
        return np.exp(_log_spread(weights))

    def bound(self, weights: Weights, rows: Floats, noise: Floats) -> Bound:
        """Return the bound of rows with the given normal noise, shape (n, latent)."""
        mean, log_variance = self.encode(weights, rows)
        missed = self.decode(weights, mean + np.exp(log_variance / 2) * noise) - rows
        return _bound(missed, _log_spread(weights), mean, log_variance)

    def slopes(
        self, weights: Weights, rows: Floats, noise: Floats, *, beta: float
    ) -> tuple[Bound, Weights]:
        """Return the bound and the derivatives of surprise + beta x divergence.

        Args:
            weights: All of them.
            rows: Shape (n, columns).
            noise: Standard normal, shape (n, latent).
            beta: Weight of the divergence.

        """
        seen, pull_encoder = self.encoder.pullback(weights["encoder"], self._read(weights, rows))
        signs = z_expectations(seen).astype(np.float64)
        mean, log_variance = self._code(weights, signs)
        codes = mean + np.exp(log_variance / 2) * noise
        missed, slopes, by_code = self._decoder_slopes(weights, codes, rows)
        by_mean = by_code + beta * mean / len(rows)
        by_log = by_code * noise * np.exp(log_variance / 2) / 2
        by_log += beta * np.expm1(log_variance) / (2 * len(rows))
        by_log *= (log_variance > LOWEST) & (log_variance < HIGHEST)
        slopes |= self._encoder_slopes(
            weights, rows, signs, np.hstack([by_mean, by_log]), pull_encoder
        )
        return _bound(missed, _log_spread(weights), mean, log_variance), slopes

    def natural(self, weights: Weights, rows: Floats, noise: Floats, slopes: Weights) -> Weights:
        """Return the slopes by both circuits' angles in the geometry of the states they make."""
        rows, noise = rows[:LOOKED_AT], noise[:LOOKED_AT]
        mean, log_variance = self.encode(weights, rows)
        codes = mean + np.exp(log_variance / 2) * noise
        read, written = self._read(weights, rows), self._write(weights, codes)
        return {
            name: among_states(run, slopes[name], weights[name], inputs)
            for name, run, inputs in (
                ("encoder", self.encoder, read),
                ("decoder", self.decoder, written),
            )
        }

    def _decoder_slopes(
        self, weights: Weights, codes: Floats, rows: Floats
    ) -> tuple[Floats, Weights, Floats]:
        """Return what the decoder misses, its derivatives, and those by the codes."""
        seen, pull = self.decoder.pullback(weights["decoder"], self._write(weights, codes))
        signs = z_expectations(seen).astype(np.float64)
        missed = signs @ weights["row"] + weights["row_bias"] - rows
        spread = _log_spread(weights)
        by_row = missed * np.exp(-2 * spread) / len(rows)
        gradient = pull(by_row @ weights["row"].T)
        by_angle = gradient.inputs.reshape(len(rows), *weights["write"].shape[:2])
        by_spread = (1 - np.square(missed) * np.exp(-2 * spread)).mean(axis=0)
        slopes = {
            "row": signs.T @ by_row,
            "row_bias": by_row.sum(axis=0),
            "spread": by_spread * (weights["spread"] > SMALLEST_SPREAD),
            "decoder": gradient.weights,
            "write": np.einsum("nlj,nk->ljk", by_angle, codes),
        }
        return missed, slopes, np.einsum("nlj,ljk->nk", by_angle, weights["write"])

    def _encoder_slopes(
        self,
        weights: Weights,
        rows: Floats,
        signs: Floats,
        by_code: Floats,
        pull: Callable[[Floats], Gradient],
    ) -> Weights:
        gradient = pull(by_code @ weights["code"].T)
        by_angle = gradient.inputs.reshape(len(rows), *weights["read"].shape)
        return {
            "code": signs.T @ by_code,
            "code_bias": by_code.sum(axis=0),
            "encoder": gradient.weights,
            "read": np.einsum("nlj,nj->lj", by_angle, self._columns_of(rows)),
        }

    def _read(self, weights: Weights, rows: Floats) -> Floats:
        angles: Floats = weights["read"] * self._columns_of(rows)[:, None]
        return angles.reshape(len(rows), -1)

    def _columns_of(self, rows: Floats) -> Floats:
        """Return the column that each of the encoder's qubits reads, shape (n, qubits)."""
        return rows[:, np.arange(len(self.encoder.ansatz.qubits)) % self.columns]

    def _write(self, weights: Weights, codes: Floats) -> Floats:
        angles: Floats = np.einsum("ljk,nk->nlj", weights["write"], codes)
        return angles.reshape(len(codes), -1)

    def _code(self, weights: Weights, signs: Floats) -> tuple[Floats, Floats]:
        found = signs @ weights["code"] + weights["code_bias"]
        mean, log_variance = np.split(found, 2, axis=1)
        return mean, np.clip(log_variance, LOWEST, HIGHEST)


def joined(weights: Weights) -> Floats:
    """Return all weights as one vector."""
    return np.concatenate([array.ravel() for array in weights.values()])


def parted(vector: Floats, like: Weights) -> Weights:
    """Return a vector as weights of the same names and shapes."""
    ends = np.cumsum([array.size for array in like.values()])[:-1]
    parts = zip(like.items(), np.split(vector, ends), strict=True)
    return {name: part.reshape(array.shape) for (name, array), part in parts}


def _log_spread(weights: Weights) -> Floats:
    return np.maximum(weights["spread"], SMALLEST_SPREAD)


def _bound(missed: Floats, spread: Floats, mean: Floats, log_variance: Floats) -> Bound:
    squares = np.square(missed) * np.exp(-2 * spread)
    surprise = (0.5 * squares + spread + 0.5 * np.log(2 * np.pi)).sum(axis=1).mean()
    apart = np.square(mean) + np.exp(log_variance) - 1 - log_variance
    return Bound(float(surprise), float(0.5 * apart.sum(axis=1).mean()))
