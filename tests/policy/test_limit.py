from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.policy.rules.limit import judge
from detector.verdicts import Level
from tests.policy.cases import case

SIZES = st.floats(-100, 100)


@pytest.mark.parametrize(
    ("interval", "level"),
    [
        ((0.1, 0.5), Level.PASS),
        ((0.4999, 0.5001), Level.UNKNOWN),
        ((0.50001, 0.6), Level.FAIL),
        ((0.1, 0.9), Level.UNKNOWN),
    ],
)
def test_at_most_looks_at_both_ends_of_the_interval(interval, level):
    assert judge(case(sum(interval) / 2, interval=interval), at_most=0.5).level is level


@pytest.mark.parametrize(
    ("interval", "level"),
    [((0.5, 0.9), Level.PASS), ((0.3, 0.6), Level.UNKNOWN), ((0.1, 0.4999), Level.FAIL)],
)
def test_at_least_looks_at_both_ends_of_the_interval(interval, level):
    assert judge(case(sum(interval) / 2, interval=interval), at_least=0.5).level is level


@pytest.mark.parametrize(("count", "level"), [(0, Level.PASS), (1, Level.FAIL)])
def test_a_number_without_interval_is_exact(count, level):
    assert judge(case(count), at_most=0).level is level


@pytest.mark.parametrize(
    ("value", "level"), [(0.05, Level.FAIL), (0.2, Level.PASS), (0.9, Level.FAIL)]
)
def test_both_limits_make_a_band(value, level):
    assert judge(case(value), at_least=0.1, at_most=0.5).level is level


def test_a_straddling_interval_says_how_many_rows_settle_it():
    # Half-width 0.2, distance to the limit 0.1: half as wide needs four times 500 effective
    # rows. 1000 rows of reference cannot be that alone, so both sides need 4000.
    ruling = judge(case(0.4, interval=(0.2, 0.6)), at_most=0.5)
    assert ruling.level is Level.UNKNOWN
    assert ruling.rows_needed == 4000
    assert ruling.because == (
        "at most 0.5 is allowed, and too few rows to tell; "
        "about 4,000 rows on each side would settle it"
    )
    assert ruling.advice == "Judge a larger batch."


def test_a_value_on_the_limit_is_settled_by_no_number_of_rows():
    ruling = judge(case(0.5, interval=(0.4, 0.6)), at_most=0.5)
    assert ruling.rows_needed is None
    assert ruling.because.endswith("how many rows would settle it cannot be told")


def test_fail_and_pass_say_the_limit():
    assert judge(case(3), at_most=0).because == "none is allowed"
    assert judge(case(3), at_most=2).because == "only at most 2 is allowed"
    assert judge(case(3), at_most=5, at_least=1).because == ("at most 5 and at least 1 is allowed")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "`limit` needs `at_most` or `at_least`"),
        ({"at_least": 2, "at_most": 1}, "`at_least` (2) is above `at_most` (1)"),
    ],
)
def test_options_without_sense_are_refused(options, message):
    with pytest.raises(ValueError, match="at_least") as caught:
        judge(case(), **options)
    assert str(caught.value) == message


@given(low=SIZES, width=st.floats(0, 50), limit=SIZES, worse=st.floats(0, 50))
def test_a_worse_interval_never_has_a_better_level(low, width, limit, worse):
    before = judge(case(low, interval=(low, low + width)), at_most=limit).level
    moved = (low + worse, low + width + worse)
    assert judge(case(moved[0], interval=moved), at_most=limit).level >= before
    mirrored = judge(case(-low, interval=(-low - width, -low)), at_least=-limit).level
    assert mirrored == before
