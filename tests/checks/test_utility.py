"""A class that the batch has forgotten is missed, and an honest batch misses nothing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.utility import Utility
from detector.findings import Finding, Gap, Measurement, Reason
from detector.verdicts import Decision, Level

ROLES = {"y": "target"}


def classes(rng: np.random.Generator, rows: int, *, forgotten: float = 0.0) -> pa.Table:
    """Return three classes; of the rarest a share has been called by another name."""
    x = rng.standard_normal((rows, 3))
    score = x[:, 0] + 0.7 * x[:, 1] * x[:, 2] + 0.3 * rng.standard_normal(rows)
    y = np.where(score > 1.5, "rare", np.where(score > 0, "b", "a"))
    y = np.where((y == "rare") & (rng.random(rows) < forgotten), "b", y)
    return pa.table({"x0": x[:, 0], "x1": x[:, 1], "x2": x[:, 2], "y": y})


def numbers(rng: np.random.Generator, rows: int, *, slope: float = 1.0) -> pa.Table:
    x = rng.standard_normal((rows, 2))
    y = slope * x[:, 0] + 0.3 * rng.standard_normal(rows)
    return pa.table({"x0": x[:, 0], "x1": x[:, 1], "y": y})


def run(*sides: pa.Table | None, roles: dict[str, str] | None = None) -> dict[str, Finding]:
    found = detector.measure(
        sides[0],
        sides[1],
        holdout=sides[2],
        checks=[Utility(rows=1000, refits=3)],
        roles=ROLES if roles is None else roles,
    )
    return {finding.outcome.name: finding for finding in found}


def number(finding: Finding) -> Measurement:
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def reasons(found: dict[str, Finding]) -> set[tuple[Reason, str]]:
    assert all(isinstance(finding.outcome, Gap) for finding in found.values())
    return {(f.outcome.reason, f.outcome.detail) for f in found.values()}  # type: ignore[union-attr]


def test_a_forgotten_class_comes_first():
    rng = np.random.default_rng(0)
    found = run(classes(rng, 1000), classes(rng, 1000, forgotten=1.0), classes(rng, 800))
    rare = found["rare_recall_change"]
    assert number(rare).value < -0.3
    assert (number(rare).p_value or 1) < 0.01
    assert rare.evidence["class"] == "rare"
    listed = rare.evidence["classes"]
    assert listed[0]["class"] == "rare"  # type: ignore[index]
    assert listed[0]["candidate_recall"] == 0  # type: ignore[index]
    assert number(found["recall_change"]).value == pytest.approx(
        np.mean([each["candidate_recall"] - each["reference_recall"] for each in listed])  # type: ignore[attr-defined]
    )


def test_an_honest_batch_teaches_as_much():
    rng = np.random.default_rng(1)
    found = run(classes(rng, 800), classes(rng, 800), classes(rng, 600))
    for finding in found.values():
        low, high = number(finding).interval or (0, 0)
        assert low <= 0 <= high


def test_numbers_are_judged_by_their_error():
    rng = np.random.default_rng(2)
    found = run(numbers(rng, 600), numbers(rng, 600, slope=0.2), numbers(rng, 400))
    assert set(found) == {"error_change"}
    assert number(found["error_change"]).value > 0.5
    assert (number(found["error_change"]).p_value or 1) < 0.001
    good, bad = found["error_change"].evidence["r_squared"]  # type: ignore[misc]
    assert good > 0.8 > bad


def test_whole_numbers_of_few_values_are_classes():
    rng = np.random.default_rng(3)
    sides = []
    for _ in range(3):
        x = rng.standard_normal(300)
        y = (x + rng.standard_normal(300) > 0).astype(int)
        sides.append(pa.table({"x": x, "y": y}))
    assert set(run(*sides)) == {"rare_recall_change", "recall_change"}


def test_what_is_missing_is_said():
    rng = np.random.default_rng(4)
    reference, candidate, holdout = (classes(rng, 150) for _ in range(3))
    assert reasons(run(reference, candidate, holdout, roles={})) == {
        (Reason.COLUMN_ABSENT, "no column has the role target")
    }
    assert reasons(run(reference, candidate, None)) == {
        (Reason.NEEDS_HOLDOUT, "no holdout was given")
    }
    bare = candidate.drop_columns(["y"])
    assert reasons(run(reference, bare, holdout)) == {
        (Reason.COLUMN_ABSENT, "'y' is not on every side")
    }
    assert reasons(run(reference, candidate.slice(0, 70), holdout)) == {
        (Reason.TOO_FEW_ROWS, "70 rows with 'y' on one side, 100 needed")
    }
    one = [
        side.set_column(3, "y", pa.array(["a"] * 150)) for side in (reference, candidate, holdout)
    ]
    assert reasons(run(*one)) == {(Reason.CONSTANT_COLUMN, "'y' has one class in the reference")}
    alone = [side.select(["y"]) for side in (reference, candidate, holdout)]
    assert reasons(run(*alone)) == {
        (Reason.NO_COMMON_COLUMNS, "no column but 'y' is on every side")
    }


def test_a_batch_of_one_class_is_measured():
    rng = np.random.default_rng(5)
    batch = classes(rng, 300)
    only = batch.set_column(3, "y", pa.array(["a"] * 300))
    found = run(classes(rng, 300), only, classes(rng, 300))
    listed = found["recall_change"]
    assert number(listed).value < -0.2


def test_rows_without_a_target_are_left_out():
    rng = np.random.default_rng(6)
    sides = []
    for _ in range(3):
        side = numbers(rng, 300)
        y = side["y"].to_pylist()
        y[::3] = [None] * 100
        y[1] = np.inf
        sides.append(side.set_column(2, "y", pa.array(y)))
    assert np.isfinite(number(run(*sides)["error_change"]).value)


def test_it_warns_and_never_refuses():
    rng = np.random.default_rng(7)
    report = detector.gate(
        classes(rng, 1000),
        classes(rng, 1000, forgotten=1.0),
        holdout=classes(rng, 1000),
        checks=["utility"],
        roles=ROLES,
    )
    assert report.decision is Decision.ADMIT
    assert report.verdicts[0].level is Level.WARN


@pytest.mark.parametrize(("option", "value"), [("rows", 50), ("refits", 1)])
def test_options_that_cannot_work_are_refused(option: str, value: int):
    with pytest.raises(ValueError, match=f"{option} must be at least"):
        Utility(**{option: value})


@pytest.mark.slow
@pytest.mark.calibration
def test_honest_batches_are_seldom_called_worse(calibration_runs):
    runs, rejected = calibration_runs(bounded=12, full=200), 0
    for seed in range(runs):
        rng = np.random.default_rng([8, seed])
        found = run(*(numbers(rng, 200) for _ in range(3)))
        rejected += (number(found["error_change"]).p_value or 1) <= 0.05
    assert rejected <= 5 if runs == 12 else rejected <= 22
