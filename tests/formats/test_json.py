from __future__ import annotations

import pytest

from detector.formats import json
from detector.report import Report
from tests.formats import reports


@pytest.mark.parametrize("kind", ["rejected", "admitted", "undecided", "empty", "wide"])
def test_a_report_comes_back_as_it_was(kind):
    report = reports.ALL[kind]()
    assert Report.from_json(json.render(report)) == report


def test_hostile_names_come_back_as_they_were():
    report = reports.hostile()
    text = json.render(report)
    assert text.isascii()
    assert Report.from_json(text) == report
