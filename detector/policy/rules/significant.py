"""A test whose p-value answers for its family, and an effect large enough to matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.findings import Reason, Worse
from detector.policy.rows import LARGER_BATCH, rows_needed
from detector.policy.rules.rule import Ruling
from detector.policy.words import phrase, quantity
from detector.verdicts import Level

if TYPE_CHECKING:
    from detector.policy.rules.rule import Case


def judge(
    case: Case,
    *,
    negligible: float | None = None,
    must_detect: float | None = None,
    origin: float | None = None,
) -> Ruling:
    """FAIL where the change is certain and not negligible.

    PASS where chance explains it, WARN where it is real but may be negligible, and a gap
    where the rows are too few for `must_detect`. A number that is no test passes only
    within `negligible`.

    Args:
        case: The case.
        negligible: A change of at most this size never fails, however certain.
        must_detect: The change that the gate has to be able to see.
        origin: The true value of no difference, from which `negligible` counts. It is the
            null value unless given. A distance between samples has a null value above zero,
            what chance alone gives, but an interval for the true distance: its origin is 0.

    """
    for name, option in (("negligible", negligible), ("must_detect", must_detect)):
        if option is not None and option < 0:
            raise ValueError(f"`{name}` is {option}; a size is at least 0")
    start = case.null_value if origin is None else origin
    least, largest = _changes(case, start)
    if case.corrected_p is None:
        return _untested(case, negligible, start, largest=largest)
    certain = case.corrected_p <= case.alpha
    if certain and (negligible is None or least > negligible):
        because = "beyond chance" if negligible is None else _beyond(case, negligible, start)
        return Ruling(level=Level.FAIL, because=because, advice=phrase(case.measurement).advice)
    if must_detect is not None and (case.detectable or 0.0) > must_detect:
        return _blind(case, must_detect, start)
    if certain:
        small = largest <= (negligible or 0.0)
        return _small(case, negligible or 0.0, start, small=small)
    return Ruling(level=Level.PASS, because=f"no more than chance{_would_have_seen(case, start)}")


def _changes(case: Case, start: float) -> tuple[float, float]:
    """Return the least and the largest change that the interval allows, in the worse direction."""
    low, high = case.interval
    above, below = (low - start, high - start), (start - high, start - low)
    match case.measurement.worse:
        case Worse.HIGHER:
            return above
        case Worse.LOWER:
            return below
        case Worse.BOTH:
            return max(above[0], below[0]), max(above[1], below[1])


def _untested(case: Case, negligible: float | None, start: float, *, largest: float) -> Ruling:
    """Rule on a number without a p-value, such as a share among clustered rows."""
    if negligible is not None and largest <= negligible:
        because = f"not tested, but within the {_size(case, negligible, start)} that may pass"
        return Ruling(level=Level.PASS, because=because)
    because = "there is no p-value, so a `significant` rule has nothing to say"
    return Ruling(level=Level.UNKNOWN, because=because, advice="Use a `limit` rule for it.")


def _size(case: Case, size: float, start: float) -> str:
    """Return a size of change, with where it is counted from unless that is zero."""
    counted = f" from {quantity(start, case.measurement)}" if start else ""
    return f"{quantity(size, case.measurement)}{counted}"


def _beyond(case: Case, negligible: float, start: float) -> str:
    """Say that a change is certain and matters."""
    return f"beyond chance, and more than the {_size(case, negligible, start)} that may pass"


def _small(case: Case, negligible: float, start: float, *, small: bool) -> Ruling:
    """Rule on a change that is certain and may be negligible."""
    kind = "real but small" if small else "real, but it may be small"
    because = f"{kind}; up to {_size(case, negligible, start)} may pass"
    return Ruling(
        level=Level.WARN, because=because, advice="Watch small differences in the next batches."
    )


def _blind(case: Case, must_detect: float, start: float) -> Ruling:
    """Rule on a measurement that would have missed what must be seen."""
    detectable = case.detectable or 0.0
    times = detectable / must_detect if must_detect else float("inf")
    need = rows_needed(case.finding, times=times, rate=case.measurement.rate)
    return Ruling(
        level=Level.UNKNOWN,
        because=(
            f"these rows would show a change of {_size(case, detectable, start)}, the policy asks "
            f"for {_size(case, must_detect, start)}; {need.words}"
        ),
        advice=LARGER_BATCH,
        rows_needed=need.rows,
        gap=Reason.TOO_FEW_ROWS,
    )


def _would_have_seen(case: Case, start: float) -> str:
    """Say what the gate would have seen, if that is known."""
    if case.detectable is None:
        return ""
    return f"; a change of {_size(case, case.detectable, start)} would most likely have been seen"
