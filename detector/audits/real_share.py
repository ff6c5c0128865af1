"""How many real rows keep a loop stable? Loops with few and with many, and where they hold.

What is kept is the variance of what is trained on after the last round: the mean over the axes
of its ratio to that of all real rows. Its expectation has a closed form for normal data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from detector.audits.kept import Loops
from detector.audits.loop import side_by_side
from detector.audits.plan import MIXED, Regime
from detector.rng import stream
from detector.stats.collapse_laws import mixed_rows_needed, share_needed
from detector.stats.rising import Mean, crossing_interval, mean_with_control

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from detector.audits.loop import Ground
    from detector.audits.plan import Plan

    Tell = Callable[[str, float], None]
    Ends = tuple[int | None, int | None, int | None]

FIRST, NEXT = 6, 8
"""Numbers of real rows that are tried at first, and then between the nearest clear ones."""

CHAINS, MORE_CHAINS = 8, 12
"""Chains of each of them."""

FEWEST = 5
"""Chains that must come to an end, or a number of real rows tells nothing."""


class Point(NamedTuple):
    """A number of real rows that was tried, and the share of the variance that it keeps."""

    rows: int
    kept: Mean
    chains: int


def real_share(ground: Ground, plan: Plan, *, kept: float, tell: Tell) -> dict[str, Any]:
    """Return the fewest real rows that keep a share of the variance, as JSON data.

    A first pass over all shares says where the second one looks more closely. The interval is
    that of the rising fit to both.

    Args:
        ground: What all chains share.
        plan: Rows, generations, recipe settings; its regime where that mixes real rows, else
            `fresh` if there are enough of them and `fixed` if not.
        kept: The variance to keep, as a share of that of the real rows, within (0, 1).
        tell: Called with a stage and the share of it done.

    Cost: at most 6 x 8 + 8 x 12 chains of the audit's generations, with moments only; more
    where the audit has more than eight replicates.
    """
    asked, most = _asked(plan, ground.table.num_rows)
    search = _Search(Loops.of(ground, asked), tell)
    count = max(CHAINS, plan.replicates)
    points = search.points(_spaced(0, most, FIRST), range(count))
    _, low, high = _ends(points, asked, kept, share=0.99)
    if low is not None:
        numbers = range(count, count + max(MORE_CHAINS, plan.replicates))
        points += search.points(_spaced(low, most if high is None else high, NEXT), numbers)
    return _told(sorted(points), asked, kept=kept, most=most, total=ground.table.num_rows)


def _asked(plan: Plan, available: int) -> tuple[Plan, int]:
    """Return the plan of the search, and the most real rows that it can try."""
    rows = plan.rows or available
    half, new = max(1, rows // 2), (available - rows) // plan.generations
    wanted = plan.regime
    if wanted not in MIXED or (wanted is Regime.FRESH and not new):
        wanted = Regime.FRESH if min(half, new) >= max(1, rows // 5) else Regime.FIXED
    most = max(1, min(half, new)) if wanted is Regime.FRESH else half
    return replace(plan, regime=wanted, rows=rows, real_share=most / rows), most


def _spaced(low: int, high: int, count: int) -> list[int]:
    """Return numbers of rows between two, both among them, closer to each other where small.

    >>> _spaced(0, 50, 6), _spaced(3, 5, 5)
    ([0, 1, 4, 10, 22, 50], [3, 4, 5])
    """
    ends = np.linspace(math.log1p(low), math.log1p(high), count)
    return sorted({round(math.expm1(one)) for one in ends})


def _ends(points: Sequence[Point], plan: Plan, kept: float, *, share: float) -> Ends:
    """Return the fewest rows that do, and the ends of their interval; None for more than tried."""
    if not points:
        return None, None, None
    rows = np.log1p([point.rows for point in points])
    rng = stream(plan.seed, "audit", "real-share", str(len(points)))
    means = [point.kept for point in points]
    found = crossing_interval(rows, means, kept, rng=rng, share=share)
    best, low, high = (
        None if math.isinf(at) else math.ceil(round(math.expm1(at), 6)) for at in found
    )
    return best, low, high


@dataclass(frozen=True, slots=True)
class _Search:
    loops: Loops
    tell: Tell

    def points(self, tried: Sequence[int], numbers: range) -> list[Point]:
        """Return what each number of real rows keeps, where enough chains come to an end."""
        work = [(real, number) for real in tried for number in numbers]
        ran = side_by_side(lambda one: self.loops.chain(*one), work, self.loops.ground.recipe)
        found: dict[int, list[Any]] = {real: [] for real in tried}
        for done, ((real, _), kept) in enumerate(zip(work, ran, strict=True), start=1):
            self.tell(f"loops with {real:,} real rows", done / len(work))
            if kept is not None:
                found[real].append(kept)
        return [
            Point(real, mean_with_control(*np.array(chains).T), len(chains))
            for real, chains in found.items()
            if len(chains) >= FEWEST
        ]


def _told(points: list[Point], plan: Plan, *, kept: float, most: int, total: int) -> dict[str, Any]:
    """Return what was found as JSON data: numbers of rows, shares of them, and a sentence."""
    rows, fixed = plan.rows or total, plan.regime is Regime.FIXED
    law = mixed_rows_needed(rows, kept, plan.generations + 1, total=total, fixed=fixed)
    best, low, high = ends = _ends(points, plan, kept, share=0.95)
    share, *interval = (None if end is None else end / rows for end in ends)
    found = {
        "kept": kept,
        "generations": plan.generations,
        "regime": plan.regime.value,
        "most": most,
        "rows": best,
        "share": share,
        "interval_rows": [low, high],
        "interval": interval,
        "law_rows": law,
        "law": None if law is None else law / rows,
        "law_for_ever": None if fixed else share_needed(rows, kept),
        "points": [
            {"rows": one.rows, "share": one.rows / rows, "chains": one.chains}
            | {"kept": one.kept.value, "error": one.kept.error}
            for one in points
        ],
    }
    return found | {"sentence": sentence(found, rows=rows)}


def sentence(found: dict[str, Any], *, rows: int) -> str:
    """Return what a search found in a sentence."""
    best, (low, high), most = found["rows"], found["interval_rows"], found["most"]
    kind = "always the same ones" if found["regime"] == Regime.FIXED else "new ones each time"
    kept = f"{100 * found['kept']:.3g} % of the variance over {found['generations']:,} generations"
    every = f"in every retraining, {kind},"
    if not found["points"]:
        return "No real share could be tried: the recipe failed in nearly every chain."
    if low is None:
        said = f"Not even {_share(most, rows)} {every} keep {kept}"
    elif high == 0:
        said = f"No real rows are needed to keep {kept}; over more of them some may be"
    elif low == 0 and high is None:
        said = (
            f"How many real rows {every} keep {kept} cannot be told: none may do, and "
            f"{_share(most, rows)} may be too few; more replicates would tell"
        )
    elif low == 0:
        said = f"At most {_share(high, rows)} {every} keep {kept}; none may do"
    elif high is None or best is None:
        many = _share(low - 1, rows)
        said = f"Keep more than {many} {every} to keep {kept}; how many cannot be told"
    else:
        said = (
            f"Keep at least {_share(best, rows)} {every} to keep {kept} (95 % interval "
            f"{low:,} to {high:,} rows)"
        )
    return f"{said}. {_law(found, rows)}"


def _share(real: int, rows: int) -> str:
    """Return a number of real rows, with its share of a training.

    >>> _share(40, 667), _share(1, 100)
    ('40 real rows or 6 %', '1 real row or 1 %')
    """
    return f"{real:,} real row{'' if real == 1 else 's'} or {100 * real / rows:.2g} %"


def _law(found: dict[str, Any], rows: int) -> str:
    """Return what closed forms say beside it."""
    if found["law_rows"] is None:
        return "By the law of normal data no number of real rows does."
    said = f"The law of normal data says {_share(found['law_rows'], rows)} over as many generations"
    for_ever = found["law_for_ever"]
    return said + (f" and {100 * for_ever:.2g} % for ever." if for_ever is not None else ".")
