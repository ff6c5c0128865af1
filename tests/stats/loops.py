"""Loops of a normal law with known laws of their own, many chains at once."""

from __future__ import annotations

import numpy as np


def log_det_steps(chains: int, generations: int, *, rows: int, columns: int, rng):
    """Return steps of the log-determinant under `replace`, shape (chains, generations).

    Each generation multiplies the determinant by independent chi-squared variables over n.
    """
    freedom = rows - 1 - np.arange(columns)
    draws = rng.chisquare(freedom, (chains, generations, columns))
    return np.log(draws / rows).sum(axis=-1)


def gaussian_loop(
    chains: int, generations: int, *, rows: int, columns: int, regime: str, share: float, rng
):
    """Return log-determinants of fitted covariances over that of generation 0.

    Shape (chains, generations + 1). `regime` is replace, accumulate, subsample or fresh; `share`
    is that of new real rows.
    """
    train = rng.standard_normal((chains, rows, columns))
    pool, path = train, []
    for _ in range(generations + 1):
        mean = train.mean(axis=1, keepdims=True)
        centred = train - mean
        spread = np.einsum("cni,cnj->cij", centred, centred) / train.shape[1]
        path.append(np.linalg.slogdet(spread)[1])
        noise = rng.standard_normal((chains, rows, columns))
        drawn = mean + noise @ np.linalg.cholesky(spread).transpose(0, 2, 1)
        train = drawn
        if regime in {"accumulate", "subsample"}:
            train = pool = np.concatenate((pool, drawn), axis=1)
        if regime == "subsample":
            order = rng.random(pool.shape[:2]).argsort(axis=1)[:, :rows, None]
            train = np.take_along_axis(pool, order, axis=1)
        if regime == "fresh":
            new = int(share * rows)
            real = rng.standard_normal((chains, new, columns))
            train = np.concatenate((drawn[:, new:], real), axis=1)
    levels = np.stack(path, axis=1)
    return levels - levels[:, :1]
