from __future__ import annotations

import io

import pytest

from detector.cli import progress as module
from detector.cli.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Make stderr a terminal, from inside the test: pytest takes stderr for itself before."""

    def make():
        stream = Terminal()
        monkeypatch.setattr("sys.stderr", stream)
        return stream

    return make


def test_nobody_watches_a_pipe():
    with progress() as watch:
        assert watch is None


def test_quiet_is_quiet_on_a_terminal_too(terminal):
    terminal()
    with progress(quiet=True) as watch:
        assert watch is None


def test_a_dumb_terminal_is_left_alone(terminal, monkeypatch):
    terminal()
    monkeypatch.setenv("TERM", "dumb")
    with progress() as watch:
        assert watch is None


def test_nothing_is_drawn_in_the_first_second(terminal):
    stderr = terminal()
    with progress() as watch:
        watch("reading", 0.5)
    assert stderr.getvalue() == ""


def test_what_takes_longer_is_drawn_and_wiped(terminal, monkeypatch):
    stderr = terminal()
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with progress() as watch:
        watch("reading [bold]x\x1b[2J", 0.25)
        watch("judging", 0.5)
    shown = stderr.getvalue()
    assert "reading [bold]x\\x1b[2J" in shown
    assert "judging" in shown
    assert shown.rstrip().endswith("\x1b[2K")


def test_an_error_wipes_the_line_too(terminal, monkeypatch):
    stderr = terminal()
    monkeypatch.setattr(module, "PATIENCE", 0.0)

    def work():
        with progress() as watch:
            watch("reading", 0.25)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        work()
    assert stderr.getvalue().rstrip().endswith("\x1b[2K")


def test_the_line_says_how_long_is_left_and_fits_eighty_columns(terminal, monkeypatch):
    stderr = terminal()
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    monkeypatch.setenv("COLUMNS", "80")
    now = iter(range(0, 10_000, 30))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    with progress(no_color=True) as watch:
        watch("check a_check_with_a_very_long_name_indeed", 0.0)
        watch("check a_check_with_a_very_long_name_indeed", 0.5)
        watch("check a_check_with_a_very_long_name_indeed", 0.5)
    shown = stderr.getvalue()
    assert " left" in shown
    assert "50%" in shown


def test_no_time_is_told_before_it_is_more_than_a_guess():
    bar = module._Bar(no_color=True)
    assert bar._left(0.01) == ""
    assert bar._left(1.0) == ""
