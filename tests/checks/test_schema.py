"""The schema check: columns, levels, ranges and gaps, each with what chance would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from detector.checks.schema import Schema
from detector.data.schema import Role
from detector.findings import Gap, Measurement, Reason
from tests.checks.compared import compared, findings
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from detector.findings import Finding


def run(reference: Mapping[str, object], candidate: Mapping[str, object]) -> dict[str, Finding]:
    """Run the check on two sets of columns."""
    return findings(Schema(), compared(reference, candidate))


def measured(finding: Finding) -> Measurement:
    """Return the finding's measurement."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def test_missing_extra_and_retyped_columns_are_counted_and_named() -> None:
    numbers, levels = np.arange(50.0), ["a", "b"] * 25
    found = run(
        {"kept": numbers, "lost": numbers, "turned": numbers},
        {"kept": numbers, "turned": levels, "new": numbers, "newer": numbers},
    )
    assert measured(found["columns_missing"]).value == 1
    assert measured(found["columns_extra"]).value == 2
    assert measured(found["columns_retyped"]).value == 1
    assert found["columns_extra"].evidence["columns"] == ["new", "newer"]
    assert measured(found["column_missing of lost"]).value == 1
    assert found["column_retyped of turned"].evidence == {
        "reference_kind": "numeric",
        "candidate_kind": "category",
    }


def test_rows_with_new_levels_are_counted_against_chance() -> None:
    found = run({"x": ["a"] * 60 + ["b"] * 40}, {"x": ["a"] * 50 + ["c"] * 30 + ["d"] * 20})
    share = measured(found["unseen_levels_share of x"])
    assert share.value == 0.5
    assert share.null_value == pytest.approx(0.0, abs=1e-6)
    assert share.p_value is not None
    assert share.p_value < 1e-9
    assert share.interval == pytest.approx((0.3983, 0.6017), abs=1e-4)
    evidence = found["unseen_levels_share of x"].evidence
    assert evidence["levels"] == ["c", "d"]
    assert evidence["candidate_share"] == [0.3, 0.2]


def test_values_out_of_range_are_counted_on_both_sides() -> None:
    candidate = np.concatenate((np.arange(90.0), [-5.0, -1.0, 99.5, 200.0]))
    found = run({"x": np.arange(100.0)}, {"x": candidate})
    share = measured(found["out_of_range_share of x"])
    assert share.value == pytest.approx(4 / 94)
    assert share.null_value == pytest.approx(2 / 101)
    assert share.p_value is not None
    assert 0.05 < share.p_value < 0.5
    evidence = found["out_of_range_share of x"].evidence
    assert evidence["candidate_range"] == [-5.0, 200.0]


def test_leaving_a_constant_is_out_of_range() -> None:
    share = measured(run({"x": np.ones(50)}, {"x": np.full(50, 2.0)})["out_of_range_share of x"])
    assert share.value == 1.0
    assert share.p_value is not None
    assert share.p_value < 1e-9


def test_missing_and_infinite_values_are_shares_without_a_test() -> None:
    values = np.arange(100.0)
    broken = values.copy()
    broken[:10], broken[10:13] = np.nan, np.inf
    found = run({"x": values}, {"x": broken})
    for name, value in (("missing_share of x", 0.10), ("infinite_share of x", 0.03)):
        share = measured(found[name])
        assert share.value == pytest.approx(value)
        assert share.null_value == 0.0
        assert share.p_value is None
        assert share.detectable is not None
    assert "missing_share of x" not in run({"x": values}, {"x": values})


def test_edges_inside_the_range_are_compared_with_the_references_own_rows_beyond() -> None:
    rng = np.random.default_rng(0)
    found = run({"x": rng.standard_normal(200_000)}, {"x": rng.standard_normal(100_000)})
    share = measured(found["out_of_range_share of x"])
    assert share.p_value is not None
    assert share.p_value > 0.001
    moved = run({"x": rng.standard_normal(200_000)}, {"x": rng.standard_normal(1000) + 5})
    share = measured(moved["out_of_range_share of x"])
    assert share.p_value is not None
    assert share.p_value < 1e-9


def test_clustered_rows_keep_the_share_and_lose_what_needs_independent_rows() -> None:
    columns = {"g": ["a", "b"] * 30, "x": np.arange(60.0)}
    comparison = compared(columns, columns, roles={"g": Role.GROUP})
    share = measured(findings(Schema(), comparison)["out_of_range_share of x"])
    assert (share.value, share.p_value, share.interval) == (0.0, None, None)


def test_too_few_values_are_a_gap() -> None:
    found = run({"x": np.arange(50.0)}, {"x": np.arange(2.0)})
    outcome = found["out_of_range_share of x"].outcome
    assert isinstance(outcome, Gap)
    assert outcome.reason is Reason.TOO_FEW_ROWS


def test_more_levels_than_a_profile_keeps_are_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    from detector.profiles import merge

    monkeypatch.setattr(merge.cap_levels, "__kwdefaults__", {"most": 10})
    levels = [f"v{i % 50}" for i in range(9000)]
    outcome = run({"x": levels}, {"x": levels})["unseen_levels_share of x"].outcome
    assert isinstance(outcome, Gap)
    assert outcome.reason is Reason.KIND_NOT_SUPPORTED


def test_an_option_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="min_rows must be at least 1"):
        Schema(min_rows=0)


@pytest.mark.calibration
def test_an_honest_candidate_is_a_surprise_in_at_most_five_percent(
    calibration_runs: Callable[..., int],
) -> None:
    runs = calibration_runs(bounded=200, full=1000)
    rng = np.random.default_rng(0)
    law = np.arange(1, 301.0) ** -1.2

    def columns(rows: int) -> dict[str, object]:
        levels = rng.choice(300, rows, p=law / law.sum())
        return {"x": rng.standard_normal(rows), "level": [str(level) for level in levels]}

    rejected = {"out_of_range_share of x": 0, "unseen_levels_share of level": 0}
    for _ in range(runs):
        found = run(columns(400), columns(300))
        for key in rejected:
            p_value = measured(found[key]).p_value
            assert p_value is not None
            rejected[key] += p_value <= 0.05
    assert max(rejected.values()) <= band(runs)[1]
