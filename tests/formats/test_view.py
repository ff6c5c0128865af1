from __future__ import annotations

import dataclasses

import pytest

from detector.findings import TABLE, Gap, Reason, column, pair
from detector.formats import _view
from detector.verdicts import Action, Decision, Level
from tests.formats import reports
from tests.formats.reports import finding, measured, verdict

BAD = (Level.FAIL, Level.UNKNOWN, Level.WARN)


def failing(check, subject, value, **more):
    return verdict(finding(check, subject, measured(value=value)), Level.FAIL, **more)


def titles(report):
    return [(topic.check, topic.title) for topic in _view.topics(report, levels=BAD)]


def test_forty_shifted_columns_do_not_hide_one_lost_correlation():
    verdicts = [failing("marginals", column(f"c{place:02}"), 1.0 + place) for place in range(40)]
    verdicts.append(failing("dependence", pair("a", "b"), 0.2))
    report = reports.report(Decision.REJECT, "", verdicts)
    assert titles(report)[:3] == [
        ("marginals", "c39"),
        ("dependence", "a x b"),
        ("marginals", "c38"),
    ]


def test_a_failure_goes_before_any_warning():
    warned = verdict(finding("joint", TABLE, measured(value=9.0)), Level.WARN)
    report = reports.report(Decision.REJECT, "", [warned, failing("marginals", column("a"), 0.1)])
    assert titles(report) == [("marginals", "a"), ("joint", "table")]


def test_two_verdicts_on_one_column_are_one_topic():
    report = reports.report(
        Decision.REJECT,
        "",
        [failing("marginals", column("a"), 0.1), failing("marginals", column("a"), 0.2)],
    )
    assert titles(report) == [("marginals", "a")]


def test_gaps_with_one_reason_are_one_topic_with_the_first_names():
    assert titles(reports.undecided())[1] == (
        "marginals",
        "column 0, column 1, column 2 and 9 more",
    )


def test_the_same_advice_is_given_once():
    verdicts = [failing("marginals", column(name), 1.0, advice="Compare.") for name in "abc"]
    assert _view.actions(reports.report(Decision.REJECT, "", verdicts)) == ["Compare."]


def test_advice_on_what_passed_is_not_given():
    passed = verdict(finding("joint", TABLE, measured()), Level.PASS, advice="Relax.")
    assert _view.actions(reports.report(Decision.ADMIT, "", [passed])) == []


def test_gaps_are_told_by_check_and_reason():
    (missing,) = _view.gaps(reports.undecided())
    assert missing.reason is Reason.TOO_FEW_ROWS
    assert len(missing.subjects) == 12


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (reports.rejected, "in fewer than 1 of a million batches"),
        (reports.admitted, "no proof that nothing changed"),
        (reports.undecided, "About 2,100 candidate rows would settle"),
    ],
)
def test_how_sure_is_said_in_words(report, said):
    assert said in _view.how_sure(report())


def test_a_failure_that_was_counted_is_certain():
    counted = verdict(finding("schema", TABLE, measured(p_value=None)), Level.FAIL)
    report = reports.report(Decision.REJECT, "", [counted])
    assert "counted, not estimated" in _view.how_sure(report)


def test_the_corrected_p_value_counts_and_not_the_raw_one():
    report = reports.report(
        Decision.REJECT, "", [failing("marginals", column("a"), 1.0, corrected_p=0.01)]
    )
    assert "in about 1 of 100 batches" in _view.how_sure(report)


def test_undecided_for_want_of_anything_but_rows_promises_no_number():
    gap = finding("provenance", TABLE, Gap(name="x", reason=Reason.NEEDS_MANIFEST, detail=""))
    report = reports.report(Decision.UNDECIDED, "", [verdict(gap, Level.UNKNOWN)])
    assert "more rows may not help" in _view.how_sure(report)


def test_undecided_for_want_of_rows_never_says_that_rows_may_not_help():
    gap = finding("joint", TABLE, Gap(name="mmd", reason=Reason.TOO_FEW_ROWS, detail="5 rows"))
    one = verdict(gap, Level.UNKNOWN, gap=Reason.TOO_FEW_ROWS)
    said = _view.how_sure(reports.report(Decision.UNDECIDED, "", [one]))
    assert said == "There are too few rows for a question that the policy requires an answer to."


@pytest.mark.parametrize(("rows", "asked"), [(900, "candidate rows"), (9_000, "rows on each side")])
def test_rows_are_asked_of_both_sides_where_the_reference_has_fewer(rows, asked):
    found = finding("joint", TABLE, measured(), rows=(1_000, 500))
    one = verdict(found, Level.UNKNOWN, rows_needed=rows)
    said = _view.how_sure(reports.report(Decision.UNDECIDED, "", [one]))
    assert f"About {rows:,} {asked} would settle every open question." in said


def test_the_blind_spot_is_the_least_sharp_column_and_the_gates_own_figure_goes_first():
    found = [
        finding("marginals", column(name), measured(detectable=size))
        for name, size in (("a", 0.1), ("b", 0.3), ("c", 0.2))
    ]
    verdicts = [verdict(one, Level.PASS) for one in found]
    report = reports.report(Decision.ADMIT, "", verdicts)
    assert [spot.subject for spot in _view.blind_spots(report)] == ["b"]
    judged = dataclasses.replace(verdicts[2], detectable=0.5)
    report = reports.report(Decision.ADMIT, "", [*verdicts[:2], judged])
    assert [(spot.subject, spot.detectable) for spot in _view.blind_spots(report)] == [("c", 0.5)]


def test_a_cap_names_the_smallest_share_that_a_failed_rule_allows():
    verdicts = [failing("joint", TABLE, 1.0, action=Action.CAP, cap=share) for share in (0.5, 0.2)]
    report = reports.report(Decision.CAP, "", verdicts)
    assert _view.meaning(report) == "This batch may enter as at most 20 % of a training set."


def test_the_headline_does_not_repeat_the_decision():
    report = reports.report(Decision.REJECT, "REJECT: four columns changed.", [])
    assert _view.headline(report) == "Four columns changed."


def test_a_pair_is_named_as_waivers_name_it():
    assert _view.name(pair("income", "age")) == str(pair("income", "age")) == "age x income"
