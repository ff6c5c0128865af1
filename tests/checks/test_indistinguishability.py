"""Sameness is shown by many rows, never by few; copies show on the other side."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import detector
from detector.checks.indistinguishability import Indistinguishability
from detector.findings import Measurement, Worse

POLICY = """
name = "sameness"

[[rule]]
name = "sameness is shown"
check = "indistinguishability"
measurement = "auc"
kind = "equivalent"
margin = 0.05
action = "reject"
"""


def rows(count: int, *, seed: int) -> pa.Table:
    """Return rows of one law."""
    rng = np.random.default_rng(seed)
    return pa.table({"x": rng.standard_normal(count), "k": rng.integers(0, 9, count).astype(str)})


def area(reference: pa.Table, candidate: pa.Table) -> Measurement:
    """Return the measurement."""
    (finding,) = detector.measure(reference, candidate, checks=[Indistinguishability()])
    assert isinstance(finding.outcome, Measurement)
    return finding.outcome


def judged(reference: pa.Table, candidate: pa.Table, folder: object) -> detector.Verdict:
    """Return the only verdict under a policy that asks for sameness."""
    path = folder / "sameness.toml"  # type: ignore[operator]
    path.write_text(POLICY)
    report = detector.gate(reference, candidate, policy=path, checks=["indistinguishability"])
    (verdict,) = report.verdicts
    return verdict


def test_many_rows_of_one_law_cannot_be_told_apart(tmp_path: object) -> None:
    verdict = judged(rows(4000, seed=1), rows(4000, seed=2), tmp_path)
    assert verdict.level is detector.Level.PASS
    assert "cannot be told apart" in verdict.message
    assert "control them by provenance" in verdict.advice


def test_few_rows_are_undecided_and_say_how_many_are_needed(tmp_path: object) -> None:
    verdict = judged(rows(120, seed=1), rows(120, seed=2), tmp_path)
    assert verdict.level is detector.Level.UNKNOWN
    assert verdict.rows_needed is not None
    assert verdict.rows_needed > 120


def test_rows_of_another_law_can_be_told_apart(tmp_path: object) -> None:
    moved = rows(2000, seed=2)
    moved = moved.set_column(0, "x", pa.array(np.asarray(moved["x"]) + 1))
    verdict = judged(rows(2000, seed=1), moved, tmp_path)
    assert verdict.level is detector.Level.FAIL
    assert "can be told apart" in verdict.message


def test_it_reads_both_sides_and_shares_the_fit_of_the_discriminator() -> None:
    pair = rows(300, seed=1), rows(300, seed=2)
    findings = detector.measure(*pair, checks=["discriminator", "indistinguishability"])
    one, two = (finding.outcome for finding in findings)
    assert isinstance(one, Measurement)
    assert isinstance(two, Measurement)
    assert (one.value, one.interval) == (two.value, two.interval)
    assert (one.worse, two.worse) == (Worse.HIGHER, Worse.BOTH)
    alone = area(*pair)
    assert alone == two


def test_copied_rows_fall_below_a_half() -> None:
    rng = np.random.default_rng(9)
    reference = pa.table({f"c{place}": rng.standard_normal(1500) for place in range(4)})
    copied = area(reference, reference.take(rng.permutation(1500)[:1400]))
    assert copied.interval is not None
    assert copied.interval[1] < 0.5
    assert (copied.p_value or 1.0) < 1e-6
