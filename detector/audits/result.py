"""A finished audit: findings for the policy, and the plain data that a report draws."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits import alarm as alarms
from detector.audits.found import (
    CHANGE,
    change_finding,
    finding,
    last_values,
    no_band,
    risk_rise,
)
from detector.audits.lens import lens_of
from detector.audits.loop import Ground, refits, run
from detector.audits.null import draws_of, steps_of
from detector.audits.plan import Regime
from detector.audits.shown import longest, paths_of, shown, spreads_of
from detector.audits.snapshots import Snapshots
from detector.audits.store import Store
from detector.audits.which import identity, title
from detector.data.arrays import positions
from detector.data.export import canonical_table
from detector.findings import Finding, Gap, Measurement, Reason
from detector.recipes import row_hashes, rows_digest
from detector.rng import stream

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from detector.audits.alarm import Alarm, Band
    from detector.audits.loop import Chain
    from detector.audits.plan import Plan
    from detector.data.dataset import Dataset
    from detector.recipes import Recipe

    Tell = Callable[[str, float], None]

CHECK = "audit"
FEWEST_REFITS = 6
"""Short healthy chains that must come to an end, or there is no band."""

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
    whole = longest(chains)
    gap = _unbanded(ground, plan, whole)
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
    facts = {"name": title(ground.recipe), **identity(ground.recipe)}
    seen = shown(
        chains,
        ground.lens,
        found,
        alpha=asked.alpha,
        rng=stream(plan.seed, "audit", "forecast"),
        bank=bank,
        ratio=asked.ratio,
        horizon=asked.horizon,
    )
    rows = plan.rows or 0
    first = change_finding(CHECK, rows, found, gap, axes=ground.lens.axes, paths=paths_of(whole))
    others: list[Measurement | Gap] = [*_ended(chains), *risk_rise(whole)]
    others += last_values(whole, bank)
    return Outcome(
        findings=(first, *(finding(CHECK, rows, one) for one in others)),
        plain=settled(
            {"kind": "audit", "recipe": facts, "plan": _plan(plan), **seen, "real_share": share}
        ),
    )


def settled(plain: dict[str, Any]) -> dict[str, Any]:
    """Return plain data as they read back from JSON; what is no JSON becomes text."""
    found: dict[str, Any] = json.loads(json.dumps(plain, default=str))
    return found


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


def _unbanded(ground: Ground, plan: Plan, whole: Sequence[Chain]) -> Gap | None:
    """Return why there can be no band, if so."""
    if len(whole[0].generations) < 2:
        detail = f"no chain reached generation 1: {whole[0].ended}"
        return Gap(name=CHANGE, reason=Reason.FIT_FAILED, detail=detail)
    return no_band(plan.rows or 0, ground.lens.axes)


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


def _ended(chains: Sequence[Chain]) -> list[Gap]:
    """Return a gap for each chain that ended before its time."""
    return [
        Gap(
            name=f"chain_{chain.replicate}",
            reason=Reason.FIT_FAILED,
            detail=f"chain {chain.replicate} ended in {chain.ended}",
        )
        for chain in chains
        if chain.ended
    ]


def _plan(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in plan.__slots__} | {"regime": plan.regime.value}
