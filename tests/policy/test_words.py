from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse, column, pair
from detector.policy import words
from detector.policy.rows import larger, rows_needed, times_narrower
from tests.policy.cases import finding, gap, measured


@pytest.mark.parametrize(
    ("measurement", "subject", "evidence", "said"),
    [
        (measured(0.5, unit="spreads"), column("a"), {}, "`a` moved by 0.5 spreads"),
        (
            measured(2, name="columns_missing"),
            TABLE,
            {"columns": ["a", "b"]},
            "columns that the candidate lacks: 2: `a`, `b`",
        ),
        (
            measured(0.07, name="total_variation", unit="share"),
            column("a"),
            {},
            "7 % of the rows of `a` went to another level",
        ),
        (
            measured(0.2, name="association_change"),
            pair("b", "a"),
            {},
            "the association between `a` and `b` changed by 0.2",
        ),
        (
            measured(3, name="new_thing", unit="rows"),
            column("a"),
            {},
            "the new thing of `a` is 3 rows",
        ),
        (
            measured(0.25, name="new_thing", unit="share"),
            TABLE,
            {},
            "the new thing of the table is 25 %",
        ),
    ],
)
def test_what_was_seen_is_said_in_words(measurement, subject, evidence, said):
    assert words.brief(finding(measurement, subject=subject, **evidence)) == said


def test_the_evidence_says_how():
    tie = measured(1.2, name="association_change")
    moved = measured(0.5, unit="spreads")
    assert words.brief(finding(tie, subject=pair("a", "b"), reference=0.6, candidate=-0.6)) == (
        "the association between `a` and `b` changed by 1.2, from 0.6 to -0.6"
    )
    assert words.brief(finding(moved, direction="candidate is higher")) == (
        "`x` moved by 0.5 spreads, candidate is higher"
    )
    many = measured(0.5, name="dependence_change")
    told = [{"name": "a", "importance": 0.4}, {"name": "b", "importance": 0.1}]
    assert words.brief(finding(many, subject=TABLE, columns=told)).endswith(": `a`, `b`")


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((0.81, 0.89), "a trained classifier tells the candidate's rows from the reference's"),
        ((0.48, 0.55), "a trained classifier that should tell the candidate's rows from"),
        ((0.38, 0.43), "rows of the candidate look copied: a trained classifier takes them"),
    ],
)
def test_an_auc_is_spoken_of_by_the_side_of_a_coin_that_its_interval_lies_on(interval, said):
    middle = sum(interval) / 2
    area = measured(middle, name="auc", null_value=0.5, interval=interval, worse=Worse.BOTH)
    assert words.brief(finding(area, subject=TABLE)).startswith(said)


def test_how_sure_it_is_follows_in_brackets():
    exact = measured(0.5)
    wide = measured(0.5, interval=(0.25, 0.75), unit="spreads")
    share = measured(0.5, interval=(0.25, 0.75), unit="share")
    assert words.seen(finding(exact)) == "`x` moved by 0.5"
    assert words.seen(finding(exact), corrected_p=0.02) == "`x` moved by 0.5 (p = 0.02)"
    assert words.seen(finding(wide), corrected_p=0.0002) == (
        "`x` moved by 0.5 spreads (95 % interval 0.25 to 0.75, p < 0.001)"
    )
    noisy = measured(0.5, null_value=0.25, p_value=0.9)
    assert words.seen(finding(noisy), corrected_p=1.0) == "`x` moved by 0.5 (by chance 0.25, p = 1)"
    assert "(95 % interval 25 to 75 %)" in words.seen(finding(share))


def test_a_gap_is_said_to_be_one():
    assert words.brief(gap(subject=TABLE)) == "the wasserstein of the table could not be measured"


def test_every_gap_reason_has_advice_or_needs_none():
    calm = {
        Reason.COLUMN_ABSENT,
        Reason.CONSTANT_COLUMN,
        Reason.ALL_MISSING,
        Reason.KIND_NOT_SUPPORTED,
    }
    by_side = {Reason.TOO_FEW_ROWS}
    assert set(Reason) - set(words.GAP_ADVICE) == calm | by_side


@pytest.mark.parametrize("phrase", words.PHRASES.values())
def test_advice_is_said_once_for_all_subjects(phrase):
    assert "{" not in phrase.advice
    assert phrase.advice[0].isupper()
    assert phrase.advice.endswith(".")
    phrase.seen.format(subject="s", value="v", least="v", listed="", how="")


def need(n, m, times, rate=0.5):
    outcome = Measurement(name="x", value=0.0, worse=Worse.HIGHER)
    found = Finding(check="c", subject=TABLE, outcome=outcome, n_reference=n, n_candidate=m)
    return rows_needed(found, times=times, rate=rate)


def test_a_large_reference_lets_the_candidate_grow_alone():
    # Half as wide: 1/m' = (1/10^6 + 1/100) / 4 - 1/10^6, so 401 rows; rounded up to 410.
    said = "about 410 rows of the candidate would settle it"
    assert need(1_000_000, 100, 2) == (410, said)


def test_a_small_reference_has_to_grow_too():
    said = "about 400 rows on each side would settle it"
    assert need(100, 100, 2) == (400, said)


@pytest.mark.parametrize(
    ("n", "m", "advice"),
    [
        (9, 100, "Take a larger reference."),
        (100, 9, "Judge a larger batch."),
    ],
)
def test_the_smaller_side_has_to_grow_where_rows_are_too_few_for_any_number(n, m, advice):
    found = Finding(
        check="c",
        subject=TABLE,
        outcome=Gap(name="x", reason=Reason.TOO_FEW_ROWS, detail="9 rows"),
        n_reference=n,
        n_candidate=m,
    )
    assert larger(found) == advice


def test_without_a_reference_only_the_candidate_counts():
    assert need(0, 100, 2).rows == 400


def test_a_slower_rate_needs_more_rows():
    assert need(100, 100, 2, rate=0.25).rows == 1600


@pytest.mark.parametrize("times", [float("inf"), 1e300])
def test_where_no_number_of_rows_helps_none_is_given(times):
    assert need(100, 100, times) == (None, "how many rows would settle it cannot be told")


def test_absurdly_many_rows_are_not_asked_for():
    assert need(100, 100, 1e6) == (None, "no number of rows is likely to settle it")
    assert need(100, 0, 2).rows is None
    assert need(100, 100, 2, rate=0.0).rows is None


@given(n=st.integers(2, 10**6), m=st.integers(2, 10**6), times=st.floats(1, 30))
def test_the_rows_asked_for_are_enough(n, m, times):
    rows, said = need(n, m, times)
    both = "each side" in said
    now = 1 / n + 1 / m
    then = (1 / rows if both else 1 / n) + 1 / rows
    assert then <= now / times**2 * 1.000001


def test_how_much_narrower_to_leave_a_limit():
    assert times_narrower(3.0, (1.0, 4.0), 2.0) == 2.0
    assert times_narrower(3.0, (1.0, 4.0), 3.5) == 2.0
    assert times_narrower(3.0, (1.0, 4.0), 3.0) == float("inf")
    assert times_narrower(3.0, (1.0, 4.0), 9.0) == 1.0
