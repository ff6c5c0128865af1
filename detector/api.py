"""Gate, measure, profile, judge, render: the one file that sees every layer."""

from __future__ import annotations

import os
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from detector import budget as budgets
from detector.data.schema import Kind, Role
from detector.errors import DetectorError, ReportError
from detector.findings import TABLE, Finding, Gap, Reason
from detector.profiles.comparison import Comparison
from detector.profiles.parts import Part
from detector.rng import streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from detector.audits.result import Outcome
    from detector.checks.check import Check
    from detector.data.dataset import Dataset
    from detector.data.provenance import Provenance
    from detector.data.schema import Schema
    from detector.policy.policy import Policy
    from detector.profiles.profile import Profile
    from detector.report import InputSummary, Report

    Progress = Callable[[str, float], None]

E = TypeVar("E", Kind, Role)

PROFILE_SUFFIX = ".profile"
_VERSIONED = ("collapse-detector", "numpy", "scipy", "scikit-learn", "pyarrow")


def gate(  # noqa: PLR0913 - keyword-only, each one a user's choice
    reference: object,
    candidate: object,
    *,
    holdout: object | None = None,
    synthetic: object | None = None,
    policy: Policy | str | os.PathLike[str] | None = None,
    checks: Sequence[str] | None = None,
    kinds: Mapping[str, Kind | str] | None = None,
    roles: Mapping[str, Role | str] | None = None,
    rows: str | os.PathLike[str] | None = None,
    registry: str | os.PathLike[str] | None = None,
    seed: int = 0,
    budget: float | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask whether a candidate batch may enter training, and get a report.

    Args:
        reference: Rows trusted as real: a path, data frame, array, Dataset, Profile or
            the path of a saved profile.
        candidate: Rows under question: anything but a profile made over other edges.
        holdout: Real rows that no generator has seen.
        synthetic: Rows known to be synthetic.
        policy: A Policy or the path of one; the built-in policy when None.
        checks: Only these checks; all that the policy names when None.
        kinds: Kinds of columns, before the policy's.
        roles: Roles of columns, before the policy's.
        rows: Where to write the rows to hold back, as Parquet or CSV by its suffix; nowhere
            when None.
        registry: The known synthetic rows that `known_synthetic` looks for; the policy's when
            None, or `detector-registry.json` in the working directory.
        seed: The run's seed; equal seeds and inputs give equal reports.
        budget: Seconds to keep to, by looking at fewer rows where that costs least; the
            report says what power it costs. By a fixed model of cost, not by the clock.
        progress: Called with a stage and the share of it done.

    Returns:
        The report. It is never true or false: read `report.decision`.

    Raises:
        DetectorError: An input, the policy or a check's name is not usable; the message
            says what is wrong and what to do.

    """
    clock = _Clock()
    _refuse_seed(seed)
    if budget is not None:
        budgets.refuse(budget)
    rules = _with_registry(_policy(policy), registry)
    chosen = _checks(checks if checks is not None else rules.checks, rules)
    if checks is not None:
        rules = replace(rules, rules=tuple(r for r in rules.rules if r.check in checks))
    lister = None if rows is None else _lister(chosen, candidate, rows)
    inputs = _Inputs(rules, kinds or {}, roles or {}, _needs(chosen), progress)
    comparison = inputs.compare(reference, candidate, holdout, synthetic, clock)
    chosen, plan = _within(budget, chosen, comparison)
    findings = _run(chosen, comparison, seed, clock, progress)
    if lister is not None and rows is not None:
        findings = lister.write(rows, findings, comparison, inputs.opened["candidate"])
        clock.lap("rows")
    if plan is not None:
        findings = plan.told(findings)
    return _report(findings, comparison, rules, seed, clock)


def measure(  # noqa: PLR0913 - as in `gate`
    reference: object,
    candidate: object,
    *,
    checks: Sequence[str | Check],
    holdout: object | None = None,
    synthetic: object | None = None,
    kinds: Mapping[str, Kind | str] | None = None,
    roles: Mapping[str, Role | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Run checks without any policy: numbers, intervals, p-values and gaps.

    Args:
        reference: As in `gate`.
        candidate: As in `gate`.
        checks: Names of checks, or checks with options of their own.
        holdout: As in `gate`.
        synthetic: As in `gate`.
        kinds: As in `gate`.
        roles: As in `gate`.
        seed: The run's seed.
        progress: As in `gate`.

    """
    clock = _Clock()
    _refuse_seed(seed)
    chosen = _checks(checks, None)
    inputs = _Inputs(None, kinds or {}, roles or {}, _needs(chosen), progress)
    comparison = inputs.compare(reference, candidate, holdout, synthetic, clock)
    return _run(chosen, comparison, seed, clock, progress)


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
    find_real_share: bool = False,
    keep_variance: float = 0.95,
    policy: Policy | str | os.PathLike[str] | None = None,
    kinds: Mapping[str, Kind | str] | None = None,
    roles: Mapping[str, Role | str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Train a recipe on its own output again and again, and tell collapse from chance.

    Args:
        data: Real rows: whatever the gate takes, but for a profile.
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

    clock = _Clock()
    _refuse_seed(seed)
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
    ground, sized = prepare(dataset, chosen(recipe, options), plan, checkpoint)
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
        generations: Generation 0 first, then 1, and so on: each whatever the gate takes, but
            for a profile.
        seed: The run's seed.
        policy: As in `audit`.
        kinds: Kinds of columns.
        roles: Roles of columns.
        progress: As in `gate`.

    Returns:
        The report, with `trajectory`, `alarm_generation` and `forecast`.

    """
    from detector.audits.lineage import lineage_found

    clock = _Clock()
    _refuse_seed(seed)
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


def profile(
    data: object,
    *,
    against: Profile | str | os.PathLike[str] | None = None,
    sample: bool = True,
    kinds: Mapping[str, Kind | str] | None = None,
    roles: Mapping[str, Role | str] | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Summarize a data set in one mergeable profile that can stand in for it.

    Args:
        data: As the reference of `gate`.
        against: A profile whose frame to use, so that the two can be merged or compared.
        sample: Whether the profile keeps a sample of rows. Without it no row is in the
            profile, and the checks that need rows say so.
        kinds: Kinds of columns.
        roles: Roles of columns.
        name: What reports call the data set.
        progress: As in `gate`.

    """
    from detector.profiles.make import make_profile
    from detector.profiles.profile import Profile

    frame = against if isinstance(against, Profile | None) else Profile.load(str(against))
    like = None if frame is None else frame.frame.schema
    found = _open(data, like=like, kinds=kinds or {}, roles=roles or {}, name=name)
    if isinstance(found, Profile):
        made = found
    else:
        # A salt of its own, as in `gate`: rows of both must not be drawn together.
        salt = 0 if frame is None else 1
        made = make_profile(found, against=frame, salt=salt, progress=progress)
    return made if sample else made.without_rows()


def judge(report: Report, policy: Policy | str | os.PathLike[str] | None = None) -> Report:
    """Judge a finished report again under another policy; no data are read."""
    return replace(report, **_judged(report.findings, _policy(policy)))


def render(report: Report, format: str) -> str:
    """Draw a finished report: `text`, `json`, `html`, `markdown`, `junit` or `sarif`."""
    from detector import catalogue

    drawn: str = catalogue.load("detector.formats", format)(report)
    return drawn


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + now - self._last, 3)
        self._last = now


class _Inputs:
    """Opens and profiles the data sets of one run, all over the reference's frame."""

    def __init__(
        self,
        rules: Policy | None,
        kinds: Mapping[str, Kind | str],
        roles: Mapping[str, Role | str],
        needs: frozenset[Part],
        progress: Progress | None,
    ) -> None:
        self._kinds = {**(rules.kinds if rules else {}), **kinds}
        ignored = dict.fromkeys(rules.ignore if rules else (), "id")
        self._roles = {**ignored, **(rules.roles if rules else {}), **roles}
        self._needs, self._progress = needs, progress
        self.opened: dict[str, Dataset] = {}

    def compare(
        self,
        reference: object,
        candidate: object,
        holdout: object | None,
        synthetic: object | None,
        clock: _Clock,
    ) -> Comparison:
        base = self._profile(reference, "reference", None, salt=0)
        clock.lap("reference")
        others = [
            None if data is None else self._profile(data, role, base, salt=salt)
            for salt, (role, data) in enumerate(
                (("candidate", candidate), ("holdout", holdout), ("synthetic", synthetic)), start=1
            )
        ]
        clock.lap("candidate")
        if others[0] is None:
            raise DetectorError("there is no candidate.", hint="Give the batch under question.")
        return Comparison(
            reference=base, candidate=others[0], holdout=others[1], synthetic=others[2]
        )

    def _profile(self, data: object, role: str, base: Profile | None, *, salt: int) -> Profile:
        from detector.data.provenance import find_provenance
        from detector.profiles.make import make_profile
        from detector.profiles.profile import Profile

        like = None if base is None else base.frame.schema
        found = _open(data, like=like, kinds=self._kinds, roles=self._roles, role=role)
        if isinstance(found, Profile):
            if base is not None and found.frame.digest != base.frame.digest:
                raise ReportError(
                    f"the {role} profile {found.name} was made over another frame.",
                    hint="Make it with `detector profile DATA --against REFERENCE.profile`.",
                )
            return found
        self.opened[role] = found
        find_provenance(found.source, found.metadata)  # one that is unreadable, before any work
        return make_profile(
            found, against=base, parts=self._needs, salt=salt, progress=self._progress
        )


class _Lister(Protocol):
    """A check that can list rows of the candidate."""

    def write(
        self,
        path: str | os.PathLike[str],
        findings: Sequence[Finding],
        comparison: Comparison,
        dataset: Dataset,
    ) -> tuple[Finding, ...]:
        """Write the list; return the findings with what it holds."""


def _lister(checks: Sequence[Check], candidate: object, path: str | os.PathLike[str]) -> _Lister:
    """Return the check that lists rows; refuse what cannot be listed before any work.

    Raises:
        DetectorError: No such check runs, the candidate has no rows, or the suffix is unknown.

    """
    from detector.data.tables import refuse_suffix
    from detector.profiles.profile import Profile

    refuse_suffix(path)
    if isinstance(candidate, Profile) or str(candidate).endswith(PROFILE_SUFFIX):
        raise DetectorError(
            "the candidate is a saved profile, and rows are listed from the rows themselves.",
            hint="Give the data that the profile was made from.",
        )
    found: Any = next((check for check in checks if check.name == "quarantine"), None)
    if found is None:
        raise DetectorError(
            "rows are listed by the check `quarantine`, and it does not run.",
            hint="Add it to the checks, or a rule on it to the policy.",
        )
    lister: _Lister = found
    return lister


def _open(
    data: object,
    *,
    like: Schema | None,
    kinds: Mapping[str, Kind | str],
    roles: Mapping[str, Role | str],
    name: str | None = None,
    role: str | None = None,
) -> Dataset | Profile:
    """Return a Profile when that is what was given, else an opened data set."""
    from detector.data.opening import open_data
    from detector.profiles.profile import Profile

    if isinstance(data, Profile):
        return data
    is_path = isinstance(data, str | Path)
    if is_path and str(data).endswith(PROFILE_SUFFIX):
        return Profile.load(str(data))
    label = name if name is not None or is_path else role
    return open_data(
        data,
        name=label,
        kinds={column: _member(Kind, value) for column, value in kinds.items()},
        roles={column: _member(Role, value) for column, value in roles.items()},
        like=like,
    )


def _member(values: type[E], value: str) -> E:
    """Return a kind or a role by its name.

    Raises:
        DetectorError: There is none of this name.

    """
    try:
        return values(value)
    except ValueError as error:
        allowed = ", ".join(values)
        raise DetectorError(
            f"there is no {values.__name__.lower()} `{value}`.", hint=f"Use one of {allowed}."
        ) from error


def _policy(policy: Policy | str | os.PathLike[str] | None) -> Policy:
    from detector.policy.load import load_policy
    from detector.policy.policy import Policy

    if isinstance(policy, Policy):
        return policy
    if policy is not None and not isinstance(policy, str | os.PathLike):
        raise DetectorError(
            f"a policy is a Policy or the path of one, and this is a {type(policy).__name__}.",
            hint="Write it to a TOML file; `detector policy init` makes one to start from.",
        )
    return load_policy(policy)


def _with_registry(rules: Policy, registry: str | os.PathLike[str] | None) -> Policy:
    """Return the policy with the file of known synthetic rows that was asked for."""
    if registry is None:
        return rules
    own = {**rules.options.get("known_synthetic", {}), "registry": os.fspath(registry)}
    return replace(rules, options={**rules.options, "known_synthetic": own})


def _refuse_seed(seed: object) -> None:
    """Refuse what is no seed before any work is done."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DetectorError(f"the seed is {seed!r}.", hint="Give a whole number from 0.")


def _checks(wanted: Iterable[str | Check], rules: Policy | None) -> tuple[Check, ...]:
    """Return the checks asked for, with the policy's options."""
    from detector import catalogue

    if isinstance(wanted, str):
        raise DetectorError(
            f"`checks` is the text {wanted!r}.", hint=f"Give a list: checks=[{wanted!r}]."
        )
    options = rules.options if rules else {}
    return tuple(
        catalogue.load("detector.checks", check)(**options.get(check, {}))
        if isinstance(check, str)
        else check
        for check in wanted
    )


def _needs(checks: Iterable[Check]) -> frozenset[Part]:
    return frozenset({Part.COUNTS}).union(*(check.needs for check in checks))


def _run(
    checks: Sequence[Check],
    comparison: Comparison,
    seed: int,
    clock: _Clock,
    progress: Progress | None,
) -> tuple[Finding, ...]:
    """Run every check; one that crashes leaves a gap, never silence."""
    import numpy as np

    findings: list[Finding] = []
    size = {"rows": _sampled(comparison), "columns": len(comparison.columns())}
    costs = [0.01 + budgets.seconds_of(check, **size) for check in checks]
    for place, check in enumerate(checks):
        if progress is not None:
            progress(f"check {check.name}", sum(costs[:place]) / sum(costs))
        try:
            # Overflow at the edge of float64 ends in a number that is refused, and so in a gap.
            with np.errstate(over="ignore", invalid="ignore"):
                address = getattr(check, "address", check.name)
                findings.extend(check.run(comparison, streams(seed, address)))
        except DetectorError:
            raise
        except Exception as error:  # noqa: BLE001 - the gate fails closed and says why
            findings.append(_crashed(check, comparison, error))
        clock.lap(check.name)
    return tuple(findings)


def _within(
    seconds: float | None, checks: tuple[Check, ...], comparison: Comparison
) -> tuple[tuple[Check, ...], budgets.Plan | None]:
    """Return the checks with limits that keep to the budget, if there is one."""
    if seconds is None:
        return checks, None
    roles = [getattr(comparison, item.name) for item in fields(comparison)[:4]]
    columns = len(comparison.columns())
    return budgets.planned(
        checks,
        seconds=seconds,
        rows=_sampled(comparison),
        cells=columns * sum(found.n_rows for found in roles if found is not None),
        columns=columns,
    )


def _sampled(comparison: Comparison) -> int:
    """Return the sampled rows of the larger side."""
    samples = comparison.reference.sample, comparison.candidate.sample
    return max((sample.table.num_rows for sample in samples if sample is not None), default=0)


def _crashed(check: Check, comparison: Comparison, error: Exception) -> Finding:
    detail = f"{type(error).__name__}: {error}"[:500]
    return Finding(
        check=check.name,
        subject=TABLE,
        outcome=Gap(name=check.name, reason=Reason.CHECK_FAILED, detail=detail),
        n_reference=comparison.reference.n_rows,
        n_candidate=comparison.candidate.n_rows,
    )


def _judged(findings: Sequence[Finding], rules: Policy) -> dict[str, Any]:
    """Return the fields of a report that come from the policy."""
    from datetime import datetime

    from detector.policy.headline import headline
    from detector.policy.judge import judge as judged

    today = datetime.now().astimezone().date()
    verdicts, decision = judged(findings, rules, today=today)
    return {
        "decision": decision,
        "verdicts": verdicts,
        "headline": headline(decision, verdicts),
        "policy": rules.summary,
    }


def _report(
    findings: tuple[Finding, ...], comparison: Comparison, rules: Policy, seed: int, clock: _Clock
) -> Report:
    from detector.report import Report

    judged = _judged(findings, rules)
    clock.lap("judge")
    roles = {item.name: getattr(comparison, item.name) for item in fields(comparison)[:4]}
    return Report(
        findings=findings,
        inputs=tuple(_summary(role, found) for role, found in roles.items() if found is not None),
        seed=seed,
        versions=_versions(),
        timings=clock.seconds,
        **judged,
    )


def _rows(
    data: object,
    kinds: Mapping[str, Kind | str],
    roles: Mapping[str, Role | str],
    *,
    role: str,
    like: Schema | None = None,
) -> Dataset:
    """Open rows; refuse a profile, which has only a sample of them."""
    from detector.profiles.profile import Profile

    found = _open(data, like=like, kinds=kinds, roles=roles, role=role)
    if isinstance(found, Profile):
        raise DetectorError(
            f"`{found.name}` is a profile; this needs the rows themselves.",
            hint="Give the data.",
        )
    return found


def _audit_policy(policy: Policy | str | os.PathLike[str] | None) -> Policy:
    from detector.policy.audits import audit_policy

    return audit_policy() if policy is None else _policy(policy)


def _audit_report(
    outcome: Outcome,
    datasets: Sequence[tuple[str, Dataset]],
    rules: Policy,
    seed: int,
    clock: _Clock,
) -> Report:
    from detector.profiles.make import make_profile
    from detector.report import Report

    counted = frozenset({Part.COUNTS})
    inputs = tuple(_summary(role, make_profile(found, parts=counted)) for role, found in datasets)
    judged = _judged(outcome.findings, rules)
    clock.lap("judge")
    return Report(
        findings=outcome.findings,
        inputs=inputs,
        seed=seed,
        versions=_versions(),
        timings=clock.seconds,
        audit=outcome.plain,
        **judged,
    )


def _summary(role: str, found: Profile) -> InputSummary:
    from detector.data.provenance import find_provenance
    from detector.report import InputSummary

    declared = find_provenance(found.source, found.metadata)
    return InputSummary(
        role=role,
        name=found.name,
        rows=found.n_rows,
        digest=found.digest,
        columns=tuple(
            {"name": spec.name, "kind": spec.kind.value, "role": spec.role.value}
            for spec in found.schema.columns
        ),
        provenance={} if declared is None else _told(declared),
        sampled_rows=0 if found.sample is None else found.sample.table.num_rows,
    )


def _told(declared: Provenance) -> dict[str, Any]:
    """Return a manifest as a report shows it: without hashes of rows, which nobody reads."""
    return {key: value for key, value in declared.to_plain().items() if key != "fingerprint"}


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
