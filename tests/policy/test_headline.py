from __future__ import annotations

from detector.findings import TABLE, column
from detector.policy.headline import headline
from detector.policy.policy import Correction
from detector.verdicts import Action, Level
from tests.policy.cases import crash, failing, finding, gap, judged, measured, rule


def said(findings, *rules, **more):
    verdicts, decision = judged(findings, *rules, **more)
    return headline(decision, verdicts)


def moved(name, value, p_value=1e-9, **more):
    outcome = measured(value, unit="spreads", p_value=p_value, **more)
    return finding(outcome, subject=column(name))


TEST = rule(kind="significant", family="m")


def test_a_refusal_names_how_many_columns_and_the_worst():
    found = [moved("a", 0.2), moved("num_01", 0.51), moved("c", 0.01, p_value=0.9)]
    assert said(found, TEST) == (
        "REJECT: 2 of 3 columns changed; worst, `num_01` moved by 0.51 spreads (p < 0.001)."
    )


def test_a_refusal_for_one_column_is_short():
    assert said([moved("a", 0.2), moved("b", 0.0, p_value=1.0)], TEST) == (
        "REJECT: `a` moved by 0.2 spreads (p < 0.001)."
    )


def test_other_checks_that_failed_are_named():
    auc = finding(measured(0.9, name="auc", p_value=1e-9), check="discriminator", subject=TABLE)
    other = rule("apart", check="discriminator", kind="significant", family="m")
    assert said([moved("a", 0.2), auc], TEST, other).endswith("; also failed: discriminator.")


def test_what_failed_without_refusing_is_left_out():
    outcome = measured(2, name="columns_missing")
    lost = finding(outcome, check="schema", subject=TABLE, columns=["age", "sex"])
    schema = rule("schema", check="schema", options={"at_most": 0})
    quarantine = failing(Action.QUARANTINE, options={"at_most": 0.1})
    assert said([lost, moved("a", 0.2)], quarantine, schema) == (
        "REJECT: columns that the candidate lacks: 2: `age`, `sex`."
    )


def test_a_quarantine_and_a_cap_say_what_failed():
    assert said([moved("a", 2.0)], failing(Action.QUARANTINE)) == (
        "QUARANTINE: `a` moved by 2 spreads."
    )
    caps = [failing(Action.CAP, cap=0.2), rule("cap more", action=Action.CAP, cap=0.1)]
    assert said([moved("a", 2.0)], *caps) == (
        "CAP: at most 10 % of a training set; `a` moved by 2 spreads."
    )


def test_too_few_rows_says_how_many_would_do():
    blind = rule(kind="significant", family="m", options={"must_detect": 0.1})
    found = [
        moved("a", 0.0, p_value=1.0, detectable=0.2),
        moved("b", 0.0, p_value=1.0, detectable=0.1),
    ]
    words = said(found, blind, alpha=0.05, correction=Correction.NONE)
    assert words == "UNDECIDED: too few rows to tell; about 4,000 on each side would settle it."


def test_what_else_is_open_is_said_as_it_is():
    found = [moved("a", 0.2), gap(subject=column("b"), detail="2 rows, 8 needed")]
    assert said(found, rule()) == (
        "UNDECIDED: The wasserstein of `b` could not be measured: 2 rows, 8 needed."
    )


def test_a_crash_is_named():
    assert said([moved("a", 0.2), crash()], rule(), rule("joint", check="joint")) == (
        "UNDECIDED: a check failed to run (joint), so nothing can be promised."
    )


def test_nothing_measured_is_said_to_be_so():
    words = "UNDECIDED: nothing that the policy asks about could be measured."
    assert said([], rule()) == words
    assert said([gap()], rule(on_gap=Level.PASS)) == words
    why = "UNDECIDED: nothing that the policy asks about could be measured: 2 rows."
    assert said([gap()], rule()) == why


def test_an_admission_says_what_would_have_been_seen():
    found = [moved(name, 0.0, p_value=0.9, detectable=0.1) for name in "ab"]
    assert said(found, TEST, correction=Correction.NONE, alpha=0.05) == (
        "ADMIT: no difference beyond chance in 2 columns; "
        "a change of 0.1 spreads would most likely have been seen."
    )


def test_what_could_not_be_judged_is_not_the_first_warning():
    blunt = moved("a", 0.3, p_value=1.0, detectable=9.0)
    one = rule(kind="significant", family="m", options={"must_detect": 1.0}, on_gap=Level.WARN)
    found = [blunt, moved("b", 0.0, p_value=1.0, detectable=0.5)]
    assert said(found, one, correction=Correction.NONE) == (
        "ADMIT: no difference beyond chance in one column; "
        "a change of 0.5 spreads would most likely have been seen; too few rows for 1 more."
    )


def test_an_admission_without_tests_claims_no_more():
    assert said([moved("a", 0.0)], rule()) == (
        "ADMIT: nothing that the policy asks about is wrong."
    )


def test_an_admission_with_warnings_names_the_first():
    warn = failing(Action.WARN)
    assert said([moved("a", 2.0)], warn) == "ADMIT: one warning: `a` moved by 2 spreads."
    assert said([moved("a", 2.0), moved("b", 3.0)], warn) == (
        "ADMIT: 2 warnings, first: `b` moved by 3 spreads."
    )
