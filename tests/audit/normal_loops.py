"""Loops of a normal distribution as plain arrays: no recipe, no table, so thousands are cheap."""

from __future__ import annotations

import numpy as np

from detector.audits.alarm import healthy_band, judge_path
from detector.audits.composed import Steps
from detector.audits.lens import moments
from detector.audits.null import _relative, draws_of


def drawn(mean, root, rows, rng):
    return mean + rng.standard_normal((rows, len(mean))) @ root.T


def model(rows):
    found = moments(rows)
    return found.mean, np.linalg.cholesky(found.cov)


def path(real, regime, *, rows, generations, rng):
    """Return log determinants of what each generation hands on, shape (generations + 1,)."""
    order = rng.permutation(len(real))
    training, stock = real[order[:rows]], order[rows:]
    found = [np.linalg.slogdet(moments(training).cov)[1]]
    for generation in range(generations):
        made = drawn(*model(training), rows, rng)
        if regime == "replace":
            training = made
        elif regime == "accumulate":
            training = np.vstack([training, made])
        else:
            half = rows // 2
            new = stock[half * generation : half * (generation + 1)]
            training = np.vstack([real[new], made[: rows - half]])
        found.append(np.linalg.slogdet(moments(training).cov)[1])
    return np.array(found)


def steps(real, *, rows, refits, rng):
    """Return the steps of refits on real rows."""
    parts = []
    for _ in range(refits):
        first = real[rng.permutation(len(real))[:rows]]
        made = drawn(*model(first), rows, rng)
        before = moments(first)
        parts.append(
            (*_relative(before, moments(made)), *_relative(before, moments(made[: rows // 2])))
        )
    return Steps(
        **dict(
            zip(
                ("mean", "cov", "half_mean", "half_cov"),
                map(np.stack, zip(*parts, strict=True)),
                strict=True,
            )
        )
    )


def alarm(
    regime, *, rows=100, columns=10, generations=30, replicates=1, real=2000, seed=0, refits=40
):
    """Return what one whole audit of a normal loop says."""
    rng = np.random.default_rng([seed, 17])
    data = rng.standard_normal((real, columns))
    paths = np.array(
        [path(data, regime, rows=rows, generations=generations, rng=rng) for _ in range(replicates)]
    )
    bank = steps(data, rows=rows, refits=refits, rng=rng)
    draws = draws_of(data, rows=rows, rng=rng)
    mean = paths.mean(axis=0)
    asked = {"replicates": replicates, "rng": rng}
    band = healthy_band(mean, bank, draws, **asked)
    return judge_path(mean, band, bank, draws, **asked)
