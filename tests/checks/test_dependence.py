"""Pairs whose tie changed are named; columns that only moved are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.dependence import Dependence
from detector.findings import Finding, Gap, Measurement, Reason


def tied(rng: np.random.Generator, rows: int, correlation: float) -> pa.Table:
    """Return two tied columns, a level that follows the first, and one that is alone."""
    x = rng.standard_normal(rows)
    y = correlation * x + np.sqrt(1 - correlation**2) * rng.standard_normal(rows)
    level = np.where(correlation * x + rng.standard_normal(rows) > 0, "up", "down")
    return pa.table({"x": x, "y": y, "level": level, "alone": rng.random(rows)})


def run(reference: pa.Table, candidate: pa.Table, **options: object) -> list[Finding]:
    """Run the check."""
    check = Dependence(**options)  # type: ignore[arg-type]
    return list(detector.measure(reference, candidate, checks=[check]))


def number(finding: Finding) -> Measurement:
    """Return the measurement of a finding that has one."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def test_a_flipped_tie_is_measured_and_named() -> None:
    rng = np.random.default_rng(0)
    whole, *pairs = run(tied(rng, 2000, 0.6), tied(rng, 2000, -0.6))
    assert number(whole).value == pytest.approx(1.2, abs=0.1)
    assert (number(whole).p_value or 1.0) < 1e-6
    by_name = {pair.subject.columns: number(pair) for pair in pairs}
    assert by_name["x", "y"].value == pytest.approx(1.2, abs=0.1)
    assert by_name["x", "y"].interval == pytest.approx((1.2, 1.2), abs=0.15)
    assert ("level", "x") in by_name
    assert all((by_name[p].p_value or 1.0) > 0.01 for p in by_name if "alone" in p)


def test_columns_that_only_move_have_not_changed_their_tie() -> None:
    rng = np.random.default_rng(1)
    one, other = tied(rng, 2000, 0.6), tied(rng, 2000, 0.6)
    moved = other.set_column(0, "x", pa.array(np.exp(3 * np.asarray(other["x"]) + 1)))
    (whole, *_) = run(one, moved)
    assert (number(whole).p_value or 0.0) > 0.01


def test_a_value_that_goes_missing_with_another_is_a_new_tie() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 3000))
    gone = [rng.random(3000) < 0.3, x > 0.5]
    tables = [pa.table({"x": x, "y": np.where(mask, np.nan, y)}) for mask in gone]
    (whole, *_) = run(*tables)
    assert (number(whole).p_value or 1.0) < 1e-4


def test_one_column_is_no_pair() -> None:
    (gap,) = run(pa.table({"x": np.arange(50.0)}), pa.table({"x": np.arange(50.0)}))
    assert isinstance(gap.outcome, Gap)
    assert gap.outcome.reason is Reason.NO_COMMON_COLUMNS


def test_too_few_rows_are_said() -> None:
    rng = np.random.default_rng(3)
    (gap,) = run(tied(rng, 500, 0.5), tied(rng, 12, 0.5))
    assert isinstance(gap.outcome, Gap)
    assert gap.outcome.detail == "12 rows on one side, 20 are needed"


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="permutations must be at least 99"):
        run(tied(np.random.default_rng(0), 50, 0.5), pa.table({}), permutations=5)


@pytest.mark.slow
def test_a_correlation_that_rises_by_a_tenth_is_found_in_2500_rows() -> None:
    found = 0
    for seed in range(40):
        rng = np.random.default_rng([7, seed])
        sides = []
        for correlation in (0.5, 0.6):
            covariance = np.full((3, 3), correlation) + np.eye(3) * (1 - correlation)
            rows = rng.multivariate_normal(np.zeros(3), covariance, 2500)
            sides.append(pa.table(list(rows.T), names=["a", "b", "c"]))
        (whole, *_) = run(*sides)
        found += (number(whole).p_value or 1.0) <= 0.05
    assert found >= 34  # 99.9 % bound of Binomial(40, 0.95)
