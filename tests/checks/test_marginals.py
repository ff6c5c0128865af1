"""The marginals check: what moved, by how much, how sure, and when it cannot say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from detector.checks.marginals import Marginals
from detector.data.schema import Role
from detector.findings import Finding, Gap, Measurement, Reason
from detector.profiles.comparison import Comparison
from tests.checks.compared import compared, findings
from tests.stats.rates import assert_size

if TYPE_CHECKING:
    from collections.abc import Callable


def measured(finding: Finding) -> Measurement:
    """Return the finding's measurement."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def reason(finding: Finding) -> Reason:
    """Return why there is a gap."""
    assert isinstance(finding.outcome, Gap), finding.outcome
    return finding.outcome.reason


def run(reference: object, candidate: object, **options: int) -> Finding:
    """Compare one column and return the finding on its values."""
    comparison = compared({"x": reference}, {"x": candidate})
    return next(iter(findings(Marginals(**options), comparison).values()))


def test_a_shift_of_half_a_spread_is_said_with_its_size_and_direction() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(2000), rng.standard_normal(2000) + 0.5
    finding = run(x, y)
    found = measured(finding)
    spread = finding.evidence["spread"]
    assert found.name == "wasserstein"
    assert found.value == pytest.approx(stats.wasserstein_distance(x, y) / spread, rel=0.02)
    assert found.interval is not None
    assert found.interval[0] < 0.5 < found.interval[1]
    assert found.p_value is not None
    assert found.p_value < 1e-9
    assert finding.evidence["direction"] == "candidate is higher"


def test_equal_columns_are_as_far_apart_as_chance_has_it() -> None:
    rng = np.random.default_rng(1)
    found = measured(run(rng.standard_normal(2000), rng.standard_normal(2000)))
    assert found.interval is not None
    assert found.interval[0] == 0.0
    assert found.null_value == pytest.approx(found.value, rel=0.9)
    assert found.detectable is not None
    assert 0.08 < found.detectable < 0.15


def test_a_level_that_took_over_comes_first() -> None:
    finding = run(["a"] * 50 + ["b"] * 40 + ["c"] * 10, ["a"] * 20 + ["b"] * 41 + ["d"] * 39)
    found = measured(finding)
    assert found.name == "total_variation"
    assert found.value == pytest.approx(0.40)
    assert finding.evidence["levels"][:2] == ["d", "a"]
    assert finding.evidence["candidate_count"][0] == 39
    assert finding.evidence["reference_share"][1] == 0.5


def test_new_gaps_are_a_question_of_their_own() -> None:
    x = np.random.default_rng(0).standard_normal(400)
    y = np.where(np.arange(400) % 4 == 0, np.nan, x)
    found = findings(Marginals(), compared({"x": x}, {"x": y}))
    change = measured(found["missing_rate_change of x"])
    assert change.value == pytest.approx(0.25)
    assert change.p_value is not None
    assert change.p_value < 1e-9
    assert measured(found["wasserstein of x"]).p_value > 0.5


def test_columns_without_gaps_have_no_finding_on_gaps() -> None:
    found = findings(Marginals(), compared({"x": np.arange(50.0)}, {"x": np.arange(50.0)}))
    assert list(found) == ["wasserstein of x"]


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        (np.arange(50.0), np.arange(2.0), Reason.TOO_FEW_ROWS),
        (np.arange(50.0), np.full(50, np.nan), Reason.ALL_MISSING),
        (np.ones(50), np.arange(50.0), Reason.CONSTANT_COLUMN),
        (["a"] * 50, ["a"] * 40, Reason.CONSTANT_COLUMN),
        (pa.array(["some text"] * 50), pa.array(["text"] * 50), Reason.KIND_NOT_SUPPORTED),
        (["a"] * 25 + ["b"] * 25, np.arange(50.0), Reason.KIND_NOT_SUPPORTED),
        (np.arange(50.0) * 1e200, np.arange(50.0), Reason.KIND_NOT_SUPPORTED),
    ],
)
def test_data_that_cannot_answer_leave_a_gap(
    reference: object, candidate: object, expected: Reason
) -> None:
    finding = run(reference, candidate)
    assert reason(finding) is expected
    assert isinstance(finding.outcome, Gap)
    assert finding.outcome.detail


def test_an_absent_column_and_an_empty_comparison_are_gaps() -> None:
    found = findings(Marginals(), compared({"x": np.arange(50.0)}, {"z": np.arange(50.0)}))
    assert reason(found["wasserstein of x"]) is Reason.COLUMN_ABSENT
    assert reason(found["marginals"]) is Reason.NO_COMMON_COLUMNS


def test_evidence_is_small_plain_data() -> None:
    rng = np.random.default_rng(0)
    columns = {
        "number": rng.lognormal(size=3000),
        "few": rng.integers(0, 5, 3000),
        "level": [f"{'x' * 1000}{i}" for i in rng.integers(0, 500, 3000)],
    }
    for finding in findings(Marginals(), compared(columns, columns)).values():
        text = json.dumps(dict(finding.evidence), allow_nan=False)
        assert len(text) < 6000
        assert len(finding.evidence["reference_share"]) <= 40
        assert sum(finding.evidence["reference_share"]) <= 1 + 1e-4


def test_a_huge_vocabulary_is_compared_on_the_levels_that_both_sides_keep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from detector.profiles import merge

    monkeypatch.setattr(merge.cap_levels, "__kwdefaults__", {"most": 100})
    rng = np.random.default_rng(0)
    reference, candidate = ([f"v{i}" for i in rng.integers(0, 400, 9000)] for _ in range(2))
    finding = run(reference, candidate)
    found = measured(finding)
    assert found.p_value is not None
    assert found.p_value > 0.001
    assert finding.evidence["levels_in_all"] <= 101


@pytest.mark.parametrize("option", ["min_rows", "min_groups", "permutations", "max_rows"])
def test_options_that_cannot_work_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be at least"):
        Marginals(**{option: 1})


def clustered(rng: np.random.Generator, groups: int, start: int) -> dict[str, object]:
    """Return columns whose rows share much within a group."""
    group = np.repeat(np.arange(groups), 1 + rng.poisson(8, groups))
    effect = rng.standard_normal(groups)[group]
    x = effect + rng.standard_normal(len(group))
    gaps = np.where(effect + rng.standard_normal(len(group)) > 1.5, np.nan, x)
    return {
        "group": [f"g{start + g}" for g in group],
        "x": gaps,
        "level": [str(v) for v in np.digitize(x, [-1, 0, 1])],
    }


GROUPED = {"group": Role.GROUP}


def test_clustered_rows_need_rows_and_groups() -> None:
    rng = np.random.default_rng(0)
    comparison = compared(clustered(rng, 30, 0), clustered(rng, 3, 100), roles=GROUPED)
    found = findings(Marginals(), comparison)
    assert {reason(finding) for finding in found.values()} == {Reason.TOO_FEW_GROUPS}
    bare = Comparison(reference=comparison.reference.without_rows(), candidate=comparison.candidate)
    found = findings(Marginals(), bare)
    assert {reason(finding) for finding in found.values()} == {Reason.NEEDS_ROWS}


def test_a_real_change_of_clustered_rows_is_found() -> None:
    rng = np.random.default_rng(0)
    one, two = clustered(rng, 60, 0), clustered(rng, 60, 100)
    two["x"] = np.asarray(two["x"]) + 1.5
    found = findings(Marginals(permutations=199), compared(one, two, roles=GROUPED))
    assert measured(found["wasserstein of x"]).p_value < 1e-5
    assert measured(found["wasserstein of x"]).interval[0] > 0.5
    assert measured(found["total_variation of level"]).p_value > 0.01


@pytest.mark.calibration
def test_clustered_columns_are_told_apart_in_five_percent(
    calibration_runs: Callable[..., int],
) -> None:
    runs = calibration_runs(bounded=100, full=1000)
    rng = np.random.default_rng(1)
    rejected: dict[str, int] = {}
    for seed in range(runs):
        one, two = clustered(rng, 25, 0), clustered(rng, 50, 100)
        check = Marginals(permutations=99)
        for key, finding in findings(check, compared(one, two, roles=GROUPED), seed=seed).items():
            rejected[key] = rejected.get(key, 0) + (measured(finding).p_value <= 0.05)
    assert len(rejected) == 3
    for count in rejected.values():
        assert_size(count, runs)
