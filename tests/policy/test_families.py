from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from detector.findings import column
from detector.policy.families import corrected_tests
from detector.policy.policy import Correction
from detector.verdicts import Action
from tests.policy.cases import finding, gap, measured, rule

P_VALUES = st.lists(st.floats(1e-12, 1), min_size=1, max_size=6)


def closed_testing(p_values, alpha):
    """Reject what every intersection with it rejects by Bonferroni: Holm by brute force."""
    places = range(len(p_values))
    subsets = [s for size in places for s in itertools.combinations(places, size + 1)]
    return [
        all(min(p_values[i] for i in s) * len(s) <= alpha for s in subsets if place in s)
        for place in places
    ]


def columns(p_values, **more):
    return [
        finding(measured(p_value=p), subject=column(f"c{i}"), **more)
        for i, p in enumerate(p_values)
    ]


def corrected(p_values, correction):
    one = rule("one", family="a")
    tests = corrected_tests([(one, found) for found in columns(p_values)], correction)
    return [test.corrected_p for test in tests.values()]


def test_holm_by_hand():
    assert corrected([0.01, 0.04, 0.03], Correction.HOLM) == pytest.approx([0.03, 0.06, 0.06])


@given(p_values=P_VALUES, alpha=st.floats(0.001, 0.5))
def test_a_holm_family_is_the_closed_bonferroni_test(p_values, alpha):
    adjusted = corrected(p_values, Correction.HOLM)
    assert [p <= alpha for p in adjusted] == closed_testing(p_values, alpha)


@given(p_values=P_VALUES)
def test_a_benjamini_hochberg_family_agrees_with_scipy(p_values):
    adjusted = corrected(p_values, Correction.BENJAMINI_HOCHBERG)
    assert adjusted == pytest.approx(false_discovery_control(p_values))


def test_families_share_alpha_evenly_and_correct_inside():
    here, there = columns([0.01, 0.02]), columns([0.03], check="joint")
    one = rule("one", kind="significant", family="a")
    two = rule("two", kind="significant", family="b", check="joint")
    cases = [(one, found) for found in here] + [(two, found) for found in there]
    tests = corrected_tests(cases, Correction.HOLM)
    assert [tests[rule.name, found.key].corrected_p for rule, found in cases] == pytest.approx(
        [2 * 2 * 0.01, 2 * 2 * 0.01, 2 * 0.03]
    )
    assert [tests[rule.name, found.key].sharers for rule, found in cases] == [4, 4, 2]


def test_a_family_that_only_warns_takes_nothing_from_the_others():
    one = rule("one", kind="significant", family="a")
    two = rule("two", kind="significant", family="b", check="joint", action=Action.WARN)
    cases = [(one, columns([0.01])[0]), (two, columns([0.03], check="joint")[0])]
    tests = corrected_tests(cases, Correction.HOLM).values()
    assert [tuple(test) for test in tests] == [(0.01, 1), (0.03, 1)]


def test_what_a_check_has_adjusted_is_a_family_of_its_own():
    pairs = rule("pairs", kind="significant", adjusted=True)
    other = rule("other", kind="significant", check="joint")
    cases = [(pairs, found) for found in columns([0.01, 0.2])]
    cases += [(other, found) for found in columns([0.03], check="joint")]
    tests = corrected_tests(cases, Correction.HOLM).values()
    assert [tuple(test) for test in tests] == [(0.02, 2), (0.4, 2), (0.06, 2)]


def test_rules_of_one_family_are_corrected_together():
    found = columns([0.01, 0.02])
    cases = [(rule("one", family="a"), found[0]), (rule("two", family="a"), found[1])]
    assert [test.sharers for test in corrected_tests(cases, Correction.HOLM).values()] == [2, 2]


def test_two_rules_on_one_finding_are_one_test():
    (found,) = columns([0.01])
    cases = [(rule(name, family="a"), found) for name in ("one", "two")]
    assert [test.corrected_p for test in corrected_tests(cases, Correction.HOLM).values()] == [
        0.01
    ] * 2


def test_no_correction_leaves_p_values_alone():
    cases = [(rule("one", family="a"), found) for found in columns([0.01, 0.02])]
    tests = corrected_tests(cases, Correction.NONE).values()
    assert [tuple(test) for test in tests] == [(0.01, 1), (0.02, 1)]


def test_what_is_no_test_takes_no_share():
    one = rule("one", family="a")
    cases = [(one, columns([0.01])[0]), (one, gap()), (one, finding(measured(), check="joint"))]
    assert [test.sharers for test in corrected_tests(cases, Correction.HOLM).values()] == [1]
    assert corrected_tests([(rule("none"), columns([0.01])[0])], Correction.HOLM) == {}
