"""Audit and lineage: does a generator collapse, or a chain of data sets drift away?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from detector.data.dataset import of_table
from detector.data.schema import Schema
from detector.errors import DetectorError
from detector.profiles.parts import Part
from detector.running import Clock, judged, opened, policy_of, refuse_seed, summary, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from detector.audits.result import Outcome
    from detector.data.dataset import Dataset
    from detector.data.schema import Kind, Role
    from detector.policy.policy import Policy
    from detector.report import Report

    Progress = Callable[[str, float], None]


def audit(  # noqa: PLR0913 - as in `gate`
    data: object,
    *,
    recipe: object,
    regime: str = "replace",
    generations: int = 10,
    replicates: int = 3,
    rows: int | None = None,
    real_share: float = 0.0,
    seed: int = 0,
    keep: str | float = 1.0,
    temperature: float = 1.0,
    options: Mapping[str, Any] | None = None,
    threshold: float = 0.5,
    horizon: int | None = None,
    refits: int = 40,
    fit_timeout: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    profiles: str | os.PathLike[str] | None = None,
    find_real_share: bool = False,
    keep_variance: float = 0.95,
    policy: Policy | str | os.PathLike[str] | None = None,
    kinds: Mapping[str, Kind | str] | None = None,
    roles: Mapping[str, Role | str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Train a recipe on its own output again and again, and tell collapse from chance.

    Args:
        data: Real rows: whatever the gate takes; a profile only if it holds all its rows.
        recipe: A recipe's name, `module:Class`, a class, or a recipe: anything with
            `fit(dataset, rng)` whose model has `sample(n, rng)`.
        regime: What each round is trained on: `replace`, `accumulate`,
            `accumulate_subsample`, `fresh` or `fixed`.
        generations: Rounds of training, at least 1.
        replicates: Chains.
        rows: Rows of a generation; all real rows unless given.
        real_share: With `fresh` and `fixed`, the share of real rows in each training.
        seed: The run's seed; equal seeds and inputs give equal reports.
        keep: `best:0.8` keeps the most typical 80 % of what a model draws.
        temperature: Factor of the variance of sampled numbers.
        options: Options of a recipe that was given by name or class.
        threshold: The variance ratio to generation 0 whose first passage is forecast.
        horizon: Generations that the forecast looks ahead; 20 times those run unless given.
        refits: Refits that the band of healthy loops is made of.
        fit_timeout: Seconds that a fit and its sample may take.
        checkpoint: A folder for finished rounds: a run that was killed goes on there.
        profiles: A folder for the profile of each generation of each chain.
        find_real_share: Also look for the smallest real share that keeps the loop stable.
        keep_variance: The share of the variance that it shall keep.
        policy: A Policy or the path of one; the built-in policy of audits when None.
        kinds: Kinds of columns.
        roles: Roles of columns.
        progress: As in `gate`.

    Returns:
        The report, with `trajectory`, `alarm_generation` and `forecast`.

    Raises:
        DetectorError: Something asked for makes no sense; says what to do. A recipe that
            fails ends its chain with a gap, and the report says so.

    """
    from detector.audits.plan import Plan, keep_of, regime_of
    from detector.audits.result import Asked, audited, prepare
    from detector.audits.which import chosen

    clock = Clock()
    refuse_seed(seed)
    for name, ratio in (("threshold", threshold), ("keep_variance", keep_variance)):
        if not 0.0 < ratio < 1.0:
            raise DetectorError(
                f"`{name}` is {ratio}.", hint="Give a variance ratio between 0 and 1."
            )
    plan = Plan(
        regime=regime_of(regime),
        generations=generations,
        replicates=replicates,
        rows=rows,
        real_share=real_share,
        keep=keep_of(keep) if isinstance(keep, str) else keep,
        temperature=temperature,
        seed=seed,
        fit_timeout=fit_timeout,
        refits=refits,
    )
    rules = _audit_policy(policy)
    dataset = _rows(data, kinds or {}, roles or {}, role="reference")
    ground, sized = prepare(
        dataset, chosen(recipe, options), plan, checkpoint=checkpoint, profiles=profiles
    )
    asked = Asked(
        ratio=threshold,
        horizon=horizon,
        alpha=rules.alpha,
        keep_variance=keep_variance if find_real_share else None,
    )
    clock.lap("read")
    outcome = audited(ground, sized, asked, tell=progress or (lambda _stage, _done: None))
    clock.lap("audit")
    return _audit_report(outcome, [("reference", dataset)], rules, seed, clock)


def lineage(
    generations: Sequence[object],
    *,
    seed: int = 0,
    policy: Policy | str | os.PathLike[str] | None = None,
    kinds: Mapping[str, Kind | str] | None = None,
    roles: Mapping[str, Role | str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask whether data sets that exist drift away, generation by generation.

    Args:
        generations: Generation 0 first, then 1, and so on: each whatever the gate takes; a
            profile only if it holds all its rows.
        seed: The run's seed.
        policy: As in `audit`.
        kinds: Kinds of columns.
        roles: Roles of columns.
        progress: As in `gate`.

    Returns:
        The report, with `trajectory`, `alarm_generation` and `forecast`.

    """
    from detector.audits.lineage import lineage_found

    clock = Clock()
    refuse_seed(seed)
    if isinstance(generations, str | os.PathLike) or not hasattr(generations, "__len__"):
        raise DetectorError(
            "a lineage is a list of data sets, generation 0 first.", hint="Give [gen0, gen1]."
        )
    rules = _audit_policy(policy)
    datasets: list[Dataset] = []
    like = None
    for number, data in enumerate(generations):
        role = f"generation {number}"
        if progress is not None:
            progress(f"read generation {number}", number / len(generations))
        found = _rows(data, kinds or {}, roles or {}, role=role, like=like)
        datasets.append(found)
        like = like or found.schema
    clock.lap("read")
    outcome = lineage_found(datasets, seed=seed, alpha=rules.alpha)
    clock.lap("lineage")
    roles_of = ["reference", *["generation"] * (len(datasets) - 1)]
    inputs = list(zip(roles_of, datasets, strict=True))
    return _audit_report(outcome, inputs, rules, seed, clock)


def _rows(
    data: object,
    kinds: Mapping[str, Kind | str],
    roles: Mapping[str, Role | str],
    *,
    role: str,
    like: Schema | None = None,
) -> Dataset:
    """Open rows; those of a profile where it holds all of them."""
    from detector.profiles.profile import Profile

    found = opened(data, like=like, kinds=kinds, roles=roles, role=role)
    if not isinstance(found, Profile):
        return found
    sample = found.sample
    if sample is None or not sample.complete:
        held = 0 if sample is None else sample.table.num_rows
        raise DetectorError(
            f"the profile `{found.name}` keeps {held:,} of {found.n_rows:,} rows; this needs all "
            "of them.",
            hint="Give the data.",
        )
    columns = Schema(columns=tuple(found.schema[name] for name in sample.table.column_names))
    about = {"metadata": found.metadata, "source": found.source}
    return of_table(sample.table, columns, name=found.name, **about)


def _audit_policy(policy: Policy | str | os.PathLike[str] | None) -> Policy:
    from detector.policy.audits import audit_policy

    return audit_policy() if policy is None else policy_of(policy)


def _audit_report(
    outcome: Outcome,
    datasets: Sequence[tuple[str, Dataset]],
    rules: Policy,
    seed: int,
    clock: Clock,
) -> Report:
    from detector.profiles.make import make_profile
    from detector.report import Report

    counted = frozenset({Part.COUNTS})
    inputs = tuple(summary(role, make_profile(found, parts=counted)) for role, found in datasets)
    said = judged(outcome.findings, rules)
    clock.lap("judge")
    return Report(
        findings=outcome.findings,
        inputs=inputs,
        seed=seed,
        versions=versions(),
        timings=clock.seconds,
        audit=outcome.plain,
        **said,
    )
