"""Rows that trade sides in handfuls: a thousand relabelings at the price of a few hundred rows.

Permuting random handfuls of equally many rows of one side each is a subgroup of permuting
rows, so it is as valid; with a hundred handfuls a side it is nearly as strong.

Source: Domingo-Enrich, Dwivedi and Mackey (2025), "Cheap permutation testing".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.stats.clusters import Relabeling

if TYPE_CHECKING:
    from numpy.typing import NDArray

CALIBRATION = 250
"""Relabelings beyond those that are ranked: they only put statistics on one scale."""

_UNITS = 256
_FEWEST = 32
_UNEVEN = 16


def relabel_handfuls(
    n: int, m: int, *, permutations: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Relabeling]:
    """Gather rows into random handfuls and let these trade sides.

    Up to one handful of rows of each side is left over, and a side more than sixteen
    times as large as the other keeps that many rows only.

    Args:
        n: Reference rows, at least 1.
        m: Candidate rows, behind the reference's in the pooled rows.
        permutations: Relabelings to rank; `CALIBRATION` more are drawn.
        rng: The stream to draw from.

    Returns:
        The places of the pooled rows that enter, and the relabelings of these.

    """
    fewest = min(n, m)
    one, two = min(n, _UNEVEN * fewest), min(m, _UNEVEN * fewest)
    handful = max(1, min(-(-(one + two) // _UNITS), fewest // _FEWEST))
    one, two = one // handful, two // handful
    kept = [rng.permutation(n)[: one * handful], n + rng.permutation(m)[: two * handful]]
    sides = np.zeros((1 + permutations + CALIBRATION, one + two), np.float32)
    sides[:, one:] = 1
    sides[1:] = rng.permuted(sides[1:], axis=1)
    unit = np.repeat(np.arange(one + two), handful)
    return np.concatenate(kept), Relabeling(unit, sides)


def mean_differences(
    drawn: Relabeling, held: NDArray[np.float64]
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Return the weights that turn sums over units into differences of means.

    Args:
        drawn: Relabelings, c of them with the observed one.
        held: Rows in each unit, shape (units,).

    Returns:
        Weights of shape (units, c), and the rows of each side as observed.

    """
    candidate = drawn.candidate @ held
    reference = held.sum() - candidate
    weights = drawn.candidate.T * (1 / reference + 1 / candidate).astype(np.float32)
    weights -= (1 / reference).astype(np.float32)
    return weights, (int(reference[0]), int(candidate[0]))
