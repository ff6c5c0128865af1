"""Modes that a batch has lost, and where they lie, in the columns' own units."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.checks._nominal import shortened
from detector.data.encode import encode_codes
from detector.data.schema import NOMINAL, ORDERED, Kind
from detector.findings import Measurement, Worse
from detector.stats.clusters import permuted_p_value
from detector.stats.modes import Modes, cut_modes, modes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from detector.checks._pooled import Pooled

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]

_MOST_MODES = 10
_MOST_COLUMNS = 3
_QUANTILES = (0.1, 0.9)
_HALF = 0.5
_LEAVES = 16
_FEWEST = 25


class _Cut(NamedTuple):
    """Pooled rows cut into cells, and what each side has in them.

    cell: Cell of each row, shape (r,).
    reference, candidate: Rows that count, of each side in each cell.
    found: What is left of each cell.
    p_value: That of the cell that lost most, for all cells of this cut.
    """

    cell: Counts
    reference: Counts
    candidate: Counts
    found: Modes
    p_value: float


def lost_modes(
    rows: NDArray[np.float32],
    pooled: Pooled,
    *,
    count: int,
    rng: np.random.Generator,
) -> Iterator[tuple[Measurement, Mapping[str, object]]]:
    """Measure what is left of the mode that lost most, and how many are more than half gone.

    Rows are cut in two ways: into clusters, blind to the sides; and into the leaves of a tree
    that one half of the rows has grown to tell the sides apart, where the other half counts,
    and the same with the halves exchanged.

    Args:
        rows: Pooled rows on one scale, the reference's first.
        pooled: The same rows.
        count: Clusters, at most.
        rng: Draws the first centres, the halves, and the tree's choice among equals.

    """
    cuts = _cuts(rows, pooled, count=count, rng=rng)
    left, low, high, p_value = (
        np.concatenate(part) for part in zip(*(c.found for c in cuts), strict=True)
    )
    worst = int(np.argmin(p_value))
    places = _places(cuts, pooled)
    evidence: dict[str, object] = {"modes_looked_at": len(left), "shrunk": places}
    if places:
        evidence["direction"] = f"where {places[0]['where']}"
    yield (
        Measurement(
            name="mode_left",
            value=float(left[worst]),
            worse=Worse.LOWER,
            null_value=1.0,
            interval=(float(low[worst]), float(high[worst])),
            p_value=min(1.0, len(cuts) * min(cut.p_value for cut in cuts)),
        ),
        evidence,
    )
    gone = max(int((cut.found.high < _HALF).sum()) for cut in cuts)
    clusters = cuts[0]
    yield (
        Measurement(
            name="modes_lost", value=float(gone), worse=Worse.HIGHER, unit="modes", null_value=0.0
        ),
        {
            "modes_looked_at": len(left),
            "reference_share": (clusters.reference / pooled.rows[0]).tolist(),
            "candidate_share": (clusters.candidate / pooled.rows[1]).tolist(),
        },
    )


def _cuts(
    rows: NDArray[np.float32], pooled: Pooled, *, count: int, rng: np.random.Generator
) -> list[_Cut]:
    """Cut the pooled rows in both ways, and test every cell."""
    everyone = np.ones(len(rows), bool)
    cuts = [(cut_modes(rows, count, rng), everyone)]
    half = pooled.folds(2, rng)
    side = np.arange(len(rows)) >= pooled.rows[0]
    if np.bincount(2 * half + side, minlength=4).min() >= _FEWEST:
        cuts += [(_leaves(rows, side, half == own, rng), half == own) for own in (0, 1)]
    among = sum(int(cell.max()) + 1 for cell, _ in cuts)
    alone = len(np.unique(pooled.groups)) == len(rows)
    judge = _judged if alone else _clustered
    return [judge(cell, counted, pooled, among) for cell, counted in cuts]


def _leaves(
    rows: NDArray[np.float32],
    side: NDArray[np.bool_],
    held_out: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Counts:
    """Return the leaf of each row in a tree that the other half of the rows has grown."""
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=max(_FEWEST, int((~held_out).sum()) // (4 * _LEAVES)),
        class_weight="balanced",
        random_state=int(rng.integers(1 << 31)),
    )
    tree.fit(rows[~held_out], side[~held_out])
    return np.asarray(np.unique(tree.apply(rows), return_inverse=True)[1], np.int64)


def _counts(cell: Counts, counted: NDArray[np.bool_], side: NDArray[np.bool_]) -> Counts:
    return np.bincount(cell[counted & side], minlength=int(cell.max()) + 1)


def _judged(cell: Counts, counted: NDArray[np.bool_], pooled: Pooled, among: int) -> _Cut:
    """Judge cells of rows that stand alone."""
    side = pooled.sides[0]
    reference, candidate = _counts(cell, counted, ~side), _counts(cell, counted, side)
    found = modes(reference, candidate, among=among)
    p_value = min(1.0, len(reference) * float(found.p_value.min()))
    return _Cut(cell, reference, candidate, found, p_value)


def _clustered(cell: Counts, counted: NDArray[np.bool_], pooled: Pooled, among: int) -> _Cut:
    """Judge shares by relabeling groups: the largest loss in standard deviations."""
    sides = pooled.sides
    reference, candidate = _counts(cell, counted, ~sides[0]), _counts(cell, counted, sides[0])
    held = np.array([_counts(cell, counted, side) for side in sides])
    lost = (reference + candidate - held) / np.maximum((~sides & counted).sum(1), 1)[:, None]
    lost -= held / np.maximum((sides & counted).sum(1), 1)[:, None]
    spread = np.maximum(lost[1:].std(axis=0), 1e-12)
    largest = np.maximum(lost / spread, 0.0)
    top = largest.max(axis=1)
    found = modes(reference, candidate, among=among)
    share = np.maximum(reference, 1) / max(1, int(reference.sum()))
    reach = float(np.quantile(top[1:], 0.9875)) * spread / share
    each = np.array([permuted_p_value(own) for own in largest.T])
    judged = Modes(found.left, np.maximum(found.left - reach, 0.0), found.left + reach, each)
    return _Cut(cell, reference, candidate, judged, permuted_p_value(top))


def _places(cuts: list[_Cut], pooled: Pooled) -> list[dict[str, object]]:
    """Return the modes that have certainly shrunk, the surest first, none twice."""
    shrunk = [
        (float(cut.found.p_value[mode]), number, int(mode))
        for number, cut in enumerate(cuts)
        for mode in np.flatnonzero(cut.found.high < 1)
    ]
    told: list[dict[str, object]] = []
    taken = np.zeros(len(pooled.groups), bool)
    for _, number, mode in sorted(shrunk):
        inside = cuts[number].cell == mode
        if len(told) < _MOST_MODES and (inside & taken).sum() < inside.sum() / 2:
            taken |= inside
            told.append(_place(cuts[number], mode, pooled))
    return told


def _place(cut: _Cut, mode: int, pooled: Pooled) -> dict[str, object]:
    """Return one mode: its shares, and the columns that tell it from all other rows."""
    columns = _telling(cut.cell == mode, pooled)
    return {
        "reference_share": float(cut.reference[mode] / max(1, int(cut.reference.sum()))),
        "candidate_share": float(cut.candidate[mode] / max(1, int(cut.candidate.sum()))),
        "left": float(cut.found.left[mode]),
        "interval": [float(cut.found.low[mode]), float(cut.found.high[mode])],
        "where": " and ".join(str(column["where"]) for column in columns),
        "columns": columns,
    }


def _telling(inside: NDArray[np.bool_], pooled: Pooled) -> list[dict[str, object]]:
    """Return the columns whose values in these rows differ most from those of all others."""
    codes = encode_codes(pooled.reference, pooled.candidate, pooled.schema)
    values = np.concatenate((codes.x, codes.y))
    names = np.array(codes.names)
    told = []
    for spec in pooled.schema.columns:
        own = np.flatnonzero(names == spec.name)
        if spec.kind is Kind.VECTOR or not len(own):
            continue
        column = values[:, own[0]]
        known = ~np.isnan(column)
        if not (known & inside).any() or not (known & ~inside).any():
            continue
        apart = _apart if spec.kind in ORDERED else _levels_apart
        score = apart(column[known & inside], column[known & ~inside])
        told.append((score, spec.name, column, spec.kind))
    told.sort(key=lambda each: (-each[0], each[1]))
    told = [each for each in told if each[0] >= told[0][0] / 2]
    return [
        {"name": name, "apart": score, **_said(name, column, kind, inside, pooled)}
        for score, name, column, kind in told[:_MOST_COLUMNS]
    ]


def _apart(one: Numbers, other: Numbers) -> float:
    """Return the largest gap between two distribution functions."""
    at = np.sort(one)
    below = np.searchsorted(at, at, side="right") / len(at)
    before = np.searchsorted(at, at, side="left") / len(at)
    rest = np.sort(other)
    gap = np.abs(below - np.searchsorted(rest, at, side="right") / len(rest))
    return float(max(gap.max(), np.abs(before - np.searchsorted(rest, at) / len(rest)).max()))


def _levels_apart(one: Numbers, other: Numbers) -> float:
    """Return the total variation between two samples of level codes."""
    total = int(max(one.max(), other.max())) + 1
    shares = [
        np.bincount(side.astype(np.int64), minlength=total) / len(side) for side in (one, other)
    ]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _said(
    name: str, column: Numbers, kind: Kind, inside: NDArray[np.bool_], pooled: Pooled
) -> dict[str, object]:
    """Return what the values of these rows are, in the column's own units."""
    if kind not in NOMINAL:
        low, high = np.nanquantile(column[inside], _QUANTILES)
        ends = [_shown(float(end), kind) for end in (low, high)]
        where = f"{name} is {ends[0]}" if low == high else f"{name} is {ends[0]} to {ends[1]}"
        return {"low": float(low), "high": float(high), "where": where}
    coded = column[inside]
    common = np.bincount(coded[~np.isnan(coded)].astype(np.int64)).argmax()
    first = int(np.flatnonzero(inside & (column == common))[0])
    n = pooled.rows[0]
    side, at = (pooled.reference, first) if first < n else (pooled.candidate, first - n)
    level = shortened(str(side[name][at].as_py()))
    share = float((coded == common).mean())
    return {"level": level, "share": share, "where": f"{name} is {level}"}


def _shown(value: float, kind: Kind) -> str:
    if kind is Kind.DATETIME:
        day = np.datetime64(0, "s") + np.timedelta64(round(value), "s")
        return str(day.astype("datetime64[D]"))
    return f"{value:.4g}"
