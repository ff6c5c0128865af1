"""A kernel test whose kernel is learned from some rows and tested on the others.

What a kernel needs to know of the data (a unit of length, a scale of angles) is learned on a
split whose rows never enter the test. Given the split, the kernel is fixed, so the relabelings
of the other rows give an honest p-value, however the kernel was chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from detector.stats.clusters import relabel
from detector.stats.handfuls import CALIBRATION, relabel_handfuls
from detector.stats.kernels import KernelSums, Ladder
from detector.stats.mmd import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from detector.stats.clusters import Relabeling
    from detector.stats.mmd import MmdTest

    Rows = NDArray[np.float32]
    Codes = NDArray[np.int64]
    Mask = NDArray[np.bool_]

SPLIT = 0.25
"""The share of the units of each side on which a kernel is learned."""

_CHOOSING = 199
"""Relabelings of the split; they only say which scale stands out."""

_TINY = 1e-12


class ScaledKernel(Protocol):
    """A kernel that has learned its units and leaves one scale to choose."""

    @property
    def scales(self) -> Sequence[float]:
        """Return the scales to choose from."""

    def gram(self, rows: NDArray[Any], *, scale: float) -> NDArray[Any]:
        """Return the kernel of every pair of rows, shape (r, r), from 0 to 1."""


class ChosenTest(NamedTuple):
    """What the test found, and how it came to its kernel.

    test: Of the rows outside the split.
    scale: The scale that stood out in the split.
    split: Rows of both sides in the split.
    """

    test: MmdTest
    scale: float
    split: int


def chosen_kernel_test(
    rows: Rows,
    candidate: Mask,
    *,
    groups: Codes | None = None,
    learn: Callable[[Rows], ScaledKernel],
    permutations: int,
    rng: np.random.Generator,
) -> ChosenTest | None:
    """Test whether two samples come from one law; None when all rows are equal.

    Args:
        rows: Pooled rows, shape (r, d), the reference's first.
        candidate: Which are the candidate's, shape (r,).
        groups: Group of each row, shape (r,), or None where rows stand alone.
        learn: Makes the kernel from the reference's rows in the split.
        permutations: Relabelings behind the p-value.
        rng: The stream to draw from.

    Raises:
        ValueError: The split, or what is left, lacks a side; see `split_rows`.

    Cost: O(r^2) kernel values; a matrix of r x r is held.

    """
    if not np.ptp(rows, axis=0).any():
        return None
    split = split_rows(candidate, groups, rng=rng)
    kernel = learn(rows[split & ~candidate])

    def measured(part: Mask, scales: Sequence[float], permutations: int) -> MmdTest:
        own = None if groups is None else groups[part]
        kept, drawn = _relabeled(candidate[part], own, permutations=permutations, rng=rng)
        return kernel_test(kernel, rows[part][kept], drawn, scales)

    choice = measured(split, kernel.scales, _CHOOSING)
    scale = kernel.scales[choice.loudest]
    found = measured(~split, (scale,), permutations)
    return ChosenTest(test=found, scale=float(scale), split=int(split.sum()))


def split_rows(candidate: Mask, groups: Codes | None, *, rng: np.random.Generator) -> Mask:
    """Return which rows are in the split, shape (r,): whole groups, and some of either side.

    Args:
        candidate: Which rows are the candidate's, shape (r,).
        groups: Group of each row, or None where rows stand alone.
        rng: The stream to draw from.

    Raises:
        ValueError: The groups cannot be cut so that each part has both sides.

    """
    if groups is None:
        unit, kind = np.arange(len(candidate)), candidate.astype(np.int64)
    else:
        _, unit = np.unique(groups, return_inverse=True)
        share = np.bincount(unit, weights=candidate) / np.bincount(unit)
        kind = np.where(share == 0, 0, np.where(share == 1, 1, 2))
    chosen = np.zeros(len(kind), bool)
    for which in np.unique(kind):
        drawn = rng.permutation(np.flatnonzero(kind == which))
        chosen[drawn[: max(1, round(SPLIT * len(drawn)))]] = True
    split: Mask = chosen[unit]
    if any(len(np.unique(candidate[part])) < 2 for part in (split, ~split)):
        raise ValueError("a part of the split lacks a side")
    return split


def _relabeled(
    candidate: Mask, groups: Codes | None, *, permutations: int, rng: np.random.Generator
) -> tuple[Codes, Relabeling]:
    """Return the places of the rows that enter and their relabelings."""
    if groups is None:
        n = int((~candidate).sum())
        return relabel_handfuls(n, len(candidate) - n, permutations=permutations, rng=rng)
    drawn = relabel(groups, candidate, permutations=permutations + CALIBRATION, rng=rng)
    return np.arange(len(candidate)), drawn


def kernel_test(
    kernel: ScaledKernel, rows: Rows, drawn: Relabeling, scales: Sequence[float]
) -> MmdTest:
    """Rank the observed labels of these rows among the relabelings, at one scale or several.

    Args:
        kernel: Fixed: it has not seen these rows, or sees them all alike.
        rows: Pooled rows, shape (r, d).
        drawn: Their relabelings; the last `CALIBRATION` only calibrate.
        scales: Which ones.

    """
    grams, moments = [], []
    for scale in scales:
        gram = kernel.gram(rows, scale=scale)
        pairs = len(gram) * (len(gram) - 1)
        moment = (float(np.einsum("ij,ij->", gram, gram)) - len(gram)) / pairs
        moments.append(max(moment, _TINY))
        grams.append(_summed(gram, drawn.unit))
    ladder = Ladder(np.array(scales, np.float64), np.array(moments))
    return judge(KernelSums(np.array(grams, np.float32)), drawn, ladder)


def _summed(gram: NDArray[Any], unit: Codes) -> NDArray[Any]:
    """Return the sums over all pairs of units, shape (units, units)."""
    order = np.argsort(unit, kind="stable")
    starts = np.flatnonzero(np.diff(unit[order], prepend=-1))
    part = np.add.reduceat(gram[order], starts, axis=0)
    return np.asarray(np.add.reduceat(part[:, order], starts, axis=1))
