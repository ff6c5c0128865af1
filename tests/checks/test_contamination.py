"""Foreign rows are bounded from below, and rows like known synthetic ones are counted."""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from scipy import stats

import detector
from detector.checks.contamination import Contamination
from detector.findings import Finding, Gap, Measurement, Reason
from tests.realdata import FIXTURES, cps, halves, some_rows

if TYPE_CHECKING:
    from collections.abc import Callable


def run(reference: pa.Table, candidate: pa.Table, **more: object) -> dict[str, Finding]:
    """Run the check; its findings by name."""
    found = detector.measure(reference, candidate, checks=["contamination"], **more)  # type: ignore[arg-type]
    return {finding.outcome.name: finding for finding in found}


def number(finding: Finding) -> Measurement:
    """Return the measurement of a finding that has one."""
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def gap(finding: Finding) -> Gap:
    """Return the gap of a finding that has one."""
    assert isinstance(finding.outcome, Gap), finding.outcome
    return finding.outcome


def rows(rng: np.random.Generator, count: int, *, move: float = 0.0) -> pa.Table:
    """Return numbers and levels; `x` may be moved."""
    x, y = rng.standard_normal((2, count))
    return pa.table({"x": x + move, "y": y, "k": rng.integers(0, 4, count).astype(str)})


def mixed(rng: np.random.Generator, count: int, *, share: float, move: float) -> pa.Table:
    """Return rows of which a share is moved."""
    other = round(share * count)
    return pa.concat_tables([rows(rng, count - other), rows(rng, other, move=move)])


def test_foreign_rows_far_off_are_counted() -> None:
    rng = np.random.default_rng(0)
    found = number(run(rows(rng, 800), mixed(rng, 900, share=0.3, move=6.0))["foreign_share"])
    assert found.value == pytest.approx(0.3, abs=0.04)
    assert found.interval is not None
    assert 0.2 < found.interval[0] <= 0.3
    assert found.interval[1] == 1.0  # clean rows alone never bound the share from above
    assert (found.p_value or 1.0) < 1e-10


def test_red_wine_among_white_is_counted() -> None:
    red, white = (
        csv.read_csv(
            pa.py_buffer(lzma.decompress((FIXTURES / "real" / "uci" / name).read_bytes())),
            parse_options=csv.ParseOptions(delimiter=";"),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(
                    ("free sulfur dioxide", "total sulfur dioxide"), "double"
                )
            ),
        )
        for name in ("winequality-red.csv.xz", "winequality-white.csv.xz")
    )
    clean, other = some_rows(red, 1_500), some_rows(white, 300)
    found = number(
        run(clean.slice(0, 600), pa.concat_tables([clean.slice(600), other]))["foreign_share"]
    )
    assert found.value == pytest.approx(0.25, abs=0.05)


def test_known_synthetic_rows_are_counted_with_an_interval() -> None:
    rng = np.random.default_rng(1)
    found = number(
        run(
            rows(rng, 700),
            mixed(rng, 900, share=0.4, move=1.0),
            synthetic=rows(rng, 600, move=1.0),
        )["synthetic_share"]
    )
    assert found.interval is not None
    assert found.interval[0] <= 0.4 <= found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.25


def test_a_batch_like_the_reference_is_a_gap_that_says_what_could_hide() -> None:
    found = run(*halves(some_rows(cps(), 1_200)))["foreign_share"]
    assert gap(found).reason is Reason.NOT_IDENTIFIABLE
    assert "of rows unlike the reference's could hide unseen" in gap(found).detail
    assert found.evidence["at_least"] == 0.0


def test_synthetic_rows_like_the_reference_are_a_gap() -> None:
    rng = np.random.default_rng(3)
    clean, batch = rows(rng, 400), mixed(rng, 400, share=0.5, move=3.0)
    said = gap(run(clean, batch, synthetic=rows(rng, 400))["synthetic_share"])
    assert said.reason is Reason.NOT_IDENTIFIABLE
    assert "up to 100 % of the rows could be like them unseen" in said.detail


@pytest.mark.parametrize(
    ("synthetic", "reason", "detail"),
    [
        (None, Reason.NEEDS_SYNTHETIC, "no rows known to be synthetic were given"),
        (
            {"z": [1.0] * 60},
            Reason.COLUMN_ABSENT,
            "the synthetic rows lack 3 of the compared columns, first `x`",
        ),
        (
            {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0], "k": ["0", "1", "2"]},
            Reason.TOO_FEW_ROWS,
            "3 rows in the reference, the synthetic rows or the candidate, 40 needed",
        ),
    ],
)
def test_what_cannot_be_counted_is_said(
    synthetic: dict[str, list[object]] | None, reason: Reason, detail: str
) -> None:
    rng = np.random.default_rng(4)
    given = None if synthetic is None else pa.table(synthetic)
    said = gap(run(rows(rng, 60), rows(rng, 60), synthetic=given)["synthetic_share"])
    assert (said.reason, said.detail) == (reason, detail)


def test_three_rows_are_said_to_be_too_few() -> None:
    rng = np.random.default_rng(5)
    said = gap(run(rows(rng, 100), rows(rng, 3))["foreign_share"])
    assert (said.reason, said.detail) == (Reason.TOO_FEW_ROWS, "3 rows on one side, 40 needed")


def test_equal_rows_everywhere_are_a_gap() -> None:
    one = pa.table({"x": [1.0] * 60})
    found = run(one, one, synthetic=one)
    assert gap(found["foreign_share"]).reason is Reason.CONSTANT_COLUMN
    assert gap(found["synthetic_share"]).reason is Reason.CONSTANT_COLUMN


def test_of_clustered_rows_each_group_counts_once() -> None:
    rng = np.random.default_rng(6)
    sides = []
    for start in (0, 1_000):
        group = np.repeat(np.arange(60), 8)
        place = rng.standard_normal((60, 2))[group]
        sides.append(pa.table({"x": place[:, 0], "y": place[:, 1], "g": group + start}))
    found = run(*sides, roles={"g": "group"})["foreign_share"]
    assert (found.n_reference, found.n_candidate) == (60, 60)
    few = run(sides[0], sides[1].slice(0, 8 * 20), roles={"g": "group"})["foreign_share"]
    assert gap(few).reason is Reason.TOO_FEW_GROUPS
    assert gap(few).detail == "20 groups on one side, 40 needed"


def test_the_words_say_at_least_and_that_drift_looks_the_same() -> None:
    rng = np.random.default_rng(7)
    report = detector.gate(
        rows(rng, 500), mixed(rng, 500, share=0.5, move=5.0), checks=["contamination"]
    )
    text = " ".join(detector.render(report, "text").split())
    assert "At least 4" in text
    assert "of the rows are foreign, by contamination or by drift" in text


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="contamination: rows must be at least 40"):
        Contamination(rows=5)


@pytest.mark.slow
@pytest.mark.calibration
def test_clean_batches_have_a_bound_of_zero(calibration_runs: Callable[..., int]) -> None:
    runs = calibration_runs(bounded=30, full=500)
    whole = some_rows(cps(), 8_000)
    above = 0
    for seed in range(runs):
        found = run(*halves(some_rows(whole, 320, seed=seed), seed=seed), seed=seed)
        above += found["foreign_share"].evidence["at_least"] != 0.0
    assert above <= stats.binom(runs, 0.05).ppf(0.9995)


@pytest.mark.slow
@pytest.mark.calibration
def test_the_bound_and_the_interval_hold_the_share(calibration_runs: Callable[..., int]) -> None:
    runs = calibration_runs(bounded=25, full=400)
    too_high, missed = 0, 0
    for seed in range(runs):
        rng = np.random.default_rng([8, seed])
        other = int(rng.binomial(300, 0.3))
        batch = pa.concat_tables([rows(rng, 300 - other), rows(rng, other, move=2.0)])
        found = run(rows(rng, 200), batch, synthetic=rows(rng, 200, move=2.0), seed=seed)
        too_high += found["foreign_share"].evidence["at_least"] > 0.3  # type: ignore[operator]
        low, high = number(found["synthetic_share"]).interval or (0.0, 0.0)
        missed += not low <= 0.3 <= high
    assert too_high <= stats.binom(runs, 0.05).ppf(0.9995)
    assert missed <= stats.binom(runs, 0.05).ppf(0.9995)
