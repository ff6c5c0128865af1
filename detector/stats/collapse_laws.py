"""Exact laws of recursive training: what a loop of a plain model does, generation by generation.

A normal distribution fitted by maximum likelihood (covariance with n), a table of shares, a
kernel density with a fixed bandwidth. `t` counts fits: t = 1 is the fit to real rows, so the
rows of generation g were drawn from fit g, and their own moments are fit g + 1.
"""

from __future__ import annotations

import bisect
import math

import numpy as np


def log_variance_step(n: int) -> tuple[float, float]:
    """Return mean and variance of one generation's change of log variance under `replace`.

    The variance of n normal rows, with n, is a chi-square of n - 1 degrees over n.

    >>> mean, variance = log_variance_step(100)
    >>> round(100 * mean, 4), round(100 * variance, 4)
    (-2.0185, 2.0407)
    """
    return log_det_step(n, 1)


def log_det_step(n: int, d: int) -> tuple[float, float]:
    """Return mean and variance of one generation's change of log determinant under `replace`.

    The determinant of a Wishart matrix is a product of independent chi-squares.
    Source: Anderson (2003), An Introduction to Multivariate Statistical Analysis, 7.5.

    Args:
        n: Rows, more than d.
        d: Columns.

    >>> mean, variance = log_det_step(100, 10)
    >>> round(mean, 4), round(variance, 4)
    (-0.6766, 0.2141)
    """
    from scipy.special import digamma, polygamma

    halves = (n - np.arange(1, d + 1)) / 2.0
    mean = float((digamma(halves) - math.log(n / 2.0)).sum())
    return mean, float(polygamma(1, halves).sum())


def replace_variance(n: int, t: int) -> float:
    """Return the expected fitted variance under `replace`, as a share of the true one.

    >>> round(replace_variance(100, 100), 4)
    0.366
    """
    return (1.0 - 1.0 / n) ** t


def accumulate_variance(n: int, t: int) -> float:
    """Return the same under `accumulate`, where fit i has n i rows.

    >>> round(accumulate_variance(10, 100), 5), round(accumulate_variance(100, 100), 5)
    (0.84428, 0.98373)
    """
    return float(np.prod(1.0 - 1.0 / (n * np.arange(1.0, t + 1) ** 2)))


def accumulate_subsample_variance(n: int, t: int) -> float:
    """Return the same where each fit sees n rows, drawn at random out of all so far.

    >>> [round(accumulate_subsample_variance(10, t), 4) for t in (1, 2, 10, 50)]
    [0.9, 0.8313, 0.7598, 0.7433]
    """
    pool = fitted = 1.0 - 1.0 / n
    for step in range(1, t + 1):
        rows = n * step
        fitted = pool * rows * (n - 1) / ((rows - 1) * n) if rows > 1 else pool
        lost = (rows - n) / (n * (rows - 1)) + rows * (n - 1) / ((rows - 1) * n * n)
        pool -= pool * lost / (step + 1) ** 2
    return fitted


def fresh_variance(n: int, share: float) -> float:
    """Return the limit of the fitted variance where a share of each training is new real rows.

    >>> [round(fresh_variance(100, share), 4) for share in (0.02, 0.05, 0.1, 0.5)]
    [0.7976, 0.9065, 0.9497, 0.9868]
    """
    return 1.0 - (1.0 / n) / (share * (2.0 - share) + (1.0 - share) / n)


def fixed_variance(n: int, share: float) -> float:
    """Return the same where the real rows are always the same, as a share of their variance.

    >>> round(fixed_variance(100, 0.1), 5)
    0.95477
    """
    return 1.0 - (1.0 - share) / (n * share * (2.0 - share) + (1.0 - share))


def mixed_variance(
    n: int, real: int, t: int, *, total: float = math.inf, fixed: bool = False
) -> float:
    """Return the expected fitted variance of fit t where `real` of n rows are real ones.

    The second moment about the true mean stays, so what is lost is the square of the mean,
    which wanders by a linear recursion.

    Args:
        n: Rows of a training.
        real: Real rows in each training after the first, from 0 (`replace`) to n.
        t: Fits, at least 1.
        total: Real rows there are; all are drawn from these without replacement, and the
            variance is a share of theirs.
        fixed: The real rows are always the same, out of those of the first fit.

    >>> round(mixed_variance(100, 0, 100), 4), round(mixed_variance(100, 10, 1000), 4)
    (0.366, 0.9497)
    >>> [round(mixed_variance(100, real, 9), 3) for real in (1, 8, 10)]
    [0.92, 0.951, 0.957]
    """
    share, left = real / n, 1.0 - real / n
    shared = 0.0 if math.isinf(total) else -1.0 / (total - 1.0)  # of the means of other rows
    of_first = 1.0 / n + (1.0 - 1.0 / n) * shared
    of_real = 1.0 / real + (1.0 - 1.0 / real) * shared if real else 0.0
    mean, common = of_first, of_first if fixed else shared
    for _ in range(t - 1):
        made = (1.0 - mean) * left / n
        mean = share**2 * of_real + left**2 * mean + 2.0 * share * left * common + made
        common = share * of_real + left * common if fixed else shared
    return 1.0 - mean


def mixed_rows_needed(
    n: int, kept: float, t: int, *, total: float = math.inf, fixed: bool = False
) -> int | None:
    """Return the fewest real rows that keep a share of a normal variance up to fit t.

    None where no number of them does. Arguments as in `mixed_variance`.

    >>> mixed_rows_needed(100, 0.95, 9), mixed_rows_needed(100, 0.95, 1000)
    (8, 11)
    >>> mixed_rows_needed(1000, 0.95, 9), mixed_rows_needed(10, 0.95, 9)
    (0, None)
    """
    found = range(n + 1)
    rows = bisect.bisect_left(
        found, kept, key=lambda real: mixed_variance(n, real, t, total=total, fixed=fixed)
    )
    return rows if rows <= n else None


def kde_variance(n: int, bandwidth: float, t: int, *, start: float) -> float:
    """Return the expected variance (with n) of generation t of a kernel density loop.

    >>> [round(kde_variance(100, 0.5, t, start=0.99), 3) for t in (1, 10, 100)]
    [1.228, 3.262, 16.053]
    """
    variance = start
    for _ in range(t):
        variance = (1.0 - 1.0 / n) * (variance + bandwidth**2)
    return variance


def extinct(n: int, count: int, t: int) -> float:
    """Return the probability that a level of `count` rows of n has died out by generation t.

    Shares of levels, drawn again and again, drift at random (Wright and Fisher).

    Cost: O(n^2 t).
    Source: Ewens (2004), Mathematical Population Genetics, 3.2.

    >>> [round(extinct(100, 5, t), 5) for t in (1, 5, 20)]
    [0.00592, 0.20094, 0.61683]
    """
    from scipy.stats import binom

    states = np.arange(n + 1)
    moves = binom.pmf(states[None], n, states[:, None] / n)
    at = np.zeros(n + 1)
    at[count] = 1.0
    for _ in range(t):
        at = at @ moves
    return float(at[0])


def real_rows_needed(kept: float) -> float:
    """Return the fresh real rows in each training that keep a share of a normal variance.

    From the limit of `fresh_variance`: n s (2 - s) + 1 - s >= 1 / (1 - kept), which for a small
    share s is about 2 n s: the number of real rows counts, not their share.

    >>> round(real_rows_needed(0.95), 9)
    9.5
    """
    return (1.0 / (1.0 - kept) - 1.0) / 2.0


def share_needed(n: int, kept: float) -> float:
    """Return the smallest fresh share that keeps a share of a normal variance with n rows.

    >>> round(share_needed(100, 0.95), 4)
    0.1006
    """
    wanted = 1.0 / (1.0 - kept)
    if wanted > n:
        return 1.0
    # n s (2 - s) + 1 - s = wanted
    b, c = 2.0 * n - 1.0, 1.0 - wanted
    root = math.sqrt(max(0.0, b * b + 4.0 * n * c))
    return max(0.0, (b - root) / (2.0 * n))
