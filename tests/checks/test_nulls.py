"""Checks of whole rows call two samples of one law different in 5 of 100, whatever the law.

`python -m benchmarks.sizes` prints the same counts as a table.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.nulls import NULLS, QUICK, TESTS, Null, p_values
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

BY_NAME = {null.name: null for null in NULLS}


@pytest.mark.calibration
@pytest.mark.parametrize("name", BY_NAME)
def test_five_percent_of_equal_laws_are_called_different(
    name: str, calibration_runs: Callable[..., int]
) -> None:
    runs, null = calibration_runs(bounded=100, full=1000), BY_NAME[name]
    quick = runs < 1000
    spoken: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for seed in range(runs):
        for test, p_value in p_values(null, seed, quick=quick).items():
            spoken[test] += 1
            rejected[test] += p_value <= 0.05
    expected = (QUICK if quick else frozenset(TESTS)) - null.silent
    assert spoken == dict.fromkeys(expected, runs)
    low, high = band(runs)
    assert {test: n for test, n in rejected.items() if not low <= n <= high} == {}


def columns(name: str) -> tuple[pa.Table, pa.Table]:
    """Return a pair of tables of a null."""
    return BY_NAME[name].tables(0)


def test_nulls_have_the_rows_and_the_randomness_they_say() -> None:
    for null in NULLS:
        one, other = null.tables(0)
        assert one.schema == other.schema
        if not null.roles:
            assert (len(one), len(other)) == null.rows
        assert one.equals(null.tables(0)[0])
        assert not one.equals(null.tables(1)[0])
        assert not one.equals(other)


@pytest.mark.parametrize("name", ["unseen levels", "mixed, 2 to 1000 levels"])
def test_some_levels_are_on_one_side_only(name: str) -> None:
    for column in ("k900",) if name.startswith("unseen") else ("k1000", "k100"):
        one, other = (set(side[column].to_pylist()) for side in columns(name))
        assert len(one - other) > 10
        assert len(other - one) > 10


def test_rows_repeat_within_and_between_the_sides() -> None:
    one, other = (
        [tuple(row.values()) for row in side.to_pylist()] for side in columns("rows that repeat")
    )
    assert len(set(one)) <= 50
    assert len(set(one) & set(other)) > 40


def test_heavy_tails_are_heavy() -> None:
    one, _ = columns("heavy-tailed")
    sizes = [np.abs(np.asarray(column)) for column in one.itercolumns()]
    assert sum(values.max() > 20 * np.median(values) for values in sizes) == 4


@pytest.mark.parametrize("name", ["clusters", "few clusters"])
def test_groups_are_on_one_side_only(name: str) -> None:
    groups = [set(side["group"].to_pylist()) for side in columns(name)]
    assert tuple(map(len, groups)) == BY_NAME[name].rows
    assert not groups[0] & groups[1]


def test_clusters_that_are_not_declared_raise_the_alarm() -> None:
    """So the groups of these tables do matter."""
    null = BY_NAME["clusters"]
    told = Null(name=null.name, law=null.law, rows=null.rows, roles={"group": "id"})
    wrong = [p_values(told, seed, quick=True) for seed in range(12)]
    assert sum(found["joint"] <= 0.05 for found in wrong) >= 6
    assert sum(found["discriminator"] <= 0.05 for found in wrong) >= 6
