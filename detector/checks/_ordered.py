"""How far a column of numbers has moved, and what to show for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.findings import Gap, Measurement, Reason, Worse
from detector.stats import wasserstein as w
from detector.stats.binned import Binned, coarse_bins
from detector.stats.ks import ks_test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detector.profiles.aggregates import NumericSummary
    from detector.stats.clusters import ClusterTest

_NAME = "wasserstein"
_LARGEST = 1e150
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def measure(
    reference: NumericSummary, candidate: NumericSummary, found: ClusterTest | None
) -> tuple[Measurement | Gap, dict[str, object]]:
    """Return the Wasserstein distance in spreads of the reference, and its evidence.

    Args:
        reference: Counts with at least one value.
        candidate: Counts over the same edges, with at least one value.
        found: The test by relabeling where rows are clustered.

    """
    if reference.minimum == reference.maximum:
        detail = f"the reference is {reference.minimum:g} throughout: no unit to measure in"
        return Gap(name=_NAME, reason=Reason.CONSTANT_COLUMN, detail=detail), {}
    ends = reference.minimum, reference.maximum, candidate.minimum, candidate.maximum
    if max(abs(end) for end in ends if end is not None) > _LARGEST:
        return _beyond_measure(), {}
    one, two = _binned(reference), _binned(candidate)
    if one.spread < 1 / _LARGEST:
        return _beyond_measure(), {}
    spread = one.spread
    statistic, p_value = ks_test(reference.counts, candidate.counts)
    distance, noise, interval = (
        w.wasserstein(one, two),
        w.expected_by_chance(one, two),
        w.interval(one, two),
    )
    visible = w.gap_seen(reference.n, candidate.n)
    if found is not None:
        distance, noise, interval = found.value, found.expected, found.interval
        p_value, visible = found.p_value, found.detectable
    measurement = Measurement(
        name=_NAME,
        value=distance / spread,
        worse=Worse.HIGHER,
        unit="spreads",
        null_value=noise / spread,
        interval=(interval[0] / spread, interval[1] / spread),
        p_value=p_value,
        detectable=w.shift_seen(one, visible) / spread,
    )
    return measurement, _evidence(one, two, statistic, distance)


def _beyond_measure() -> Gap:
    detail = "values beyond 1e150 or a spread below 1e-150 cannot be measured"
    return Gap(name=_NAME, reason=Reason.KIND_NOT_SUPPORTED, detail=detail)


def _binned(summary: NumericSummary) -> Binned:
    if summary.minimum is None or summary.maximum is None:
        raise ValueError("a column without values has no distribution")
    return Binned.of(
        summary.counts,
        summary.edges,
        mean=summary.mean,
        m2=summary.m2,
        minimum=summary.minimum,
        maximum=summary.maximum,
    )


def _evidence(
    reference: Binned, candidate: Binned, statistic: float, distance: float
) -> dict[str, object]:
    """Return small plain data for a chart and a sentence."""
    edges, before, after = coarse_bins(reference, candidate)
    marks = np.array(_QUANTILES)
    quantiles = reference.quantiles(marks), candidate.quantiles(marks)
    return {
        "edges": _plain(edges, 12),
        "reference_share": _plain(before, 6),
        "candidate_share": _plain(after, 6),
        "quantiles": list(_QUANTILES),
        "reference_quantiles": _plain(quantiles[0], 12),
        "candidate_quantiles": _plain(quantiles[1], 12),
        "direction": _direction(reference, candidate, distance),
        "largest_gap": statistic,
        "spread": reference.spread,
    }


def _direction(reference: Binned, candidate: Binned, distance: float) -> str:
    """Say in which way the candidate differs, mostly."""
    shift = candidate.mean - reference.mean
    if abs(shift) > distance / 2 > 0:
        return "candidate is higher" if shift > 0 else "candidate is lower"
    ends = np.array([_QUANTILES[0], _QUANTILES[-1]])
    wide = np.ptp(candidate.quantiles(ends)) - np.ptp(reference.quantiles(ends))
    if wide == 0:
        return "candidate has another shape"
    return "candidate is wider" if wide > 0 else "candidate is narrower"


def _plain(values: Iterable[float], digits: int) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in values]
