"""Laws that every check keeps, whatever it asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector import catalogue
from detector.findings import Finding, Gap, Measurement
from detector.policy.load import built_in_policy

NAMES = catalogue.names("detector.checks")
HEAVY = tuple(name for name in NAMES if hasattr(catalogue.load("detector.checks", name), "extra"))
CHECKS = [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in NAMES]
"""Those that need an extra take seconds each: the same laws, in the second half of the tests."""

LIGHT = {"epochs": 1, "permutations": 99, "rows": 100}
"""Options with which a heavy check does little; the laws do not ask how well it sees."""

OF_ORDER = {("fingerprints", "ordered_columns")}
"""What asks about the order of rows; only the rows' order may change its answer."""

ROOT = Path(__file__).parents[2]


def frame(rows: int, *, seed: int, shift: float = 0.0) -> pa.Table:
    """Return a mixed table with ties, missing values and a rare level."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(rows) + shift
    gaps = np.where(rng.random(rows) < 0.05, np.nan, x + rng.standard_normal(rows))
    return pa.table(
        {
            "x": x,
            "y": pa.array(gaps, from_pandas=True),
            "count": rng.poisson(3 + shift, rows),
            "level": np.array(list("abcdefgh"))[rng.geometric(0.4, rows).clip(1, 8) - 1],
            "flag": rng.random(rows) < 0.3,
        }
    )


def degenerate() -> dict[str, tuple[pa.Table, pa.Table]]:
    """Return pairs of tables that many a statistic stumbles over."""
    good = frame(60, seed=1)
    missing = pa.array([None] * 40, pa.float64())
    return {
        "no rows": (good, good.slice(0, 0)),
        "one row": (good, good.slice(0, 1)),
        "two rows": (good, good.slice(0, 2)),
        "a reference of one row": (good.slice(0, 1), good),
        "an empty reference": (good.slice(0, 0), good),
        "constants": (pa.table({"x": [1.0] * 40}), pa.table({"x": [1.0] * 40})),
        "other constants": (pa.table({"x": [1.0] * 40}), pa.table({"x": [2.0] * 40})),
        "all missing": (pa.table({"x": missing}), pa.table({"x": missing})),
        "missing on one side": (pa.table({"x": np.arange(40.0)}), pa.table({"x": missing})),
        "one level": (pa.table({"x": ["a"] * 40}), pa.table({"x": ["a"] * 40})),
        "levels of their own": (pa.table({"x": ["a"] * 40}), pa.table({"x": ["b"] * 40})),
        "no common column": (pa.table({"x": np.arange(40.0)}), pa.table({"z": np.arange(40.0)})),
        "infinities": (
            pa.table({"x": [np.inf, -np.inf, *np.arange(40.0)]}),
            pa.table({"x": [np.inf, np.inf, *np.arange(40.0)]}),
        ),
        "huge numbers": (
            pa.table({"x": np.linspace(-1, 1, 40) * 1.7e308}),
            pa.table({"x": np.linspace(-0.9, 1, 40) * 1.7e308}),
        ),
        "every row the same": (good.take([0] * 50), good.take([0] * 70)),
    }


def options(name: str) -> dict[str, int]:
    """Return the options that a heavy check runs with here."""
    fields = catalogue.load("detector.checks", name).__dataclass_fields__
    return {key: value for key, value in LIGHT.items() if name in HEAVY and key in fields}


def run(
    name: str, reference: pa.Table, candidate: pa.Table, *, seed: int = 3
) -> tuple[Finding, ...]:
    """Run one check alone."""
    check = catalogue.load("detector.checks", name)(**options(name)) if name in HEAVY else name
    return detector.measure(reference, candidate, checks=[check], seed=seed)


def plain(findings: tuple[Finding, ...]) -> list[object]:
    """Return findings as comparable data."""
    return [(f.key, f.outcome, f.n_reference, f.n_candidate, dict(f.evidence)) for f in findings]


@pytest.mark.parametrize("name", CHECKS)
def test_it_has_a_page_and_a_test(name: str) -> None:
    assert (ROOT / "docs" / "checks" / f"{name}.md").is_file()
    assert (ROOT / "tests" / "checks" / f"test_{name}.py").is_file()


@pytest.mark.parametrize("name", CHECKS)
def test_the_same_seed_gives_the_same_findings(name: str) -> None:
    pair = frame(300, seed=1), frame(250, seed=2)
    assert plain(run(name, *pair)) == plain(run(name, *pair))


@pytest.mark.parametrize("name", CHECKS)
def test_row_order_does_not_matter(name: str) -> None:
    reference, candidate = frame(300, seed=1), frame(250, seed=2, shift=0.3)
    rng = np.random.default_rng(0)
    shuffled = reference.take(rng.permutation(300)), candidate.take(rng.permutation(250))
    one, two = run(name, reference, candidate), run(name, *shuffled)
    assert [f.key for f in one] == [f.key for f in two]
    for a, b in zip(one, two, strict=True):
        if isinstance(a.outcome, Measurement) and (name, a.outcome.name) not in OF_ORDER:
            assert isinstance(b.outcome, Measurement)
            assert b.outcome.value == pytest.approx(a.outcome.value, rel=1e-6, abs=1e-9)
            assert b.outcome.p_value == a.outcome.p_value


@pytest.mark.parametrize("name", CHECKS)
def test_column_order_does_not_matter(name: str) -> None:
    reference, candidate = frame(300, seed=1), frame(250, seed=2, shift=0.3)
    turned = candidate.select(candidate.column_names[::-1])
    assert plain(run(name, reference, candidate)) == plain(run(name, reference, turned))


@pytest.mark.parametrize("case", degenerate())
@pytest.mark.parametrize("name", CHECKS)
def test_data_that_cannot_answer_give_gaps_or_sound_numbers(name: str, case: str) -> None:
    findings = run(name, *degenerate()[case])
    for finding in findings:
        assert finding.check == name
        if isinstance(finding.outcome, Gap):
            assert finding.outcome.detail
            assert finding.outcome.reason != "check_failed", finding.outcome.detail


@pytest.mark.parametrize("name", CHECKS)
def test_every_finding_survives_json(name: str) -> None:
    policy = replace(built_in_policy(), options={name: options(name)})
    sides = frame(300, seed=1), frame(250, seed=2, shift=0.5)
    report = detector.gate(*sides, checks=[name], policy=policy)
    again = detector.Report.from_json(report.to_json())
    assert again == report
    assert again.to_json() == report.to_json()


@pytest.mark.parametrize("case", degenerate())
@pytest.mark.parametrize("name", CHECKS)
def test_a_policy_can_name_whatever_it_measures(name: str, case: str) -> None:
    measures = catalogue.load("detector.checks", name).measures
    for finding in run(name, *degenerate()[case]):
        assert finding.outcome.name in measures | {name}


@pytest.mark.parametrize("name", CHECKS)
def test_keys_are_unique(name: str) -> None:
    findings = run(name, frame(300, seed=1), frame(250, seed=2, shift=0.5))
    keys = [finding.key for finding in findings]
    assert len(set(keys)) == len(keys)
    assert findings


@pytest.mark.parametrize("name", CHECKS)
def test_a_profile_without_rows_still_answers(name: str) -> None:
    bare = detector.profile(frame(300, seed=1), sample=False)
    findings = run(name, bare, frame(250, seed=2))
    assert all(f.outcome.reason != "check_failed" for f in findings if isinstance(f.outcome, Gap))


@pytest.mark.parametrize("name", CHECKS)
def test_a_saved_profile_answers_like_the_raw_reference(name: str, tmp_path: Path) -> None:
    reference, candidate = frame(300, seed=1), frame(250, seed=2)
    detector.profile(reference, name="reference").save(str(tmp_path / "r.profile"))
    saved = run(name, str(tmp_path / "r.profile"), candidate)
    assert plain(saved) == plain(run(name, reference, candidate))
