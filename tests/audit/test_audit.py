"""The audit as people call it: what it returns, what it draws, whom it finds."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.audits.which import chosen
from detector.errors import ReportError
from detector.findings import Reason
from tests.audit import recipes
from tests.audit.quick import gaps, mixed, normal, quick


@pytest.fixture(scope="module")
def collapsed():
    return detector.audit(normal(columns=10), recipe="gaussian", rows=60, generations=8)


def test_a_loop_without_real_rows_is_refused_with_its_generation(collapsed):
    assert collapsed.decision is detector.Decision.REJECT
    assert 1 <= collapsed.alarm_generation <= 5
    assert int(collapsed.exit_code) == 1


def test_the_trajectory_is_a_table_of_every_measure(collapsed):
    table = collapsed.trajectory
    assert table.column_names == ["replicate", "generation", "measure", "value"]
    frame = table.to_pandas()
    assert set(frame.replicate) == {1, 2, 3}
    assert set(frame.generation) == set(range(9))
    wanted = {"risk", "risk_slope", "scaling_exponent", "log_det", "effective_rows", "coverage"}
    assert wanted | {"tail_mass", "hallucinated", "training_log_det"} <= set(frame.measure)
    assert np.isfinite(frame.value).all()


def test_log_det_is_that_of_the_covariance_with_n_in_the_columns_units():
    data = normal(100, 3) * [1.0, 10.0, 100.0]
    frame = quick(data).trajectory.to_pandas()
    first = frame[(frame.measure == "log_det") & (frame.generation == 0)].value
    assert first.to_numpy() == pytest.approx(np.linalg.slogdet(np.cov(data.T, bias=True))[1])


def test_a_forecast_of_a_collapsing_loop_has_two_ends(collapsed):
    low, high = collapsed.forecast.interval
    assert 1 <= low <= collapsed.forecast.median <= high
    assert not collapsed.forecast.abstains


def test_a_loop_that_keeps_all_rows_gets_no_alarm_and_no_forecast():
    report = detector.audit(
        normal(columns=10), recipe="gaussian", regime="accumulate", rows=60, generations=12
    )
    assert report.alarm_generation is None
    assert report.forecast.interval[1] is None
    assert report.decision is detector.Decision.ADMIT


def test_one_column_and_few_rounds_cannot_tell_and_say_how_many_could():
    report = quick(normal(100, 1))
    assert report.decision is detector.Decision.UNDECIDED
    assert int(report.exit_code) == 3
    gap = gaps(report)["training_log_det_change"]
    assert gap.reason is Reason.TOO_FEW_ROWS
    assert gap.detail.startswith("cannot tell: ")
    assert "6 replicates x generations of" in gap.detail


def test_a_loop_that_spreads_out_is_an_alarm_too():
    report = detector.audit(
        normal(100, 2), recipe="kde", options={"bandwidth": 0.7}, generations=12
    )
    assert report.audit["alarm"]["direction"] == "grown"
    assert report.forecast.threshold == 2.0


@pytest.mark.parametrize(
    "asked",
    [
        {"regime": "replace"},
        {"regime": "accumulate"},
        {"regime": "accumulate_subsample"},
        {"regime": "fresh", "real_share": 0.2, "rows": 80},
        {"regime": "fixed", "real_share": 0.2},
        {"keep": "best:0.8", "temperature": 0.9},
    ],
)
def test_one_seed_gives_the_same_numbers_whatever_the_order_of_rows(asked):
    data = mixed()
    shuffled = data.take(np.random.default_rng(1).permutation(len(data)))
    one, two = (quick(d, "gaussian_copula", seed=4, **asked) for d in (data, shuffled))
    assert one.trajectory.equals(two.trajectory)
    assert one.audit["alarm"] == two.audit["alarm"]
    other = quick(data, "gaussian_copula", seed=5, **asked)
    assert not one.trajectory.equals(other.trajectory)


def test_a_report_of_an_audit_reads_back_exactly(collapsed):
    text = collapsed.to_json()
    again = detector.Report.from_json(text)
    assert again == collapsed
    assert again.to_json() == text
    assert again.trajectory.equals(collapsed.trajectory)
    assert again.forecast == collapsed.forecast
    assert json.loads(text)["audit"]["kind"] == "audit"


def test_the_report_of_a_gate_has_no_generations():
    report = detector.gate(normal(), normal(seed=1))
    assert "audit" not in json.loads(report.to_json())
    with pytest.raises(ReportError, match=r"it has no generations\. Run `detector audit`"):
        report.trajectory  # noqa: B018 - it raises


def test_what_disappears_is_named():
    rng = np.random.default_rng(0)
    color = np.where(np.arange(200) < 4, "rare", "common")
    table = pa.table({"color": color, "x": rng.standard_normal(200)})
    report = quick(table, "histogram", generations=25, replicates=3)
    assert "color = rare" in [one["name"] for one in report.audit["lost"]]


def test_anybodys_recipe_is_found_as_a_module_and_a_class():
    report = quick(recipe="tests.audit.recipes:Faithful")
    assert report.audit["recipe"]["name"] == "faithful"
    assert report.trajectory.equals(quick(recipe=recipes.Faithful()).trajectory)


def test_marginals_go_through_the_model():
    assert chosen("rbm").rematch_marginals is False
    assert chosen(detector.recipe("rbm", steps=5)).rematch_marginals is False


def test_the_real_share_is_searched_and_told_in_a_sentence():
    report = quick(normal(400, 2), rows=60, find_real_share=True, keep_variance=0.95)
    found = report.audit["real_share"]
    assert found["sentence"] in " ".join(detector.render(report, "markdown").split())
    rows = [point["rows"] for point in found["points"]]
    assert rows == sorted(rows)


@pytest.mark.parametrize("name", ["text", "json", "html", "markdown", "junit", "sarif"])
def test_every_format_draws_an_audit(collapsed, name):
    drawn = detector.render(collapsed, name)
    assert not re.search(r"(?i)\bnan\b", drawn)
    if name in ("text", "markdown", "html"):
        assert "healthy loops from generation" in drawn


def test_the_page_has_the_charts_the_band_and_the_filmstrip(collapsed):
    page = detector.render(collapsed, "html")
    assert page.count('class="band"') >= 2
    assert page.count("Rows of generation") >= 5
    assert "Eight definitions of collapse" in page
    assert "<script" not in page
