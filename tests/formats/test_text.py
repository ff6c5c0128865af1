from __future__ import annotations

import re

import pytest

from detector.formats import text
from detector.verdicts import Decision, Level
from tests.formats import reports

KINDS = pytest.mark.parametrize("kind", reports.ALL)


def test_a_typical_report_fits_on_one_screen():
    assert len(text.render(reports.rejected()).splitlines()) <= 25
    assert len(text.render(reports.admitted()).splitlines()) <= 15
    assert len(text.render(reports.wide(50)).splitlines()) <= 26


@KINDS
@pytest.mark.parametrize("width", [40, 80, 100])
def test_no_line_is_broader_than_the_terminal(kind, width):
    lines = text.render(reports.ALL[kind](), width=width).splitlines()
    broad = [line for line in lines if len(line) > width and "#\\#[" not in line]
    assert broad == []


@KINDS
def test_ascii_stays_ascii(kind):
    assert text.render(reports.ALL[kind](), unicode=False).isascii()


@KINDS
def test_no_color_means_no_escape_code(kind):
    assert "\x1b" not in text.render(reports.ALL[kind]())


def test_color_adds_codes_and_nothing_else():
    def bare(report):
        return re.sub(r"\x1b\[[\d;]*m", "", text.render(report, color=True))

    assert text.render(reports.rejected(), color=True).count("\x1b[") > 10
    assert "dep_delay moved by 0.51 spreads" in bare(reports.rejected())
    assert bare(reports.hostile()).count("\x1b") == 0


def test_names_are_told_from_prose_without_color():
    assert "`dep_delay` moved by" in text.render(reports.rejected())


def test_the_banner_says_the_decision_in_word_and_shape():
    assert "✖ REJECT  Do not train on this batch." in text.render(reports.rejected())
    assert "x REJECT  Do not train on this batch." in text.render(reports.rejected(), unicode=False)


@pytest.mark.parametrize("decision", Decision)
def test_every_decision_has_a_banner(decision):
    assert decision.name in text.render(reports.report(decision, "Because.", []))


def test_an_admitted_batch_comes_with_what_would_have_been_missed():
    said = text.render(reports.admitted())
    assert "Probably missed here: Wasserstein distance below 0.034 spreads." in said


def test_gaps_of_one_kind_take_one_line():
    said = text.render(reports.undecided())
    assert said.count("Cannot be measured") == 1
    assert "The same for 11 more." in said


def test_a_waiver_is_told_once():
    found = reports.finding("joint", reports.TABLE, reports.measured())
    message = "Moved. Waived until 2027-03-31: known until March."
    one = reports.verdict(found, Level.WARN, message=message, waived="known until March")
    said = text.render(reports.report(Decision.ADMIT, "", [one]))
    assert message in said
    assert said.count("known until March") == 1


def test_no_line_is_a_command_to_a_job_runner():
    hostile = ["::error::x", "  ::set-output name=a::b", "##[error]x", "a\n::warning::x"]
    for name in hostile:
        found = reports.finding("joint", reports.TABLE, reports.measured())
        report = reports.report(
            Decision.REJECT, name, [reports.verdict(found, Level.FAIL, message=name, advice=name)]
        )
        for width in range(40, 60):
            for line in text.render(report, width=width).splitlines():
                assert not line.strip(" │").lstrip().startswith("::") or line.startswith("│")
                assert "##[" not in line


def test_markup_of_the_terminal_library_is_shown_and_not_obeyed():
    found = reports.finding("joint", reports.TABLE, reports.measured())
    one = reports.verdict(found, Level.FAIL, message="[bold red]x[/bold red] :smile:")
    said = text.render(reports.report(Decision.REJECT, "", [one]))
    assert "[bold red]x[/bold red] :smile:" in said
