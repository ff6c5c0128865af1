"""Rare values, levels and rows that are gone are named, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.tails import Tails
from detector.data.schema import Role
from detector.findings import Finding, Gap, Measurement, Reason
from tests.checks.compared import compared, findings
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Runs = Callable[..., int]


def run(
    reference: Mapping[str, object], candidate: Mapping[str, object], **options: object
) -> dict[str, Finding]:
    """Run the check; its findings by name and column."""
    return findings(Tails(**options), compared(reference, candidate))  # type: ignore[arg-type]


def number(finding: Finding) -> Measurement:
    """Return the measurement of a finding that has one."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def p_value(finding: Finding) -> float:
    """Return the p-value of a finding that has one."""
    found = number(finding).p_value
    assert found is not None
    return found


def test_clipped_tails_are_less_and_their_cuts_are_named() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 1000))
    found = run({"x": x}, {"x": y.clip(-2, 2)})["tail_mass of x"]
    # Ten of 1000 values on either side: twenty gaps of 1001.
    assert number(found).null_value == pytest.approx(20 / 1001)
    assert number(found).value == 0.0
    assert p_value(found) < 1e-5
    assert found.evidence["direction"] == "less than in the reference"
    low = found.evidence["low"]
    assert isinstance(low, dict)
    assert low["beyond"] == np.sort(x)[9]
    assert low["exact_interval"][1] == pytest.approx(1 - 0.025 ** (1 / 1000))


def test_fat_tails_are_more() -> None:
    rng = np.random.default_rng(1)
    found = run({"x": rng.standard_normal(2000)}, {"x": rng.standard_t(3, 2000)})
    assert p_value(found["extreme_mass of x"]) < 1e-3
    assert found["tail_mass of x"].evidence["direction"] == "more than in the reference"


def test_one_tail_alone_is_found() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 3000))
    found = run({"x": x}, {"x": np.minimum(y, 2.0)})["tail_mass of x"]
    assert p_value(found) < 1e-6
    tails = found.evidence
    assert tails["low"]["p_value"] > 0.01  # type: ignore[index]
    assert tails["high"]["p_value"] < 1e-6  # type: ignore[index]


def test_a_lost_level_is_named_with_what_chance_would_take() -> None:
    rng = np.random.default_rng(3)
    levels = np.array(list("abcdefgh"))
    one = levels[rng.integers(0, 8, 800)]
    two = levels[rng.integers(0, 6, 800)]
    found = run({"k": list(one)}, {"k": list(two)})["lost_level_mass of k"]
    assert p_value(found) < 1e-9
    assert set(found.evidence["levels"]) == {"g", "h"}  # type: ignore[call-overload]
    assert found.evidence["levels_lost"] == 2
    assert number(found).value == pytest.approx(0.25, abs=0.05)


def test_the_rarest_level_that_can_be_spoken_of_is_told() -> None:
    x = np.arange(100.0)
    found = number(run({"x": x}, {"x": x})["rarest_visible_level"])
    assert found.value == 0.05
    assert found.p_value is None


def test_rows_that_are_rare_only_together_are_missed() -> None:
    rng = np.random.default_rng(4)

    def rows() -> np.ndarray:
        a = rng.standard_normal(3000)
        return np.column_stack((a, a + rng.standard_normal(3000) / 2))

    one, two = rows(), rows()
    two = two[np.abs(two[:, 1] - two[:, 0]) < 0.8]  # the tie is tighter, the columns are not
    sides = [{"a": rows[:, 0], "b": rows[:, 1]} for rows in (one, two)]
    found = run(*sides)
    assert p_value(found["joint_tail_mass"]) < 1e-6
    assert number(found["joint_tail_mass"]).value < 0.03


def test_equal_values_throughout_have_no_tails() -> None:
    found = run({"x": np.ones(50), "k": ["a"] * 50}, {"x": np.ones(50), "k": ["a"] * 50})
    for name in ("tail_mass of x", "lost_level_mass of k", "joint_tail_mass"):
        outcome = found[name].outcome
        assert isinstance(outcome, Gap)
        assert outcome.reason is Reason.CONSTANT_COLUMN


def test_too_few_rows_are_said() -> None:
    outcome = run({"x": np.arange(30.0)}, {"x": np.arange(3.0)})["tail_mass of x"].outcome
    assert isinstance(outcome, Gap)
    assert outcome.detail == "too few values in the candidate: 3, 20 are needed"


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="tails: permutations must be at least 99"):
        Tails(permutations=5)


def clusters(rng: np.random.Generator, groups: int, start: int, *, most: float) -> pa.Table:
    """Return rows that mostly belong to their group."""
    group = np.repeat(np.arange(groups), 10)
    x = rng.standard_normal(groups)[group] + rng.standard_normal(10 * groups) / 5
    return pa.table({"x": x.clip(-most, most), "g": group + start})


def grouped(seed: int, *, most: float = 99.0, groups: int = 40) -> dict[str, Finding]:
    """Run the check on clustered rows."""
    rng = np.random.default_rng([5, seed])
    sides = clusters(rng, groups, 0, most=99), clusters(rng, groups, 1000, most=most)
    found = detector.measure(*sides, checks=["tails"], roles={"g": Role.GROUP}, seed=seed)
    return {finding.outcome.name: finding for finding in found}


@pytest.mark.calibration
def test_clustered_rows_raise_no_more_alarms_than_others(calibration_runs: Runs) -> None:
    runs = calibration_runs(bounded=60, full=600)
    found = [grouped(seed) for seed in range(runs)]
    for name in ("tail_mass", "joint_tail_mass"):
        assert sum(p_value(each[name]) <= 0.05 for each in found) <= band(runs)[1]


def test_clusters_with_clipped_tails_are_found() -> None:
    found = grouped(0, most=1.0, groups=300)
    assert p_value(found["tail_mass"]) < 0.01
    assert p_value(found["joint_tail_mass"]) < 0.01


def mixed(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return numbers of several shapes, with ties and gaps, and levels."""
    z = rng.standard_normal((rows, 3))
    return pa.table(
        {
            "a": z[:, 0],
            "b": z[:, 0] + z[:, 1],
            "heavy": rng.standard_t(2, rows),
            "count": rng.poisson(3, rows),
            "zero": np.where(rng.random(rows) < 0.6, 0.0, rng.exponential(1, rows)),
            "gaps": pa.array(np.where(rng.random(rows) < 0.05, np.nan, z[:, 2]), from_pandas=True),
            "rare": rng.zipf(1.6, rows).clip(0, 300).astype(str),
        }
    )


@pytest.mark.slow
@pytest.mark.calibration
@pytest.mark.parametrize(("n", "m"), [(300, 300), (1000, 400)])
def test_at_most_five_percent_of_equal_tables_have_lost_anything(
    n: int, m: int, calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=150, full=1_000)
    rejected: dict[str, int] = {}
    for seed in range(runs):
        rng = np.random.default_rng([6, n, m, seed])
        for finding in detector.measure(mixed(rng, n), mixed(rng, m), checks=["tails"]):
            if isinstance(finding.outcome, Measurement) and finding.outcome.p_value is not None:
                key = f"{finding.outcome.name} {finding.subject}"
                rejected[key] = rejected.get(key, 0) + (finding.outcome.p_value <= 0.05)
    assert len(rejected) == 14
    assert max(rejected.values()) <= band(runs)[1], rejected
