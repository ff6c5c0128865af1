"""Rows of a registered file are known again, with how many and whose."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import detector
from detector.checks.known_synthetic import KnownSynthetic
from detector.data.registry import Registry, known_rows
from detector.errors import DetectorError
from detector.findings import Finding, Gap, Measurement, Reason
from detector.verdicts import Decision


def rows(seed: int, count: int) -> pa.Table:
    """Return the first of 5,000 rows that hardly ever meet by chance."""
    rng = np.random.default_rng(seed)
    table = pa.table(
        {
            "x": rng.standard_normal(5_000),
            "y": rng.lognormal(0, 1, 5_000),
            "k": rng.choice(list("abc"), 5_000),
            "n": rng.integers(0, 99, 5_000),
        }
    )
    return table.slice(0, count)


@pytest.fixture
def registry(tmp_path):
    """Return a registry of two files."""
    held = Registry()
    for seed, name in ((1, "gan"), (2, "copula")):
        parquet.write_table(rows(seed, 5_000), tmp_path / f"{name}.parquet")
        held = held.add(known_rows(str(tmp_path / f"{name}.parquet"), name=name))
    held.write(tmp_path / "r.json")
    return str(tmp_path / "r.json")


def run(
    reference: object, candidate: object, registry: str | None = None, **others: object
) -> Finding:
    """Run the check."""
    check = KnownSynthetic() if registry is None else KnownSynthetic(registry=registry)
    (finding,) = detector.measure(reference, candidate, checks=[check], **others)  # type: ignore[arg-type]
    return finding


def number(finding: Finding) -> Measurement:
    """Return the measurement of a finding that has one."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def gap(finding: Finding) -> Gap:
    """Return the gap of a finding that has one."""
    assert isinstance(finding.outcome, Gap), finding.outcome
    return finding.outcome


def test_shuffled_joined_rounded_rows_in_another_format_are_known(tmp_path, registry):
    mixed = pa.concat_tables([rows(7, 700), rows(2, 300)])
    mixed = mixed.take(np.random.default_rng(0).permutation(1000)).select(["n", "k", "y", "x"])
    for name in ("x", "y"):
        place = mixed.column_names.index(name)
        mixed = mixed.set_column(place, name, pa.array(np.round(np.asarray(mixed[name]), 3)))
    csv.write_csv(mixed, tmp_path / "mixed.csv")
    found = run(rows(8, 2000), str(tmp_path / "mixed.csv"), registry)
    assert 0.27 < number(found).value <= 0.3
    assert (number(found).p_value or 1) < 1e-50
    assert found.evidence["direction"] == "as in `copula`"
    assert found.evidence["sources"] == [
        {"name": "copula", "share": number(found).value, "known": found.evidence["known"]}
    ]


def test_other_rows_of_the_same_law_are_not_known(registry):
    found = number(run(rows(8, 2000), rows(7, 1000), registry))
    assert found.value <= 0.002
    assert (found.p_value or 0) > 0.5
    assert found.detectable == pytest.approx(0.006, abs=0.003)


def test_rows_that_the_reference_has_as_well_do_not_count(registry):
    reference = pa.concat_tables([rows(8, 1000), rows(1, 500)])
    candidate = pa.concat_tables([rows(7, 500), rows(1, 500)])
    found = number(run(reference, candidate, registry))
    assert found.value == 0.0
    assert found.p_value == 1.0


def test_rows_of_few_short_columns_are_no_news(tmp_path):
    rng = np.random.default_rng(0)

    def short(count):
        return pa.table({"a": rng.integers(0, 60, count), "b": rng.integers(0, 60, count)})

    parquet.write_table(short(2000), tmp_path / "s.parquet")
    Registry().add(known_rows(str(tmp_path / "s.parquet"))).write(tmp_path / "r.json")
    found = number(run(short(800), short(800), str(tmp_path / "r.json")))
    assert (found.null_value or 0) > 0.3
    assert (found.p_value or 0) > 0.01


def test_rows_given_as_synthetic_are_a_source():
    candidate = pa.concat_tables([rows(7, 300), rows(3, 100)])
    found = run(rows(8, 1000), candidate, synthetic=rows(3, 2000))
    assert number(found).value == pytest.approx(0.25, abs=0.01)
    assert found.evidence["direction"] == "as in `synthetic`"


@pytest.mark.parametrize(
    "synthetic", [pa.table({"other": [1.0, 2.0]}), rows(3, 0)], ids=["other columns", "no rows"]
)
def test_rows_given_as_synthetic_that_cannot_be_used_are_no_source(
    synthetic, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    found = gap(run(rows(8, 500), rows(7, 500), synthetic=synthetic))
    assert found.reason is Reason.NEEDS_REGISTRY


def test_without_a_registry_it_is_a_gap(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = gap(run(rows(8, 500), rows(7, 500)))
    assert found.reason is Reason.NEEDS_REGISTRY
    assert found.detail == "there is no registry `detector-registry.json` of known synthetic rows"


@pytest.mark.usefixtures("registry")
def test_the_registry_of_the_working_directory_is_found(tmp_path, monkeypatch):
    (tmp_path / "r.json").rename(tmp_path / "detector-registry.json")
    monkeypatch.chdir(tmp_path)
    assert number(run(rows(8, 500), rows(1, 500))).value == 1.0


def test_a_registry_that_was_named_must_be_there(tmp_path):
    with pytest.raises(DetectorError, match=r"Cannot read `no\.json`"):
        run(rows(8, 500), rows(7, 500), str(tmp_path / "no.json"))


def test_three_rows_are_a_gap(registry):
    found = gap(run(rows(8, 500), rows(1, 3), registry))
    assert (found.reason, found.detail) == (
        Reason.TOO_FEW_ROWS,
        "3 different rows that a fingerprint could know, 30 needed",
    )


def test_one_row_many_times_is_one_row(registry):
    found = gap(run(rows(8, 500), rows(1, 1).take([0] * 500), registry))
    assert found.detail.startswith("1 different rows")


def test_other_columns_are_a_gap(registry):
    found = gap(run(rows(8, 500).drop_columns(["n"]), rows(1, 500).drop_columns(["n"]), registry))
    assert found.reason is Reason.NO_COMMON_COLUMNS
    assert found.detail.startswith(
        "no known source has these columns only: `gan` has the column `n`"
    )


def test_further_columns_do_not_hide_rows(registry):
    sides = [
        table.append_column("more", pa.array(np.arange(500.0)))
        for table in (rows(8, 500), rows(1, 500))
    ]
    assert number(run(*sides, registry)).value == 1.0


def test_a_profile_without_rows_is_a_gap(registry):
    bare = detector.profile(rows(8, 500), sample=False)
    assert gap(run(bare, rows(1, 500), registry)).reason is Reason.NEEDS_ROWS


def test_the_gate_warns_and_a_policy_can_refuse(registry, tmp_path):
    sides = rows(8, 1000), pa.concat_tables([rows(7, 500), rows(1, 500)])
    report = detector.gate(*sides, checks=["known_synthetic"], registry=registry)
    assert report.decision is Decision.ADMIT
    assert "50 % of the rows are known to come from a generator, as in `gan`" in report.headline
    policy = tmp_path / "p.toml"
    policy.write_text(
        '[check.known_synthetic]\nregistry = "' + registry + '"\n[[rule]]\nname = "n"\n'
        'check = "known_synthetic"\nmeasurement = "known_synthetic_share"\n'
        'kind = "significant"\naction = "reject"\n'
    )
    assert detector.gate(*sides, policy=policy).decision is Decision.REJECT
