"""Planted marks are found, shared ones do not count, and real tables are not flagged wholesale."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import detector
from benchmarks.fingerprints import PLANTED, honest, table
from detector.checks.fingerprints import Fingerprints
from detector.findings import Finding, Gap, Measurement, Reason
from detector.policy.words import seen
from detector.verdicts import Decision, Level
from tests.realdata import cps, diamonds, flights, halves, placements, some_rows

EXPECTED = {
    "nothing": set(),
    "4 bits, even in value": {"lattice_columns", "register_columns"},
    "8 bits, even in value": {"lattice_columns", "register_columns"},
    "4 bits, even in rank": {"register_columns"},
    "6 columns of 3 latents": {"exact_equations"},
    "digits of a Sobol sequence": {"even_digit_columns"},
    "a tenth of the rows twice, one column redrawn": {"twin_rows"},
    "clipped at 2 and 98 %": {"piled_columns"},
}


def run(reference: pa.Table, candidate: pa.Table) -> dict[str, Finding]:
    found = detector.measure(reference, candidate, checks=[Fingerprints()])
    return {finding.outcome.name: finding for finding in found}


def number(finding: Finding) -> Measurement:
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def counted(found: dict[str, Finding]) -> set[str]:
    return {
        name
        for name, finding in found.items()
        if isinstance(finding.outcome, Measurement) and (finding.outcome.p_value or 1) <= 1e-3
    }


def test_every_planted_mark_has_a_test():
    assert set(EXPECTED) == set(PLANTED)


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_mark_is_found_and_nothing_else(what: str):
    rng = np.random.default_rng([1, len(what)])
    reference, batch = honest(rng)
    assert counted(run(table(reference), table(PLANTED[what](batch, rng)))) == EXPECTED[what]


@pytest.mark.parametrize("what", PLANTED)
def test_a_mark_that_the_reference_bears_does_not_count(what: str):
    rng = np.random.default_rng([2, len(what)])
    mixing = int(rng.integers(2**31))
    batch = np.concatenate(honest(rng))
    marked = PLANTED[what](batch, np.random.default_rng(mixing))
    rows = rng.permutation(len(marked))
    if what.startswith("digits"):  # half of too even digits varies: the rest is the other half
        marked = np.concatenate((marked[:2000], marked[:2000]))
        rows = np.arange(4000)
    found = run(table(marked[rows[:2000]]), table(marked[rows[2000:]]))
    assert counted(found) == set()


def test_marks_are_named():
    rng = np.random.default_rng(3)
    reference, batch = honest(rng)
    batch[:, 5] = batch[:, 0] + 2 * batch[:, 1]
    found = run(table(reference), table(batch))["exact_equations"]
    (mark,) = found.evidence["columns"]  # type: ignore[misc]
    assert {"c0", "c1", "c5"} <= set(mark["equation"].replace(" ", "-").split("-"))
    assert seen(found).startswith("exact equations between columns that the reference breaks: 1")


def test_a_column_that_another_determines_counts_where_the_reference_has_exceptions():
    rng = np.random.default_rng(4)

    def side(*, exceptions: float) -> pa.Table:
        city = rng.integers(0, 12, 1500)
        state = np.where(rng.random(1500) < exceptions, rng.integers(0, 4, 1500), city // 3)
        return pa.table({"city": city.astype(str), "state": state.astype(str)})

    loose, strict = side(exceptions=0.2), side(exceptions=0)
    found = run(loose, strict)["determined_columns"]
    assert [mark["name"] for mark in found.evidence["columns"]] == ["state"]  # type: ignore[attr-defined]
    again = run(strict, side(exceptions=0))["determined_columns"]
    assert number(again).value == 0
    assert again.evidence["shared"] == ["state"]


def test_a_few_bits_of_whole_rows_are_seen():
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 2, (3000, 7))
    levels = {f"c{place}": column.astype(float) for place, column in enumerate(bits.T)}
    real = rng.standard_normal((3000, 7)).round(1)
    found = number(run(table(real), pa.table(levels))["support_bits"])
    assert found.value == 7
    assert found.p_value == pytest.approx(2**0.5 / 128)


@pytest.mark.parametrize("make", [diamonds, flights, cps])
def test_halves_of_real_tables_bear_no_mark_of_their_own(make):
    found = run(*halves(some_rows(make(), 8000, seed=6)))
    assert counted(found) == set(), {name: found[name].evidence for name in counted(found)}


def test_a_third_partys_synthetic_rows_bear_marks_or_not_but_do_not_crash():
    real, synthetic = placements()
    found = run(real, synthetic.select(real.column_names))
    assert set(found) <= Fingerprints.measures


def test_marks_warn_and_never_refuse():
    rng = np.random.default_rng(7)
    reference, batch = honest(rng)
    report = detector.gate(
        table(reference),
        table(PLANTED["4 bits, even in value"](batch, rng)),
        checks=["fingerprints"],
    )
    assert report.decision is Decision.ADMIT
    assert any(verdict.level is Level.WARN for verdict in report.verdicts)


def test_digits_of_a_sample_are_a_gap():
    rng = np.random.default_rng(8)
    sides = [pa.table({"x": rng.integers(0, 5000, 300)}) for _ in range(2)]
    (gap,) = [
        finding.outcome
        for finding in detector.measure(*sides, checks=[Fingerprints(rows=200)])
        if finding.outcome.name == "even_digit_columns"
    ]
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (Reason.NEEDS_ROWS, "200 of 300 rows; a sample varies")


def test_too_few_rows_are_said():
    sides = [pa.table({"x": np.arange(rows) / 7}) for rows in (500, 60)]
    found = run(*sides)
    assert set(found) == Fingerprints.measures
    for finding in found.values():
        assert isinstance(finding.outcome, Gap)
        assert finding.outcome.detail == "60 rows, 100 needed"


def test_options_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="rows must be at least 100"):
        Fingerprints(rows=5)
