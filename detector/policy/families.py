"""The tests of a whole gate, each with the p-value that answers for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from detector.findings import Measurement
from detector.policy.policy import Correction
from detector.stats.multiplicity import benjamini_hochberg, holm
from detector.verdicts import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detector.findings import Finding
    from detector.policy.policy import Rule

    Key = tuple[str, str, str]


class Tested(NamedTuple):
    """One test: its corrected p-value, and how many tests share alpha with it at most."""

    corrected_p: float
    sharers: int


def corrected_tests(
    cases: Sequence[tuple[Rule, Finding]], correction: Correction
) -> Mapping[tuple[str, Key], Tested]:
    """Return the tests by rule name and finding key.

    The gate's alpha is shared out evenly to the families that have a test and can refuse a
    batch (Bonferroni), so that one permutation test need not beat two hundred column tests;
    inside a family the correction holds. A family of rules that only warn has an alpha of
    its own. Two rules of one family that judge one finding are one test.

    Args:
        cases: The pairs of a rule and a finding that it judges.
        correction: The correction inside each family; `none` corrects nothing at all.

    """
    families: dict[str, dict[Key, float]] = {}
    refusing, adjusted = set(), set()
    for rule, finding in cases:
        outcome = finding.outcome
        if rule.tested_in and isinstance(outcome, Measurement) and outcome.p_value is not None:
            families.setdefault(rule.tested_in, {})[finding.key] = outcome.p_value
            if rule.action is not Action.WARN:
                refusing.add(rule.tested_in)
            if rule.adjusted:
                adjusted.add(rule.tested_in)
    corrected = {
        family: _corrected(
            tests,
            correction,
            families=len(refusing) if family in refusing else 1,
            adjusted=family in adjusted,
        )
        for family, tests in families.items()
    }
    return {
        (rule.name, finding.key): corrected[rule.tested_in][finding.key]
        for rule, finding in cases
        if rule.tested_in and finding.key in corrected.get(rule.tested_in, {})
    }


def _corrected(
    tests: Mapping[Key, float], correction: Correction, *, families: int, adjusted: bool
) -> dict[Key, Tested]:
    """Return the tests of one family, corrected."""
    if correction is Correction.NONE:
        return {key: Tested(p_value, 1) for key, p_value in tests.items()}
    adjust = holm if correction is Correction.HOLM else benjamini_hochberg
    p_values = list(tests.values())
    inside: list[float] = p_values if adjusted else adjust(p_values).tolist()
    sharers = families * (1 if adjusted else len(tests))
    return {
        key: Tested(min(1.0, families * p_value), sharers)
        for key, p_value in zip(tests, inside, strict=True)
    }
