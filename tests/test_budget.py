from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import detector
from detector import budget
from detector.checks.discriminator import Discriminator
from detector.checks.joint import Joint
from detector.errors import DetectorError
from detector.formats import _view
from tests.checks.alibi import table

ALL = {"rows": 65_536, "cells": 10_000_000, "columns": 50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """A check of somebody else's, with a limit and a least."""

    name: ClassVar[str] = "slow"
    rows: int = 8_000

    def __post_init__(self):
        if self.rows < 1_000:
            raise ValueError("slow: rows must be at least 1000")


def rows_at(seconds, check=None):
    """Return the limit that a budget comes to."""
    (limited,), _ = budget.planned((check or Slow(),), seconds=seconds, **ALL)
    return limited.rows


def test_a_large_budget_changes_nothing():
    checks, plan = budget.planned((Slow(), Joint()), seconds=1e6, **ALL)
    assert checks == (Slow(), Joint())
    assert plan.limits == {}


def test_the_limit_is_the_largest_of_the_ladder_that_fits():
    # reading 1.5e-7 x 1e7 = 1.5 s, fixed 0.5 s, 1e-5 x 50 = 5e-4 s a row: 4 s leave 4,000 rows
    assert rows_at(4.0) <= 4_000 < rows_at(4.0) / 0.84
    (limited,), plan = budget.planned((Slow(),), seconds=4.0, **ALL)
    assert plan.estimate <= 4.0
    assert plan.limits == {"slow": (limited.rows, 8_000)}


def test_more_seconds_never_mean_fewer_rows():
    limits = [rows_at(seconds) for seconds in np.linspace(2, 10, 30)]
    assert limits == sorted(limits)


def test_a_check_keeps_the_rows_that_it_needs_at_least():
    assert 1_000 <= rows_at(0.001) < 1_200  # 500 are too few for it
    assert rows_at(0.001, Discriminator()) == budget.LEAST


def test_a_check_that_looks_at_every_row_is_left_alone():
    (limited,), plan = budget.planned((Joint(),), seconds=0.001, **ALL)
    assert limited == Joint()
    assert plan.limits == {}


def test_small_data_need_no_limit():
    (limited,), plan = budget.planned((Slow(),), seconds=2, rows=900, cells=9_000, columns=10)
    assert limited.rows >= 900
    assert plan.limits == {}


@pytest.fixture(scope="module")
def reports():
    sides = table(3_000, seed=1), table(3_000, seed=2)
    checks = ["discriminator", "indistinguishability"]
    return [detector.gate(*sides, checks=checks, budget=seconds) for seconds in (None, 0.61, 0.61)]


def test_the_same_budget_gives_the_same_report(reports):
    assert replace(reports[1], timings={}) == replace(reports[2], timings={})


def test_the_report_says_what_power_it_costs(reports):
    free, tight = (report.findings[0] for report in reports[:2])
    said = tight.evidence["budget"]
    assert said["rows"] < said["of"] == 3_000
    assert tight.n_candidate == said["rows"]
    # what the formula says that all rows would show is what they do show
    assert said["detectable"] == pytest.approx(free.outcome.detectable, rel=0.1)
    assert tight.outcome.detectable > free.outcome.detectable


@pytest.mark.parametrize("name", ["text", "html", "markdown"])
def test_every_format_for_people_says_so(reports, name):
    drawn = " ".join(detector.render(reports[1], name).split())
    assert "To keep to 0.61 s the gate left rows out" in drawn
    assert "left rows out" not in detector.render(reports[0], name)


def test_checks_that_share_a_fit_still_share_it(reports):
    one, two = (f for f in reports[1].findings if f.outcome.name == "auc")
    assert one.outcome.value == two.outcome.value


def test_a_saved_report_with_a_strange_budget_is_still_drawn(reports):
    finding = replace(reports[1].findings[0], evidence={"budget": {"rows": "many"}})
    assert _view.budget(replace(reports[1], findings=(finding,))) == ""


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "5"])
def test_a_budget_that_is_none_is_refused(seconds):
    with pytest.raises(DetectorError, match=r"^the budget is .*\. Give seconds above 0\.$"):
        detector.gate({}, {}, budget=seconds)
