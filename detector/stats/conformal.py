"""Conformal p-values: how strange a score is among scores of rows that are trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import hypergeom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


def conformal_p_values(trusted: Numbers, scores: Numbers) -> Numbers:
    """Return the p-value of each score: the share of trusted scores at least as high.

    A score that is exchangeable with the trusted ones has a p-value of at most u with
    probability at most u, whatever the law of the scores. All of them share the trusted
    scores, which makes them depend on each other positively, so that Benjamini and
    Hochberg's rule keeps its rate. Ties count as if the trusted score were higher.

    Args:
        trusted: Scores of n trusted rows, n >= 1.
        scores: Scores in question, shape (m,), higher is stranger.

    Returns:
        (1 + trusted scores at least as high) / (n + 1), shape (m,), in (0, 1].

    Cost: O((n + m) log n).
    Source: Bates, Candès, Lei, Romano and Sesia (2023), Annals of Statistics 51; for scores
    learned from both samples alike, Marandon, Lei, Mary and Roquain (2024), same journal 52.

    >>> conformal_p_values(np.array([1.0, 2.0, 3.0]), np.array([9.0, 2.0, 0.0])).tolist()
    [0.25, 0.75, 1.0]

    """
    if not len(trusted):
        raise ValueError("there are no trusted scores")
    ordered = np.sort(trusted)
    higher = len(ordered) - np.searchsorted(ordered, scores, side="left")
    return (1.0 + higher) / (1.0 + len(ordered))


def top_share_p_value(trusted: Numbers, scores: Numbers) -> float:
    """Return the p-value of "all scores are exchangeable", read off the strangest ones.

    Of the k highest scores of both samples, the number that is not trusted follows the
    hypergeometric law. It is looked at for k = 1, 2, 4, ... up to half of all; the smallest
    of the tail probabilities counts times the number of looks (Bonferroni). Ties go to the
    trusted scores, which can only raise the p-value. It sees a handful of very strange
    rows for which Simes' rule, on p-values of no less than 1 / (n + 1), has no eye.

    Args:
        trusted: Scores of n trusted rows, n >= 1.
        scores: Scores in question, shape (m,), m >= 1, higher is stranger.

    Returns:
        In (0, 1].

    >>> round(top_share_p_value(np.arange(8.0), np.arange(8.0) + 8.0), 4)
    0.0003

    """
    n, m = len(trusted), len(scores)
    if not (n and m):
        raise ValueError(f"need a score on each side, got {n} and {m}")
    pooled = np.concatenate((trusted, scores))
    of_question = np.arange(n + m) >= n
    # Highest first; of equal scores the trusted ones first.
    order = np.lexsort((of_question, -pooled))
    found = np.cumsum(of_question[order])
    looks = 2 ** np.arange(max(1, math.floor(math.log2(max(1, (n + m) // 2))) + 1))
    tails = hypergeom.sf(found[looks - 1] - 1, n + m, m, looks)
    return float(np.clip(tails.min() * len(looks), np.finfo(float).tiny, 1.0))
