"""Distributions of rules: the value at each position between 0 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from generators.rules.model import Shape

    Numbers = NDArray[np.float64]

EDGE = 1e-9
"""Positions keep this distance from 0 and 1, so that every value is finite."""


def values_at(shape: Shape, positions: Numbers, levels: Sequence[str] | None) -> Numbers:
    """Return the value of a distribution at each position.

    Args:
        shape: The distribution.
        positions: Shape (n,), or (n, width) for a vector.
        levels: The levels of a column of levels, whose numbers are returned; None for others.

    """
    positions = np.clip(positions, EDGE, 1.0 - EDGE)
    if shape.distribution == "keys":
        return np.zeros(len(positions))
    if levels is not None:
        return _levels(shape, positions, levels)
    found = _numbers(shape.distribution, shape.given, positions)
    step, low = shape.given.get("step", 0), shape.given.get("low", 0.0)
    if step:
        found = np.round(low + np.rint((found - low) / step) * step, 9)
    lowest, highest = shape.given.get("low", -np.inf), shape.given.get("high", np.inf)
    return np.clip(found, lowest, highest)


def levels_of(shapes: Sequence[Shape]) -> tuple[str, ...]:
    """Return all levels that these distributions name, in the order of their first mention."""
    named: dict[str, None] = {}
    for shape in shapes:
        values = shape.given.get("values", [shape.given[k] for k in ("value",) if k in shape.given])
        named |= dict.fromkeys(str(value) for value in values)
    return tuple(named)


def _numbers(distribution: str, given: Mapping[str, Any], positions: Numbers) -> Numbers:
    from scipy.special import ndtri

    mean, spread = (np.asarray(given.get(k, 0.0), np.float64) for k in ("mean", "spread"))
    match distribution:
        case "uniform":
            found = given["low"] + positions * (given["high"] - given["low"])
        case "normal":
            found = mean + spread * ndtri(positions)
        case "lognormal":
            found = np.exp(np.minimum(mean + spread * ndtri(positions), 700.0))
        case "exponential":
            found = given.get("low", 0.0) - mean * np.log1p(-positions)
        case "poisson":
            from scipy.stats import poisson

            found = poisson.ppf(positions, mean)
        case "quantiles":
            values = np.sort(np.asarray(given["values"], np.float64))
            found = np.interp(positions, np.linspace(0.0, 1.0, len(values)), values)
        case "choice":
            found = np.asarray(given["values"], np.float64)[_chosen(given, positions)]
        case _:
            found = np.broadcast_to(np.asarray(given["value"], np.float64), positions.shape).copy()
    return np.asarray(found, np.float64)


def _levels(shape: Shape, positions: Numbers, levels: Sequence[str]) -> Numbers:
    """Return the number of the level at each position."""
    places = {name: place for place, name in enumerate(levels)}
    if shape.distribution == "constant":
        return np.full(len(positions), float(places[str(shape.given["value"])]))
    table = np.array([places[str(value)] for value in shape.given["values"]], np.float64)
    return table[_chosen(shape.given, positions)]


def _chosen(given: Mapping[str, Any], positions: Numbers) -> NDArray[np.int64]:
    """Return the place of the value that is chosen at each position."""
    weights = np.asarray(given.get("weights", [1.0] * len(given["values"])), np.float64)
    edges = np.cumsum(weights / weights.sum())[:-1]
    return np.searchsorted(edges, positions, side="right")
