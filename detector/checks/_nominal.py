"""How many rows of a column went to another level, and which levels moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.findings import Gap, Measurement, Reason, Worse
from detector.stats import categorical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.profiles.aggregates import LevelSummary
    from detector.stats.clusters import ClusterTest

    Counts = NDArray[np.int64]

_NAME = "total_variation"
_MOST_LEVELS = 20
_LONGEST = 80
OTHER = "(all other levels)"


def measure(
    reference: LevelSummary, candidate: LevelSummary, found: ClusterTest | None
) -> tuple[Measurement | Gap, dict[str, object]]:
    """Return the total variation, and the levels that moved most.

    Args:
        reference: Counts with at least one value.
        candidate: Counts with at least one value.
        found: The test by relabeling where rows are clustered.

    """
    names, before, after = aligned(reference, candidate)
    if len(names) == 1:
        detail = f"every value of both sides is {shortened(names[0])!r}"
        return Gap(name=_NAME, reason=Reason.CONSTANT_COLUMN, detail=detail), {}
    if found is not None:
        value, noise, interval = found.value, found.expected, found.interval
        p_value, detectable = found.p_value, found.detectable
    else:
        value = categorical.total_variation(before, after)
        noise = categorical.expected_by_chance(before, after)
        interval = categorical.interval(before, after)
        p_value = categorical.equal_shares(before, after)
        detectable = categorical.change_seen(before, after)
    measurement = Measurement(
        name=_NAME,
        value=value,
        worse=Worse.HIGHER,
        unit="share",
        null_value=noise,
        interval=interval,
        p_value=p_value,
        detectable=detectable,
    )
    return measurement, _evidence(names, before, after)


def aligned(reference: LevelSummary, candidate: LevelSummary) -> tuple[list[str], Counts, Counts]:
    """Return the levels of both sides, sorted, with the counts of each side.

    A side with more levels than a profile keeps knows those with the smallest hashes. Only
    levels that either side would have kept are compared one by one; the rest is one level.
    """
    known = sorted({**reference.levels, **candidate.levels})
    if reference.spilled or candidate.spilled:
        bound = min(_last_hash(side) for side in (reference, candidate) if side.spilled)
        known = [name for name, key in zip(known, _hashes(known), strict=True) if key <= bound]
    before, after = _counts(reference, known), _counts(candidate, known)
    rest = reference.n - int(before.sum()), candidate.n - int(after.sum())
    if any(rest):
        known.append(OTHER)
        before, after = np.append(before, rest[0]), np.append(after, rest[1])
    return known, before, after


def _counts(side: LevelSummary, known: list[str]) -> Counts:
    return np.array([side.levels.get(name, 0) for name in known], np.int64)


def shortened(name: str) -> str:
    """Return a level's name, cut where a report could not bear it."""
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"


def level_evidence(
    names: list[str], before: Counts, after: Counts, order: Counts
) -> dict[str, object]:
    """Return the levels at these places with their counts and shares."""
    chosen = order[:_MOST_LEVELS]
    totals = max(int(before.sum()), 1), max(int(after.sum()), 1)
    return {
        "levels": [shortened(names[place]) for place in chosen],
        "reference_count": before[chosen].tolist(),
        "candidate_count": after[chosen].tolist(),
        "reference_share": (before[chosen] / totals[0]).tolist(),
        "candidate_share": (after[chosen] / totals[1]).tolist(),
        "levels_in_all": len(names),
    }


def _evidence(names: list[str], before: Counts, after: Counts) -> dict[str, object]:
    moves = np.abs(after / after.sum() - before / before.sum())
    return level_evidence(names, before, after, np.argsort(-moves, kind="stable"))


def _last_hash(side: LevelSummary) -> int:
    return max(_hashes(list(side.levels)), default=0)


def _hashes(names: list[str]) -> list[int]:
    import pyarrow as pa

    from detector.profiles import hashing

    return [int(key) for key in hashing.texts(pa.array(names, pa.string()))]
