from __future__ import annotations

import pytest

from detector.findings import Reason
from detector.formats import _words
from detector.verdicts import Decision, Level
from tests.formats.reports import measured


@pytest.mark.parametrize(
    ("table", "kinds"),
    [(_words.DECISIONS, Decision), (_words.LEVELS, Level), (_words.REASONS, Reason)],
)
def test_everything_that_can_be_said_has_words(table, kinds):
    assert set(table) == set(kinds)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.5123, "1", "0.512"),
        (0.5123, "spreads", "0.512 spreads"),
        (0.021, "share", "2.1 %"),
        (-0.00001, "share", ">-0.1 %"),
        (1e300, "1", "1e+300"),
        (None, "spreads", ""),
        (1.0, "s\nx", r"1 s\nx"),
    ],
)
def test_a_quantity_has_its_unit(value, unit, said):
    assert _words.quantity(value, unit) == said


def test_an_interval_of_shares_is_in_percent():
    share = measured("missing_share", 0.02, unit="share", interval=(0.01, 0.03))
    assert _words.interval(share) == "1 to 3 %"


def test_no_interval_is_nothing():
    assert _words.interval(measured(interval=None)) == ""


@pytest.mark.parametrize("p_value", [1e-320, 1e-12, 0.0009])
def test_a_p_value_is_never_shown_as_zero(p_value):
    assert _words.p_value(p_value) == "< 0.001"


def test_an_unknown_check_is_called_by_its_name():
    assert _words.check_title("row_copies") == "Row copies"
