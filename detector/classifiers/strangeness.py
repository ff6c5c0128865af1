"""How strange a row is among trusted rows, by scores for which conformal p-values hold.

Four views of a row: its most unusual column; the column that fits the other ones worst (by a linear
rule on normal scores and their squares); its distance to its nearest trusted rows; and the log
odds of boosted trees that tell trusted rows from *mixed* ones by columns and by the other views.
Mixed rows are further trusted rows, by which scores are calibrated, and rows in question, together
and without a mark. The trees are fitted in two folds, so that no row is scored by trees that have
seen its like. Every part treats mixed rows alike, so the scores of rows in question that come
from the trusted law are exchangeable with those of the calibrating rows: that is all that
conformal p-values need.

Source: Marandon, Lei, Mary and Roquain (2024), Annals of Statistics 52, for classifiers that are
trained on mixed rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.classifiers.frozen import Frozen

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.classifiers.frozen import Encoded
    from detector.data.schema import Schema

    Numbers = NDArray[np.float64]

VIEWS = ("column", "misfit", "far")
"""What makes a row strange, in the order of the views."""

FOLDS = 2
PARTS = 4
ANCHORS = 2_048
ROUNDS = 40
LEAVES = 8
RATE = 0.15
SHRINKAGE = 5.0
LEAST = 10
_CUTS = np.arange(1, 16) / 16
_RIDGE = 0.05
_BLOCK = 4_096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixed:
    """Mixed rows from which the trees learn.

    Attributes:
        rows: k rows in canonical Arrow types.
        count: How often each enters, shape (k,).
        fold: The fold of each, a function of its content, shape (k,), 0 or 1.

    """

    rows: pa.Table
    count: NDArray[np.int64]
    fold: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strangeness:
    """A fitted score of rows.

    Attributes:
        frozen: The scales, frozen by trusted rows.
        anchors: Scores of trusted rows that distances are measured to, shape (a, q).
        precision: Inverse covariance of trusted scores, shape (q, q).
        usual: The views that one trusted row in a hundred exceeds, shape (3,).
        most: The largest view of any trusted row, shape (3,).
        residuals: What one trusted row in two hundred exceeds of each residual, shape (q,).
        crowd: Where each column holds more mixed rows than trusted ones.
        models: One forest for each fold, fitted to the rows of the other one.

    """

    frozen: Frozen
    anchors: NDArray[np.float32]
    precision: NDArray[np.float32]
    usual: Numbers
    most: Numbers
    residuals: Numbers
    crowd: _Crowd
    models: tuple[Any, ...]

    @classmethod
    def fit(cls, trusted: pa.Table, mixed: Mixed, schema: Schema) -> Strangeness | None:
        """Fit everything; None where trusted rows do not vary in any column.

        Args:
            trusted: Trusted rows that calibrate nothing.
            mixed: Calibrating rows and rows in question.
            schema: The columns to use.

        """
        frozen = Frozen.of(trusted, schema)
        own, other = frozen.encode(trusted), frozen.encode(mixed.rows)
        if not other.codes.size or not (np.ptp(own.scores, axis=0) > 0).any():
            return None
        anchors, precision = (
            own.scores[:ANCHORS],
            _precision(_bent(own.scores), columns=own.scores.shape[1]),
        )
        residuals = np.maximum(
            np.quantile(np.abs(_bent(own.scores) @ precision), 0.995, axis=0), 1e-6
        )
        held = _views(own, anchors, precision, residuals, own_anchors=len(anchors))
        return cls(
            frozen=frozen,
            anchors=anchors,
            precision=precision,
            usual=np.quantile(held, 0.99, axis=0),
            most=held.max(axis=0),
            residuals=residuals,
            crowd=_Crowd.of(own.codes, other.codes, mixed.count),
            models=_models(
                (own.codes, held),
                (other.codes, _views(other, anchors, precision, residuals)),
                mixed,
            ),
        )

    def views(self, rows: Encoded) -> Numbers:
        """Return the views of encoded rows, shape (rows, 3), higher is stranger."""
        return _views(rows, self.anchors, self.precision, self.residuals)

    def score(self, rows: Encoded, views: Numbers, fold: NDArray[np.intp]) -> Numbers:
        """Return the score of each row, shape (rows,).

        The log odds of the trees, and what the views have beyond those of all trusted rows:
        trees cannot tell a handful of rows from the next strangest ones.
        """
        beyond = np.maximum(0.0, self.beyond(views) - 1.0)
        size = 1.0 + np.abs(self.most)
        odds = np.zeros(len(fold))
        for number, model in enumerate(self.models):
            own = fold == number
            if model is not None and own.any():
                odds[own] = _decision(model, rows.codes[own], views[own])
        found: Numbers = odds + beyond.sum(axis=1) + 1e-3 * np.tanh(views / size).sum(axis=1)
        return found

    def beyond(self, views: Numbers) -> Numbers:
        """Return views from 0, what one trusted row in a hundred exceeds, to 1, what none does."""
        scale = np.maximum(self.most - self.usual, 1e-3 * (1.0 + np.abs(self.most)))
        found: Numbers = (views - self.usual) / scale
        return found

    def misfits(self, rows: Encoded) -> Numbers:
        """Return how far each dimension lies from what the other ones say, shape (rows, q).

        The residual of a regression on all other scores, read off the precision matrix; 1 is
        what one trusted row in two hundred exceeds.
        """
        found: Numbers = np.abs(_bent(rows.scores) @ self.precision) / self.residuals
        return found


def nearest(
    rows: NDArray[np.float32], anchors: NDArray[np.float32], *, parts: int = 1, own: int = 0
) -> NDArray[np.float32]:
    """Return the root mean square difference to the nearest anchor, shape (n,).

    Args:
        rows: Shape (n, q).
        anchors: Shape (a, q), a > own.
        parts: The mean over this many parts of the anchors, which is less of a lottery.
        own: The first so many rows are the first anchors, and not their own neighbors.

    Cost: O(n a q) time, in blocks of bounded memory.
    """
    found = np.zeros(len(rows), np.float32)
    cuts = np.linspace(0, len(anchors), min(parts, len(anchors)) + 1).astype(np.intp)
    norms = np.einsum("ij,ij->i", anchors, anchors)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        squares = norms - 2.0 * (block @ anchors.T)
        itself = np.arange(start, min(start + len(block), own))
        squares[itself - start, itself] = np.inf
        least = np.minimum.reduceat(squares, cuts[:-1], axis=1)
        least += np.einsum("ij,ij->i", block, block)[:, None]
        found[start : start + _BLOCK] = np.sqrt(np.maximum(least, 0.0)).mean(axis=1)
    return found / np.float32(np.sqrt(max(1, rows.shape[1])))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Crowd:
    """The log of how much more mixed than trusted rows there are, by cell of each dimension."""

    edges: tuple[Numbers, ...]
    logs: tuple[Numbers, ...]

    @classmethod
    def of(
        cls, trusted: NDArray[np.float32], mixed: NDArray[np.float32], count: NDArray[np.int64]
    ) -> _Crowd:
        edges, logs = [], []
        sides = (np.ones(len(trusted)), count.astype(np.float64))
        for own, other in zip(trusted.T, mixed.T, strict=True):
            known = own[~np.isnan(own)].astype(np.float64)
            cuts = np.unique(np.quantile(known, _CUTS)) if len(known) else known
            shares = [
                (np.bincount(_cells(cuts, side), held, len(cuts) + 2) + 1.0) / (held.sum() + 1.0)
                for side, held in zip((own, other), sides, strict=True)
            ]
            edges.append(cuts)
            logs.append(np.log(shares[1] / shares[0]))
        return cls(edges=tuple(edges), logs=tuple(logs))

    def excess(self, codes: NDArray[np.float32]) -> Numbers:
        """Return the excess of mixed rows where each value lies, shape (rows, d)."""
        columns = zip(self.edges, self.logs, codes.T, strict=True)
        return np.column_stack([logs[_cells(cuts, own)] for cuts, logs, own in columns])


def _cells(cuts: Numbers, values: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the cell of each value; missing has the last one."""
    found = np.searchsorted(cuts, values, side="left")
    return np.where(np.isnan(values), len(cuts) + 1, found)


def _bent(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return scores with their squares behind them, so that bent relations show as well."""
    return np.hstack((scores, (np.square(scores) - 1.0).clip(-1, 8)))


def _precision(scores: NDArray[np.float32], *, columns: int) -> NDArray[np.float32]:
    centered = scores.astype(np.float64)
    centered -= centered.mean(axis=0)
    covariance = centered.T @ centered / len(centered)
    found = np.linalg.inv(covariance + _RIDGE * np.eye(len(covariance)))
    return found[:, :columns].astype(np.float32)


def nearest_exactly(rows: NDArray[np.float32], anchors: NDArray[np.float32]) -> Numbers:
    """Return `nearest` without the error of float32 sums, shape (n,), float64."""
    found = np.zeros(len(rows))
    norms = np.einsum("ij,ij->i", anchors, anchors)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        place = np.argmin(norms - 2.0 * (block @ anchors.T), axis=1)
        apart = block.astype(np.float64) - anchors[place]
        found[start : start + _BLOCK] = np.sqrt(np.square(apart).mean(axis=1))
    return found


def _views(
    rows: Encoded,
    anchors: NDArray[np.float32],
    precision: NDArray[np.float32],
    residuals: Numbers,
    *,
    own_anchors: int = 0,
) -> Numbers:
    distance = nearest(rows.scores, anchors, parts=PARTS, own=own_anchors)
    misfit = (np.abs(_bent(rows.scores) @ precision) / residuals).max(axis=1)
    return np.column_stack((rows.surprise.max(axis=1), misfit, distance)).astype(np.float64)


def _models(
    trusted: tuple[NDArray[np.float32], Numbers],
    other: tuple[NDArray[np.float32], Numbers],
    mixed: Mixed,
) -> tuple[Any, ...]:
    """Return one forest for each fold; None where the other fold holds too few rows."""
    rows = np.hstack(trusted).astype(np.float32), np.hstack(other).astype(np.float32)
    return tuple(_forest(*rows, mixed.count, mixed.fold != number) for number in range(FOLDS))


def _forest(
    trusted: NDArray[np.float32],
    mixed: NDArray[np.float32],
    count: NDArray[np.int64],
    learned: NDArray[np.bool_],
) -> Any:
    """Return boosted trees that tell trusted from mixed rows; more of a view is never less odd."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    copies = np.repeat(np.flatnonzero(learned), count[learned])
    if len(copies) < 2 * LEAST:
        return None
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST,
        l2_regularization=SHRINKAGE,
        monotonic_cst=[0] * (trusted.shape[1] - len(VIEWS)) + [1] * len(VIEWS),
        early_stopping=False,
        random_state=0,
    )
    side = np.arange(len(trusted) + len(copies)) >= len(trusted)
    with threadpool_limits(1, user_api="openmp"):
        return model.fit(np.concatenate((trusted, mixed[copies])), side)


def _decision(model: Any, codes: NDArray[np.float32], views: Numbers) -> Numbers:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        stacked = np.hstack((codes, views.astype(np.float32)))
        return np.asarray(model.decision_function(stacked), np.float64)
