from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.formats import _charts
from tests.formats import reports

json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
KEYS = (
    "edges",
    "score_edges",
    "levels",
    "reference_share",
    "candidate_share",
    "columns",
    "reference",
    "candidate",
)


def only(evidence, **more):
    (chart,) = _charts.charts(evidence, **more)
    return chart


def test_two_bins_stand_side_by_side_as_high_as_their_shares():
    chart = only({"edges": [0, 1, 2], "reference_share": [0.25, 0.75], "candidate_share": [1, 0]})
    assert chart.reference == "M0 126V99.5H160.0V46.5H320.0V126Z"
    assert chart.candidate == "M0 126V20.0H160.0V126.0H320.0V126"
    assert chart.rows == (("0 to 1", "25 %", "100 %"), ("1 to 2", "75 %", "0 %"))
    assert chart.summary == (
        "The largest change is at 0 to 1: 25 % of the reference, 100 % of the candidate."
    )


def test_the_tallest_bar_stays_below_the_words_above_the_chart():
    chart = only({"edges": [0, 1, 2], "reference_share": [1, 0], "candidate_share": [0.5, 0.5]})
    words_end = 14  # the baseline of `chart.top` in macros.html
    assert min(float(top) for top in re.findall(r"V([\d.]+)H", chart.reference)) > words_end


def test_bins_beyond_the_edges_are_open():
    shares = [0.1, 0.8, 0.1]
    chart = only({"edges": [0, 1], "reference_share": shares, "candidate_share": shares})
    assert [row[0] for row in chart.rows] == ["below 0", "0 to 1", "above 1"]
    assert [text for *_, text in chart.ticks] == ["0", "1"]


def test_many_bins_are_drawn_as_thirty_at_most_and_lose_no_row():
    bins = 1_000
    shares = [1 / bins] * bins
    chart = only(
        {"edges": [*range(bins + 1)], "reference_share": shares, "candidate_share": shares}
    )
    assert len(chart.rows) <= _charts.MOST_BINS
    assert chart.rows[0][0].startswith("0 to")
    assert chart.rows[-1][0].endswith("to 1,000")
    assert sum(float(row[1].split()[0]) for row in chart.rows) == pytest.approx(100, abs=1)


def test_edges_of_a_date_are_dates():
    day = 86_400
    chart = only(
        {"edges": [0, day], "reference_share": [1], "candidate_share": [1]}, kind="datetime"
    )
    assert chart.rows[0][0] == "1970-01-01 to 1970-01-02"


def test_an_impossible_date_is_a_number():
    chart = only(
        {"edges": [0, 1e299], "reference_share": [1], "candidate_share": [1]}, kind="datetime"
    )
    assert chart.rows[0][0] == "1970-01-01 to 1e+299"


def test_the_most_changed_level_comes_first_and_the_rest_is_counted():
    chart = only(reports.levels())
    assert chart.bars[0].label == "UA"
    assert len(chart.bars) == 8
    assert chart.title == "Share of rows by level, the 8 most changed"


def test_importances_are_sorted_and_the_largest_fills_the_line():
    *_, chart = _charts.charts(reports.discriminator())
    assert [(bar.label, round(bar.candidate, 2)) for bar in chart.bars] == [
        ("dep_delay", 1.0),
        ("carrier", 0.54),
        ("air_time", 0.12),
    ]


def test_a_pair_lies_between_zero_and_one_or_between_minus_one_and_one():
    assert only({"reference": 0.0, "candidate": 1.0}).points == (14.0, 306.0, 14.0)
    assert only({"reference": -1.0, "candidate": 0.0}).points == (14.0, 160.0, 160.0)


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"columns": ["a", "b"]},
        {"columns": [{"name": "a", "importance": 0.0}]},
        {"edges": [0, 1], "reference_share": [1, 1, 1, 1], "candidate_share": [1, 1, 1, 1]},
        {"edges": [0, 1], "reference_share": [1]},
        {"edges": [0, math.nan], "reference_share": [1], "candidate_share": [1]},
        {"edges": "01", "reference_share": [1], "candidate_share": [1]},
        {"edges": [0, 10**400], "reference_share": [1], "candidate_share": [1]},
        {"edges": [], "reference_share": [1], "candidate_share": [1]},
        {"levels": ["a"], "reference_share": [1, 2], "candidate_share": [1]},
        {"levels": [], "reference_share": [], "candidate_share": []},
        {"reference": 2.0, "candidate": 0.5},
        {"reference": True},
        {"edges": [0] * 20_000, "reference_share": [1], "candidate_share": [1]},
    ],
)
def test_evidence_that_does_not_fit_draws_nothing(evidence):
    assert _charts.charts(evidence) == []


@given(st.dictionaries(st.sampled_from(KEYS), json_like))
def test_no_evidence_is_an_error(evidence):
    for chart in _charts.charts(evidence):
        assert chart.title


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=60).flatmap(
        lambda shares: st.tuples(st.just(shares), st.permutations(shares))
    )
)
def test_every_point_of_a_histogram_is_on_the_paper(sides):
    reference, candidate = sides
    edges = [*range(len(reference) + 1)]
    chart = only({"edges": edges, "reference_share": reference, "candidate_share": candidate})
    for path in (chart.reference, chart.candidate):
        assert all(
            -0.1 <= float(x) <= _charts.WIDTH + 0.1 for x in re.findall(r"H([\d.e+-]+)", path)
        )
        assert all(5.9 <= float(y) <= 126.1 for y in re.findall(r"V([\d.e+-]+)", path))


def test_wide_characters_leave_room_for_the_numbers():
    assert len(_charts._label("価" * 40)) <= 16
    assert len(_charts._label("a" * 40)) == _charts.MOST_LABEL
