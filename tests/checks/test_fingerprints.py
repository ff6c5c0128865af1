"""Planted marks are found, shared ones do not count, and real tables are not flagged wholesale."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import qmc

import detector
from benchmarks.fingerprints import PLANTED, honest, table
from detector.checks.fingerprints import Fingerprints
from detector.findings import Finding, Gap, Measurement, Reason
from detector.policy.words import seen
from detector.profiles.profile import merge
from detector.verdicts import Decision, Level
from tests.realdata import cps, diamonds, flights, halves, placements, some_rows

if TYPE_CHECKING:
    from collections.abc import Callable

EXPECTED = {
    "nothing": set(),
    "4 bits, even in value": {"lattice_columns", "register_columns"},
    "8 bits, even in value": {"lattice_columns", "register_columns"},
    "4 bits, even in rank": {"register_columns"},
    "6 columns of 3 latents": {"exact_equations"},
    "digits of a Sobol sequence": {"even_digit_columns"},
    "a tenth of the rows twice, one column redrawn": {"twin_rows"},
    "clipped at 2 and 98 %": {"piled_columns"},
    "sorted by a column": {"ordered_columns"},
    "a chain that keeps 0.3": {"ordered_columns"},
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


def order(reference: object, candidate: object, **roles: str) -> Finding:
    found = detector.measure(reference, candidate, checks=[Fingerprints()], roles=roles)
    return next(finding for finding in found if finding.outcome.name == "ordered_columns")


def bits(rows: int, *, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((rows, 8)) < rng.uniform(0.2, 0.8, 8)


def as_sampled(rows: np.ndarray) -> pa.Table:
    return pa.table({f"q{place}": column.astype(int) for place, column in enumerate(rows.T)})


def chain(rng: np.random.Generator, rows: int, *, kept: float) -> np.ndarray:
    """Return states of a sampler, each a step of an autoregression away from the last."""
    steps = rng.standard_normal((rows, 3)) * np.sqrt(1 - kept**2)
    for place in range(1, rows):
        steps[place] += kept * steps[place - 1]
    return steps


def test_sorted_bitstrings_are_seen():
    reference, batch = bits(1000, seed=1), bits(600, seed=2)
    found = order(as_sampled(reference), as_sampled(batch[np.lexsort(batch.T[::-1])]))
    assert number(found).value >= 5
    assert number(found).p_value < 1e-100
    first = found.evidence["columns"][0]  # type: ignore[index]
    assert (first["name"], first["sorted"], first["changes"]) == ("q0", True, 1)
    assert "order that no shuffle leaves, unlike the reference's" in seen(found)


@pytest.mark.slow
def test_bitstrings_as_tensorflow_quantum_samples_them_are_seen():
    import cirq
    import tensorflow_quantum as tfq

    qubits = cirq.GridQubit.rect(1, 4)
    turns = [cirq.ry(0.7 + 0.3 * place)(qubit) for place, qubit in enumerate(qubits)]
    circuit = cirq.Circuit(turns, [cirq.CNOT(*pair) for pair in pairwise(qubits)])
    rows = tfq.layers.Sample()(circuit, repetitions=600).numpy()[0]
    shuffled = np.random.default_rng(15).permutation(rows)
    found = order(as_sampled(shuffled), as_sampled(rows))
    assert number(found).value == 4
    assert found.evidence["columns"][0]["sorted"]  # type: ignore[index]


def test_shuffled_bitstrings_are_in_no_order():
    batch = bits(600, seed=3)
    assert number(order(as_sampled(bits(1000, seed=1)), as_sampled(batch))).value == 0


def test_rows_in_blocks_of_a_class_are_seen():
    rng = np.random.default_rng(4)
    reference = {"class": rng.choice(list("abc"), 900), "x": rng.standard_normal(900)}
    batch = {"class": np.repeat(list("cab"), 200), "x": rng.standard_normal(600)}
    found = order(reference, batch)
    (mark,) = found.evidence["columns"]  # type: ignore[misc]
    assert (mark["name"], mark["sorted"], mark["changes"]) == ("class", True, 2)
    assert mark["expected"] == pytest.approx(400)


@pytest.mark.parametrize("kept", [0.3, -0.3])
def test_a_chain_is_seen_in_every_column(kept: float):
    rng = np.random.default_rng(5)
    found = order(table(chain(rng, 2000, kept=0)), table(chain(rng, 2000, kept=kept)))
    assert number(found).value == 3
    for mark in found.evidence["columns"]:  # type: ignore[attr-defined]
        assert not mark["sorted"]
        # Neighbours at a correlation r lie on two sides of the median with the chance acos(r)/pi.
        assert mark["changes"] / 1999 == pytest.approx(np.arccos(kept) / np.pi, abs=0.05)


def test_rejected_steps_that_repeat_the_row_before_are_seen():
    rng = np.random.default_rng(6)
    accepted = np.maximum.accumulate(np.where(rng.random(2000) < 0.7, np.arange(2000), 0))
    found = order(
        table(rng.standard_normal((2000, 3))), table(rng.standard_normal((2000, 3))[accepted])
    )
    assert number(found).value == 3


def test_a_sequence_that_alternates_too_well_is_seen():
    rng = np.random.default_rng(14)
    spread = qmc.Sobol(2, seed=1).random_base2(10)
    found = order(table(rng.random((1000, 2))), table(spread))
    for mark in found.evidence["columns"]:  # type: ignore[attr-defined]
        assert mark["changes"] > mark["expected"]
    assert number(found).value >= 1


def test_an_order_that_the_reference_has_does_not_count():
    rng = np.random.default_rng(7)
    sides = (table(np.sort(rng.standard_normal((500, 2)), axis=0)) for _ in range(2))
    found = order(*sides)
    assert number(found).value == 0
    assert found.evidence["shared"] == ["c0", "c1"]


def test_rows_in_order_of_time_say_nothing():
    rng = np.random.default_rng(8)
    walk = chain(rng, 500, kept=0.9)[:, 0]
    reference = {"when": rng.permutation(500).astype("M8[D]"), "x": rng.standard_normal(500)}
    gap = order(reference, {"when": np.arange(500).astype("M8[D]"), "x": walk}).outcome
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.NOT_IDENTIFIABLE
    assert gap.detail == "the rows are in order of `when`, and other columns may follow it"
    found = order(reference, {"when": rng.permutation(500).astype("M8[D]"), "x": walk})
    assert number(found).value == 1


def test_years_in_the_role_of_time_are_times():
    rng = np.random.default_rng(9)
    sides = [{"year": np.arange(500), "x": rng.standard_normal(500)} for _ in range(2)]
    assert isinstance(order(*sides, year="time").outcome, Gap)


def test_groups_may_follow_each_other():
    rng = np.random.default_rng(10)
    sides = [{"who": np.repeat(np.arange(50), 10), "x": rng.random(500)} for _ in range(2)]
    gap = order(*sides, who="group").outcome
    assert isinstance(gap, Gap)
    assert gap.detail == "rows of one `who` may follow each other"


def test_a_merged_profile_knows_no_order():
    rng = np.random.default_rng(11)
    whole = detector.profile(table(rng.standard_normal((400, 2))))
    more = detector.profile(table(rng.standard_normal((400, 2))), against=whole)
    gap = order(merge([whole, more]), table(rng.standard_normal((400, 2)))).outcome
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.NEEDS_ROWS
    assert gap.detail == "the reference is a merged or older profile, which knows no order of rows"


@pytest.mark.calibration
def test_shuffled_rows_with_ties_are_seldom_in_an_order(calibration_runs: Callable[..., int]):
    runs, rng, seen_in = calibration_runs(bounded=60, full=1000), np.random.default_rng(12), 0
    for _ in range(runs):
        sides = [
            {
                "count": rng.poisson(2, 150),
                "x": rng.standard_normal(150),
                "zeros": rng.poisson(0.3, 150) * rng.random(150),
                "level": rng.choice(list("abcdef"), 150, p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.05]),
            }
            for _ in range(2)
        ]
        seen_in += number(order(*sides)).value > 0
    assert seen_in <= 1 + runs // 200


def test_no_built_in_rule_judges_an_order():
    rng = np.random.default_rng(13)
    sides = rng.standard_normal((500, 2)), np.sort(rng.standard_normal((500, 2)), axis=0)
    report = detector.gate(*map(table, sides), checks=["fingerprints"])
    assert all(verdict.level is Level.PASS for verdict in report.verdicts)
    (found,) = [f for f in report.findings if f.outcome.name == "ordered_columns"]
    assert number(found).value == 2


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
