"""Real or candidate? Rows scored by models that were fitted to other rows.

Rows are cut at random into blocks, groups of clustered rows kept whole. The models fitted
to the first blocks score the next block, and so on. Given what came before, the sides of a
block's rows are exchangeable when nothing distinguishes them; so each block's area has mean
0.5 and a known variance, the blocks' deviations are a martingale, and their sum is an honest
test. (Scores of ordinary cross-validation are not: each row then trains the models that
score the rows that trained its own.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import erfcx

from detector.classifiers import boosting, polynomial
from detector.stats.auc import Stratum, auc, placements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.classifiers.boosting import Boosting
    from detector.classifiers.features import Features
    from detector.classifiers.polynomial import Polynomial
    from detector.stats.auc import Auc

    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int64]

FIRST = 0.25
"""The share of rows in block 0, which only trains."""

BLOCKS = 4
"""Blocks after it, each of which is scored and then trains."""

LEARNERS = ("polynomial", "boosting")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Models:
    """One model of each learner, and how much each one's score counts.

    Attributes:
        polynomial: The linear rule on products of columns.
        boosting: The boosted trees.
        weights: Shape (2,): of the two scores, each in its own spread.

    """

    polynomial: Polynomial
    boosting: Boosting
    weights: Numbers

    def scores(self, features: Features, rows: Mask) -> Numbers:
        """Return each learner's score of these rows, in spreads, shape (2, rows)."""
        both = self.raw(features.scores[rows], features.bins[:, rows])
        both -= both.mean(axis=1, keepdims=True)
        both /= spread(both)
        return both

    def raw(self, scores: NDArray[np.float32], bins: NDArray[np.intp]) -> Numbers:
        """Return each learner's score of rows given as scores and as bins, shape (2, rows)."""
        return np.vstack((self.polynomial.score(scores), self.boosting.score(bins)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossFit:
    """What came of scoring the blocks in turn.

    Attributes:
        combined: The area of the weighted sum of both learners' scores.
        learners: The area of each learner's own scores, by name.
        candidate: Shape (rows,): which rows are the candidate's.
        block: Shape (rows,): the block of each row.
        placement: Shape (rows,): the share of its block's reference rows that score below
            the row, ties counting half; NaN in block 0. Uniform when nothing differs.
        models: Those that scored the last block.

    """

    combined: Auc
    learners: dict[str, Auc]
    candidate: Mask
    block: Codes
    placement: Numbers
    models: Models


def cross_fit(
    features: Features,
    candidate: Mask,
    *,
    rng: np.random.Generator,
    groups: Codes | None = None,
) -> CrossFit | None:
    """Score the blocks in turn and return the areas; None when no block has both sides.

    Args:
        features: Of all rows, blind to the sides.
        candidate: Shape (rows,): which rows are the candidate's.
        rng: Draws the blocks.
        groups: Group of each row, shape (rows,), or None where rows stand alone.

    """
    block = blocks(candidate, groups, rng=rng)
    placement = np.full(len(candidate), np.nan)
    strata: list[list[Stratum]] = []
    seen, information = np.zeros(len(LEARNERS)), 0.0
    models = None
    for number in range(1, BLOCKS + 1):
        fitted, held = block < number, block == number
        if not _both(candidate[fitted]) or not _both(candidate[held]):
            continue
        models = fit(features, candidate, fitted, weights=learner_weights(seen, information))
        scores = models.scores(features, held)
        side = candidate[held]
        rate = 1 / (1 / side.sum() + 1 / (~side).sum())
        both = np.vstack((models.weights @ scores, scores))
        weight = rate * np.sqrt(np.mean(fitted))
        own = None if groups is None else groups[held]
        strata.append([_stratum(score, side, weight, own) for score in both])
        placement[held] = placements(both[0][~side], both[0])
        seen += rate * (scores[:, side].mean(axis=1) - scores[:, ~side].mean(axis=1))
        information += rate
    if models is None:
        return None
    areas = [auc(parts) for parts in zip(*strata, strict=True)]
    return CrossFit(
        combined=areas[0],
        learners=dict(zip(LEARNERS, areas[1:], strict=True)),
        candidate=candidate,
        block=block,
        placement=placement,
        models=models,
    )


def fit(features: Features, candidate: Mask, rows: Mask, *, weights: Numbers) -> Models:
    """Fit both learners to these rows."""
    side = candidate[rows]
    return Models(
        polynomial=polynomial.fit(features.scores[rows], side),
        boosting=boosting.fit(features.bins[:, rows], side, categorical=features.categorical),
        weights=weights,
    )


def row_scores(found: CrossFit, features: Features) -> Numbers:
    """Return one score for every candidate row, in candidate order, none from its own model.

    A score is the share of reference rows that look less like the candidate's: 0.99 means
    that 99 in 100 reference rows look more real. Block 0, which no model has scored so
    far, is scored by models fitted to the other blocks.
    """
    first = found.block == 0
    placement: Numbers = found.placement.copy()
    if _both(found.candidate[first]):
        models = fit(features, found.candidate, ~first, weights=found.models.weights)
        score = models.weights @ models.scores(features, first)
        placement[first] = placements(score[~found.candidate[first]], score)
    return placement[found.candidate]


def blocks(candidate: Mask, groups: Codes | None, *, rng: np.random.Generator) -> Codes:
    """Return a block for each row, 0 to BLOCKS, each with its share of either side.

    Whole groups are drawn: those of one side only apart from those of both.
    """
    if groups is None:
        unit, kind = np.arange(len(candidate)), candidate.astype(np.int64)
    else:
        _, unit = np.unique(groups, return_inverse=True)
        held = np.bincount(unit, weights=candidate)
        size = np.bincount(unit)
        kind = np.where(held == 0, 0, np.where(held == size, 1, 2))
    rows = np.bincount(unit)
    bounds = FIRST + (1 - FIRST) * np.arange(BLOCKS) / BLOCKS
    block: Codes = np.zeros(len(rows), np.int64)
    for which in np.unique(kind):
        drawn = rng.permutation(np.flatnonzero(kind == which))
        middle = np.cumsum(rows[drawn]) - rows[drawn] / 2
        block[drawn] = np.searchsorted(bounds, middle / rows[drawn].sum(), side="right")
    of_row: Codes = block[unit]
    return of_row


def spread(scores: Numbers) -> Numbers:
    """Return each row's standard deviation, 1 where nothing varies, shape (k, 1)."""
    found: Numbers = scores.std(axis=1, keepdims=True)
    found[found == 0] = 1.0
    return found


def learner_weights(seen: Numbers, information: float) -> Numbers:
    """Return how much each learner counts: its likely effect, judged by earlier blocks only.

    With an effect seen with normal error and none below zero, its mean is the one of a
    normal law cut at zero. Without earlier blocks both count alike.
    """
    if information == 0:
        return np.ones(len(seen))
    error = 1 / np.sqrt(information)
    z = seen / information / error
    # The density over the distribution function of a normal law, without underflow.
    hazard = np.sqrt(2 / np.pi) / erfcx(-z / np.sqrt(2))
    weights: Numbers = error * (z + hazard)
    weights /= weights.max()
    return weights


def _stratum(score: Numbers, side: Mask, weight: float, groups: Codes | None) -> Stratum:
    return Stratum(
        x=score[~side],
        y=score[side],
        weight=float(weight),
        x_groups=None if groups is None else groups[~side],
        y_groups=None if groups is None else groups[side],
    )


def _both(side: Mask) -> bool:
    return bool(side.any() and not side.all())
