"""The calibration switch."""

from __future__ import annotations

import pytest


def test_calibration_is_bounded_unless_asked_for(calibration_runs, monkeypatch):
    monkeypatch.delenv("CALIBRATION", raising=False)
    assert calibration_runs(bounded=200, full=1_000) == 200
    monkeypatch.setenv("CALIBRATION", "full")
    assert calibration_runs(bounded=200, full=1_000) == 1_000


def test_a_misspelt_calibration_is_an_error(calibration_runs, monkeypatch):
    monkeypatch.setenv("CALIBRATION", "ful")
    with pytest.raises(pytest.UsageError, match="'bounded' or 'full'"):
        calibration_runs(bounded=1, full=2)
