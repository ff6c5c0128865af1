"""Loops of plain data, run quickly, for the tests of the audit's laws."""

from __future__ import annotations

import numpy as np

from detector.audits.loop import run
from detector.audits.plan import Plan, Regime
from detector.audits.result import prepare
from detector.data.opening import open_data
from detector.recipes import recipe


def silent(_stage, _done):
    """Tell nobody."""


def chains(data, name="gaussian", regime="replace", *, generations, replicates, **asked):
    """Return the chains of a loop."""
    options = asked.pop("options", {})
    plan = Plan(regime=Regime(regime), generations=generations, replicates=replicates, **asked)
    ground, sized = prepare(open_data(data, name="real"), recipe(name, **options), plan)
    return run(ground, sized, tell=silent)


def training_variance(found):
    """Return what each generation hands on: variance of the next training, first axis."""
    return np.array([[g.training.cov[0, 0] for g in chain.generations] for chain in found])


def off(values, expected, *, axis=0):
    """Return how many standard errors means lie from what is expected."""
    error = values.std(axis=axis, ddof=1) / np.sqrt(values.shape[axis])
    return (values.mean(axis=axis) - expected) / error


def ratio(found):
    """Return the same against the real rows that each chain began with."""
    variance = training_variance(found)
    return variance / variance[:, :1]


def real_variance(data):
    """Return the variance of all real rows in the unit of the first axis."""
    low, high = np.quantile(data[:, 0], [0.25, 0.75])
    return data[:, 0].var() / ((high - low) / 1.349) ** 2
