"""How many real rows keep a loop stable? Loops of rising real share, and where they hold.

What is kept is the variance of what is trained on: the mean over the axes of its ratio to that
of the real rows. Its expectation has a closed form for normal data, to compare with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits.loop import run
from detector.audits.plan import MIXED, Regime
from detector.errors import DetectorError
from detector.stats.collapse_laws import share_needed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from detector.audits.loop import Chain, Ground
    from detector.audits.plan import Plan

    Numbers = NDArray[np.float64]
    Tell = Callable[[str, float], None]

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
FEWEST = 12
"""Chains of each share at least: fewer give no interval worth having."""


def real_share(ground: Ground, plan: Plan, *, kept: float, tell: Tell) -> dict[str, Any]:
    """Return the smallest real share that keeps a share of the variance, as JSON data.

    Args:
        ground: What all chains share.
        plan: Rows, generations, recipe settings; its regime where that mixes real rows, else
            `fresh` if there are enough of them and `fixed` if not.
        kept: The variance to keep, as a share of that of the real rows, within (0, 1).
        tell: Called with a stage and the share of it done.

    Cost: seven shares times the cost of an audit of at least twelve chains.
    """
    points = []
    for share in SHARES:
        asked, regime = _asked(ground, plan, share)
        chains = run(ground, asked, tell=_at(share, tell))
        values = _kept([chain for chain in chains if not chain.ended], ground)
        if len(values) >= 3:
            error = float(values.std(ddof=1) / np.sqrt(len(values)))
            mean = float(values.mean())
            points.append(
                {"share": share, "rows": asked.real_rows, "kept": mean, "error": error}
                | {"regime": regime.value}
            )
    return _told(points, kept=kept, rows=plan.rows or len(ground.table))


def _asked(ground: Ground, plan: Plan, share: float) -> tuple[Plan, Regime]:
    """Return the plan of one share: new real rows where there are enough of them."""
    base: dict[str, Any] = {"replicates": max(FEWEST, plan.replicates), "real_share": share}
    wanted = plan.regime if plan.regime in MIXED else Regime.FRESH
    try:
        return replace(plan, regime=wanted, **base).sized(ground.table.num_rows), wanted
    except DetectorError:
        fixed = replace(plan, regime=Regime.FIXED, **base)
        return fixed.sized(ground.table.num_rows), Regime.FIXED


def _at(share: float, tell: Tell) -> Tell:
    """Return a teller that says which share is tried."""

    def told(stage: str, done: float) -> None:
        tell(f"real share {share:g}: {stage}", done)

    return told


def _kept(chains: Sequence[Chain], ground: Ground) -> Numbers:
    """Return the variance that each chain kept over the last third of its generations."""
    lens = ground.lens
    real = np.diag(lens.moments(lens.view(ground.table)).cov)
    found = []
    for chain in chains:
        last = chain.generations[-max(1, len(chain.generations) // 3) :]
        ratios = [np.mean(np.diag(one.training.cov) / real) for one in last]
        found.append(float(np.mean(ratios)))
    return np.array(found)


def _told(points: list[dict[str, Any]], *, kept: float, rows: int) -> dict[str, Any]:
    """Return the share at which the kept variance reaches what is asked, with an interval."""
    if not points:
        said = "No real share could be tried: the recipe failed in every chain."
        return {"kept": kept, "points": [], "share": None, "sentence": said}
    shares = np.array([point["share"] for point in points])
    means = np.maximum.accumulate([point["kept"] for point in points])
    reach = 1.96 * np.array([point["error"] for point in points])
    best = _crossing(shares, means, kept)
    # Where the upper ends reach the wish is the least share that may do, and the other way round.
    low = _crossing(shares, np.maximum.accumulate(means + reach), kept)
    high = _crossing(shares, np.maximum.accumulate(means - reach), kept)
    fixed = {point["regime"] for point in points} == {Regime.FIXED.value}
    law = None if fixed else share_needed(rows, kept)
    return {
        "kept": kept,
        "points": points,
        "share": best,
        "rows": None if best is None else int(np.ceil(best * rows)),
        "interval": [low, high],
        "law": law,
        "sentence": _sentence(best, (low, high), law, kept=kept, rows=rows),
    }


def _crossing(shares: Numbers, values: Numbers, wanted: float) -> float | None:
    """Return the least share at which rising values reach what is wanted, on a log scale."""
    above = np.flatnonzero(values >= wanted)
    if not len(above):
        return None
    place = int(above[0])
    if place == 0:
        return float(shares[0])
    span = values[place] - values[place - 1]
    part = (wanted - values[place - 1]) / span if span > 0 else 1.0
    ends = np.log(shares[place - 1 : place + 1])
    return float(np.exp(ends[0] + part * (ends[1] - ends[0])))


def _sentence(
    best: float | None,
    ends: tuple[float | None, float | None],
    law: float | None,
    *,
    kept: float,
    rows: int,
) -> str:
    what = f"{100 * kept:.0f} % of the variance"
    if best is None:
        return f"No real share up to {100 * SHARES[-1]:.0f} % keeps {what} here."
    low, high = ends
    upper = f"{100 * high:.1f} %" if high is not None else f"above {100 * SHARES[-1]:.0f} %"
    said = (
        f"Keep at least {int(np.ceil(best * rows)):,} real rows or {100 * best:.1f} % in every "
        f"retraining to keep {what} (95 % interval {100 * (low or SHARES[0]):.1f} % to {upper}"
    )
    if best <= SHARES[0]:
        said = (
            f"No least real share can be told: within these generations even {100 * best:.1f} %, "
            f"the least that was tried, seems to keep {what} (more generations would tell"
        )
    return f"{said}; the law of normal data says {100 * law:.1f} %)." if law else f"{said})."
