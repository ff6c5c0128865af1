from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.errors import DetectorError
from detector.policy.parse import parse
from detector.trials.outcome import Rate
from detector.verdicts import Decision
from tests import realdata

POLICY = parse(
    """
[[rule]]
name = "numbers have not moved"
check = "marginals"
measurement = "wasserstein"
kind = "significant"
negligible = 0.1
origin = 0
on_gap = "pass"

[[rule]]
name = "levels have not moved"
check = "marginals"
measurement = "total_variation"
kind = "significant"
negligible = 0.05
origin = 0
on_gap = "pass"
""",
    source="test",
)
"""A gate that takes a hundredth of a second."""


def table(rows=1_200, *, seed=0, batches=0, spread=0.0):
    """Return rows; with batches, each has a mean of its own."""
    rng = np.random.default_rng(seed)
    batch = np.arange(rows) % max(batches, 1)
    x = rng.standard_normal(rows) + (spread * rng.standard_normal(max(batches, 1)))[batch]
    columns = {"x": x, "y": x + rng.standard_normal(rows), "k": rng.choice(list("abcd"), rows)}
    return pa.table({**columns, "batch": [f"b{one}" for one in batch]} if batches else columns)


def cases(found):
    return {case.fault: case for case in found.planted}


@pytest.fixture(scope="module")
def found():
    return detector.selftest(table(), policy=POLICY, only=["shift=1", "copies"], runs=6, rows=400)


def test_what_is_loud_is_refused_and_nothing_is_not(found):
    assert list(cases(found)) == ["nothing", "shift=1", "copies=0.2"]
    assert cases(found)["nothing"].tally.refused == Rate(count=0, total=6)
    assert cases(found)["shift=1"].tally.refused == Rate(count=6, total=6)
    assert cases(found)["shift=1"].tally.failed == {"marginals": 6}
    assert cases(found)["copies=0.2"].tally.refused.count == 0


def test_the_same_seed_gives_the_same_figures_in_any_row_order(found):
    turned = table().take(np.random.default_rng(9).permutation(1_200))
    again = detector.selftest(turned, policy=POLICY, only=["shift=1", "copies"], runs=6, rows=400)
    assert again.to_plain() == found.to_plain()


def test_all_figures_are_json(found):
    plain = json.loads(json.dumps(found.to_plain(), allow_nan=False))
    refused = plain["faults"][1]["refused"]
    assert (refused["count"], refused["of"]) == (6, 6)
    assert refused["interval"][0] == pytest.approx(0.025 ** (1 / 6))  # exact, Clopper-Pearson
    assert plain["faults"][0]["checks"]["marginals"]["spoke"]["count"] == 0


def test_a_fault_that_these_rows_cannot_carry_says_why():
    levels = pa.table({"k": np.random.default_rng(0).choice(list("abc"), 500)})
    found = detector.selftest(levels, policy=POLICY, only=["tails"], runs=2, rows=200)
    assert cases(found)["tails=0.05"].tally is None
    assert cases(found)["tails=0.05"].reason == "no column holds numbers that vary"


def test_progress_tells_each_run_and_rises():
    told = []
    detector.selftest(
        table(), policy=POLICY, only=["shift"], runs=2, rows=200, progress=lambda *a: told.append(a)
    )
    assert [words for words, _ in told] == [
        f"run {run} of 2: {fault}" for run in (1, 2) for fault in ("nothing", "shift=0.25")
    ]
    assert [done for _, done in told] == [0.0, 0.25, 0.5, 0.75]


def test_good_batches_that_differ_are_refused_until_margins_are_made_of_them():
    rows = table(6_000, batches=12, spread=0.3, seed=3)
    found = detector.selftest(rows, policy=POLICY, by="batch", only=["shift=2"], runs=2, rows=400)
    assert found.batches.runs == 12
    assert found.batches.refused.count >= 4
    assert found.widened.refused.count <= 1
    (margin,) = (margin for margin in found.margins if margin.rule == "numbers have not moved")
    assert margin.now >= margin.seen > margin.was == 0.1
    assert cases(found)["shift=2"].widened.refused.count == 2


@pytest.mark.slow
def test_the_written_policy_loads_and_seldom_refuses_batches_it_never_saw(tmp_path):
    rows = table(16_000, batches=40, spread=0.3, seed=4)
    batch = np.array([int(name[1:]) for name in rows["batch"].to_pylist()])
    seen = rows.filter(pa.array(batch < 20))
    found = detector.selftest(seen, policy=POLICY, by="batch", only=["level"], runs=1, rows=400)
    (tmp_path / "p.toml").write_text(found.policy_text(), encoding="utf-8")
    refused, before = 0, 0
    for own in range(20, 40):
        unseen = rows.filter(pa.array(batch == own))
        report = detector.gate(seen, unseen, policy=str(tmp_path / "p.toml"))
        refused += report.decision is Decision.REJECT
        before += detector.judge(report, POLICY).decision is Decision.REJECT
    assert before >= 8
    assert refused <= 1


def test_the_written_policy_says_where_its_margins_come_from():
    rows = table(6_000, batches=12, spread=0.3, seed=3)
    found = detector.selftest(rows, policy=POLICY, by="batch", only=["level"], runs=1, rows=400)
    text = found.policy_text()
    assert "from good batches by batch" in text
    assert "# negligible was 0.1; the good rows reached " in text
    assert 'ignore = ["batch"]' in text


def test_dates_are_cut_into_the_finest_unit_that_has_rows_enough():
    rng = np.random.default_rng(0)
    days = np.datetime64("2024-01-01") + rng.integers(0, 730, 2_400)
    rows = table(2_400).append_column("day", pa.array(days.astype("datetime64[us]")))
    found = detector.selftest(rows, policy=POLICY, by="day", only=["level"], runs=1, rows=200)
    assert found.batches.runs + found.left_out == 24


def test_groups_are_never_cut():
    rows = table().append_column("who", pa.array([f"w{i % 60}" for i in range(1_200)]))
    found = detector.selftest(
        rows, policy=POLICY, roles={"who": "group"}, only=["copies"], runs=2, rows=200
    )
    assert cases(found)["nothing"].tally.runs == 2


def test_every_fault_is_planted_by_default_and_the_whole_gate_asked():
    found = detector.selftest(table(500), runs=1, rows=200)
    assert [case.fault for case in found.planted if case.tally is None] == []
    assert len(found.planted) == 8
    assert "discriminator" in found.checks
    silent = {
        "provenance",
        "contamination",
        "known_synthetic",
        "utility",
    }  # no rule of theirs had a number
    assert set(cases(found)["nothing"].tally.silent) == silent


@pytest.mark.slow
def test_months_of_departures_are_refused_less_once_margins_are_made_of_the_others():
    names = ["month", "dep_delay", "arr_delay", "origin", "air_time", "distance", "hour"]
    flights = realdata.flights().select(names)
    found = detector.selftest(flights, by="month", only=[], runs=1)
    assert found.batches.runs == 12
    assert found.batches.refused.count >= 3
    assert found.widened.refused.count <= 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": "bach"}, r"`reference` has no column `bach`\. Its columns begin with: x, y, k\."),
        ({"by": "x"}, r"`x` has 1,200 values, too few with 100 rows; margins need two batches\."),
        ({"by": "k", "only": ["tials"]}, r"there is no fault `tials`\. Did you mean `tails`\?"),
        ({"recipe": "gausian"}, r"There is no recipe named `gausian`\. Did you mean `gaussian`\?"),
        ({"runs": 0}, r"runs is 0\. Give a whole number from 1\."),
        ({"rows": 50}, r"rows is 50\. Give a whole number from 200\."),
        ({"seed": -1}, r"the seed is -1\. Give a whole number from 0\."),
    ],
)
def test_a_wrong_call_is_refused_with_what_to_do(options, said):
    with pytest.raises(DetectorError, match=said):
        detector.selftest(table(), policy=POLICY, **options)


def test_one_batch_makes_no_margins():
    rows = table().append_column("batch", pa.array(["only"] * 1_200))
    with pytest.raises(DetectorError, match=r"`batch` has one value; margins need two batches\."):
        detector.selftest(rows, policy=POLICY, by="batch")


def test_a_profile_is_refused(tmp_path):
    with pytest.raises(DetectorError, match=r"a profile cannot be self-tested.* Give the rows"):
        detector.selftest(str(tmp_path / "a.profile"))


@pytest.mark.calibration
@pytest.mark.slow
def test_false_alarms_of_the_built_in_gate_are_as_rare_as_it_promises(calibration_runs):
    runs = calibration_runs(bounded=20, full=2_000)
    found = detector.selftest(table(4_000), only=[], runs=runs, rows=500)
    refused = cases(found)["nothing"].tally.refused.count
    assert refused <= runs * 0.005 + 3.3 * np.sqrt(runs * 0.005)
