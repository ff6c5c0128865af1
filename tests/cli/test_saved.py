"""`judge` and `render` need a saved report and no data."""

from __future__ import annotations

import dataclasses
import io
import sys

import pytest

from detector.verdicts import Decision
from tests.formats import reports


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(reports.rejected().to_json())
    return path


@pytest.fixture
def lenient(monkeypatch):
    """Judge every report as admitted."""

    def judge(report, policy):
        return dataclasses.replace(report, decision=Decision.ADMIT, policy={"name": str(policy)})

    monkeypatch.setattr("detector.api.judge", judge)


def test_render_draws_the_text_and_exits_0_whatever_was_decided(call, saved):
    code, out, err = call("render", saved)
    assert (code, err) == (0, "")
    assert "✖ REJECT" in out


def test_render_writes_what_is_asked_and_says_where(call, saved, tmp_path):
    code, out, _ = call("render", saved, "--html", tmp_path / "x.html")
    assert (code, out) == (0, f"Report: {tmp_path / 'x.html'}\n")
    assert (tmp_path / "x.html").read_text().startswith("<!DOCTYPE html>")


def test_a_report_can_be_drawn_as_the_json_it_was(call, saved):
    assert call("render", saved, "--json", "-")[1] == saved.read_text()


def test_a_report_is_not_replaced_by_a_drawing_of_itself(call, saved):
    code, _, err = call("render", saved, "--html", saved)
    assert code == 2
    assert "this command already uses" in err


@pytest.mark.usefixtures("lenient")
def test_judge_ends_with_the_new_decision(call, saved):
    code, out, _ = call("judge", saved, "--policy", "other.toml")
    assert code == 0
    assert "ADMIT" in out
    assert "Policy: other.toml" in out


def test_judge_has_the_exit_code_of_its_decision(call, saved, monkeypatch):
    monkeypatch.setattr("detector.api.judge", lambda report, _: report)
    assert call("judge", saved)[0] == 1
    assert call("judge", saved, "--exit-zero")[0] == 0


@pytest.mark.parametrize("command", ["judge", "render"])
@pytest.mark.usefixtures("lenient")
def test_a_report_comes_from_stdin_too(call, saved, monkeypatch, command):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(saved.read_bytes())))
    assert call(command, "-")[0] == 0


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "Cannot read"),
        (b"", "not a JSON report"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"[]", "not a report"),
        (b'{"schema_version": 99}', "schema version 99"),
        (b'{"schema_version": 1}', "damaged"),
        (b"<html>", "not a JSON report"),
    ],
)
@pytest.mark.parametrize("command", ["judge", "render"])
def test_what_is_no_report_is_refused_in_one_line(call, tmp_path, command, content, fault):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    code, out, err = call(command, path)
    assert (code, out) == (2, "")
    assert fault in err
    assert err.count("\n") == 1
    assert "detector gate --json" in err or "collapse-detector" in err


def test_a_folder_is_no_report(call, tmp_path):
    code, _, err = call("render", tmp_path)
    assert code == 2
    assert "Cannot read" in err
