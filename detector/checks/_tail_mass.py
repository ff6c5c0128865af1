"""The mass beyond outer quantiles of the reference: of one column, and of whole rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.findings import Gap, Measurement, Reason, Worse
from detector.stats.exceedances import Cut, Exceedance, exceedance, high_cut, low_cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.checks._pooled import Pooled
    from detector.profiles.aggregates import NumericSummary
    from detector.stats.clusters import ClusterTest

    Measured = tuple[Measurement | Gap, Mapping[str, object]]

DEPTHS: Mapping[str, float] = {"tail_mass": 0.01, "extreme_mass": 0.001}
JOINT_DEPTH = 0.05


def measure(reference: NumericSummary, candidate: NumericSummary, name: str) -> Measured:
    """Return the candidate's mass beyond the low and the high quantile together.

    Its p-value answers for three questions, thrice the smallest: the low tail, the high
    tail, and both.
    """
    if reference.minimum == reference.maximum:
        detail = f"the reference is {reference.minimum:g} throughout and has no tails"
        return Gap(name=name, reason=Reason.CONSTANT_COLUMN, detail=detail), {}
    n, m = reference.n, candidate.n
    rank = max(1, round(DEPTHS[name] * n))
    tables = reference.edges, reference.counts, candidate.counts
    cuts = {"low": low_cut(*tables, rank), "high": high_cut(*tables, rank)}
    known = {side: cut for side, cut in cuts.items() if cut is not None}
    if len(known) < 2 or known["low"].place >= known["high"].place:
        detail = f"nearly every value of the reference is {known['low'].place:g}" if known else ""
        return Gap(name=name, reason=Reason.CONSTANT_COLUMN, detail=detail or "no edges"), {}
    each = {side: exceedance([cut], n, m) for side, cut in known.items()}
    both = exceedance(list(known.values()), n, m)
    smallest = min(both.p_value, *(found.p_value for found in each.values()))
    evidence = {
        "depth": DEPTHS[name],
        "direction": _direction(both),
        **{side: _told(known[side].place, found) for side, found in each.items()},
    }
    return _measurement(name, both, min(1.0, 3 * smallest)), evidence


def joint(score: NDArray[np.float64], pooled: Pooled) -> Measured:
    """Return the mass of the candidate's rows further out than 95 % of the reference's."""
    from detector.stats.clusters import share_test

    name = "joint_tail_mass"
    n, m = pooled.rows
    evidence: dict[str, object] = {"depth": JOINT_DEPTH}
    if len(np.unique(pooled.groups)) < n + m:
        marked = score > np.quantile(score, 1 - JOINT_DEPTH)
        own, moved = float(marked[:n].mean()), share_test(marked, pooled.relabeling)
        return _change(name, float(marked[n:].mean()), own, moved), evidence
    rank = max(1, round(JOINT_DEPTH * n))
    place = float(np.sort(score[:n])[n - rank])
    strict = score > place
    equal = score == place
    tied = int(equal[:n].sum())
    part = (rank - int(strict[:n].sum())) / (tied + 1)
    beyond, level = int(strict[n:].sum()), int(equal[n:].sum())
    found = exceedance([Cut(place, rank, beyond, beyond + level, beyond + part * level)], n, m)
    return _measurement(name, found, found.p_value), evidence | {"direction": _direction(found)}


def clustered(name: str, pooled: Pooled | Gap, measurement: str) -> Measured:
    """Return the mass beyond quantiles of all sampled rows; whole groups change sides."""
    from detector.profiles.columns import as_numbers
    from detector.stats.clusters import share_test

    if isinstance(pooled, Gap):
        return Gap(name=measurement, reason=pooled.reason, detail=pooled.detail), {}
    sides = pooled.reference, pooled.candidate
    values = np.concatenate([as_numbers(side[name].combine_chunks()) for side in sides])
    depth, n = DEPTHS[measurement], pooled.rows[0]
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, (depth, 1 - depth)) if known.size else (0.0, 0.0)
    if low == high:
        detail = "nearly every value is the same"
        return Gap(name=measurement, reason=Reason.CONSTANT_COLUMN, detail=detail), {}
    marked = (values < low) | (values > high)
    found = share_test(marked, pooled.relabeling)
    shares = float(marked[n:].mean()), float(marked[:n].mean())
    return _change(measurement, *shares, found), {"depth": depth}


def _change(name: str, share: float, own: float, found: ClusterTest) -> Measurement:
    """Return a share beside the reference's own."""
    return Measurement(
        name=name,
        value=share,
        worse=Worse.BOTH,
        unit="share",
        null_value=own,
        interval=(max(0.0, own + found.interval[0]), min(1.0, own + found.interval[1])),
        p_value=found.p_value,
        detectable=found.detectable,
    )


def _measurement(name: str, found: Exceedance, p_value: float) -> Measurement:
    return Measurement(
        name=name,
        value=found.share,
        worse=Worse.BOTH,
        unit="share",
        null_value=found.expected,
        interval=found.interval,
        p_value=p_value,
        detectable=found.detectable,
    )


def _direction(found: Exceedance) -> str:
    return "more than in the reference" if found.fatter else "less than in the reference"


def _told(place: float, found: Exceedance) -> dict[str, object]:
    """Return one tail in plain data."""
    return {
        "beyond": place,
        "share": found.share,
        "expected": found.expected,
        "exact_interval": list(found.exact),
        "p_value": found.p_value,
    }
