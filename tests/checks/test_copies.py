"""Copies are found by a holdout, and likeness is not called a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.copies import Copies
from detector.findings import Finding, Gap, Measurement, Reason
from detector.profiles import sample
from tests.realdata import diamonds, some_rows
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable

TESTED = ("reappearing_rows", "near_copies", "data_copying")


def table(rows: np.ndarray) -> pa.Table:
    return pa.table({f"c{place}": column for place, column in enumerate(rows.T)})


def run(
    reference: object, candidate: object, holdout: object = None, **options: object
) -> dict[str, Finding]:
    sides = [
        table(side) if isinstance(side, np.ndarray) else side
        for side in (reference, candidate, holdout)
    ]
    found = detector.measure(
        sides[0],
        sides[1],
        holdout=sides[2],
        checks=[Copies()],
        **options,  # type: ignore[arg-type]
    )
    return {finding.outcome.name: finding for finding in found}


def number(finding: Finding) -> Measurement:
    assert isinstance(finding.outcome, Measurement), finding.outcome
    return finding.outcome


def gap(finding: Finding) -> Gap:
    assert isinstance(finding.outcome, Gap), finding.outcome
    return finding.outcome


def normal(seed: int, *, rows: int = 1000, columns: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((3, rows, columns))


def test_equal_rows_are_counted_one_by_one():
    reference, candidate, holdout = normal(0)
    candidate[:10] = reference[:10]
    found = run(reference, candidate, holdout)
    assert number(found["exact_copies"]).value == 0.01
    assert found["exact_copies"].evidence["copied"] == 10
    assert number(found["reappearing_rows"]).value == 0.01
    # Ten of ten equal rows are the reference's: about 2^-10, half of it as a mid-p value.
    assert number(found["reappearing_rows"]).p_value == pytest.approx(2**-11, rel=0.1)


def test_rows_with_jitter_are_near_copies_and_no_exact_ones():
    reference, candidate, holdout = normal(1)
    jitter = np.random.default_rng(2).standard_normal((20, 5))
    candidate[:20] = reference[:20] + 1e-3 * jitter
    found = run(reference, candidate, holdout)
    assert number(found["exact_copies"]).value == 0
    assert (number(found["near_copies"]).p_value or 1) < 0.001
    assert number(found["near_copies"]).value > number(found["near_copies"]).null_value  # type: ignore[operator]


def test_a_narrow_kernel_is_data_copying_and_a_wide_one_is_not():
    reference, _, holdout = normal(3, columns=2)
    rng = np.random.default_rng(4)
    near, wide = (reference + width * rng.standard_normal((1000, 2)) for width in (0.02, 0.5))
    assert number(run(reference, near, holdout)["data_copying"]).value < -5
    assert number(run(reference, wide, holdout)["data_copying"]).value > -2
    authentic = number(run(reference, near, holdout)["authenticity"])
    assert authentic.value < (authentic.null_value or 0) - 0.1


def test_authenticity_is_counted_by_its_definition():
    reference, candidate, holdout = (side[:150] for side in normal(5, columns=2))
    apart = np.linalg.norm(candidate[:, None] - reference[None], axis=2)
    own = np.linalg.norm(reference[:, None] - reference[None], axis=2)
    np.fill_diagonal(own, np.inf)
    expected = (apart.min(axis=1) > own.min(axis=1)[apart.argmin(axis=1)]).mean()
    found = number(run(reference, candidate, holdout)["authenticity"])
    # Columns are put on one scale first, so a few neighbours may change.
    assert found.value == pytest.approx(expected, abs=0.03)


def test_rows_of_few_levels_are_equal_by_chance():
    rng = np.random.default_rng(6)
    found = run(*rng.integers(0, 4, (3, 800, 3)).astype(float))
    assert number(found["exact_copies"]).value == 1
    assert number(found["exact_copies"]).null_value == 1
    assert (number(found["reappearing_rows"]).p_value or 0) > 0.05
    assert (number(found["near_copies"]).p_value or 0) > 0.05


def test_rows_of_the_candidate_that_repeat_each_other_are_found():
    reference, candidate, holdout = normal(7)
    candidate[:30] = candidate[30:60]
    found = number(run(reference, candidate, holdout)["repeated_rows"])
    assert found.value == 0.03
    assert found.p_value == pytest.approx(4.0**-30, rel=0.9)


def test_without_a_holdout_there_is_a_number_and_no_test():
    reference, candidate, _ = normal(8)
    candidate[:10] = reference[:10]
    found = run(reference, candidate)
    assert number(found["exact_copies"]).value == 0.01
    assert number(found["exact_copies"]).p_value is None
    assert number(found["authenticity"]).p_value is None
    for name in TESTED:
        assert gap(found[name]).reason is Reason.NEEDS_HOLDOUT
        assert gap(found[name]).detail == "no holdout was given"


def test_a_holdout_that_overlaps_the_reference_voids_the_tests():
    reference, candidate, holdout = normal(9)
    holdout[:100] = reference[:100]
    for name, finding in run(reference, candidate, holdout).items():
        if name in TESTED:
            assert gap(finding).detail == (
                "100 of 1,000 holdout rows are rows of the reference too; a holdout has rows "
                "that no generator has seen"
            )
    found = run(reference, candidate, reference)
    assert "the holdout is the reference itself" in gap(found["near_copies"]).detail


def test_rows_that_repeat_in_the_data_are_no_overlap():
    rng = np.random.default_rng(10)
    pool = rng.standard_normal((3000, 3))
    twice = rng.permutation(np.concatenate((pool, pool[:300])))
    found = run(twice[:1600], rng.standard_normal((500, 3)), twice[1600:])
    assert isinstance(found["reappearing_rows"].outcome, Measurement)


def test_copies_of_groups_count_as_one():
    rng = np.random.default_rng(11)
    sides = []
    for start in (0, 1000, 2000):
        group = np.repeat(np.arange(150), 4)
        columns = {"x": rng.standard_normal(600), "y": rng.standard_normal(600)}
        sides.append(pa.table({**columns, "g": group + start}))
    reference, candidate, holdout = sides
    roles = {"g": "group"}
    candidate = pa.concat_tables([candidate, reference.slice(0, 20)])
    found = run(reference, candidate, holdout, roles=roles)
    assert found["reappearing_rows"].evidence["copied"] == 5
    assert found["reappearing_rows"].evidence["looked_at"] == 150
    assert gap(found["repeated_rows"]).reason is Reason.KIND_NOT_SUPPORTED


def test_too_few_rows_are_said():
    reference, candidate, holdout = (side[:60] for side in normal(12))
    found = run(reference, candidate, holdout)
    assert gap(found["near_copies"]).detail == "60 rows on one side, 100 needed"
    assert isinstance(found["reappearing_rows"].outcome, Measurement)


def test_a_column_that_the_candidate_lacks_is_left_out_of_equality():
    reference, candidate, holdout = normal(13)
    candidate[:10] = reference[:10]
    found = run(table(reference), table(candidate).drop_columns(["c4"]), table(holdout))
    assert number(found["exact_copies"]).value == 0.01


def test_of_large_data_the_kept_rows_are_matched_for_certain(monkeypatch):
    """Of 4,000 rows about 40 can be matched: the share of copies is right, less sharp."""
    monkeypatch.setattr(sample, "KEPT", 800)
    monkeypatch.setattr("detector.profiles.make.KEPT", 800)
    reference, candidate, holdout = normal(14, rows=4000)
    candidate[:2000] = reference[:2000]
    found = run(reference, candidate, holdout)
    looked_at = found["exact_copies"].evidence["looked_at"]
    assert 20 < looked_at < 80  # type: ignore[operator]
    assert number(found["exact_copies"]).value == pytest.approx(0.5, abs=0.3)
    assert (number(found["reappearing_rows"]).p_value or 1) < 1e-3
    assert number(found["reappearing_rows"]).null_value == 0


def test_a_real_batch_is_no_copy():
    rows = some_rows(diamonds(), 6000, seed=3)
    found = run(*(rows.slice(start, 2000) for start in (0, 2000, 4000)))
    for name in (*TESTED, "repeated_rows"):
        assert (number(found[name]).p_value or 0) > 0.01, name


def test_options_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="rows must be at least 100"):
        Copies(rows=50)


@pytest.mark.slow
@pytest.mark.calibration
@pytest.mark.parametrize("law", ["normal", "repeating"])
def test_five_percent_of_honest_batches_are_called_copied(
    law: str, calibration_runs: Callable[..., int]
):
    runs = calibration_runs(bounded=60, full=1000)
    rejected = dict.fromkeys((*TESTED, "authenticity", "repeated_rows"), 0)
    for seed in range(runs):
        rng = np.random.default_rng([15, seed])
        sides = rng.standard_normal((3, 300, 3))
        if law == "repeating":
            sides = np.where(rng.random((3, 300, 1)) < 0.7, rng.integers(0, 5, (3, 300, 3)), sides)
        # Of unequal sizes: nothing here supposes otherwise.
        found = run(sides[0], sides[1][:250], sides[2][:200])
        for name in rejected:
            rejected[name] += (number(found[name]).p_value or 1) <= 0.05
    low, high = band(runs)
    # Where nothing repeats counts are few, and the tests reject less often than they may.
    assert max(rejected.values()) <= high, rejected
    assert rejected["data_copying"] >= low
    assert rejected["authenticity"] >= low


@pytest.mark.slow
@pytest.mark.calibration
@pytest.mark.parametrize(("rows", "held"), [(4000, 2500), (1500, 3000)])
def test_kept_rows_are_as_honest_where_some_contents_are_common(
    rows: int, held: int, monkeypatch, calibration_runs: Callable[..., int]
):
    """A content of a thousand rows is kept or left out with all of them."""
    monkeypatch.setattr(sample, "KEPT", 500)
    monkeypatch.setattr("detector.profiles.make.KEPT", 500)
    runs = calibration_runs(bounded=60, full=1000)
    rejected = dict.fromkeys(("reappearing_rows", "repeated_rows"), 0)
    for seed in range(runs):
        rng = np.random.default_rng([16, seed])
        sides = []
        for count in (rows, 2000, held):
            common = rng.zipf(1.3, count) % 4000
            own = rng.integers(10_000, 10**7, count)
            sides.append(np.where(rng.random(count) < 0.5, common, own)[:, None] + 1e8 * seed)
        found = run(*sides)
        for name in rejected:
            rejected[name] += (number(found[name]).p_value or 1) <= 0.05
    assert max(rejected.values()) <= band(runs)[1], rejected
