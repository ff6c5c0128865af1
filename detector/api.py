"""Gate, measure, profile, judge, render: the one file that sees every layer."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Protocol

from detector import budget as budgets
from detector.errors import DetectorError, ReportError
from detector.findings import TABLE, Finding, Gap, Reason
from detector.profiles.comparison import Comparison
from detector.profiles.parts import Part
from detector.rng import streams
from detector.running import (
    PROFILE_SUFFIX,
    Clock,
    judged,
    opened,
    policy_of,
    refuse_seed,
    summary,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from detector.checks.check import Check
    from detector.data.dataset import Dataset
    from detector.data.schema import Kind, Role
    from detector.policy.policy import Policy
    from detector.profiles.profile import Profile
    from detector.report import Report

    Progress = Callable[[str, float], None]


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
    clock = Clock()
    refuse_seed(seed)
    if budget is not None:
        budgets.refuse(budget)
    rules = _with_registry(policy_of(policy), registry)
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
    clock = Clock()
    refuse_seed(seed)
    chosen = _checks(checks, None)
    inputs = _Inputs(None, kinds or {}, roles or {}, _needs(chosen), progress)
    comparison = inputs.compare(reference, candidate, holdout, synthetic, clock)
    return _run(chosen, comparison, seed, clock, progress)


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
    found = opened(data, like=like, kinds=kinds or {}, roles=roles or {}, name=name)
    if isinstance(found, Profile):
        made = found
    else:
        # A salt of its own, as in `gate`: rows of both must not be drawn together.
        salt = 0 if frame is None else 1
        made = make_profile(found, against=frame, salt=salt, progress=progress)
    return made if sample else made.without_rows()


def judge(report: Report, policy: Policy | str | os.PathLike[str] | None = None) -> Report:
    """Judge a finished report again under another policy; no data are read."""
    return replace(report, **judged(report.findings, policy_of(policy)))


def render(report: Report, format: str) -> str:
    """Draw a finished report: `text`, `json`, `html`, `markdown`, `junit` or `sarif`."""
    from detector import catalogue

    drawn: str = catalogue.load("detector.formats", format)(report)
    return drawn


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
        clock: Clock,
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
        found = opened(data, like=like, kinds=self._kinds, roles=self._roles, role=role)
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


def _with_registry(rules: Policy, registry: str | os.PathLike[str] | None) -> Policy:
    """Return the policy with the file of known synthetic rows that was asked for."""
    if registry is None:
        return rules
    own = {**rules.options.get("known_synthetic", {}), "registry": os.fspath(registry)}
    return replace(rules, options={**rules.options, "known_synthetic": own})


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
    clock: Clock,
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


def _report(
    findings: tuple[Finding, ...], comparison: Comparison, rules: Policy, seed: int, clock: Clock
) -> Report:
    from detector.report import Report

    said = judged(findings, rules)
    clock.lap("judge")
    roles = {item.name: getattr(comparison, item.name) for item in fields(comparison)[:4]}
    return Report(
        findings=findings,
        inputs=tuple(summary(role, found) for role, found in roles.items() if found is not None),
        seed=seed,
        versions=versions(),
        timings=clock.seconds,
        **said,
    )
