"""What an audit or a lineage found: measurements and gaps for the policy to judge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from detector.audits.shown import healthy_values
from detector.audits.trajectory import MEASURES
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from detector.audits.alarm import Alarm, Band
    from detector.audits.loop import Chain

    Numbers = NDArray[np.float64]

CHANGE = "training_log_det_change"
FEWEST_ROWS = 20
"""Rows of a generation below which no band is made."""

DIRECTIONS = {"risk": Worse.HIGHER, "hallucinated": Worse.HIGHER, "risk_slope": Worse.HIGHER}
"""Where a measure gets worse; both ways where nothing is said."""


def finding(check: str, rows: int, outcome: Measurement | Gap, **evidence: object) -> Finding:
    """Return a finding about whole generations of so many rows."""
    return Finding(
        check=check,
        subject=TABLE,
        outcome=outcome,
        n_reference=rows,
        n_candidate=rows,
        evidence=evidence,
    )


def no_band(rows: int, axes: int) -> Gap | None:
    """Return why generations of so many rows along so many axes have no band, if so."""
    if not axes:
        detail = "no column of numbers or levels varies"
        return Gap(name=CHANGE, reason=Reason.CONSTANT_COLUMN, detail=detail)
    if rows < FEWEST_ROWS:
        detail = f"cannot tell: {rows} rows in a generation, {FEWEST_ROWS} needed"
        return Gap(name=CHANGE, reason=Reason.TOO_FEW_ROWS, detail=detail)
    return None


def change_finding(
    check: str,
    rows: int,
    found: tuple[Alarm, Band] | None,
    gap: Gap | None,
    *,
    axes: int,
    paths: Numbers | None = None,
) -> Finding:
    """Return how far the spread has changed against the band, or why that cannot be told."""
    if gap is not None or found is None:
        return finding(check, rows, gap or Gap(name=CHANGE, reason=Reason.CHECK_FAILED, detail=""))
    outcome, direction = _change(*found, axes=axes, paths=paths)
    return finding(check, rows, outcome, direction=direction)


def _change(
    alarm: Alarm, band: Band, *, axes: int, paths: Numbers | None
) -> tuple[Measurement, str]:
    """Return the change of spread as a measurement, and how it is told in a sentence."""
    interval = None
    if paths is not None and len(paths) > 1:
        from scipy import stats

        last = paths[:, -1]
        reach = float(stats.t.ppf(0.975, len(last) - 1) * last.std(ddof=1) / np.sqrt(len(last)))
        interval = (alarm.change - reach, alarm.change + reach)
    made = Measurement(
        name=CHANGE,
        value=alarm.change,
        worse=Worse.BOTH,
        null_value=float(band.middle[-1]),
        interval=interval,
        p_value=alarm.p_value,
    )
    return made, _direction(alarm, axes)


def _direction(alarm: Alarm, axes: int) -> str:
    """Return how the alarm is told in a sentence."""
    ratio = 100.0 * math.exp(min(50.0, alarm.change / max(1, axes)))
    left = f"{ratio:.3g} % of the variance is there in the end"
    if alarm.generation is None:
        return left
    how = "less" if alarm.direction == "lost" else "more"
    return f"{how} than in healthy loops from generation {alarm.generation} on; {left}"


def risk_rise(whole: Sequence[Chain]) -> list[Measurement]:
    """Return the paired one-sided test that risk rose between generation 1 and the last one."""
    pairs = [(chain.generations[1], chain.generations[-1]) for chain in whole if len(whole) > 2]
    pairs = [
        (a, b) for a, b in pairs if a is not b and "risk" in a.measures and "risk" in b.measures
    ]
    if len(pairs) < 3:
        return []
    from scipy import stats

    rises = np.array([b.measures["risk"] - a.measures["risk"] for a, b in pairs])
    if not rises.std() > 0:
        return []
    error = float(rises.std(ddof=1) / np.sqrt(len(rises)))
    mean = float(rises.mean())
    reach = float(stats.t.ppf(0.975, len(rises) - 1)) * error
    return [
        Measurement(
            name="risk_increase",
            value=mean,
            worse=Worse.HIGHER,
            null_value=0.0,
            interval=(mean - reach, mean + reach),
            p_value=max(1e-300, float(stats.t.sf(mean / error, len(rises) - 1))),
        )
    ]


def last_values(whole: Sequence[Chain], bank: Sequence[Chain]) -> list[Measurement]:
    """Return each measure in the last generation, beside that of healthy rounds."""
    made = []
    for name in MEASURES:
        values = [v for c in whole if (v := c.generations[-1].measures.get(name)) is not None]
        null = healthy_values(bank, name)
        if values and len(whole[0].generations) > 1:
            made.append(
                Measurement(
                    name=f"last_{name}",
                    value=float(np.mean(values)),
                    worse=DIRECTIONS.get(name, Worse.BOTH),
                    null_value=float(np.median(null)) if null else None,
                )
            )
    return made
