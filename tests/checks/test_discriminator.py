"""Rows are told apart by what differs, and only by that."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.discriminator import Discriminator
from detector.findings import Finding, Gap, Measurement, Reason


def run(reference: pa.Table, candidate: pa.Table, **options: object) -> Finding:
    """Run the check."""
    roles = options.pop("roles", None)
    check = Discriminator(**options)  # type: ignore[arg-type]
    (finding,) = detector.measure(reference, candidate, checks=[check], roles=roles)  # type: ignore[arg-type]
    return finding


def number(finding: Finding) -> Measurement:
    """Return the measurement of a finding that has one."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def mixed(rng: np.random.Generator, rows: int, *, shift: float = 0.0) -> pa.Table:
    """Return numbers, levels and gaps; only `x` moves."""
    x = rng.standard_normal(rows) + shift
    y = np.where(rng.random(rows) < 0.1, np.nan, rng.standard_t(2, rows))
    return pa.table({"x": x, "y": y, "k": rng.integers(0, 30, rows).astype(str)})


def test_the_column_that_moved_gives_the_rows_away() -> None:
    rng = np.random.default_rng(0)
    found = run(mixed(rng, 1500), mixed(rng, 1500, shift=1.0))
    # Two normal laws one apart: the best possible area is Phi(1 / sqrt 2) = 0.760.
    assert number(found).value == pytest.approx(0.76, abs=0.03)
    assert (number(found).p_value or 1.0) < 1e-10
    columns = found.evidence["columns"]
    assert isinstance(columns, list)
    assert columns[0]["name"] == "x"
    assert columns[0]["importance"] == pytest.approx(0.26, abs=0.06)


def test_the_candidates_scores_lie_to_the_right() -> None:
    rng = np.random.default_rng(1)
    evidence = run(mixed(rng, 800), mixed(rng, 800, shift=1.5)).evidence
    reference, candidate = evidence["reference_share"], evidence["candidate_share"]
    assert sum(reference) == pytest.approx(1.0)  # type: ignore[arg-type]
    assert candidate[-1] > 5 * reference[-1]  # type: ignore[index]


def test_swapping_the_sides_tells_the_same_story() -> None:
    rng = np.random.default_rng(2)
    one, other = mixed(rng, 1000), mixed(rng, 1000, shift=0.7)
    there, back = number(run(one, other)), number(run(other, one))
    assert there.value == pytest.approx(back.value, abs=0.04)


def test_a_changed_product_of_three_columns_is_found() -> None:
    rng = np.random.default_rng(3)

    def rows(sign: float) -> pa.Table:
        a, b = rng.standard_normal((2, 3000))
        return pa.table({"a": a, "b": b, "c": sign * a * b + rng.standard_normal(3000)})

    assert number(run(rows(1.0), rows(-1.0))).value > 0.7


def test_too_few_rows_are_said() -> None:
    rng = np.random.default_rng(4)
    gap = run(mixed(rng, 100), mixed(rng, 39)).outcome
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (Reason.TOO_FEW_ROWS, "39 rows on one side, 40 needed")


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="rows must be at least 40"):
        Discriminator(rows=5)


def unseen(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return levels most of which one side alone has."""
    return pa.table({"k": rng.integers(0, 900, rows).astype(str), "x": rng.random(rows)})


def repeated(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return rows that occur several times, as equal rows of one law do."""
    return pa.table({"x": rng.integers(0, 9, rows) / 2, "k": rng.integers(0, 4, rows).astype(str)})


@pytest.mark.calibration
@pytest.mark.parametrize("make", [mixed, unseen, repeated])
@pytest.mark.parametrize("sizes", [(200, 200), (80, 500)])
def test_five_percent_of_equal_tables_are_told_apart(make: object, sizes: tuple[int, int]) -> None:
    rejected = 0
    for seed in range(100):
        rng = np.random.default_rng([5, *sizes, seed])
        one, other = (make(rng, rows) for rows in sizes)  # type: ignore[operator]
        rejected += (number(run(one, other)).p_value or 1.0) <= 0.05
    assert rejected <= 14  # 99.9 % bound of Binomial(100, 0.05)


@pytest.mark.calibration
def test_clusters_count_as_one() -> None:
    rejected = 0
    for seed in range(60):
        rng = np.random.default_rng([6, seed])
        sides = []
        for start in (0, 1000):
            group = np.repeat(np.arange(40), 8)
            x = rng.standard_normal((40, 2))[group] + 0.2 * rng.standard_normal((320, 2))
            sides.append(pa.table({"x": x[:, 0], "y": x[:, 1], "g": group + start}))
        found = run(*sides, roles={"g": "group"})
        rejected += (number(found).p_value or 1.0) <= 0.05
    assert rejected <= 10  # 99.9 % bound of Binomial(60, 0.05)
