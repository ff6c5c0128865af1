"""Rows that differ only as a whole are told apart; equal ones are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.joint import Joint
from detector.findings import Finding, Gap, Measurement, Reason


def run(reference: pa.Table, candidate: pa.Table, **options: object) -> Finding:
    """Run the check."""
    roles = options.pop("roles", None)
    check = Joint(**options)  # type: ignore[arg-type]
    (finding,) = detector.measure(reference, candidate, checks=[check], roles=roles)  # type: ignore[arg-type]
    return finding


def number(finding: Finding) -> Measurement:
    """Return the measurement of a finding that has one."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def ring(rng: np.random.Generator, rows: int, *, product: float) -> pa.Table:
    """Return three signs, any two independent; their product leans to one side or is free."""
    a, b = rng.choice([-1.0, 1.0], (2, rows))
    c = np.where(rng.random(rows) < (1 + product) / 2, a * b, -a * b)
    noise = rng.standard_normal((3, rows)) / 4
    return pa.table({"a": a + noise[0], "b": b + noise[1], "c": c + noise[2]})


def test_a_change_of_three_columns_that_no_pair_shows_is_seen() -> None:
    rng = np.random.default_rng(0)
    seen = number(run(ring(rng, 1000, product=0.0), ring(rng, 1000, product=0.8)))
    assert seen.p_value == pytest.approx(0.0005)
    assert seen.interval is not None
    assert seen.interval[0] > 0


def test_many_rows_are_compared_by_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.profiles.sample.KEPT", 2048)
    rng = np.random.default_rng(1)
    one, other = (pa.table(list(rng.standard_normal((3, 40_000))), names=list("abc")) for _ in "12")
    moved = other.set_column(0, "a", pa.array(np.asarray(other["a"]) + 0.1))
    assert (number(run(one, other)).p_value or 0.0) > 0.01
    seen = run(one, moved)
    assert (number(seen).p_value or 1.0) < 0.01
    assert seen.n_candidate == 40_000


def test_levels_seen_on_one_side_only_are_no_alarm() -> None:
    rng = np.random.default_rng(2)
    sides = [pa.table({"k": rng.integers(0, 1500, 800).astype(str)}) for _ in range(2)]
    assert (number(run(*sides)).p_value or 0.0) > 0.005


def test_equal_constant_rows_are_a_gap() -> None:
    table = pa.table({"x": [1.0] * 30})
    gap = run(table, table).outcome
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.CONSTANT_COLUMN


def test_too_few_rows_are_said() -> None:
    gap = run(pa.table({"x": np.arange(50.0)}), pa.table({"x": np.arange(3.0)})).outcome
    assert isinstance(gap, Gap)
    assert gap.detail == "3 rows on one side, 10 needed"


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="permutations must be at least 99"):
        run(pa.table({"x": [1.0]}), pa.table({"x": [1.0]}), permutations=9)


@pytest.mark.calibration
@pytest.mark.parametrize("rows", [(150, 150), (60, 400)])
def test_five_percent_of_equal_mixed_tables_are_called_different(rows: tuple[int, int]) -> None:
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng([11, *rows, seed])
        tables = []
        for count in rows:
            x = rng.standard_t(2, count)
            level = rng.integers(0, 40, count).astype(str)
            tables.append(pa.table({"x": x, "y": np.round(x + rng.random(count)), "k": level}))
        rejected += (number(run(*tables, permutations=199)).p_value or 1.0) <= 0.05
    assert 2 <= rejected <= 21  # central 99.9 % of Binomial(200, 0.05)
