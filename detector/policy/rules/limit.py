"""An interval against a limit: inside, outside, or too wide to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.policy.rows import LARGER_BATCH, rows_needed, times_narrower
from detector.policy.rules.rule import Ruling
from detector.policy.words import phrase, quantity
from detector.verdicts import Level

if TYPE_CHECKING:
    from detector.policy.rules.rule import Case


def judge(case: Case, *, at_most: float | None = None, at_least: float | None = None) -> Ruling:
    """PASS wholly inside, FAIL wholly outside, UNKNOWN across the limit.

    Args:
        case: The case; a number without an interval is exact.
        at_most: The largest value allowed.
        at_least: The smallest value allowed.

    """
    if at_most is None and at_least is None:
        raise ValueError("`limit` needs `at_most` or `at_least`")
    if at_most is not None and at_least is not None and at_least > at_most:
        raise ValueError(f"`at_least` ({at_least}) is above `at_most` ({at_most})")
    low, high = case.interval
    said = [f"at most {quantity(at_most, case.measurement)}"] if at_most is not None else []
    said += [f"at least {quantity(at_least, case.measurement)}"] if at_least is not None else []
    allowed = f"{' and '.join(said)} is allowed"
    none = at_most == 0 and at_least is None
    ceiling = float("inf") if at_most is None else at_most
    floor = float("-inf") if at_least is None else at_least
    if low > ceiling or high < floor:
        because = "none is allowed" if none else f"only {allowed}"
        return Ruling(level=Level.FAIL, because=because, advice=phrase(case.measurement).advice)
    if floor <= low and high <= ceiling:
        return Ruling(level=Level.PASS, because=allowed)
    times = times_narrower(case.measurement.value, case.interval, floor, ceiling)
    need = rows_needed(case.finding, times=times, rate=case.measurement.rate)
    return Ruling(
        level=Level.UNKNOWN,
        because=f"{allowed}, and too few rows to tell; {need.words}",
        advice=LARGER_BATCH,
        rows_needed=need.rows,
    )
