"""What both classifiers read: pooled ranks of each column, as bins and as normal scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from detector.stats.normal_scores import normal_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.data.encode import Codes

LEVELS = 12
"""Levels of a category that get a score dimension of their own."""

_EDGES = np.concatenate(([0.01], np.arange(1, 30) / 30, [0.99]))
_ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Reference rows followed by candidate rows, blind to which is which.

    Attributes:
        bins: Shape (d, n + m), intp: bin 0 is missing; numbers have bins of equal mass, with
            finer ones in the tails; levels have their code plus 1.
        categorical: Shape (d,), true where bins have no order but that of frequency.
        n_bins: One more than the largest bin.
        scores: Shape (n + m, q), float32: normal scores of numbers and of the indicators of
            frequent levels; each has mean 0, missing is 0 (and has an indicator).
        sources: Shape (q,), the place in `names` that each score came from.
        names: The columns, length d.

    """

    bins: NDArray[np.intp]
    categorical: NDArray[np.bool_]
    n_bins: int
    scores: NDArray[np.float32]
    sources: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Return the number of rows of both sides together."""
        return len(self.scores)


def features(codes: Codes) -> Features:
    """Return the features of both sides of a coded table.

    Ranks make them blind to units and safe with heavy tails; being pooled, they know
    nothing of the sides.
    """
    pooled = np.concatenate((codes.x, codes.y))
    columns = [
        _level_column(values) if is_level else _number_column(values)
        for values, is_level in zip(pooled.T, codes.categorical, strict=True)
    ]
    width = [len(scores) for _, scores in columns]
    scores = [score for _, own in columns for score in own]
    bins = np.array([own for own, _ in columns], np.intp).reshape(len(columns), len(pooled))
    return Features(
        bins=bins,
        categorical=codes.categorical,
        n_bins=int(bins.max(initial=0)) + 1,
        scores=np.array(scores, np.float32).reshape(len(scores), len(pooled)).T.copy(),
        sources=np.repeat(np.arange(len(columns)), width),
        names=codes.names,
    )


def with_numbers(plain: Features, values: NDArray[np.float64], names: tuple[str, ...]) -> Features:
    """Return the features with further columns of numbers behind them.

    Args:
        plain: The features so far.
        values: Shape (n + m, k), finite, made without knowing which rows are whose.
        names: What to call them, length k.

    """
    made = [_number_column(column) for column in values.T]
    scores = [score for _, own in made for score in own]
    width = [len(own) for _, own in made]
    bins = np.array([own for own, _ in made], np.intp).reshape(len(made), plain.rows)
    columns = np.array(scores, np.float32).reshape(len(scores), plain.rows).T
    places = len(plain.names) + np.arange(len(made))
    return Features(
        bins=np.concatenate((plain.bins, bins)),
        categorical=np.concatenate((plain.categorical, np.zeros(len(made), bool))),
        n_bins=max(plain.n_bins, int(bins.max(initial=0)) + 1),
        scores=np.hstack((plain.scores, columns)),
        sources=np.concatenate((plain.sources, np.repeat(places, width))),
        names=plain.names + names,
    )


def _number_column(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.intp], list[NDArray[np.float64]]]:
    missing = np.isnan(values)
    scores = normal_scores(values).scores
    bins = np.where(missing, 0, 1 + np.searchsorted(_EDGES, ndtr(scores)))
    own = [scores] if scores.any() else []
    if missing.any() and not missing.all():
        own.append(_indicator(missing))
    return bins, own


def _level_column(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.intp], list[NDArray[np.float64]]]:
    levels = np.where(np.isnan(values), -1, values).astype(np.intp)
    found = np.unique(levels)
    if len(found) <= 2:
        found = found[1:]  # a constant tells nothing; of two levels one mirrors the other
    return levels + 1, [_indicator(levels == level) for level in found if level < LEVELS]


def _indicator(held: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the normal scores of 0 and 1, both present, without sorting."""
    share = held.mean()
    density = np.exp(-0.5 * ndtri(share) ** 2) / _ROOT_TWO_PI
    return np.where(held, density / share, -density / (1 - share))
