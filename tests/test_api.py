"""The gate from end to end, on real data and on hard cases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import detector
from detector import Decision
from tests.realdata import cps, cps_in, diamonds, flights_in, halves, placements, some_rows

if TYPE_CHECKING:
    from pathlib import Path

CALENDAR = ["year", "month", "day", "time_hour"]


def failing(report: detector.Report, check: str) -> set[str]:
    """Return the columns that failing verdicts of a check name."""
    return {
        name
        for verdict in report.verdicts
        if verdict.level is detector.Level.FAIL and verdict.finding.check == check
        for name in verdict.finding.subject.columns
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_random_halves_of_diamonds_are_admitted(seed: int) -> None:
    report = detector.gate(*halves(diamonds(), seed=seed), seed=seed)
    assert report.decision is Decision.ADMIT, report.headline


@pytest.mark.slow
def test_random_halves_of_wages_are_admitted() -> None:
    report = detector.gate(*halves(cps(), seed=3))
    assert report.decision is Decision.ADMIT, report.headline


@pytest.mark.slow
def test_july_flights_are_rejected_against_january_with_the_right_columns() -> None:
    january, july = (flights_in(month).drop_columns(CALENDAR) for month in (1, 7))
    report = detector.gate(january, july)
    assert report.decision is Decision.REJECT
    assert failing(report, "marginals") & {"dep_delay", "arr_delay", "air_time", "dep_time"}


def test_wages_of_2004_are_rejected_against_1992() -> None:
    report = detector.gate(cps_in(1992), cps_in(2004))
    assert report.decision is Decision.REJECT
    assert "earnings" in failing(report, "marginals")


def test_synthetic_placements_are_told_apart_with_the_columns() -> None:
    real, synthetic = placements()
    report = detector.gate(real, synthetic, roles={"student_id": "id"})
    assert report.decision is Decision.REJECT, report.headline
    (auc,) = (f for f in report.findings if f.key[0] == "discriminator")
    assert isinstance(auc.outcome, detector.Measurement)
    assert auc.outcome.value > 0.9
    assert auc.evidence["columns"]


def test_twenty_clean_rows_are_undecided_and_say_how_many_are_needed() -> None:
    table = diamonds()
    report = detector.gate(some_rows(table, 5000, seed=1), some_rows(table, 20, seed=2))
    assert report.decision is Decision.UNDECIDED
    assert any(verdict.rows_needed for verdict in report.verdicts)


def test_file_order_does_not_matter() -> None:
    table = some_rows(diamonds(), 3000, seed=4)
    reference, candidate = halves(table, seed=5)
    ordered = candidate.sort_by("price")
    one = detector.gate(reference, candidate)
    two = detector.gate(reference.sort_by("carat"), ordered)
    assert one.decision is two.decision
    assert [v.level for v in one.verdicts] == [v.level for v in two.verdicts]


def test_equal_runs_give_equal_reports_but_for_timings() -> None:
    table = some_rows(diamonds(), 1200, seed=6)
    pair = halves(table, seed=7)
    texts = []
    for _ in range(2):
        report = detector.gate(*pair, seed=11)
        assert set(report.timings)
        texts.append(detector.api.replace(report, timings={}).to_json())
    assert texts[0] == texts[1]


def test_pandas_polars_numpy_and_arrow_agree() -> None:
    import polars as pl

    table = some_rows(diamonds(), 1500, seed=8)
    reference, candidate = halves(table, seed=9)
    frames = [
        (reference, candidate),
        (reference.to_pandas(), candidate.to_pandas()),
        (pl.from_arrow(reference), pl.from_arrow(candidate)),
    ]
    found = [
        [(f.key, f.outcome) for f in detector.measure(*pair, checks=["marginals"])]
        for pair in frames
    ]
    assert found[0] == found[1] == found[2]


def test_arrays_are_compared() -> None:
    rng = np.random.default_rng(0)
    findings = detector.measure(
        rng.standard_normal((400, 3)), rng.standard_normal((400, 3)) + 1, checks=["marginals"]
    )
    assert all(f.outcome.p_value < 0.001 for f in findings if f.key[2] == "wasserstein")  # type: ignore[union-attr]


def test_a_candidate_over_another_frame_is_refused() -> None:
    table = some_rows(diamonds(), 500, seed=1)
    with pytest.raises(detector.ReportError, match="over another frame"):
        detector.gate(table, detector.profile(table.slice(0, 100)))


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
def test_what_is_no_seed_is_refused_before_any_work(seed: Any) -> None:
    with pytest.raises(detector.DetectorError, match="Give a whole number from 0"):
        detector.gate("missing.csv", "missing.csv", seed=seed)


def test_a_text_in_place_of_a_list_of_checks_is_refused() -> None:
    data = {"x": np.arange(60.0)}
    with pytest.raises(detector.DetectorError, match=r"Give a list: checks=\['marginals'\]"):
        detector.gate(data, data, checks="marginals")


def test_a_policy_is_a_path_or_a_policy() -> None:
    data = {"x": np.arange(60.0)}
    wrong: Any = {"alpha": 0.1}
    with pytest.raises(detector.DetectorError, match="and this is a dict"):
        detector.gate(data, data, policy=wrong)


def test_the_reference_itself_is_named_as_such() -> None:
    whole = some_rows(diamonds(), 3000, seed=1)
    report = detector.gate(whole, whole)
    assert report.decision is Decision.ADMIT
    (told,) = [v for v in report.verdicts if v.finding.outcome.name == "same_rows"]
    assert told.level is detector.Level.WARN
    assert "The candidate is the reference itself: the same 3,000 rows" in told.message


def test_rows_of_a_profile_are_drawn_apart_from_those_of_its_frame() -> None:
    table = {"x": np.random.default_rng(0).standard_normal(90_000)}
    frame = detector.profile(table)
    again = detector.profile(table, against=frame)
    drawn = [set(np.asarray(p.sample.head(1000).table["x"])) for p in (frame, again) if p.sample]
    assert len(drawn[0] & drawn[1]) < 200


def test_a_declared_synthetic_batch_is_admitted_with_a_warning(tmp_path: Path) -> None:
    one, two = halves(diamonds(), seed=1)
    path = tmp_path / "batch.parquet"
    pq.write_table(pa.table(two), path)
    manifest = {"origin": "synthetic", "generation": 2}
    path.with_name("batch.parquet.provenance.json").write_text(json.dumps(manifest))
    report = detector.gate(one, path)
    (told,) = [v for v in report.verdicts if v.rule == "no rows are declared synthetic"]
    assert told.level is detector.Level.WARN
    assert report.inputs[1].provenance == manifest


def test_an_unknown_check_is_named_with_a_near_one() -> None:
    table = pa.table({"x": [1.0, 2.0]})
    with pytest.raises(detector.DetectorError, match="marginals"):
        detector.measure(table, table, checks=["marginal"])


def test_a_check_that_crashes_is_a_gap_and_never_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from detector.checks.marginals import Marginals

    def crash(*_: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(Marginals, "run", crash)
    report = detector.gate(*halves(some_rows(diamonds(), 2000), seed=1))
    assert report.decision is Decision.UNDECIDED
    (gap,) = (f.outcome for f in report.findings if f.check == "marginals")
    assert isinstance(gap, detector.Gap)
    assert (gap.reason, gap.detail) == ("check_failed", "ZeroDivisionError: by nought")


def test_raise_for_decision_says_why() -> None:
    report = detector.gate(cps_in(1992), cps_in(2004), checks=["marginals"])
    with pytest.raises(detector.GateRefused, match="REJECT"):
        report.raise_for_decision()


def test_a_report_is_written_by_its_suffix(tmp_path: Path) -> None:
    report = detector.gate(cps_in(1992), cps_in(2004), checks=["marginals"])
    for suffix, start in (("html", "<!doctype html>"), ("json", "{"), ("md", "")):
        path = tmp_path / f"report.{suffix}"
        report.write(path)
        assert path.read_text("utf-8").lower().startswith(start)


def test_a_report_draws_itself_in_a_notebook() -> None:
    report = detector.gate(cps_in(1992), cps_in(2004), checks=["marginals"])
    assert "<iframe" in report._repr_html_()
    assert "Reject" in report._repr_markdown_()


@pytest.mark.parametrize("name", ["report.pdf", "report"])
def test_a_suffix_that_names_no_format_is_refused(name: str, tmp_path: Path) -> None:
    report = detector.gate(cps_in(1992), cps_in(2004), checks=["schema"])
    with pytest.raises(detector.ReportError, match=r"names no format.*\.html"):
        report.write(tmp_path / name)


def test_judging_again_needs_no_data(tmp_path: Path) -> None:
    report = detector.gate(cps_in(1992), cps_in(2004), checks=["marginals"])
    policy = tmp_path / "lenient.toml"
    policy.write_text(
        'name = "lenient"\n\n[[rule]]\nname = "moved"\ncheck = "marginals"\n'
        'measurement = "wasserstein"\nkind = "limit"\nat_most = 5.0\naction = "reject"\n'
    )
    again = detector.judge(detector.Report.from_json(report.to_json()), policy)
    assert again.decision is Decision.ADMIT
    assert again.findings == report.findings
