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


class _Cells(NamedTuple):
    """The cells of the pooled rows, and what each side has in them."""

    cell: Counts
    reference: Counts
    candidate: Counts
    found: Modes
    p_value: float


def lost_modes(
    rows: NDArray[np.float32], pooled: Pooled, *, count: int, rng: np.random.Generator
) -> Iterator[tuple[Measurement, Mapping[str, object]]]:
    """Measure what is left of the mode that lost most, and how many are more than half gone.

    Args:
        rows: Pooled rows on one scale, the reference's first.
        pooled: The same rows.
        count: Modes looked for, at most.
        rng: Draws the first centres.

    """
    made = _cells(rows, pooled, count=count, rng=rng)
    found = made.found
    worst = int(np.argmin(found.p_value))
    shrunk = np.flatnonzero(found.high < 1)
    shrunk = shrunk[np.argsort(found.p_value[shrunk], kind="stable")]
    places = [_place(made, int(mode), pooled) for mode in shrunk[:_MOST_MODES]]
    evidence: dict[str, object] = {"modes_looked_at": len(found.left), "shrunk": places}
    if places:
        evidence["direction"] = f"where {places[0]['where']}"
    yield (
        Measurement(
            name="mode_left",
            value=float(found.left[worst]),
            worse=Worse.LOWER,
            null_value=1.0,
            interval=(float(found.low[worst]), float(found.high[worst])),
            p_value=made.p_value,
        ),
        evidence,
    )
    gone = int((found.high < _HALF).sum())
    yield (
        Measurement(
            name="modes_lost", value=float(gone), worse=Worse.HIGHER, unit="modes", null_value=0.0
        ),
        {
            "modes_looked_at": len(found.left),
            "reference_share": (made.reference / pooled.rows[0]).tolist(),
            "candidate_share": (made.candidate / pooled.rows[1]).tolist(),
        },
    )


def _cells(
    rows: NDArray[np.float32], pooled: Pooled, *, count: int, rng: np.random.Generator
) -> _Cells:
    """Cut the pooled rows, blind to the sides, and test every cell."""
    cell = cut_modes(rows, count, rng)
    n, m = pooled.rows
    total = int(cell.max()) + 1
    reference = np.bincount(cell[:n], minlength=total)
    candidate = np.bincount(cell[n:], minlength=total)
    found = modes(reference, candidate)
    if len(np.unique(pooled.groups)) == n + m:
        p_value = min(1.0, total * float(found.p_value.min()))
        return _Cells(cell, reference, candidate, found, p_value)
    return _clustered(cell, reference, candidate, found, pooled)


def _clustered(
    cell: Counts, reference: Counts, candidate: Counts, found: Modes, pooled: Pooled
) -> _Cells:
    """Judge shares by relabeling groups: the largest loss in standard deviations."""
    sides = pooled.sides
    held = np.array([np.bincount(cell[side], minlength=len(reference)) for side in sides])
    lost = (reference + candidate - held) / np.maximum((~sides).sum(1), 1)[:, None]
    lost -= held / np.maximum(sides.sum(1), 1)[:, None]
    spread = np.maximum(lost[1:].std(axis=0), 1e-12)
    largest = np.maximum(lost / spread, 0.0)
    top = largest.max(axis=1)
    share = np.maximum(reference, 1) / pooled.rows[0]
    reach = float(np.quantile(top[1:], 0.975)) * spread / share
    each = np.array([permuted_p_value(own) for own in largest.T])
    ends = np.maximum(found.left - reach, 0.0), found.left + reach
    judged = Modes(found.left, *ends, each)
    return _Cells(cell, reference, candidate, judged, permuted_p_value(top))


def _place(made: _Cells, mode: int, pooled: Pooled) -> dict[str, object]:
    """Return one mode: its shares, and the columns that tell it from all other rows."""
    inside = made.cell == mode
    columns = _telling(inside, pooled)
    return {
        "reference_share": float(made.reference[mode] / pooled.rows[0]),
        "candidate_share": float(made.candidate[mode] / pooled.rows[1]),
        "left": float(made.found.left[mode]),
        "interval": [float(made.found.low[mode]), float(made.found.high[mode])],
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
