"""Less and more variety than chance brings is seen, in either direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.diversity import Diversity
from detector.data.schema import Role
from detector.findings import Gap, Measurement, Reason
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable

    Runs = Callable[..., int]


def run(
    reference: pa.Table, candidate: pa.Table, *, seed: int = 0, **options: object
) -> dict[str, Measurement]:
    """Run the check; its measurements by name."""
    roles = {"g": Role.GROUP} if "g" in reference.column_names else None
    check = Diversity(**options)  # type: ignore[arg-type]
    found = detector.measure(reference, candidate, checks=[check], roles=roles, seed=seed)
    outcomes = [finding.outcome for finding in found]
    assert all(isinstance(outcome, Measurement) for outcome in outcomes), outcomes
    return {outcome.name: outcome for outcome in outcomes if isinstance(outcome, Measurement)}


def normal(rng: np.random.Generator, rows: int, *, scale: float = 1.0, d: int = 6) -> pa.Table:
    """Return normal columns and one of levels."""
    columns = {f"x{j}": scale * rng.standard_normal(rows) for j in range(d)}
    return pa.table(columns | {"k": rng.integers(0, 6, rows).astype(str)})


def p_value(found: Measurement) -> float:
    """Return the p-value of a test."""
    assert found.p_value is not None
    return found.p_value


def test_shrunken_rows_have_less_of_everything() -> None:
    rng = np.random.default_rng(0)
    found = run(normal(rng, 500), normal(rng, 500, scale=0.7))
    # Six columns at 0.7 of their spread: a determinant smaller by 12 ln 0.7 = -4.28.
    assert found["log_det_change"].value == pytest.approx(-4.28, abs=0.8)
    for name in ("log_det_change", "entropy_change", "vendi_1", "vendi_2"):
        assert p_value(found[name]) < 0.01, name
        assert found[name].value < (found[name].null_value or 0.0)


def test_rows_that_a_kernel_density_loop_blew_up_have_more() -> None:
    """The loop widens every column by its bandwidth: only a two-sided test sees it."""
    rng = np.random.default_rng(1)
    found = run(normal(rng, 500), normal(rng, 500, scale=1.3))
    for name in ("log_det_change", "entropy_change", "vendi_1"):
        assert p_value(found[name]) < 0.01, name
        assert found[name].value > (found[name].null_value or 0.0)


def test_rows_that_only_moved_are_as_varied() -> None:
    rng = np.random.default_rng(2)
    moved = normal(rng, 500).to_pandas()
    moved.iloc[:, :6] += 1.0
    found = run(normal(rng, 500), pa.Table.from_pandas(moved, preserve_index=False))
    assert p_value(found["vendi_1"]) > 0.01
    assert abs(found["log_det_change"].value) < 1.0


def test_repeated_rows_are_counted() -> None:
    rng = np.random.default_rng(3)
    candidate = normal(rng, 100).take(np.arange(400) % 100)
    found = run(normal(rng, 400), candidate)
    assert found["duplicate_share"].value == pytest.approx(0.75)
    assert found["effective_row_share"].value == pytest.approx(0.25)
    assert p_value(found["duplicate_share"]) < 0.01
    assert p_value(found["effective_row_share"]) < 0.01


def test_rows_that_are_all_equal_are_a_gap() -> None:
    same = pa.table({"x": [1.0] * 60, "k": ["a"] * 60})
    (found,) = detector.measure(same, same, checks=["diversity"])
    assert isinstance(found.outcome, Gap)
    assert found.outcome.reason is Reason.CONSTANT_COLUMN


def test_too_few_rows_are_said() -> None:
    rng = np.random.default_rng(4)
    (found,) = detector.measure(normal(rng, 100), normal(rng, 3), checks=["diversity"])
    assert isinstance(found.outcome, Gap)
    assert found.outcome.detail == "3 rows on one side, 40 needed"


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="diversity: max_rows must be at least 40"):
        Diversity(max_rows=20)


def heavy(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return heavy tails, ties and rows that occur several times."""
    columns = {"t": rng.standard_t(2, rows).round(1), "n": rng.poisson(1, rows)}
    return pa.table(columns | {"k": rng.zipf(2, rows).clip(0, 50).astype(str)})


def clusters(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return rows that mostly belong to their group of eight."""
    group = np.arange(rows) // 8
    x = rng.standard_normal((group[-1] + 1, 2))[group] + rng.standard_normal((rows, 2)) / 5
    return pa.table({"x": x[:, 0], "y": x[:, 1], "g": group + rng.integers(1 << 30)})


@pytest.mark.slow
@pytest.mark.calibration
@pytest.mark.parametrize("law", [normal, heavy, clusters])
def test_at_most_five_percent_of_equal_tables_differ(
    law: Callable[[np.random.Generator, int], pa.Table], calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=60, full=600)
    rejected: dict[str, int] = {}
    for seed in range(runs):
        rng = np.random.default_rng([5, seed])
        found = run(law(rng, 160), law(rng, 240), seed=seed, permutations=99, frequencies=16)
        for name, each in found.items():
            rejected[name] = rejected.get(name, 0) + (p_value(each) <= 0.05)
    assert max(rejected.values()) <= band(runs)[1], rejected
