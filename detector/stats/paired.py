"""Two models on the same test rows: the change of a mean, with all that it varies by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from detector.stats.proportions import SMALLEST_P

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_BEYOND = 1e6
"""Standard errors that a change counts for where nothing varies."""


class Change(NamedTuple):
    """One side's mean score, minus the other's.

    Attributes:
        reference: Mean score of models of the reference.
        candidate: Mean score of models of the candidate.
        value: Candidate minus reference.
        interval: 95 %, for test rows and training rows drawn anew.
        below: One-sided p-value of a change below zero, in (0, 1].
        above: One-sided p-value of a change above zero, in (0, 1].
        error: Standard error of the value.

    """

    reference: float
    candidate: float
    value: float
    interval: tuple[float, float]
    below: float
    above: float
    error: float


def paired_change(
    reference: Numbers,
    candidate: Numbers,
    *,
    rng: np.random.Generator,
    units: NDArray[np.int64] | None = None,
    resamples: int = 999,
) -> Change:
    """Compare scores on the same test rows, over models of resampled training rows.

    Test rows are resampled in pairs: both sides' scores of a row stay together. A model varies with
    its training rows as well. The spread of the refits tells by how much; their mean shares the
    rows that were resampled, and so keeps that variance, and a part for there being few refits.

    Args:
        reference: Score of each test row by each refit, shape (r, h), r >= 2.
        candidate: The same of the other side, shape (r, h).
        rng: Draws the resamples.
        units: The cluster of each test row, shape (h,); None where rows stand alone.
        resamples: Bootstrap draws of test rows.

    Source: Satterthwaite (1946), Biometrics Bulletin 2, for the degrees of freedom.
    """
    refits, rows = reference.shape
    gain = candidate.mean(axis=0) - reference.mean(axis=0)
    _, place = np.unique(np.arange(rows) if units is None else units, return_inverse=True)
    sums, held = np.bincount(place, weights=gain), np.bincount(place)
    drawn = rng.multinomial(len(held), np.full(len(held), 1 / len(held)), resamples)
    of_rows = float(((drawn @ sums) / np.maximum(drawn @ held, 1)).std(ddof=1))
    of_training = [
        float(side.mean(axis=1).var(ddof=1)) * (1 + 1 / refits) for side in (reference, candidate)
    ]
    variances = np.array([of_rows**2, *of_training])
    error = math.sqrt(float(variances.sum()))
    # Satterthwaite's degrees of freedom: few refits count as far as the models vary.
    free = np.array([max(len(held) - 1, 1), refits - 1, refits - 1])
    freedom = error**4 / float((variances**2 / free).sum()) if error > 0 else 1.0
    value = float(gain.mean())
    reach = float(stdtrit(freedom, 0.975)) * error
    below, above = _tails(value, error, freedom)
    return Change(
        reference=float(reference.mean()),
        candidate=float(candidate.mean()),
        value=value,
        interval=(value - reach, value + reach),
        below=below,
        above=above,
        error=error,
    )


def _tails(value: float, error: float, freedom: float) -> tuple[float, float]:
    """Return the chances of a value as low, and as high, were there no change."""
    score = value / error if error > 0 else float(np.sign(value)) * _BEYOND
    low, high = (float(stdtr(freedom, side)) for side in (score, -score))
    return max(low, SMALLEST_P), max(high, SMALLEST_P)
