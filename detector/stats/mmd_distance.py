"""How far apart two samples are under a kernel, from 0 (one law) to 1 (nothing in common)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.stats.proportions import Z_80, Z_95
from detector.stats.random_features import FeatureSums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.stats.kernels import KernelSums

    Numbers = NDArray[np.float64]

_TINY = 1e-12


class Distance(NamedTuple):
    """The normalized maximum mean discrepancy, 0 to 1.

    value: Square root of ||p - q||^2 / (||p||^2 + ||q||^2), p and q the mean features of
        the two laws under the mean of all kernels. Its square is the share of the likeness
        of two random rows that is lost when they come from different sides; it is
        estimated without bias, and 0 where the estimate is negative.
    interval: A 95 % interval; its low end is 0 where the laws may be one.
    detectable: The value that this kernel's own test sees with 80 % power at 0.05.
    """

    value: float
    interval: tuple[float, float]
    detectable: float


class Means(NamedTuple):
    """Mean features of all rows of each side, where the units hold a sample of them.

    reference: Shape (k, 2 f).
    candidate: Shape (k, 2 f).
    rows: All rows of each side.
    """

    reference: Numbers
    candidate: Numbers
    rows: tuple[int, int]


def distance_of(
    sums: KernelSums | FeatureSums,
    held: Numbers,
    candidate: NDArray[np.bool_],
    null: Numbers,
    *,
    means: Means | None = None,
) -> Distance:
    """Measure the distance of two laws.

    The estimate is a squared norm whose own noise is subtracted. Its variance has a part
    that is there without a difference (from the relabelings) and a part that grows with it
    (from how each unit leans towards the difference). The interval holds the values that
    would make the estimate likely, both parts taken at that value, so it is honest at,
    near and far from no difference.

    Args:
        sums: Features or kernels summed over units.
        held: Rows in each unit, shape (units,).
        candidate: Whether each unit is the candidate's, shape (units,).
        null: Squared MMD of the mean kernel under relabelings, shape (b,), already at the
            number of rows in `means`.
        means: Mean features of all rows; without them the units hold all rows.

    """
    sides = [np.where(side, held, 0.0) for side in (~candidate, candidate)]
    sampled = [side.sum() for side in sides]
    own = np.array([(side > 0) / rows for side, rows in zip(sides, sampled, strict=True)])
    inside = sums.against(own.T.astype(np.float32))
    if means is None:
        gaps = (own[1] - own[0])[:, None].astype(np.float32)
        leans = np.column_stack((sums.against(gaps), inside))
        norms = [float(own[0] @ inside[:, 0]), float(own[1] @ inside[:, 1])]
        squared = float((own[1] - own[0]) @ leans[:, 0])
        shrunk = [1.0, 1.0]
    else:
        gap = means.candidate - means.reference
        leans = _project(sums, np.stack((gap, means.reference, means.candidate), axis=1))
        norms = [_norm(means.reference), _norm(means.candidate)]
        squared = _norm(gap)
        shrunk = [rows / whole for rows, whole in zip(sampled, means.rows, strict=True)]
    noise = [_trace(sums.squares(), inside[:, i], held, own[i]) * shrunk[i] for i in (0, 1)]
    whole = max(norms[0] + norms[1] - sum(noise), _TINY)
    share = (squared - sum(noise)) / whole
    spread = 0.0
    for i, sign in enumerate((-1.0, 1.0)):
        lean = 2 * (sign * leans[:, 0] - share * leans[:, 1 + i]) / whole
        spread += _variance(lean, held, own[i]) * shrunk[i]
    still = float(null.var()) / whole**2
    low, high = _likely(share, still=still, growing=spread - 2 * still, usual=_growth(null) / whole)
    return Distance(
        value=_root(share),
        interval=(_root(low), _root(high)),
        detectable=_root(_detectable(null) / whole),
    )


def _likely(share: float, *, still: float, growing: float, usual: float) -> tuple[float, float]:
    """Return the t with (share - t)^2 at most 1.96^2 (still + rate t): a 95 % interval.

    The rate at which variance grows is what was seen, leaning towards the usual rate where
    there is too little of a difference to see any.

    Args:
        share: The estimate.
        still: Its variance without a difference.
        growing: How much more its variance was seen to be.
        usual: The rate along a direction as noisy as the average one.

    """
    doubt = float(np.sqrt(still))
    rate = (max(growing, 0.0) + usual * doubt) / (max(share, 0.0) + doubt + _TINY)
    half = Z_95**2 * rate / 2
    reach = float(np.sqrt(half**2 + Z_95**2 * max(rate * share + still, 0.0)))
    return share + half - reach, share + half + reach


def _variance(lean: Numbers, held: Numbers, own: Numbers) -> float:
    """Return the variance of the mean of leanings over one side's rows, unit by unit."""
    apart = own * (lean - held * (own @ lean))
    units = int((own > 0).sum())
    return float(apart @ apart) * units / max(units - 1, 1)


def _trace(squares: Numbers, inside: Numbers, held: Numbers, own: Numbers) -> float:
    """Return the total variance of one side's mean features, unit by unit."""
    norm = own @ inside
    apart = squares - 2 * held * inside + held**2 * norm
    units = int((own > 0).sum())
    return float(own**2 @ apart) * units / max(units - 1, 1)


def _growth(null: Numbers) -> float:
    """Return how fast the variance of a squared norm grows with it, in an average direction."""
    return 2 * float(null.var()) / max(float(null.mean()), _TINY)


def _detectable(null: Numbers) -> float:
    """Return the squared MMD that a test on the mean kernel sees with 80 % power at 0.05."""
    critical = float(np.quantile(null, 0.95) - null.mean())
    half = critical + Z_80**2 * _growth(null) / 2
    return half + float(np.sqrt(max(half**2 - critical**2 + Z_80**2 * float(null.var()), 0.0)))


def _project(sums: KernelSums | FeatureSums, points: Numbers) -> Numbers:
    if not isinstance(sums, FeatureSums):
        raise TypeError("exact kernels have no features to project")
    return sums.project(points)


def _norm(features: Numbers) -> float:
    return float(np.einsum("kf,kf->k", features, features).mean())


def _root(share: float) -> float:
    return float(np.sqrt(min(max(share, 0.0), 1.0)))
