"""Laws that hold for every format."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest

from detector import catalogue
from tests.formats import reports

FORMATS = catalogue.names("detector.formats")
every_format = pytest.mark.parametrize("name", FORMATS)
every_report = pytest.mark.parametrize("kind", reports.ALL)


def drawn(name, report):
    return catalogue.load("detector.formats", name)(report)


@every_format
@every_report
def test_draws_every_kind_of_report_as_text_that_utf8_can_hold(name, kind):
    text = drawn(name, reports.ALL[kind]())
    assert text.encode("utf-8")
    assert text.endswith("\n")


@every_format
@every_report
def test_draws_the_same_report_the_same_way_twice(name, kind):
    assert drawn(name, reports.ALL[kind]()) == drawn(name, reports.ALL[kind]())


@every_format
def test_leaves_the_report_as_it_was(name):
    report = reports.rejected()
    before = copy.deepcopy(report)
    drawn(name, report)
    assert report == before


@every_format
@pytest.mark.parametrize("kind", ["rejected", "admitted", "undecided"])
def test_says_the_decision_and_the_headline(name, kind):
    report = reports.ALL[kind]()
    text = drawn(name, report)
    assert report.decision.value in text.lower()
    assert report.headline.split(":")[0].split("`")[0] in text


@every_format
def test_no_control_character_gets_through(name):
    text = drawn(name, reports.hostile())
    assert not {character for character in text if ord(character) < 32 and character != "\n"}
    assert not set(text) & set("\x7f\u202e\u2066\u200b\ufeff")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])  # JSON is exact
def test_a_name_of_a_megabyte_is_cut(name):
    assert len(drawn(name, reports.hostile())) < 120_000


@every_format
def test_draws_without_loading_what_measures(name):
    script = (
        "import sys\n"
        "from detector import catalogue\n"
        "from tests.formats import reports\n"
        f"catalogue.load('detector.formats', {name!r})(reports.rejected())\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
