"""Sizes that good rows reach: what a policy should not refuse."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from detector.findings import Finding, Measurement, Worse
from detector.trials.outcome import Margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from detector.policy.policy import Policy, Rule
    from detector.report import Report

BEYOND = 0.01
"""How often one more good batch may lie beyond a margin, a rule."""

OPTIONS = {
    "significant": "negligible",
    "equivalent": "margin",
    "limit": "at_most",
}
"""The option of each kind of rule that says what still passes."""


def margins(policy: Policy, reports: Sequence[Report], *, new: bool = False) -> tuple[Margin, ...]:
    """Return the sizes that have to grow for good rows to pass.

    A margin is the larger of the largest size seen and of a normal prediction bound for one
    more batch, `mean + t sd sqrt(1 + 1/g)`. It never shrinks below what the policy says: that
    a change was small so far is no reason to refuse a larger one that the user finds small.

    Args:
        policy: The policy whose rules are looked at.
        reports: Reports on good rows, each with every finding.
        new: Also give a size to rules of a kind `significant` that have none.

    """
    found = (_margin(rule, reports, new=new) for rule in policy.rules)
    return tuple(margin for margin in found if margin is not None)


def widened(policy: Policy, made: Iterable[Margin]) -> Policy:
    """Return the policy with these margins."""
    by_rule = {margin.rule: margin for margin in made}

    def rule_with(rule: Rule) -> Rule:
        margin = by_rule.get(rule.name)
        if margin is None:
            return rule
        return replace(rule, options={**rule.options, margin.option: margin.now})

    return replace(policy, rules=tuple(map(rule_with, policy.rules)))


def prediction_bound(sizes: Sequence[float]) -> float:
    """Return what one more size exceeds once in a hundred times, were sizes normal.

    Args:
        sizes: At least two.

    >>> round(prediction_bound([1.0, 2.0, 3.0]), 2)
    10.04
    """
    values, count = np.asarray(sizes, np.float64), len(sizes)
    reach = float(stdtrit(count - 1, 1 - BEYOND)) * math.sqrt(1 + 1 / count)
    return max(float(values.max()), float(values.mean() + reach * values.std(ddof=1)))


def _margin(rule: Rule, reports: Sequence[Report], *, new: bool) -> Margin | None:
    """Return the margin of one rule; None where it has none, or is wide enough."""
    option = OPTIONS.get(rule.kind)
    was = rule.options.get(option) if option else None
    if option is None or (was is None and not (new and rule.kind == "significant")):
        return None
    if rule.kind == "limit" and was == 0:  # "none at all" is no size
        return None
    seen = [_largest(rule, report.findings) for report in reports]
    sizes = [size for size in seen if size is not None]
    if len(sizes) < 2:
        return None
    floor = float(was) if isinstance(was, int | float) else 0.0
    bound = _rounded_up(prediction_bound(sizes))
    if bound <= floor:
        return None
    return Margin(
        rule=rule.name,
        option=option,
        was=None if was is None else floor,
        now=bound,
        seen=max(sizes),
    )


def _largest(rule: Rule, findings: Iterable[Finding]) -> float | None:
    """Return the largest size that a rule meets in one report."""
    sizes = [
        _size(rule, finding.outcome)
        for finding in findings
        if rule.covers(finding) and isinstance(finding.outcome, Measurement)
    ]
    return max(sizes, default=None)


def _size(rule: Rule, measured: Measurement) -> float:
    """Return how far a number lies from no difference, as its rule counts."""
    if rule.kind == "limit":
        return measured.value
    null = measured.null_value or 0.0
    if rule.kind == "equivalent":
        return abs(measured.value - null)
    origin = rule.options.get("origin")
    change = measured.value - (float(origin) if isinstance(origin, int | float) else null)
    if measured.worse is Worse.BOTH:
        return abs(change)
    return change if measured.worse is Worse.HIGHER else -change


def _rounded_up(size: float) -> float:
    """Return a size with two digits, at least as large.

    >>> _rounded_up(0.12301)
    0.13
    """
    if size <= 0:
        return 0.0
    digits = 1 - math.floor(math.log10(size))
    unit = 10.0**digits
    return round(math.ceil(round(size * unit, 6)) / unit, max(digits, 0))
