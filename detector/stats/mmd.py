"""Do two samples of rows come from one law? A kernel test over many bandwidths at once.

The maximum mean discrepancy (MMD) of a kernel is the distance between the mean features of
two samples (Gretton et al. 2012, JMLR 13). Each bandwidth of a ladder is measured on the same
relabelings of rows and put on the scale of its own null law; the least likely one, weighed by
how much its kernel varies at all, is the statistic, and its rank among the relabelings the
p-value. In the spirit of MMDAgg (Schrab et al. 2023, JMLR 24) and MMD-FUSE (Biggs, Schrab and
Gretton 2023, NeurIPS); `benchmarks/power_mmd.py` compares their power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from detector.stats.clusters import relabel
from detector.stats.handfuls import CALIBRATION, mean_differences, relabel_handfuls
from detector.stats.kernels import KernelSums, Ladder, choose_ladder, sum_kernels
from detector.stats.mmd_distance import Distance, Means, distance_of
from detector.stats.random_features import FeatureSums, frequencies, sum_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.stats.clusters import Relabeling

    Rows = NDArray[np.float32]
    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int64]

EXACT_ROWS = 4096
"""Pooled rows up to which the kernels are exact."""

FREQUENCIES = 256
"""Random frequencies beyond that: enough that power is that of the exact kernels."""

_MOST_UNITS = 1500
_LEAST_SKEW = 0.05


class MmdTest(NamedTuple):
    """What the test found.

    p_value: In (0, 1].
    distance: How far apart the two laws are, with its interval.
    strengths: Each kernel's distance from its null mean in null standard deviations, (k,).
    loudest: The place of the kernel that spoke.
    bandwidths: Of the kernels, wide to narrow, shape (k,).
    exact: Whether the kernels were exact.
    rows: Rows of each side that entered.
    """

    p_value: float
    distance: Distance
    strengths: Numbers
    loudest: int
    bandwidths: Numbers
    exact: bool
    rows: tuple[int, int]


def mmd_test(
    x: Rows,
    y: Rows,
    *,
    groups: tuple[Codes, Codes] | None = None,
    permutations: int = 999,
    exact_rows: int = EXACT_ROWS,
    count: int = FREQUENCIES,
    rng: np.random.Generator,
) -> MmdTest | None:
    """Test whether two samples come from one law; None when all rows are equal.

    Args:
        x: Reference rows, shape (n, d), finite, on a scale where distances mean something.
        y: Candidate rows, shape (m, d), likewise.
        groups: Group of each row of both sides, shapes (n,) and (m,), where rows are
            clustered: then whole groups change sides.
        permutations: Relabelings, at least 19.
        exact_rows: Pooled rows up to which kernels are exact; beyond, random features.
        count: Random frequencies beyond that.
        rng: The stream to draw from.

    Raises:
        ValueError: The column counts differ, or a sample has under two rows.

    Cost: exact O((n + m)^2 (d + k)), else O((n + m) count (d + k)).

    """
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} columns and y has {y.shape[1]}")
    if min(len(x), len(y)) < 2:
        raise ValueError(f"need two rows on each side, got {len(x)} and {len(y)}")
    rows = np.concatenate((x, y))
    if groups is None:
        kept, drawn = relabel_handfuls(len(x), len(y), permutations=permutations, rng=rng)
        rows = rows[kept]
    else:
        codes = np.concatenate(groups)
        candidate = np.arange(len(rows)) >= len(x)
        drawn = relabel(codes, candidate, permutations=permutations + CALIBRATION, rng=rng)
    return relabeled_test(rows, drawn, exact_rows=exact_rows, count=count, rng=rng)


def relabeled_test(
    rows: Rows, drawn: Relabeling, *, exact_rows: int, count: int, rng: np.random.Generator
) -> MmdTest | None:
    """Test pooled rows on relabelings drawn already; the last `CALIBRATION` only calibrate.

    Args:
        rows: Pooled rows, shape (r, d).
        drawn: Their relabelings.
        exact_rows: As in `mmd_test`.
        count: As in `mmd_test`.
        rng: The stream to draw from.

    """
    rows = (rows - rows.mean(0, dtype=np.float64)).astype(np.float32)
    ladder = choose_ladder(rows[rng.permutation(len(rows))])
    if ladder is None:
        return None
    sums: KernelSums | FeatureSums
    if exact := len(rows) <= exact_rows and drawn.candidate.shape[1] <= _MOST_UNITS:
        sums = sum_kernels(rows, drawn.unit, ladder.bandwidths)
    else:
        frequency = frequencies(rows.shape[1], count, rng)
        sums = sum_features(rows, drawn.unit, ladder.bandwidths, frequency)
    return judge(sums, drawn, ladder)._replace(exact=exact)


def judge(
    sums: KernelSums | FeatureSums,
    drawn: Relabeling,
    ladder: Ladder,
    *,
    means: Means | None = None,
) -> MmdTest:
    """Rank the observed labels among the relabelings, and say how far apart the laws are.

    Args:
        sums: Kernels or features summed over the units of the relabelings.
        drawn: The relabelings; the last `CALIBRATION` only calibrate.
        ladder: The kernels.
        means: Mean features of all rows where the units hold a sample of them: then the
            relabelings, which show the noise of the sample, are rescaled to all rows.

    """
    held = np.bincount(drawn.unit).astype(np.float64)
    weights, rows = mean_differences(drawn, held)
    squared = sums.forms(weights)
    if means is not None:
        gap = means.candidate - means.reference
        squared *= _noise(means.rows) / _noise(rows)
        squared[:, 0] = np.einsum("kf,kf->k", gap, gap)
        rows = means.rows
    strengths, voices = _voices(squared, ladder, noise=_noise(rows))
    loudness = voices.max(0)
    # Equal up to rounding is equal.
    louder = loudness[1:] >= loudness[0] - 1e-6 * abs(loudness[0])
    null = squared[:, 1:].mean(0)
    return MmdTest(
        p_value=float((1 + louder.sum()) / len(loudness)),
        distance=distance_of(sums, held, drawn.candidate[0] > 0, null, means=means),
        strengths=strengths,
        loudest=int(voices[:, 0].argmax()),
        bandwidths=ladder.bandwidths,
        exact=isinstance(sums, KernelSums),
        rows=rows,
    )


def _voices(squared: Numbers, ladder: Ladder, *, noise: float) -> tuple[Numbers, Numbers]:
    """Return how loudly each kernel speaks: minus the logarithm of a weighed p-value.

    A kernel's null law is taken for a shifted gamma law with three moments of the
    calibrating relabelings. That need not be exact: ranks make the test valid.

    Args:
        squared: Squared MMD of each kernel, shape (k, 1 + permutations + CALIBRATION).
        ladder: The kernels.
        noise: 1 / n + 1 / m.

    Returns:
        Each kernel's observed strength, shape (k,), and all voices, shape
        (k, 1 + permutations).

    """
    spare = squared[:, -CALIBRATION:]
    mean = spare.mean(1, keepdims=True)
    # A kernel that hardly varies (all rows alike, or all apart) has nothing to say.
    spread = np.maximum(spare.std(1, keepdims=True), 1e-6 * np.abs(mean) + 1e-30)
    skew = np.maximum((((spare - mean) / spread) ** 3).mean(1, keepdims=True), _LEAST_SKEW)
    strengths = (squared[:, :-CALIBRATION] - mean) / spread
    shape = 4 / skew**2
    place = np.maximum(shape + strengths * np.sqrt(shape), 1e-12)
    tail = special.gammaincc(shape, place)
    far = (shape - 1) * np.log(place) - place - special.gammaln(shape)
    unlikely = np.where(tail > 1e-250, np.log(np.maximum(tail, 1e-300)), far)
    whole = noise * np.sqrt(2 * ladder.second_moments[:, None])
    weight = np.log(np.minimum(spread / whole, 1.0)) / 2
    return strengths[:, 0], weight - unlikely


def _noise(rows: tuple[int, int]) -> float:
    return 1 / rows[0] + 1 / rows[1]
