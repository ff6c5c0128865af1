"""Places that are empty and modes that are gone are found, and where they lie is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.coverage import Coverage
from detector.data.schema import Role
from detector.findings import Finding, Gap, Measurement, Reason
from detector.stats.prdc import expected_coverage
from detector.verdicts import Decision
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable

    Runs = Callable[..., int]


def run(
    reference: pa.Table, candidate: pa.Table, *, seed: int = 0, **options: object
) -> dict[str, Finding]:
    """Run the check; its findings by name."""
    roles = {"g": Role.GROUP} if "g" in reference.column_names else None
    check = Coverage(**options)  # type: ignore[arg-type]
    found = detector.measure(reference, candidate, checks=[check], roles=roles, seed=seed)
    return {finding.outcome.name: finding for finding in found}


def number(finding: Finding) -> Measurement:
    """Return the measurement of a finding that has one."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def p_value(finding: Finding) -> float:
    """Return the p-value of a finding that has one."""
    found = number(finding).p_value
    assert found is not None
    return found


def heaps(rng: np.random.Generator, rows: int, *, kept: int = 10) -> pa.Table:
    """Return rows in ten heaps on a line of ages, each of its own city."""
    heap = rng.integers(0, kept, rows)
    age = 20 + 7 * heap + rng.uniform(0, 2, rows)
    city = np.array([f"city {letter}" for letter in "ABCDEFGHIJ"])[heap]
    return pa.table({"age": age, "city": city, "noise": rng.standard_normal(rows)})


@pytest.mark.parametrize(("kept", "expected"), [(10, 0.9711), (9, 0.8802), (5, 0.4981)])
def test_coverage_of_dropped_modes_is_what_the_formula_says(kept: int, expected: float) -> None:
    rng = np.random.default_rng(kept)
    found = run(heaps(rng, 1000), heaps(rng, 1000, kept=kept))
    assert number(found["coverage"]).value == pytest.approx(expected, abs=0.025)
    assert number(found["coverage"]).null_value == expected_coverage(1000, 1000, 5)
    assert number(found["density"]).null_value == 1.0
    if kept < 10:
        assert p_value(found["coverage"]) < 1e-3


def test_a_lost_mode_is_described_in_the_units_of_its_columns() -> None:
    rng = np.random.default_rng(0)
    found = run(heaps(rng, 1000), heaps(rng, 1000, kept=9))
    left = found["mode_left"]
    assert number(left).value < 0.2
    assert p_value(left) < 1e-9
    lost = left.evidence["shrunk"][0]  # type: ignore[index]
    assert 0.03 < lost["reference_share"] < 0.13  # a heap, or a part of it
    columns = {column["name"]: column for column in lost["columns"]}
    assert columns["city"]["level"] == "city J"
    assert 83 <= columns["age"]["low"] < columns["age"]["high"] <= 85
    assert "city is city J" in lost["where"]
    assert number(found["modes_lost"]).value >= 1  # a heap may be cut into two


def test_a_batch_without_a_mode_is_refused_and_an_equal_one_is_not() -> None:
    rng = np.random.default_rng(1)
    reference = heaps(rng, 1000)
    lost = detector.gate(reference, heaps(rng, 1000, kept=9), checks=["coverage"])
    assert lost.decision is Decision.REJECT
    equal = detector.gate(reference, heaps(rng, 1000), checks=["coverage"])
    assert equal.decision is Decision.ADMIT
    assert not any(verdict.level > 0 for verdict in equal.verdicts)


def test_days_of_a_lost_mode_are_told_as_days() -> None:
    rng = np.random.default_rng(2)
    first = np.datetime64("2024-01-01") + rng.integers(0, 30, 600).astype("timedelta64[D]")
    later = first + np.where(rng.random(600) < 0.5, np.timedelta64(300, "D"), np.timedelta64(0))
    found = run(pa.table({"day": later}), pa.table({"day": first}), rows_per_mode=300)
    where = found["mode_left"].evidence["shrunk"][0]["where"]  # type: ignore[index]
    assert where.startswith("day is 2024-1")


def test_a_candidate_within_the_core_is_near_but_does_not_reach_out() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, 600, 3))
    sides = [pa.table({f"x{j}": rows[:, j] for j in range(3)}) for rows in (x, 0.5 * y)]
    found = run(*sides)
    assert p_value(found["recall"]) < 0.01
    assert p_value(found["precision"]) > 0.2


def test_unequal_samples_keep_their_null_values() -> None:
    rng = np.random.default_rng(4)
    found = run(heaps(rng, 900), heaps(rng, 60))
    assert found["coverage"].n_reference == 480  # eight for each candidate row
    assert number(found["coverage"]).null_value == expected_coverage(480, 60, 5)
    assert p_value(found["coverage"]) > 0.001


def test_rows_that_are_all_equal_are_a_gap() -> None:
    same = pa.table({"x": [1.0] * 60, "k": ["a"] * 60})
    outcome = run(same, same)["coverage"].outcome
    assert isinstance(outcome, Gap)
    assert outcome.reason is Reason.CONSTANT_COLUMN


def test_too_few_rows_are_said() -> None:
    rng = np.random.default_rng(5)
    outcome = run(heaps(rng, 100), heaps(rng, 3))["coverage"].outcome
    assert isinstance(outcome, Gap)
    assert outcome.detail == "3 rows on one side, 50 needed"


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="coverage: min_rows must be at least 11"):
        Coverage(min_rows=10)


def tied(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return rows of few different values, many of them equal."""
    return pa.table({"n": rng.poisson(1, rows), "k": rng.integers(0, 4, rows).astype(str)})


def clusters(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return rows that mostly belong to their group of eight."""
    group = np.arange(rows) // 8
    x = rng.standard_normal((group[-1] + 1, 2))[group] + rng.standard_normal((rows, 2)) / 5
    return pa.table({"x": x[:, 0], "y": x[:, 1], "g": group + rng.integers(1 << 30)})


@pytest.mark.slow
@pytest.mark.calibration
@pytest.mark.parametrize("law", [heaps, tied, clusters])
def test_at_most_five_percent_of_equal_tables_have_lost_a_place(
    law: Callable[[np.random.Generator, int], pa.Table], calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=60, full=600)
    rejected: dict[str, int] = {}
    held = 0
    for seed in range(runs):
        rng = np.random.default_rng([6, seed])
        found = run(law(rng, 240), law(rng, 160), seed=seed, permutations=99)
        for name in ("precision", "recall", "density", "coverage", "mode_left"):
            rejected[name] = rejected.get(name, 0) + (p_value(found[name]) <= 0.05)
        low, high = number(found["coverage"]).interval or (1.0, 0.0)
        held += low <= (number(found["coverage"]).null_value or 0.0) <= high
    assert max(rejected.values()) <= band(runs)[1], rejected
    assert held >= runs - band(runs)[1]
