from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.policy.rules.equivalent import judge
from detector.verdicts import Level
from tests.policy.cases import case


def auc(value, half, **more):
    interval = (value - half, value + half)
    return case(value, name="auc", null_value=0.5, interval=interval, **more)


@pytest.mark.parametrize(
    ("value", "half", "level"),
    [
        (0.51, 0.039, Level.PASS),
        (0.51, 0.041, Level.UNKNOWN),
        (0.56, 0.02, Level.UNKNOWN),
        (0.58, 0.02, Level.FAIL),
        (0.48, 0.01, Level.WARN),
        (0.46, 0.03, Level.UNKNOWN),
        (0.42, 0.02, Level.FAIL),
    ],
)
def test_only_an_interval_inside_the_margin_is_the_same(value, half, level):
    assert judge(auc(value, half), margin=0.05).level is level


def test_sameness_warns_that_such_rows_cannot_be_filtered():
    ruling = judge(auc(0.51, 0.02), margin=0.05)
    assert ruling.because == "less than 0.05 from 0.5, so the two cannot be told apart"
    assert ruling.advice == (
        "Rows like these cannot be filtered out later: "
        "if they are synthetic, control them by provenance."
    )


def test_above_the_margin_can_be_told_apart():
    ruling = judge(auc(0.6, 0.02), margin=0.05)
    assert ruling.because == "more than 0.05 from 0.5, so the two can be told apart"
    assert ruling.advice == "Look at the columns that give the candidate away."


def test_below_chance_means_copies_of_the_reference():
    ruling = judge(auc(0.4, 0.02), margin=0.05)
    assert ruling.because == (
        "more than 0.05 from 0.5, on the side where rows copied from the reference lie"
    )
    assert ruling.advice == "Look for rows of the reference in the candidate and take them out."


def test_slightly_below_chance_is_said_even_inside_the_margin():
    ruling = judge(auc(0.48, 0.01), margin=0.05)
    assert ruling.because == (
        "less than 0.05 from 0.5, so the two cannot be told apart; "
        "but on the side where rows copied from the reference lie"
    )


def test_too_few_rows_is_never_the_same():
    # Half-width 0.08, distance to the margin 0.04: half as wide needs four times the rows.
    ruling = judge(auc(0.51, 0.08), margin=0.05)
    assert ruling.level is Level.UNKNOWN
    assert ruling.rows_needed == 4000
    assert ruling.because == (
        "too few rows to show that it lies less than 0.05 from 0.5, or that it does not; "
        "about 4,000 rows on each side would settle it"
    )
    assert ruling.advice == "Judge a larger batch."


def test_an_open_case_below_chance_names_copies():
    ruling = judge(auc(0.46, 0.03), margin=0.05)
    assert "on the side where rows copied from the reference lie" in ruling.because
    assert ruling.advice == "Look for rows of the reference in the candidate and take them out."


@pytest.mark.parametrize("margin", [0, -0.1])
def test_a_margin_of_nothing_is_refused(margin):
    with pytest.raises(ValueError, match=f"`margin` is {margin}; no finite number of rows"):
        judge(auc(0.5, 0.1), margin=margin)


@given(value=st.floats(0.5, 0.9), half=st.floats(0, 0.2), away=st.floats(0, 0.2))
def test_further_from_chance_never_has_a_better_level(value, half, away):
    before = judge(auc(value, half), margin=0.05).level
    assert judge(auc(value + away, half), margin=0.05).level >= before


@given(value=st.floats(0.1, 0.9), half=st.floats(0, 0.2))
def test_both_sides_of_chance_are_judged_alike_but_for_the_warning(value, half):
    here = judge(auc(value, half), margin=0.05).level
    there = judge(auc(1 - value, half), margin=0.05).level
    assert max(here, Level.WARN) == max(there, Level.WARN)
