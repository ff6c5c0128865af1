from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from detector.findings import Worse
from detector.policy.rules.significant import judge
from detector.verdicts import Level
from tests.policy.cases import case

CERTAIN = {"alpha": 0.05, "corrected_p": 0.05}
CHANCE = {"alpha": 0.05, "corrected_p": 0.0500001}


@pytest.mark.parametrize(("p", "level"), [(CERTAIN, Level.FAIL), (CHANCE, Level.PASS)])
def test_the_corrected_p_value_is_held_against_alpha(p, level):
    assert judge(case(0.5, **p)).level is level


@pytest.mark.parametrize(
    ("interval", "level", "because"),
    [
        (
            (0.11, 0.3),
            Level.FAIL,
            "beyond chance, and more than the 0.1 spreads that may pass",
        ),
        ((0.1, 0.3), Level.WARN, "real, but it may be small; up to 0.1 spreads may pass"),
        ((0.02, 0.1), Level.WARN, "real but small; up to 0.1 spreads may pass"),
    ],
)
def test_a_certain_change_fails_only_wholly_beyond_negligible(interval, level, because):
    one = case(sum(interval) / 2, interval=interval, unit="spreads", **CERTAIN)
    ruling = judge(one, negligible=0.1)
    assert (ruling.level, ruling.because) == (level, because)


@pytest.mark.parametrize(
    ("worse", "interval", "level"),
    [
        (Worse.HIGHER, (0.56, 0.7), Level.FAIL),
        (Worse.HIGHER, (0.3, 0.44), Level.WARN),
        (Worse.LOWER, (0.3, 0.44), Level.FAIL),
        (Worse.LOWER, (0.56, 0.7), Level.WARN),
        (Worse.BOTH, (0.3, 0.44), Level.FAIL),
        (Worse.BOTH, (0.56, 0.7), Level.FAIL),
        (Worse.BOTH, (0.44, 0.7), Level.WARN),
    ],
)
def test_beyond_is_counted_from_the_null_value_in_the_worse_direction(worse, interval, level):
    one = case(sum(interval) / 2, interval=interval, null_value=0.5, worse=worse, **CERTAIN)
    assert judge(one, negligible=0.05).level is level


def test_a_distance_counts_from_zero_where_its_origin_is_given():
    # 0.3 is what chance alone gives; the interval is for the true distance.
    one = case(0.5, interval=(0.15, 0.6), null_value=0.3, **CERTAIN)
    assert judge(one, negligible=0.1).level is Level.WARN
    assert judge(one, negligible=0.1, origin=0).level is Level.FAIL


def test_a_size_away_from_a_null_value_says_so():
    one = case(0.6, interval=(0.58, 0.62), null_value=0.5, **CERTAIN)
    because = "beyond chance, and more than the 0.05 from 0.5 that may pass"
    assert judge(one, negligible=0.05).because == because


@pytest.mark.parametrize(("must_detect", "level"), [(0.2, Level.PASS), (0.19, Level.UNKNOWN)])
def test_silence_counts_only_where_enough_would_have_been_seen(must_detect, level):
    assert judge(case(detectable=0.2, **CHANCE), must_detect=must_detect).level is level


def test_the_gate_sees_less_than_a_single_test_at_five_percent():
    many = case(detectable=0.2, alpha=0.005, sharers=100, corrected_p=1.0)
    expected = 0.2 * (norm.isf(0.005 / 200) + norm.ppf(0.8)) / (norm.isf(0.025) + norm.ppf(0.8))
    assert many.detectable == pytest.approx(expected)
    assert judge(many, must_detect=0.3).level is Level.UNKNOWN
    assert judge(many, must_detect=0.4).level is Level.PASS


def test_too_few_rows_says_how_many_are_needed():
    # 0.4 can be seen and 0.2 must be: half as large needs four times the rows.
    ruling = judge(case(detectable=0.4, unit="spreads", rows=100, **CHANCE), must_detect=0.2)
    assert ruling.rows_needed == 400
    assert ruling.because == (
        "these rows would show a change of 0.4 spreads, the policy asks for 0.2 spreads; "
        "about 400 rows on each side would settle it"
    )
    assert ruling.advice == "Judge a larger batch."


def test_too_few_rows_never_softens_a_certain_change():
    blind = {"detectable": 9.0, **CERTAIN}
    assert judge(case(1, interval=(0.5, 1.5), **blind), must_detect=1, negligible=0.1).level is (
        Level.FAIL
    )
    assert judge(case(1, interval=(0.0, 1.5), **blind), must_detect=1, negligible=0.1).level is (
        Level.UNKNOWN
    )


def test_a_pass_says_what_would_have_been_seen():
    assert judge(case(detectable=0.16, unit="spreads", **CHANCE)).because == (
        "no more than chance; a change of 0.16 spreads would most likely have been seen"
    )
    assert judge(case(**CHANCE)).because == "no more than chance"


def test_a_measurement_that_is_no_test_is_unknown():
    ruling = judge(case(9.0))
    assert ruling.level is Level.UNKNOWN
    assert ruling.because == "there is no p-value, so a `significant` rule has nothing to say"
    assert ruling.advice == "Use a `limit` rule for it."


@pytest.mark.parametrize(("value", "level"), [(0.05, Level.PASS), (0.0501, Level.UNKNOWN)])
def test_a_number_that_is_no_test_passes_only_within_negligible(value, level):
    ruling = judge(case(value, unit="share"), negligible=0.05)
    assert ruling.level is level
    if level is Level.PASS:
        assert ruling.because == "not tested, but within the 5 % that may pass"


def test_failing_advises_by_what_was_measured():
    assert judge(case(2, **CERTAIN)).advice == (
        "Compare both files for changed units, filters, sources or dates."
    )


@pytest.mark.parametrize("name", ["negligible", "must_detect"])
def test_a_negative_size_is_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` is -1; a size is at least 0"):
        judge(case(), **{name: -1})


@given(
    low=st.floats(0, 1),
    width=st.floats(0, 1),
    worse=st.floats(0, 1),
    p=st.floats(1e-9, 1),
    smaller=st.floats(0, 1),
    detectable=st.floats(0, 1),
    negligible=st.floats(0, 1) | st.none(),
    must_detect=st.floats(0, 1) | st.none(),
)
def test_more_evidence_of_a_larger_change_never_has_a_better_level(
    low, width, worse, p, smaller, detectable, negligible, must_detect
):
    options = {"negligible": negligible, "must_detect": must_detect}
    known = {"detectable": detectable}
    before = case(low, interval=(low, low + width), corrected_p=p, **known)
    moved = low + worse
    after = case(
        moved, interval=(moved, moved + width), corrected_p=max(1e-9, p * smaller), **known
    )
    assert judge(after, **options).level >= judge(before, **options).level
