from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from detector.data.opening import open_data
from detector.data.schema import Role
from detector.errors import DetectorError
from detector.trials import pool as pools
from detector.trials.pool import Pool, codes


def table(rows, *, groups=None, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"x": rng.standard_normal(rows), "k": rng.choice(list("abc"), rows)}
    if groups is not None:
        columns["person"] = [f"p{place}" for place in rng.integers(groups, size=rows)]
    return pa.table(columns)


def pool(rows=600, *, groups=None):
    roles = {} if groups is None else {"person": Role.GROUP}
    data = open_data(table(rows, groups=groups), name="t", roles=roles)
    return Pool.of(data, np.random.default_rng(0))


def test_sides_share_no_row_and_have_the_rows_asked_for():
    one, two = pool().sides(250, np.random.default_rng(1))
    assert len(one) == len(two) == 250
    assert not set(one) & set(two)


def test_sides_are_halves_where_more_rows_are_asked_for_than_there_are():
    one, two = pool(601).sides(10_000, np.random.default_rng(1))
    assert (len(one), len(two)) == (300, 300)


def test_groups_stay_whole():
    made = pool(groups=40)
    one, two = made.sides(250, np.random.default_rng(1))
    assert not set(made.unit[one]) & set(made.unit[two])
    for side in (one, two):
        assert len(side) == np.isin(made.unit, made.unit[side]).sum() >= 250


@pytest.mark.parametrize("seed", range(20))
def test_one_huge_group_leaves_rows_for_the_other_side(seed):
    data = open_data(
        pa.table({"x": np.arange(500.0), "g": ["huge"] * 420 + [f"g{i % 30}" for i in range(80)]}),
        roles={"g": Role.GROUP},
    )
    one, two = Pool.of(data, np.random.default_rng(0)).sides(250, np.random.default_rng(seed))
    assert len(one)
    assert len(two)


def test_the_order_of_the_file_changes_nothing():
    rows = table(500)
    turned = rows.take(np.random.default_rng(3).permutation(500))
    one, two = (Pool.of(open_data(each), np.random.default_rng(0)) for each in (rows, turned))
    assert one.table.to_pylist() == two.table.to_pylist()


def test_of_a_large_reference_a_random_part_is_held(monkeypatch):
    monkeypatch.setattr(pools, "MOST_ROWS", 450)
    made = pool(2_000)
    assert made.table.num_rows == 450
    assert set(made.table["x"].to_pylist()) <= set(table(2_000)["x"].to_pylist())


def test_of_a_large_reference_whole_groups_are_held(monkeypatch):
    monkeypatch.setattr(pools, "MOST_ROWS", 450)
    made, everything = pool(2_000, groups=100), table(2_000, groups=100)
    held, all_of = (
        dict(zip(*np.unique(each["person"].to_pylist(), return_counts=True), strict=True))
        for each in (made.table, everything)
    )
    assert made.table.num_rows >= 450
    assert {person: all_of[person] for person in held} == held


def test_too_few_rows_are_refused_with_the_number_needed():
    with pytest.raises(DetectorError, match=r"^`t` has 200 rows; a self-test needs 400\. It comp"):
        pool(200)


def test_too_few_groups_are_refused_with_the_number_needed():
    with pytest.raises(DetectorError, match=r"^`t` has 4 groups; a self-test needs 20\. Groups"):
        pool(groups=4)


def test_missing_values_are_a_value_of_their_own():
    assert len(set(codes(pa.table({"x": ["a", None, "a", "None "]}), "x"))) == 3
