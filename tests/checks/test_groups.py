"""Clustered rows in the checks that look at whole rows: order, few groups, rows without one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks._score_columns import score_columns
from detector.data.schema import Kind
from detector.findings import Finding, Gap, Measurement, Reason

CHECKS = ("dependence", "joint", "discriminator", "indistinguishability")
GROUP = {"g": "group"}


def clustered(
    rng: np.random.Generator, groups: int, *, start: int = 0, shift: float = 0.0, each: int = 12
) -> pa.Table:
    """Return rows of groups that are named by number."""
    group = np.repeat(np.arange(groups), each)
    effect = rng.standard_normal((groups, 2))[group]
    x, y = (effect + rng.standard_normal((len(group), 2))).T
    return pa.table({"g": start + group, "x": x + shift, "y": y + x, "k": (x > 0).astype(str)})


def run(check: str, one: pa.Table, other: pa.Table) -> tuple[Finding, ...]:
    """Run a check on clustered rows."""
    return detector.measure(one, other, checks=[check], roles=GROUP)


@pytest.mark.parametrize("start", [0, 15, 1000])
@pytest.mark.parametrize("check", CHECKS)
def test_the_order_of_clustered_rows_does_not_matter(check: str, start: int) -> None:
    """No matter whether the groups are on both sides, some of them, or each on one side."""
    rng = np.random.default_rng(start)
    sides = clustered(rng, 30), clustered(rng, 30, start=start, shift=0.3)
    mixed = [side.take(rng.permutation(len(side))) for side in sides]
    there, back = run(check, *sides), run(check, *mixed)
    assert [(f.key, f.outcome, f.evidence) for f in there] == [
        (f.key, f.outcome, f.evidence) for f in back
    ]


@pytest.mark.parametrize("check", CHECKS)
def test_too_few_groups_are_said(check: str) -> None:
    rng = np.random.default_rng(1)
    few = clustered(rng, 4, start=1000, each=100)
    found, *more = run(check, clustered(rng, 40), few)
    assert not more
    assert isinstance(found.outcome, Gap)
    assert found.outcome.reason is Reason.TOO_FEW_GROUPS
    assert found.outcome.detail.startswith("4 groups")


@pytest.mark.parametrize("check", CHECKS)
def test_rows_without_a_group_stand_alone(check: str) -> None:
    rng = np.random.default_rng(2)
    sides = []
    for start in (0, 1000):
        made = clustered(rng, 12, start=start, each=20)
        group = [None if row % 2 else name for row, name in enumerate(made["g"].to_pylist())]
        sides.append(made.set_column(0, "g", pa.array(group, pa.int64())))
    for found in run(check, *sides):
        assert isinstance(found.outcome, Measurement)


@pytest.mark.parametrize("check", CHECKS)
def test_groups_named_by_number_and_by_text_are_the_same_groups(check: str) -> None:
    rng = np.random.default_rng(3)
    one, other = clustered(rng, 30), clustered(rng, 30)
    text = other.set_column(0, "g", other["g"].cast(pa.string()))
    assert [f.outcome for f in run(check, one, text)] == [f.outcome for f in run(check, one, other)]


def test_clusters_make_the_same_rows_say_less() -> None:
    rng = np.random.default_rng(4)
    sides = clustered(rng, 30), clustered(rng, 30, start=1000, shift=0.5)
    for check in ("joint", "discriminator"):
        (grouped,) = run(check, *sides)
        (alone,) = detector.measure(*sides, checks=[check], roles={"g": "id"})
        assert isinstance(grouped.outcome, Measurement)
        assert isinstance(alone.outcome, Measurement)
        assert grouped.outcome.p_value > alone.outcome.p_value  # type: ignore[operator]
        assert grouped.outcome.detectable > 1.5 * alone.outcome.detectable  # type: ignore[operator]


def test_a_level_that_few_groups_carry_is_not_looked_at_by_itself() -> None:
    rows, groups = 240, np.repeat(np.arange(24), 10)
    level = np.where(groups < 4, "rare", np.where(np.arange(rows) % 2, "one", "two"))
    table = pa.table({"level": pa.array(level).dictionary_encode()})
    alone = score_columns((table, table), "level", Kind.CATEGORY, levels=9)
    whole = score_columns(
        (table, table), "level", Kind.CATEGORY, levels=9, clusters=(groups, groups)
    )
    assert alone[0].labels == ("one", "two", "rare")
    assert whole[0].labels == ("one",)  # against all others
