"""Eight definitions of collapse, measured apart, for the rows of one generation.

| definition | measures |
| --- | --- |
| population risk rises | `risk` |
| risk diverges | `risk_slope` |
| the scaling law changes | `scaling_exponent` |
| variance, diversity lost | `log_det`, `training_log_det`, `entropy`, `gini`, `effective_rows` |
| modes are lost | `coverage`, `levels_kept` |
| tails are lost | `tail_mass`, `rare_kept` |
| hallucinated mass appears | `hallucinated` |
| correlations are lost | `correlation_kept` |

What a table does not have (no category, no correlation) is not measured: it is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits.lens import FLOOR, log_det

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from detector.audits.lens import Lens, View

    Numbers = NDArray[np.float64]
    Distances = NDArray[np.float32]

MOST_ROWS = 400
"""Rows that distances are taken between."""

VENDI_ROWS = 150
NEIGHBOURS = 5
RARE = 0.05
"""A level below this share of the real rows is rare."""

SUPPORT = 0.99
"""The share of real rows within the distance to another real row that counts as near."""

PAIRS = 100
"""Pairs of columns whose correlations are followed, the strongest."""

MEASURES = (
    "risk",
    "risk_slope",
    "scaling_exponent",
    "log_det",
    "training_log_det",
    "entropy",
    "gini",
    "effective_rows",
    "coverage",
    "levels_kept",
    "tail_mass",
    "rare_kept",
    "hallucinated",
    "correlation_kept",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Yardstick:
    """What one chain's generations are held against.

    Attributes:
        lens: How rows are seen.
        target: Real rows that risk is measured against, on the scale of distances.
        itself: Whether they are generation 0 itself, for want of others.
        within: The mean distance between them.
        radii: The distance of each to its fifth neighbour.
        near: The distance to another real row that few real rows exceed.
        width: The kernel's width for effective rows: the median distance.
        alive: For each category column, the real levels of generation 0.
        pairs: The followed pairs of columns, shape (m, 2).
        ties: Their correlations among the real rows.

    """

    lens: Lens
    target: Distances
    itself: bool
    within: float
    radii: Distances
    near: float
    width: float
    alive: tuple[NDArray[np.bool_], ...]
    pairs: NDArray[np.int64]
    ties: Numbers


def yardstick(lens: Lens, first: View, unseen: View) -> Yardstick:
    """Return what to hold generations against.

    Args:
        lens: How rows are seen.
        first: Generation 0 of the chain.
        unseen: Real rows that no generation is trained on; where there are under 20, the
            rows of generation 0 stand in.

    """
    itself = len(unseen) < 20
    target = lens.distances((first if itself else unseen).head(min(MOST_ROWS, len(first))))
    apart = pairwise(target, target)
    ordered = np.sort(apart, axis=1)
    m = len(target)
    pairs, ties = _strongest(lens, first)
    return Yardstick(
        lens=lens,
        target=target,
        itself=itself,
        within=float(apart.sum()) / max(1, m * (m - 1)),
        radii=ordered[:, min(NEIGHBOURS, m - 1)],
        near=float(np.quantile(ordered[:, min(1, m - 1)], SUPPORT)),
        width=float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0,
        alive=tuple(_alive(first, place, len(s)) for place, s in enumerate(lens.shares)),
        pairs=pairs,
        ties=ties,
    )


def measured(view: View, stick: Yardstick, *, first: bool = False) -> dict[str, float]:
    """Return what one generation's rows measure; `risk_slope` needs a chain and is not here.

    Args:
        view: The rows.
        stick: What they are held against.
        first: Whether they are generation 0.

    Cost: O(m^2 d) time for m = `MOST_ROWS`, O(n d^2) for n rows.
    """
    found: dict[str, float] = {}
    found |= _nearness(view, stick, same=first and stick.itself)
    found |= _levels(view, stick)
    found |= _numbers(view, stick)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def numeric_log_det(view: View, lens: Lens) -> float | None:
    """Return the log determinant of the numbers' covariance (with n), in their own units.

    Columns that repeat others, and those beyond what n rows can tell apart, are left out, the
    same ones in every generation.
    """
    width = len(lens.columns)
    if not width:
        return None
    plain = lens if lens.plain else None
    kept = np.arange(width) if plain else np.flatnonzero(_independent(lens))
    if not len(kept) or len(kept) >= len(view):
        return log_det(lens.moments(view).cov)
    scaled = (view.numbers[:, kept] - lens.center[kept]) / lens.scale[kept]
    scaled = np.nan_to_num(scaled, nan=0.0, posinf=1e6, neginf=-1e6)
    scaled = scaled - scaled.mean(axis=0)
    units = 2.0 * float(np.log(lens.scale[kept]).sum())
    return log_det(scaled.T @ scaled / len(scaled)) + units


def slopes(risks: Sequence[float]) -> list[float | None]:
    """Return the slope of risk over the generations so far, from the third value on."""
    found: list[float | None] = []
    for count in range(1, len(risks) + 1):
        at = np.arange(count, dtype=float)
        known = np.isfinite(risks[:count])
        if count < 3 or known.sum() < 3:
            found.append(None)
            continue
        found.append(float(np.polyfit(at[known], np.asarray(risks[:count])[known], 1)[0]))
    return found


def column_facts(view: View, stick: Yardstick) -> dict[str, Any]:
    """Return the variance of each number, the levels still there, and the followed ties."""
    with np.errstate(invalid="ignore", over="ignore"):
        known = np.where(np.isfinite(view.numbers), view.numbers, np.nan)
        spread = np.nan_to_num(np.nanvar(_nonempty(known), axis=0) / np.square(stick.lens.scale))
    names = stick.lens.columns
    alive = [
        np.flatnonzero(_alive(view, place, len(shares)) & stick.alive[place]).tolist()
        for place, shares in enumerate(stick.lens.shares)
    ]
    return {
        "variance": [float(v) for v in np.minimum(spread, 1e300)],
        "alive": alive,
        "ties": [float(v) for v in _correlations(view, stick.pairs, stick.lens)],
        "pairs": [f"{names[a]} x {names[b]}" for a, b in stick.pairs],
    }


def pairwise(x: Distances, y: Distances) -> Distances:
    """Return Euclidean distances, shape (n, m)."""
    squares = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1)[None] - 2.0 * (x @ y.T)
    apart: Distances = np.sqrt(np.maximum(squares, 0.0))
    if x is y:
        np.fill_diagonal(apart, 0.0)
    return apart


def _nearness(view: View, stick: Yardstick, *, same: bool) -> dict[str, float]:
    """Measure risk, its scaling, coverage, hallucinated mass and effective rows."""
    rows = stick.lens.distances(view.head(MOST_ROWS))
    m, k = len(rows), len(stick.target)
    if not rows.shape[1] or m < 2 or k < 2:
        return {}
    across, inside = pairwise(rows, stick.target), pairwise(rows, rows)
    within = float(inside.sum()) / (m * (m - 1))
    effective = _effective(inside[:VENDI_ROWS, :VENDI_ROWS], stick.width)
    if same:  # a row is no stranger to itself
        return {"risk": 0.0, "coverage": 1.0, "effective_rows": effective}
    risk = 2.0 * float(across.mean()) - within - stick.within
    found = {
        "risk": risk,
        "coverage": float((across.min(axis=0) <= stick.radii).mean()),
        "hallucinated": float((across.min(axis=1) > stick.near).mean()),
        "effective_rows": effective,
    }
    if m >= 32:
        found["scaling_exponent"] = _exponent(across, inside, stick.within)
    return found


def _exponent(across: Distances, inside: Distances, within: float) -> float:
    """Return the slope of log risk over log rows, when rows of this generation are the model.

    The empirical distribution of m good rows has an energy distance of order 1 / m to the
    truth: slope -1. Where the rows are biased more of them do not help, and the slope nears 0.
    """
    m = len(inside)
    sizes = [m // 8, m // 4, m // 2, m]
    risks = []
    for size in sizes:
        blocks = m // size
        total = 0.0
        for block in range(blocks):
            part = slice(block * size, (block + 1) * size)
            total += 2.0 * float(across[part].mean()) - float(inside[part, part].mean()) - within
        risks.append(max(total / blocks, 1e-9))
    return float(np.polyfit(np.log(sizes), np.log(risks), 1)[0])


def _effective(inside: Distances, width: float) -> float:
    """Return the Vendi score: the exponential of the entropy of a kernel's eigenvalues.

    Source: Friedman and Dieng (2023), Transactions on Machine Learning Research.
    """
    kernel = np.exp(-np.square(inside.astype(np.float64) / width)) / len(inside)
    values = np.linalg.eigvalsh(kernel)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def _levels(view: View, stick: Yardstick) -> dict[str, float]:
    """Measure the diversity of categories, and which levels are left."""
    if not stick.alive:
        return {}
    entropies, ginis = [], []
    kept = rare = there = rare_there = 0
    for place, (shares, alive) in enumerate(zip(stick.lens.shares, stick.alive, strict=True)):
        codes = view.codes[:, place]
        counts = np.bincount(codes[codes >= 0], minlength=len(shares) + 1)
        known = counts[counts > 0] / max(1, counts.sum())
        entropies.append(float(-(known * np.log(known)).sum()))
        ginis.append(1.0 - float(np.square(known).sum()) if len(known) else 0.0)
        left = alive & (counts[: len(shares)] > 0)
        scarce = shares < RARE
        kept, there = kept + int(left.sum()), there + int(alive.sum())
        rare, rare_there = (
            rare + int((left & scarce).sum()),
            rare_there + int((alive & scarce).sum()),
        )
    found = {"entropy": float(np.mean(entropies)), "gini": float(np.mean(ginis))}
    if there:
        found["levels_kept"] = kept / there
    if rare_there:
        found["rare_kept"] = rare / rare_there
    return found


def _numbers(view: View, stick: Yardstick) -> dict[str, float]:
    """Measure the spread of numbers, their tails and their correlations."""
    lens = stick.lens
    found: dict[str, float] = {}
    spread = numeric_log_det(view, lens)
    if spread is not None:
        found["log_det"] = spread
    due = float(lens.beyond.mean()) if len(lens.columns) else 0.0
    if due > 0:
        low, high = lens.tails
        known = np.isfinite(view.numbers)
        out = ((view.numbers < low) | (view.numbers > high)) & known
        found["tail_mass"] = float(out.sum() / max(1, known.sum())) / due
    if len(stick.pairs):
        now = _correlations(view, stick.pairs, lens)
        found["correlation_kept"] = float((stick.ties * now).sum() / np.square(stick.ties).sum())
    return found


def _strongest(lens: Lens, first: View) -> tuple[NDArray[np.int64], Numbers]:
    """Return the pairs of numbers that go together among real rows, and how much."""
    width = len(lens.columns)
    grid = np.column_stack(np.triu_indices(width, 1)).astype(np.int64)
    if not len(grid):
        return grid.reshape(0, 2), np.empty(0)
    ties = _correlations(first, grid, lens)
    clear = np.flatnonzero(np.abs(ties) > 4.0 / np.sqrt(len(first)))
    chosen = clear[np.argsort(-np.abs(ties[clear]), kind="stable")][:PAIRS]
    return grid[chosen], ties[chosen]


def _correlations(view: View, pairs: NDArray[np.int64], lens: Lens) -> Numbers:
    """Return the correlations of pairs of numbers, robustly scaled and clipped."""
    if not len(pairs):
        return np.empty(0)
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.clip((view.numbers - lens.middle) / lens.spread, -5.0, 5.0)
    scaled = np.nan_to_num(scaled, nan=0.0)
    scaled = scaled - scaled.mean(axis=0)
    scaled /= np.maximum(np.sqrt(np.square(scaled).mean(axis=0)), np.sqrt(FLOOR))
    matrix = scaled.T @ scaled / len(scaled)
    found: Numbers = matrix[pairs[:, 0], pairs[:, 1]]
    return found


def _alive(view: View, place: int, levels: int) -> NDArray[np.bool_]:
    codes = view.codes[:, place]
    present: NDArray[np.bool_] = np.bincount(codes[codes >= 0], minlength=levels + 1)[:levels] > 0
    return present


def _independent(lens: Lens) -> NDArray[np.bool_]:
    """Return the numeric columns that are axes of the lens; all of them where axes are turned."""
    columns = len(lens.columns)
    on_axes = (lens.basis != 0).sum(axis=0).max(initial=0) <= 1
    if not on_axes:
        return np.zeros(columns, bool)
    kept: NDArray[np.bool_] = lens.basis[:columns].any(axis=1)
    return kept


def _nonempty(known: Numbers) -> Numbers:
    """Return columns in which something is known; an empty one is all zero."""
    empty = np.isnan(known).all(axis=0)
    return np.where(empty, 0.0, known)


def by_definition() -> Mapping[str, tuple[str, ...]]:
    """Return the measures of each definition of collapse."""
    return {
        "population risk rises": ("risk",),
        "risk diverges": ("risk_slope",),
        "the scaling law changes": ("scaling_exponent",),
        "variance or diversity is lost": (
            "log_det",
            "training_log_det",
            "entropy",
            "gini",
            "effective_rows",
        ),
        "modes are lost": ("coverage", "levels_kept"),
        "tails are lost": ("tail_mass", "rare_kept"),
        "hallucinated mass appears": ("hallucinated",),
        "correlations are lost": ("correlation_kept",),
    }
