"""A finished audit: findings for the policy, and the plain data that a report draws."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits import alarm as alarms
from detector.audits.forecast import forecast
from detector.audits.lens import lens_of
from detector.audits.loop import Ground, refits, run
from detector.audits.losses import losses
from detector.audits.null import draws_of, steps_of
from detector.audits.plan import Regime
from detector.audits.snapshots import Snapshots
from detector.audits.store import Store
from detector.audits.trajectory import MEASURES
from detector.audits.which import identity, title
from detector.data.arrays import positions
from detector.data.export import canonical_table
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.recipes import row_hashes, rows_digest
from detector.rng import stream

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from detector.audits.alarm import Alarm, Band
    from detector.audits.loop import Chain
    from detector.audits.plan import Plan
    from detector.data.dataset import Dataset
    from detector.recipes import Recipe

    Tell = Callable[[str, float], None]
    Numbers = NDArray[np.float64]

CHECK = "audit"
CHANGE = "training_log_det_change"
FEWEST_ROWS = 20
"""Rows of a generation below which no band is made."""

FEWEST_REFITS = 6
"""Short healthy chains that must come to an end, or there is no band."""

DIRECTIONS = {"risk": Worse.HIGHER, "hallucinated": Worse.HIGHER, "risk_slope": Worse.HIGHER}
"""Where a measure gets worse; both ways where nothing is said."""


_NO_NUMBERS = frozenset({"fit_timeout", "refits"})
"""Parts of a plan that change nothing in a round that was finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an audit found: findings to be judged, and plain data to be drawn."""

    findings: tuple[Finding, ...]
    plain: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of the chains, beside the plan.

    Attributes:
        ratio: The variance ratio whose passage is forecast.
        horizon: Generations to look ahead; None for many times those run.
        alpha: How often a healthy loop may raise an alarm over the whole horizon.
        keep_variance: Find the real share that keeps so much of the variance; None for no search.

    """

    ratio: float = 0.5
    horizon: int | None = None
    alpha: float = alarms.ALPHA
    keep_variance: float | None = None


def prepare(
    dataset: Dataset,
    recipe: Recipe,
    plan: Plan,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    profiles: str | os.PathLike[str] | None = None,
) -> tuple[Ground, Plan]:
    """Return what all chains share, and the plan with its rows filled in.

    Raises:
        DetectorError: There are too few real rows, or the checkpoint or the profiles have no
            place.

    """
    table = canonical_table(dataset)
    hashes = row_hashes(dataset)
    sized = plan.sized(table.num_rows)
    # The order of rows carries no information: chains draw from one that files cannot change.
    table = table.take(positions(np.argsort(hashes, kind="stable"))).combine_chunks()
    lens = lens_of(table, dataset.schema, rows=sized.rows or table.num_rows)
    plain = _plan(sized)
    numbers = {name: value for name, value in plain.items() if name not in _NO_NUMBERS}
    facts = {"recipe": identity(recipe), "plan": numbers, "rows": rows_digest(hashes)}
    ground = Ground(
        table=table,
        schema=dataset.schema,
        lens=lens,
        recipe=recipe,
        store=Store.at(checkpoint, facts),
        snapshots=None if profiles is None else Snapshots.at(profiles, dataset),
    )
    return ground, sized


def audited(ground: Ground, plan: Plan, asked: Asked, *, tell: Tell) -> Outcome:
    """Run the loop and say what it did.

    Args:
        ground: What all chains share.
        plan: What to run, with its rows filled in.
        asked: What to say of it.
        tell: Called with a stage and the share of it done.

    """
    chains = run(ground, plan, tell=tell)
    whole = _longest(chains)
    gap = _no_band(ground, plan, whole)
    bank: list[Chain] = []
    if gap is None:
        tried = refits(ground, plan, tell=tell)
        bank = [chain for chain in tried if not chain.ended]
        if len(bank) < FEWEST_REFITS:
            detail = f"{len(bank)} of {len(tried)} short healthy chains came to an end"
            gap = Gap(name=CHANGE, reason=Reason.CHECK_FAILED, detail=detail)
    found: tuple[Alarm, Band] | None = None
    if gap is None:
        found = _alarm(ground, plan, asked, whole, bank)
        gap = _cannot_tell(found[0], plan)
    share = None
    if asked.keep_variance is not None and len(whole[0].generations) > 1 and ground.lens.axes:
        from detector.audits.real_share import real_share

        share = real_share(ground, plan, kept=asked.keep_variance, tell=tell)
    plain = _plain(ground, plan, asked, chains, whole, bank, found) | {"real_share": share}
    return Outcome(
        findings=tuple(_findings(plan, chains, whole, bank, found, gap, ground.lens.axes)),
        plain=settled(plain),
    )


def settled(plain: dict[str, Any]) -> dict[str, Any]:
    """Return plain data as they read back from JSON; what is no JSON becomes text."""
    found: dict[str, Any] = json.loads(json.dumps(plain, default=str))
    return found


def spreads_of(chains: Sequence[Chain]) -> Numbers:
    """Return the log determinants of chains of one length, shape (chains, generations + 1)."""
    return np.array([[one.spread for one in chain.generations] for chain in chains])


def paths_of(chains: Sequence[Chain]) -> Numbers:
    """Return their changes since generation 0."""
    spread = spreads_of(chains)
    changes: Numbers = spread - spread[:, :1]
    return changes


def _alarm(
    ground: Ground, plan: Plan, asked: Asked, whole: Sequence[Chain], bank: Sequence[Chain]
) -> tuple[Alarm, Band]:
    """Hold the mean path of the chains against healthy loops of the recipe."""
    features = ground.lens.features(ground.lens.view(ground.table))
    rng = stream(plan.seed, "audit", "band")
    draws = draws_of(features, rows=plan.rows or len(features), rng=rng, ridge=ground.lens.ridge)
    steps = steps_of(bank)
    path = spreads_of(whole).mean(axis=0)
    asked_of: dict[str, Any] = {"replicates": len(whole), "rng": rng}
    band = alarms.healthy_band(
        path,
        steps,
        draws,
        alpha=asked.alpha,
        seen=spreads_of(bank),
        **asked_of,
    )
    return alarms.judge_path(path, band, steps, draws, **asked_of), band


def _longest(chains: Sequence[Chain]) -> list[Chain]:
    """Return the chains that went as far as any did."""
    most = max(len(chain.generations) for chain in chains)
    return [chain for chain in chains if len(chain.generations) == most]


def _no_band(ground: Ground, plan: Plan, whole: Sequence[Chain]) -> Gap | None:
    """Return why there can be no band, if so."""
    rows = plan.rows or 0
    if len(whole[0].generations) < 2:
        detail = f"no chain reached generation 1: {whole[0].ended}"
        return Gap(name=CHANGE, reason=Reason.FIT_FAILED, detail=detail)
    if not ground.lens.axes:
        detail = "no column of numbers or levels varies"
        return Gap(name=CHANGE, reason=Reason.CONSTANT_COLUMN, detail=detail)
    if rows < FEWEST_ROWS:
        detail = f"cannot tell: {rows} rows in a generation, {FEWEST_ROWS} needed"
        return Gap(name=CHANGE, reason=Reason.TOO_FEW_ROWS, detail=detail)
    return None


def _cannot_tell(found: Alarm, plan: Plan) -> Gap | None:
    """Return the gap of an audit whose silence means nothing."""
    if found.tells:
        if found.generation is not None or plan.regime is not Regime.REPLACE:
            return None
        # This loop is one of those that should have been seen: that it was not says that rounds
        # do not add up as the band takes them to, and nothing about its health.
        detail = (
            f"cannot tell: by its single rounds this loop without real rows would be seen in "
            f"{100 * found.power:.0f} % of audits, and it was not; they do not add up"
        )
        return Gap(name=CHANGE, reason=Reason.NOT_IDENTIFIABLE, detail=detail)
    needed = max(found.needed, found.made + 1)
    detail = (
        f"cannot tell: a loop without any real rows would be seen in {100 * found.power:.0f} % of "
        f"such audits; {found.made:,} replicates x generations of {needed:,} needed"
    )
    return Gap(name=CHANGE, reason=Reason.TOO_FEW_ROWS, detail=detail)


def _findings(
    plan: Plan,
    chains: Sequence[Chain],
    whole: Sequence[Chain],
    bank: Sequence[Chain],
    found: tuple[Alarm, Band] | None,
    gap: Gap | None,
    axes: int,
) -> list[Finding]:
    rows = plan.rows or 0

    def finding(outcome: Measurement | Gap, **evidence: object) -> Finding:
        return Finding(
            check=CHECK,
            subject=TABLE,
            outcome=outcome,
            n_reference=rows,
            n_candidate=rows,
            evidence=evidence,
        )

    made = []
    if gap is not None or found is None:
        made.append(finding(gap or Gap(name=CHANGE, reason=Reason.CHECK_FAILED, detail="")))
    else:
        outcome, direction = change_found(*found, axes=axes, paths=paths_of(whole))
        made.append(finding(outcome, direction=direction))
    for chain in chains:
        if chain.ended:
            name = f"chain_{chain.replicate}"
            detail = f"chain {chain.replicate} ended in {chain.ended}"
            made.append(finding(Gap(name=name, reason=Reason.FIT_FAILED, detail=detail)))
    made += [finding(one) for one in _risk(whole)]
    made += [finding(one) for one in _last(whole, bank)]
    return made


def _direction(alarm: Alarm, axes: int) -> str:
    """Return how the alarm is told in a sentence."""
    ratio = 100.0 * math.exp(min(50.0, alarm.change / max(1, axes)))
    left = f"{ratio:.3g} % of the variance is there in the end"
    if alarm.generation is None:
        return left
    how = "less" if alarm.direction == "lost" else "more"
    return f"{how} than in healthy loops from generation {alarm.generation} on; {left}"


def change_found(
    alarm: Alarm, band: Band, *, axes: int, paths: Numbers | None = None
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


def _risk(whole: Sequence[Chain]) -> list[Measurement]:
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


def _last(whole: Sequence[Chain], bank: Sequence[Chain]) -> list[Measurement]:
    """Return each measure in the last generation, beside that of healthy rounds."""
    made = []
    for name in MEASURES:
        values = [v for c in whole if (v := c.generations[-1].measures.get(name)) is not None]
        null = _healthy(bank, name)
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


def _plain(
    ground: Ground,
    plan: Plan,
    asked: Asked,
    chains: Sequence[Chain],
    whole: Sequence[Chain],
    bank: Sequence[Chain],
    found: tuple[Alarm, Band] | None,
) -> dict[str, Any]:
    paths = paths_of(whole)
    alarm, band = found or (None, None)
    grown = alarm is not None and alarm.direction == "grown"
    return {
        "kind": "audit",
        "recipe": {"name": title(ground.recipe), **identity(ground.recipe)},
        "plan": _plan(plan),
        "trajectory": table_of(chains),
        "alarm": None if alarm is None else alarm.to_plain(level=asked.alpha),
        "band": None if band is None else {"low": band.low.tolist(), "high": band.high.tolist()},
        "path": paths.mean(axis=0).tolist(),
        "axes": ground.lens.axes,
        "bands": _bands(bank),
        "forecast": forecast(
            paths,
            axes=ground.lens.axes,
            ratio=asked.ratio,
            grown=grown,
            horizon=asked.horizon,
            rng=stream(plan.seed, "audit", "forecast"),
        ),
        "lost": losses(whole, ground.lens),
        "film": film_of(chains),
        "ended": [{"replicate": c.replicate, "why": c.ended} for c in chains if c.ended],
    }


def table_of(chains: Sequence[Chain]) -> dict[str, list[Any]]:
    """Return the trajectory, column by column."""
    columns: dict[str, list[Any]] = {"replicate": [], "generation": [], "measure": [], "value": []}
    for chain in chains:
        for one in chain.generations:
            for name in MEASURES:
                if name in one.measures:
                    row = (chain.replicate, one.number, name, one.measures[name])
                    for column, value in zip(columns.values(), row, strict=True):
                        column.append(value)
    return columns


def _healthy(bank: Sequence[Chain], name: str) -> list[float]:
    """Return the values of a measure in all rounds of the short healthy chains."""
    found = [one.measures.get(name) for chain in bank for one in chain.generations[1:]]
    return [value for value in found if value is not None]


def _bands(bank: Sequence[Chain]) -> dict[str, list[float]]:
    """Return the middle 95 % of each measure in healthy rounds."""
    found = {}
    for name in MEASURES:
        values = _healthy(bank, name)
        if len(values) >= 2 * FEWEST_REFITS:
            found[name] = np.quantile(values, [0.025, 0.975]).tolist()
    return found


def film_of(chains: Sequence[Chain]) -> dict[str, Any]:
    """Return a few rows of some generations of the first chain, as whole numbers from 0 to 1000."""
    views = chains[0].views
    start = views[0]
    middle, spread = np.median(start, axis=0), np.maximum(start.std(axis=0), 1e-9)
    frames = []
    for number, rows in sorted(views.items()):
        placed = np.clip(500 + 125 * (rows - middle) / spread, 0, 1000).round().astype(int)
        frames.append({"generation": number, "points": placed.tolist()})
    return {"frames": frames}


def _plan(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in plan.__slots__} | {"regime": plan.regime.value}
