"""Proof of sameness: the whole interval lies close to the value of no difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.policy.rows import LARGER_BATCH, rows_needed, times_narrower
from detector.policy.rules.rule import Ruling
from detector.policy.words import number, phrase, quantity
from detector.verdicts import Level

if TYPE_CHECKING:
    from detector.policy.rules.rule import Case

UNFILTERABLE = (
    "Rows like these cannot be filtered out later: "
    "if they are synthetic, control them by provenance."
)
COPIES = "Look for rows of the reference in the candidate and take them out."
COPIED = "on the side where rows copied from the reference lie"


def judge(case: Case, *, margin: float) -> Ruling:
    """PASS inside the margin, FAIL beyond it on either side, UNKNOWN across it.

    Args:
        case: The case.
        margin: How far from the null value still counts as no difference.

    """
    if margin <= 0:
        raise ValueError(f"`margin` is {margin}; no finite number of rows can show less than 0")
    low, high = case.interval
    null = case.null_value
    far = f"{quantity(margin, case.measurement)} from {number(null)}"
    if high < null - margin:
        because = f"more than {far}, {COPIED}"
        return Ruling(level=Level.FAIL, because=because, advice=COPIES)
    if low > null + margin:
        because = f"more than {far}, so the two can be told apart"
        return Ruling(level=Level.FAIL, because=because, advice=phrase(case.measurement).advice)
    if null - margin < low and high < null + margin:
        return _same(case, f"less than {far}, so the two cannot be told apart")
    return _undecided(case, far, margin=margin)


def _same(case: Case, because: str) -> Ruling:
    """Rule on an interval inside the margin."""
    if case.interval[1] < case.null_value:
        because = f"{because}; but {COPIED}"
        return Ruling(level=Level.WARN, because=because, advice=COPIES)
    return Ruling(level=Level.PASS, because=because, advice=UNFILTERABLE)


def _undecided(case: Case, far: str, *, margin: float) -> Ruling:
    """Rule on an interval that crosses the margin."""
    null, value = case.null_value, case.measurement.value
    times = times_narrower(value, case.interval, null - margin, null + margin)
    need = rows_needed(case.finding, times=times, rate=case.measurement.rate)
    copied = f", {COPIED}" if case.interval[1] < null else ""
    because = (
        f"too few rows to show that it lies less than {far}, or that it does not{copied}; "
        f"{need.words}"
    )
    return Ruling(
        level=Level.UNKNOWN,
        because=because,
        advice=COPIES if copied else LARGER_BATCH,
        rows_needed=need.rows,
    )
