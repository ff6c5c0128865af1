"""A gate that answers with a report built by hand: the command line is tested, not the checks."""

from __future__ import annotations

import pytest

from detector.cli.main import run
from tests.formats import reports


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch, tmp_path):
    for name in ("NO_COLOR", "FORCE_COLOR", "DETECTOR_DEBUG", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def gate(monkeypatch):
    """Answer every gate with this report; keep what it was asked."""

    class Gate:
        report = reports.rejected()
        asked = None

        def __call__(self, reference, candidate, **options):
            self.asked = {"reference": reference, "candidate": candidate, **options}
            if isinstance(self.report, BaseException):
                raise self.report
            return self.report

    stand_in = Gate()
    monkeypatch.setattr("detector.api.gate", stand_in)
    return stand_in


@pytest.fixture
def call(capfd):
    """Run a command line; return the exit code, stdout and stderr."""

    def invoke(*arguments):
        code = run(list(map(str, arguments)))
        out, err = capfd.readouterr()
        return code, out, err

    return invoke
