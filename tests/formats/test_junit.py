from __future__ import annotations

import pytest
from defusedxml import ElementTree

from detector.findings import Gap, Reason
from detector.formats import junit
from detector.verdicts import Decision, Level
from tests.formats import reports
from tests.formats.reports import TABLE, finding, measured, verdict


def parsed(report):
    return ElementTree.fromstring(junit.render(report).encode())


def outcomes(report):
    cases = parsed(report).iter("testcase")
    return [[child.tag for child in case] for case in cases]


def one(level, *, decision=Decision.ADMIT, gap=False, **more):
    found = Gap(name="x", reason=Reason.NEEDS_ROWS, detail="") if gap else measured()
    return reports.report(
        decision, "Said.", [verdict(finding("joint", TABLE, found), level, **more)]
    )


@pytest.mark.parametrize("kind", reports.ALL)
def test_there_is_one_test_case_for_each_verdict_and_the_counts_agree(kind):
    report = reports.ALL[kind]()
    root = parsed(report)
    (suite,) = root
    cases = suite.findall("testcase")
    assert len(cases) == len(report.verdicts) == int(suite.get("tests"))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{tag}"))
        assert root.get(attribute) == suite.get(attribute)


@pytest.mark.parametrize(
    ("report", "tags"),
    [
        (one(Level.PASS), []),
        (one(Level.WARN), ["system-out"]),
        (one(Level.FAIL, decision=Decision.REJECT), ["failure"]),
        (one(Level.UNKNOWN, decision=Decision.UNDECIDED), ["error"]),
        (one(Level.UNKNOWN, decision=Decision.REJECT), ["error"]),
        (one(Level.UNKNOWN, decision=Decision.CAP), ["skipped"]),
        (one(Level.PASS, gap=True), ["skipped"]),
        (one(Level.WARN, gap=True), ["skipped"]),
        (one(Level.UNKNOWN, gap=True, decision=Decision.UNDECIDED), ["error"]),
    ],
)
def test_each_level_has_its_outcome(report, tags):
    assert outcomes(report)[0] == tags


@pytest.mark.parametrize("decision", Decision)
@pytest.mark.parametrize("level", [None, Level.PASS, Level.WARN, Level.UNKNOWN])
def test_the_build_is_red_exactly_when_the_gate_does_not_admit(decision, level):
    report = reports.report(decision, "Said.", [])
    root = parsed(report if level is None else one(level, decision=decision))
    red = int(root.get("failures")) + int(root.get("errors"))
    assert bool(red) == (decision is not Decision.ADMIT)


def test_a_failure_says_what_was_seen_and_what_to_do():
    failure = next(parsed(reports.rejected()).iter("failure"))
    assert failure.get("message").startswith("dep_delay moved by 0.51 spreads")
    assert failure.get("type") == "reject"
    assert "Look at how dep_delay is produced" in failure.text


def test_the_check_is_the_class_and_the_subject_the_name():
    case = next(parsed(reports.rejected()).iter("testcase"))
    assert case.get("classname") == "detector.marginals"
    assert case.get("name") == "dep_delay: Wasserstein distance (columns-alike)"


def test_hostile_names_survive_in_a_shape_that_can_be_read():
    names = [case.get("name") for case in parsed(reports.hostile()).iter("testcase")]
    assert any(name.startswith("<script>alert(1)</script>:") for name in names)
    assert any(name.startswith(r"nul\x00byte:") for name in names)
    assert any("]]>&amp;<![CDATA[x" in name for name in names)


def test_the_decision_and_the_policy_are_properties():
    found = {p.get("name"): p.get("value") for p in parsed(reports.rejected()).iter("property")}
    assert found["decision"] == "reject"
    assert found["policy.digest"] == "5f1d0c3ab2e49a7715c0"


def test_a_waiver_is_told_once():
    message = "Moved. Waived until 2027-03-31: known until March."
    waived = one(Level.WARN, message=message, waived="known until March")
    assert next(parsed(waived).iter("system-out")).text.count("known until March") == 1
