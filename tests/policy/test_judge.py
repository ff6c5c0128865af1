from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.findings import TABLE, Reason, column, pair
from detector.policy.judge import judge
from detector.policy.policy import Waiver
from detector.report import Report
from detector.verdicts import Action, Decision, Level
from tests.policy.cases import (
    TODAY,
    crash,
    failing,
    finding,
    gap,
    judged,
    measured,
    only,
    policy,
    rule,
)

BAD = finding(measured(2.0))
GOOD = finding(measured(0.5))
OPEN = finding(measured(0.9, interval=(0.5, 1.5)))


def decided(findings, *rules, **more):
    return judged(findings, *rules, **more)[1]


@pytest.mark.parametrize(
    ("action", "decision"),
    [
        (Action.REJECT, Decision.REJECT),
        (Action.QUARANTINE, Decision.QUARANTINE),
        (Action.CAP, Decision.CAP),
        (Action.WARN, Decision.ADMIT),
    ],
)
def test_a_failing_rule_gets_what_it_asks_for(action, decision):
    assert decided([BAD], failing(action)) is decision
    assert decided([GOOD], failing(action)) is Decision.ADMIT


ASKED = {
    "reject": (BAD, failing(Action.REJECT), Decision.REJECT),
    "open": (OPEN, rule("open", measurement="open"), Decision.UNDECIDED),
    "quarantine": (BAD, failing(Action.QUARANTINE), Decision.QUARANTINE),
    "cap": (BAD, failing(Action.CAP, cap=0.2), Decision.CAP),
    "warn": (BAD, failing(Action.WARN), Decision.ADMIT),
}


@pytest.mark.parametrize("asked", list(itertools.permutations(ASKED, 3)))
def test_reject_then_undecided_then_quarantine_then_cap_then_admit(asked):
    findings, rules, decisions = [], [], []
    for name in asked:
        found, one, decision = ASKED[name]
        findings.append(replace(found, outcome=replace(found.outcome, name=name)))
        rules.append(replace(one, measurement=name))
        decisions.append(decision)
    order = ["reject", "undecided", "quarantine", "cap", "admit"]
    assert decided(findings, *rules) == min(decisions, key=order.index)


def test_nothing_measured_is_undecided():
    assert decided([], rule()) is Decision.UNDECIDED
    assert decided([gap()], rule(on_gap=Level.PASS)) is Decision.UNDECIDED
    assert decided([BAD]) is Decision.UNDECIDED
    assert decided([BAD], rule(check="joint")) is Decision.UNDECIDED


@pytest.mark.parametrize(
    ("level", "decision"),
    [
        (Level.PASS, Decision.ADMIT),
        (Level.WARN, Decision.ADMIT),
        (Level.UNKNOWN, Decision.UNDECIDED),
        (Level.FAIL, Decision.REJECT),
    ],
)
def test_a_gap_counts_as_the_rule_says(level, decision):
    verdicts, said = judged([GOOD, gap(subject=column("y"))], rule(on_gap=level))
    assert said is decision
    assert verdicts[0].level is level


def test_a_gap_counts_by_its_reason_first():
    one = rule(on_gap=Level.FAIL, gaps={Reason.CONSTANT_COLUMN: Level.PASS})
    assert only([gap(Reason.CONSTANT_COLUMN)], one).level is Level.PASS
    assert only([gap(Reason.ALL_MISSING)], one).level is Level.FAIL


@pytest.mark.parametrize("on_gap", list(Level))
@pytest.mark.parametrize("action", list(Action))
def test_a_crashed_check_is_never_a_pass(action, on_gap):
    one = rule("joint", check="joint", action=action, on_gap=on_gap, measurement="mmd")
    verdicts, decision = judged([GOOD, crash()], rule(), one)
    assert verdicts[0].level >= Level.UNKNOWN
    assert decision is not Decision.ADMIT


@pytest.mark.parametrize("level", list(Level))
def test_too_few_rows_to_see_what_must_be_seen_are_a_gap(level):
    blunt = finding(measured(0.1, p_value=0.9, detectable=0.9))
    options = {"must_detect": 0.5}
    one = rule(kind="significant", options=options, gaps={Reason.TOO_FEW_ROWS: level})
    verdict = only([blunt], one)
    assert verdict.level is level
    assert verdict.gap is Reason.TOO_FEW_ROWS
    assert verdict.rows_needed


@pytest.mark.parametrize(("short", "level"), [(1, Level.WARN), (2, Level.WARN), (3, Level.UNKNOWN)])
def test_a_rule_tolerates_that_some_of_its_findings_lack_rows(short, level):
    found = [finding(subject=column(f"c{place}")) for place in range(4 - short)]
    found += [gap(subject=column(f"g{place}")) for place in range(short)]
    verdicts, _ = judged(found, rule(tolerate=0.5))
    assert verdicts[0].level is level
    assert judged(found, rule())[0][0].level is Level.UNKNOWN


def test_only_a_lack_of_rows_is_tolerated():
    found = [finding(), gap(Reason.KIND_NOT_SUPPORTED, subject=column("y"))]
    assert judged(found, rule(tolerate=0.9))[1] is Decision.UNDECIDED
    assert judged([finding(), crash("marginals")], rule(tolerate=0.9))[1] is Decision.UNDECIDED


def test_a_gap_of_a_whole_check_is_judged_by_all_its_rules():
    whole = gap(name="marginals", subject=TABLE)
    assert len(judged([whole], rule("a", measurement="a"), rule("b", columns="b"))[0]) == 2


def test_a_gap_says_why_and_what_to_do():
    verdict = only([gap(name="total_variation", detail="2 rows, 8 needed")], rule())
    assert verdict.message == "The total variation of `x` could not be measured: 2 rows, 8 needed."
    assert verdict.advice == "Judge a larger batch."
    assert verdict.gap is Reason.TOO_FEW_ROWS
    assert only([gap()], rule(on_gap=Level.PASS)).advice == ""


def test_a_crash_says_that_nothing_was_learned():
    verdict = only([crash()], rule("joint", check="joint"))
    assert verdict.message == (
        "The joint of the table could not be measured: ZeroDivisionError: division."
    )
    assert verdict.advice == "Report this as a bug; nothing was learned about the batch from it."


def test_a_rule_that_only_warns_stays_at_warn():
    one = failing(Action.WARN)
    assert only([BAD], one).level is Level.WARN
    assert only([OPEN], one).level is Level.WARN
    assert only([gap()], one).level is Level.WARN


@pytest.mark.parametrize(
    ("scope", "subjects"),
    [
        ({}, ["x", "y", "x x y", "table"]),
        ({"columns": "x"}, ["x", "x x y", "table"]),
        ({"columns": "[yz]"}, ["y", "x x y", "table"]),
        ({"measurement": "mmd"}, []),
        ({"measurement": "wass*"}, ["x", "y", "x x y", "table"]),
        ({"check": "joint"}, []),
    ],
)
def test_a_rule_looks_only_at_what_it_names(scope, subjects):
    looked_at = [column("x"), column("y"), pair("y", "x"), TABLE]
    verdicts, _ = judged([finding(subject=each) for each in looked_at], rule(**scope))
    assert [str(verdict.finding.subject) for verdict in verdicts] == subjects


def test_ignored_columns_are_not_judged_again():
    found = [finding(subject=each) for each in (column("x"), column("y"), pair("x", "y"))]
    verdicts, _ = judged(found, rule(), ignore=("x",))
    assert [str(verdict.finding.subject) for verdict in verdicts] == ["y"]


def test_a_message_says_what_was_seen_how_sure_and_against_which_limit():
    found = finding(measured(0.507, interval=(0.42, 0.6), p_value=1e-9, unit="spreads"))
    one = rule(kind="significant", options={"negligible": 0.1}, family="m")
    verdict = only([found], one)
    assert verdict.message == (
        "`x` moved by 0.507 spreads (95 % interval 0.42 to 0.6, p < 0.001): "
        "beyond chance, and more than the 0.1 spreads that may pass."
    )
    assert verdict.corrected_p == 1e-9
    limited = only([found], rule(options={"at_most": 0.1}))
    assert limited.message == (
        "`x` moved by 0.507 spreads (95 % interval 0.42 to 0.6): "
        "only at most 0.1 spreads is allowed."
    )
    assert limited.corrected_p is None


def test_hostile_names_stay_plain_text():
    name = "<script>{value}{0}%s\x1b[0m"
    assert name in only([finding(subject=column(name))], rule()).message


def test_a_name_of_a_megabyte_is_cut_in_sentences_only():
    verdict = only([finding(subject=column("x" * 1_000_000))], rule())
    assert len(verdict.message) < 300
    assert len(verdict.finding.subject.columns[0]) == 1_000_000


def test_a_cap_is_stated():
    verdict = only([BAD], failing(Action.CAP, cap=0.2))
    assert verdict.cap == 0.2
    assert verdict.advice.startswith("Let it be at most 20 % of a training set. ")
    assert only([GOOD], failing(Action.CAP, cap=0.2)).cap is None


def test_verdicts_come_worst_first_then_by_rule_then_by_size():
    values = {"a": 0.1, "b": 3.0, "c": 2.0, "d": 0.2}
    found = [finding(measured(value), subject=column(name)) for name, value in values.items()]
    verdicts, _ = judged(found, rule("one"), rule("two", options={"at_most": 2.5}))
    assert [(v.rule, str(v.finding.subject)) for v in verdicts] == [
        ("one", "b"),
        ("one", "c"),
        ("two", "b"),
        ("one", "d"),
        ("one", "a"),
        ("two", "c"),
        ("two", "d"),
        ("two", "a"),
    ]


def waiver(rule="moved", subject="x", expires=TODAY):
    return Waiver(rule=rule, subject=subject, reason="known until the new sensor.", expires=expires)


def test_a_waiver_holds_through_its_last_day():
    verdict = only([BAD], rule(), waivers=(waiver(),))
    assert verdict.level is Level.WARN
    assert verdict.waived == "known until the new sensor."
    assert verdict.message.endswith(" Waived until 2026-11-22: known until the new sensor.")
    assert decided([BAD], rule(), waivers=(waiver(),)) is Decision.ADMIT


def test_an_expired_waiver_waives_nothing_and_is_named():
    late = TODAY + timedelta(days=1)
    verdict = only([BAD], rule(), waivers=(waiver(),), today=late)
    assert verdict.level is Level.FAIL
    assert verdict.waived is None
    assert verdict.message.endswith(
        " Its waiver expired on 2026-11-22 (known until the new sensor)."
    )


def test_the_longest_waiver_counts():
    waivers = (waiver(expires=date(2020, 1, 1)), waiver())
    assert only([BAD], rule(), waivers=waivers).level is Level.WARN


@pytest.mark.parametrize(
    ("changed", "waived"),
    [
        ({}, True),
        ({"subject": "*"}, True),
        ({"subject": "y"}, False),
        ({"rule": "other"}, False),
    ],
)
def test_a_waiver_speaks_only_of_its_rule_and_subject(changed, waived):
    verdict = only([BAD], rule(), waivers=(waiver(**changed),))
    assert (verdict.waived is not None) is waived


def test_a_waiver_of_a_column_does_not_cover_its_pairs():
    found = finding(measured(2.0), subject=pair("x", "y"))
    assert only([found], rule(), waivers=(waiver(),)).waived is None
    assert only([found], rule(), waivers=(waiver(subject="x x y"),)).waived is not None


def test_what_is_unknown_can_be_waived_and_a_warning_needs_none():
    assert only([OPEN], rule(), waivers=(waiver(),)).level is Level.WARN
    assert only([BAD], failing(Action.WARN), waivers=(waiver(rule="warn"),)).waived is None


def test_a_waived_cap_caps_nothing():
    one = failing(Action.CAP, cap=0.2)
    assert only([BAD], one, waivers=(waiver(rule="cap"),)).cap is None


values = st.floats(0, 3)


@st.composite
def many_findings(draw):
    count = draw(st.integers(1, 8))
    found = []
    for place in range(count):
        if draw(st.booleans()):
            found.append(gap(draw(st.sampled_from(Reason)), subject=column(f"c{place}")))
        else:
            low, width = draw(values), draw(values)
            outcome = measured(low, interval=(low, low + width), p_value=draw(st.floats(1e-9, 1)))
            found.append(finding(outcome, subject=column(f"c{place}")))
    return found


STRICT = policy(
    rule("limit", options={"at_most": 0.5}, on_gap=Level.FAIL),
    rule("test", kind="significant", options={"negligible": 0.1}, family="m"),
)


@given(found=many_findings())
def test_a_saved_report_is_judged_like_a_fresh_one(found):
    verdicts, decision = judge(found, policy(rule()), today=TODAY)
    report = Report(
        decision=decision,
        headline="h",
        verdicts=verdicts,
        findings=tuple(found),
        inputs=(),
        policy={},
        seed=0,
        versions={},
    )
    saved = Report.from_json(report.to_json())
    assert judge(saved.findings, STRICT, today=TODAY) == judge(found, STRICT, today=TODAY)


@given(found=many_findings(), order=st.randoms(use_true_random=False))
def test_the_order_of_findings_decides_nothing(found, order):
    shuffled = list(found)
    order.shuffle(shuffled)
    verdicts, decision = judge(found, STRICT, today=TODAY)
    others, other_decision = judge(shuffled, STRICT, today=TODAY)
    assert decision is other_decision
    assert {(v.rule, v.finding.key, v.level, v.message) for v in verdicts} == {
        (v.rule, v.finding.key, v.level, v.message) for v in others
    }


@given(found=many_findings())
def test_every_sentence_is_one(found):
    for verdict in judge(found, STRICT, today=TODAY)[0]:
        assert verdict.message[0].isupper() or verdict.message[0] == "`"
        assert verdict.message.endswith(".")
        assert not verdict.message.endswith("..")
        assert "nan" not in verdict.message
