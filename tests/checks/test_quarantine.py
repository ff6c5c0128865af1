"""Rows are named one by one, and few of those named are innocent."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import detector
from detector.checks.quarantine import Quarantine
from detector.errors import DetectorError
from detector.findings import Finding, Gap, Measurement, Reason
from detector.verdicts import Decision
from tests.realdata import cps, diamonds, some_rows


def run(reference: pa.Table, candidate: pa.Table, **options: object) -> Finding:
    """Run the check."""
    roles = options.pop("roles", None)
    check = Quarantine(**options)  # type: ignore[arg-type]
    (finding,) = detector.measure(reference, candidate, checks=[check], roles=roles)  # type: ignore[arg-type]
    return finding


def number(finding: Finding) -> Measurement:
    """Return the measurement of a finding that has one."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def rows(rng: np.random.Generator, count: int) -> pa.Table:
    """Return two columns that go together, one that stands alone, levels with a rare one."""
    x, noise, z = rng.standard_normal((3, count))
    level = np.array(list("abcdefg"))[rng.geometric(0.5, count).clip(1, 7) - 1]
    gaps = np.where(rng.random(count) < 0.05, np.nan, z)
    return pa.table(
        {"x": x, "y": x + 0.2 * noise, "z": pa.array(gaps, from_pandas=True), "k": level}
    )


def shuffled(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return a table whose columns no longer belong together."""
    columns = {name: table[name].take(rng.permutation(len(table))) for name in table.column_names}
    return pa.table(columns)


def far(rng: np.random.Generator, count: int) -> pa.Table:
    """Return rows with a number out of range."""
    table = rows(rng, count)
    return table.set_column(2, "z", pa.array(rng.standard_normal(count) + 9))


def tied(rng: np.random.Generator, count: int) -> pa.Table:
    """Return few different rows, each many times."""
    return pa.table({"a": rng.integers(0, 4, count), "b": rng.integers(0, 3, count).astype(str)})


def other_ties(rng: np.random.Generator, count: int) -> pa.Table:
    """Return rows of kinds that `tied` does not have."""
    return pa.table({"a": rng.integers(6, 9, count), "b": np.full(count, "new")})


def gate(reference: pa.Table, candidate: pa.Table, **options: object) -> detector.Report:
    """Run the gate with this check alone."""
    return detector.gate(reference, candidate, checks=["quarantine"], **options)  # type: ignore[arg-type]


def test_rows_out_of_range_are_named_with_their_column(tmp_path) -> None:
    rng = np.random.default_rng(0)
    candidate = pa.concat_tables([rows(rng, 950), far(rng, 50)])
    report = gate(rows(rng, 3000), candidate, rows=tmp_path / "rows.parquet")
    assert report.decision is Decision.QUARANTINE
    listed = parquet.read_table(tmp_path / "rows.parquet")
    assert listed.column_names == [
        *("row", "reason", "p_value", "adjusted_p_value", "nearest_distance")
    ]
    found = set(listed["row"].to_pylist())
    assert found >= set(range(950, 1000))
    assert len(found) <= 60
    reasons = [row["reason"] for row in listed.to_pylist() if row["row"] >= 950]
    assert all(
        reason.startswith("outside all that 1,500 reference rows have in") for reason in reasons
    )
    assert all("`z`" in reason for reason in reasons)
    assert all(distance > 0 for distance in listed["nearest_distance"].to_pylist())


def test_rows_whose_columns_do_not_fit_are_named_by_those() -> None:
    rng = np.random.default_rng(1)
    candidate = pa.concat_tables([rows(rng, 3000), shuffled(rows(rng, 500), rng)])
    found = run(rows(rng, 9000), candidate)
    assert number(found).value > 0.04
    worst = found.evidence["rows"]
    assert isinstance(worst, list)
    fit = [row for row in worst if row["reason"].endswith("unlike what the other columns say")]
    assert len(fit) >= 15
    assert all("`x`" in row["reason"] and "`y`" in row["reason"] for row in fit)


def test_a_crowd_of_ordinary_looking_rows_is_named_by_what_they_share() -> None:
    rng = np.random.default_rng(2)
    crowd = rows(rng, 400)
    crowd = crowd.set_column(2, "z", pa.array(0.4 + 0.002 * rng.standard_normal(400)))
    found = run(rows(rng, 9000), pa.concat_tables([rows(rng, 1600), crowd]))
    assert number(found).value > 0.1
    worst = found.evidence["rows"]
    assert isinstance(worst, list)
    said = "of a kind that the candidate has too many of, by `z`"
    assert sum(row["reason"].startswith(said) for row in worst) >= 10


def test_the_list_names_rows_by_their_id_and_in_any_order(tmp_path) -> None:
    rng = np.random.default_rng(3)
    candidate = pa.concat_tables([rows(rng, 900), far(rng, 100)])
    names = pa.array([f"n{place}" for place in range(1000)])
    candidate = candidate.append_column("name", names)
    reference = rows(rng, 2000).append_column("name", pa.array([f"r{p}" for p in range(2000)]))
    order = rng.permutation(1000)
    lists = []
    for turn, table in enumerate((candidate, candidate.take(order))):
        gate(reference, table, roles={"name": "id"}, rows=str(tmp_path / f"{turn}.csv"))
        lists.append(csv.read_csv(tmp_path / f"{turn}.csv"))
    assert set(lists[0]["id"].to_pylist()) == set(lists[1]["id"].to_pylist())
    assert [f"n{row}" for row in lists[0]["row"].to_pylist()] == lists[0]["id"].to_pylist()
    places = [int(order[row]) for row in lists[1]["row"].to_pylist()]
    assert [f"n{place}" for place in places] == lists[1]["id"].to_pylist()


def test_the_list_and_the_report_agree(tmp_path) -> None:
    rng = np.random.default_rng(4)
    candidate = pa.concat_tables([rows(rng, 1800), far(rng, 200)])
    report = gate(rows(rng, 3000), candidate, rows=tmp_path / "rows.csv")
    (finding,) = report.findings
    listed = csv.read_csv(tmp_path / "rows.csv")
    assert finding.evidence["listed"] == finding.evidence["listed_rows"] == len(listed)
    assert number(finding).value == pytest.approx(len(listed) / 2000)
    assert max(listed["adjusted_p_value"].to_pylist()) <= 0.05
    worst = finding.evidence["rows"]
    assert isinstance(worst, list)
    assert [row["row"] for row in worst] == listed["row"].to_pylist()[:20]
    assert detector.Report.from_json(report.to_json()) == report
    for drawn in ("text", "html", "markdown"):
        assert f"Hold back the {len(listed)} rows that" in detector.render(report, drawn)


def test_a_file_in_many_batches_gives_the_same_list(tmp_path) -> None:
    rng = np.random.default_rng(5)
    candidate = pa.concat_tables([rows(rng, 2700), far(rng, 300)])
    parquet.write_table(candidate, tmp_path / "c.parquet", row_group_size=177)
    reference = rows(rng, 3000)
    gate(reference, candidate, rows=tmp_path / "one.csv")
    gate(reference, str(tmp_path / "c.parquet"), rows=tmp_path / "many.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "many.csv").read_bytes()


def test_a_clean_batch_has_a_list_without_rows(tmp_path) -> None:
    (tmp_path / "rows.csv").write_text("an older list")
    rng = np.random.default_rng(6)
    report = gate(rows(rng, 2000), rows(rng, 1000), rows=tmp_path / "rows.csv")
    assert report.decision is Decision.ADMIT
    assert len(csv.read_csv(tmp_path / "rows.csv")) == 0
    assert number(report.findings[0]).p_value == 1.0


def test_a_gap_has_a_list_without_rows(tmp_path) -> None:
    rng = np.random.default_rng(7)
    gate(rows(rng, 100), rows(rng, 100), rows=tmp_path / "rows.parquet")
    assert len(parquet.read_table(tmp_path / "rows.parquet")) == 0


@pytest.mark.parametrize(
    ("reference", "candidate", "options", "reason", "detail"),
    [
        (199, 100, {}, Reason.TOO_FEW_ROWS, "199 reference rows, 200 needed"),
        (500, 3, {}, Reason.TOO_FEW_ROWS, "3 candidate rows, 20 needed"),
        (
            *(300, 100, {"fdr": 0.001}, Reason.TOO_FEW_ROWS),
            "300 reference rows, 2000 needed to list any row at 0.001",
        ),
    ],
)
def test_too_few_rows_are_said(reference, candidate, options, reason, detail) -> None:
    rng = np.random.default_rng(8)
    gap = run(rows(rng, reference), rows(rng, candidate), **options).outcome
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (reason, detail)


def test_rows_that_never_vary_are_a_gap() -> None:
    table = pa.table({"x": [1.0] * 400, "k": ["a"] * 400})
    gap = run(table, table.slice(0, 100)).outcome
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (
        *(Reason.CONSTANT_COLUMN, "no column of the reference varies"),
    )


def test_rows_in_groups_are_a_gap() -> None:
    rng = np.random.default_rng(9)
    sides = [rows(rng, 300).append_column("g", pa.array(np.arange(300) // 5)) for _ in range(2)]
    gap = run(*sides, roles={"g": "group"}).outcome
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.KIND_NOT_SUPPORTED
    assert gap.detail.startswith("rows come in groups (`g`)")


def test_a_copy_is_said_to_be_one() -> None:
    rng = np.random.default_rng(10)
    reference = rows(rng, 4000)
    strange = far(rng, 1)
    reference = pa.concat_tables([reference, strange])
    found = run(reference, pa.concat_tables([rows(rng, 900), *[strange] * 100]))
    worst = found.evidence["rows"]
    assert isinstance(worst, list)
    assert worst[0]["reason"].startswith("copy of a reference row, ")
    assert worst[0]["nearest_distance"] == 0.0


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match=r"fdr is 1\.5; it lies between 0 and 1"):
        Quarantine(fdr=1.5)
    with pytest.raises(ValueError, match="fit_rows must be at least 100"):
        Quarantine(fit_rows=5)


@pytest.mark.parametrize(
    ("candidate", "checks", "file", "said"),
    [
        ("profile", ["quarantine"], "a.csv", "the candidate is a saved profile"),
        ("table", ["schema"], "a.csv", "rows are listed by the check `quarantine`"),
        ("table", ["quarantine"], "a.xlsx", "`a.xlsx` names no format of tables. End it in .parq"),
    ],
)
def test_a_list_that_cannot_be_made_is_refused_before_any_work(
    tmp_path, candidate, checks, file, said
) -> None:
    asked = "c.profile" if candidate == "profile" else "no_such.csv"
    with pytest.raises(DetectorError) as caught:
        detector.gate("no_such.csv", asked, checks=checks, rows=tmp_path / file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_detectable_share_is_what_can_be_named_at_best() -> None:
    rng = np.random.default_rng(11)
    found = number(run(rows(rng, 1000), rows(rng, 1000)))
    assert found.detectable == pytest.approx(1 / (0.05 * 501))


def halves(table: pa.Table, rng: np.random.Generator, sizes: tuple[int, int]) -> list[pa.Table]:
    """Return two disjoint random parts."""
    order = rng.permutation(len(table))
    return [table.take(order[: sizes[0]]), table.take(order[sizes[0] : sum(sizes)])]


@pytest.mark.slow
@pytest.mark.calibration
@pytest.mark.parametrize(
    ("make", "plant", "share", "sizes"),
    [
        (rows, far, 0.1, (600, 300)),
        (rows, None, 0.2, (800, 500)),
        (tied, other_ties, 0.1, (500, 250)),
    ],
)
def test_of_the_listed_rows_few_are_innocent(calibration_runs, make, plant, share, sizes) -> None:
    runs = calibration_runs(bounded=25, full=600)
    false, found = [], 0
    for seed in range(runs):
        rng = np.random.default_rng([12, *sizes, seed])
        foreign = round(share * sizes[1])
        planted = plant(rng, foreign) if plant else shuffled(make(rng, foreign), rng)
        candidate = pa.concat_tables([make(rng, sizes[1] - foreign), planted])
        judged = listed(make(rng, sizes[0]), candidate)
        innocent = judged < sizes[1] - foreign
        false.append(innocent.sum() / max(1, len(judged)))
        found += (~innocent).sum()
    error = np.std(false) / np.sqrt(runs) + 1e-9
    assert np.mean(false) <= 0.1 * (1 - share) + 3.3 * error
    if plant:
        assert found >= 0.8 * runs * round(share * sizes[1])


def listed(reference: pa.Table, candidate: pa.Table) -> np.ndarray:
    """Return the positions of the listed rows at a rate of a tenth."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        policy = Path(folder) / "p.toml"
        policy.write_text("[check.quarantine]\nfdr = 0.1\n")
        gate(reference, candidate, rows=file, policy=str(policy))
        return np.array(parquet.read_table(file)["row"].to_pylist(), int)


@pytest.mark.slow
@pytest.mark.calibration
@pytest.mark.parametrize("source", [diamonds, cps])
def test_clean_batches_of_real_tables_are_seldom_held_up(calibration_runs, source) -> None:
    runs = calibration_runs(bounded=20, full=400)
    table, called, named = source(), 0, 0
    for seed in range(runs):
        rng = np.random.default_rng([13, seed])
        one, other = halves(table, rng, (1000, 500))
        found = run(one, other)
        called += found.evidence["batch_p_value"] <= 0.05
        named += number(found).value > 0
    assert called <= 0.05 * runs + 3.3 * np.sqrt(0.0475 * runs)
    assert named <= 0.05 * runs + 3.3 * np.sqrt(0.0475 * runs)


def test_shuffled_diamonds_are_found() -> None:
    rng = np.random.default_rng(14)
    table = some_rows(diamonds(), 14_000)
    one, other = halves(table, rng, (10_000, 3_000))
    planted = shuffled(table.slice(13_000, 300), rng)
    found = number(run(one, pa.concat_tables([other, planted])))
    assert found.value > 0.05
    assert (found.p_value or 1.0) < 1e-10


@pytest.mark.slow
def test_all_rows_of_a_large_batch_are_listed_and_not_only_sampled_ones(tmp_path) -> None:
    rng = np.random.default_rng(15)
    candidate = pa.concat_tables([rows(rng, 95_000), far(rng, 5_000)])
    order = rng.permutation(100_000)
    parquet.write_table(candidate.take(order), tmp_path / "c.parquet", row_group_size=30_011)
    report = gate(rows(rng, 20_000), str(tmp_path / "c.parquet"), rows=tmp_path / "rows.parquet")
    (finding,) = report.findings
    assert finding.n_candidate <= 65_536
    found = parquet.read_table(tmp_path / "rows.parquet")
    foreign = set(np.flatnonzero(order >= 95_000).tolist())
    named = set(found["row"].to_pylist())
    assert len(foreign - named) <= 50
    assert len(named - foreign) <= 0.08 * len(named)
    assert number(finding).value == pytest.approx(len(named) / 100_000, abs=0.005)
