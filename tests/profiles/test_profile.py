"""One pass, any split, any order: the same profile."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.data.schema import ColumnSpec, Kind, Role, Schema
from detector.errors import InputError
from detector.profiles.aggregates import LevelSummary, NumericSummary, OpaqueSummary
from detector.profiles.make import make_profile
from detector.profiles.profile import Profile, merge
from tests.profiles.tables import SCHEMA, dataset, mixed_table, numeric_dataset

REFERENCE = make_profile(dataset(mixed_table(3000, seed=0)))


def same(a: Profile, b: Profile) -> None:
    """Assert that two profiles agree: counts exactly, moments to rounding."""
    assert (a.n_rows, a.digest) == (b.n_rows, b.digest)
    assert a.sample is not None
    assert b.sample is not None
    assert a.sample.table.to_pylist() == b.sample.table.to_pylist()
    for name, one in a.columns.items():
        two = b.columns[name]
        assert type(one) is type(two)
        assert one.missing == two.missing
        if isinstance(one, NumericSummary) and isinstance(two, NumericSummary):
            assert np.array_equal(one.counts, two.counts)
            assert (one.minimum, one.maximum) == (two.minimum, two.maximum)
            assert math.isclose(one.mean, two.mean, rel_tol=1e-9, abs_tol=1e-9)
            assert math.isclose(one.m2, two.m2, rel_tol=1e-9, abs_tol=1e-9)
        if isinstance(one, LevelSummary) and isinstance(two, LevelSummary):
            assert one.levels == two.levels


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 500), max_size=3),
    seed=st.integers(0, 99),
    shuffle=st.integers(0, 99),
)
def test_merging_parts_in_any_order_equals_one_pass(
    cuts: list[int], seed: int, shuffle: int
) -> None:
    table = mixed_table(500, seed=seed)
    rng = np.random.default_rng(shuffle)
    whole = make_profile(dataset(table), against=REFERENCE)
    mixed = table.take(rng.permutation(500))
    marks = [0, *sorted(cuts), 500]
    parts = [
        make_profile(dataset(mixed.slice(lo, hi - lo)), against=REFERENCE)
        for lo, hi in itertools.pairwise(marks)
    ]
    rng.shuffle(parts)  # type: ignore[arg-type]
    same(whole, merge(parts))
    same(whole, merge([merge([part]) for part in parts]))


def test_a_reference_does_not_depend_on_row_order_or_batch_size() -> None:
    table = mixed_table(2000, seed=4)
    order = np.random.default_rng(5).permutation(2000)
    one = make_profile(dataset(table, batch_rows=2000))
    two = make_profile(dataset(table.take(order), batch_rows=37))
    assert one.frame.digest == two.frame.digest
    same(one, two)


def test_moments_and_covariance_agree_with_numpy() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4000, 3)) @ rng.standard_normal((3, 3)) + 1e6
    columns = [f"c{i}" for i in range(3)]
    schema = Schema(columns=tuple(ColumnSpec(name=c, kind=Kind.NUMERIC) for c in columns))
    found = make_profile(dataset(pa.table(list(x.T), names=columns), schema=schema)).moments
    assert found is not None
    assert np.allclose(found.covariance(), np.cov(x, rowvar=False), rtol=1e-8)
    assert np.allclose(found.mean(), x.mean(axis=0))


def test_covariance_uses_the_rows_where_both_are_present() -> None:
    x, y = np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.0, 4.0, np.nan, 9.0])
    schema = Schema(columns=tuple(ColumnSpec(name=c, kind=Kind.NUMERIC) for c in "xy"))
    found = make_profile(dataset(pa.table({"x": x, "y": y}), schema=schema)).moments
    assert found is not None
    assert found.covariance()[0, 1] == pytest.approx(1.0)
    assert found.mean().tolist() == pytest.approx([2.0, 5.0])


def test_missing_and_infinite_values_are_counted_apart() -> None:
    values = np.array([np.nan, np.inf, -np.inf, np.inf, 1.0, 2.0])
    summary = make_profile(numeric_dataset(values)).columns["x"]
    assert isinstance(summary, NumericSummary)
    assert (summary.n, summary.missing, summary.rows) == (2, 1, 6)
    assert (summary.negative_infinite, summary.positive_infinite) == (1, 2)
    assert (summary.minimum, summary.maximum, summary.mean) == (1.0, 2.0, 1.5)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_tiny_data_have_a_profile(rows: int) -> None:
    found = make_profile(dataset(mixed_table(rows, seed=0)))
    assert found.n_rows == rows
    assert found.sample is not None
    assert found.sample.complete
    assert isinstance(found.columns["note"], OpaqueSummary)


def test_values_at_the_edge_of_float64_stay_finite() -> None:
    summary = make_profile(numeric_dataset(np.array([1.7e308, -1.7e308, 1.6e308]))).columns["x"]
    assert isinstance(summary, NumericSummary)
    assert math.isfinite(summary.mean)
    assert math.isfinite(summary.m2)


def test_a_million_levels_are_capped_and_still_merge_exactly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("detector.profiles.merge.cap_levels.__kwdefaults__", {"most": 50})
    schema = Schema(columns=(ColumnSpec(name="k", kind=Kind.CATEGORY),))
    rng = np.random.default_rng(2)
    words = pa.array([f"v{i}" for i in rng.integers(0, 400, 3000)]).dictionary_encode()
    table = pa.table({"k": words})
    reference = make_profile(dataset(table, schema=schema))
    again = make_profile(dataset(table.take(rng.permutation(3000)), schema=schema, batch_rows=99))
    one, two = reference.columns["k"], again.columns["k"]
    assert isinstance(one, LevelSummary)
    assert isinstance(two, LevelSummary)
    assert len(one.levels) == 50
    assert one.levels == two.levels
    assert one.spilled == two.spilled == 3000 - sum(one.levels.values())


def test_ids_enter_neither_hash_nor_sample() -> None:
    id_column = ColumnSpec(name="id", kind=Kind.INTEGER, role=Role.ID)
    schema = Schema(columns=(*SCHEMA.columns, id_column))
    table = mixed_table(200, seed=6)
    with_id = table.append_column("id", pa.array(range(200)))
    plain, keyed = make_profile(dataset(table)), make_profile(dataset(with_id, schema=schema))
    assert plain.digest == keyed.digest
    assert keyed.sample is not None
    assert "id" not in keyed.sample.table.column_names


def test_profiles_over_different_frames_do_not_merge() -> None:
    other = make_profile(dataset(mixed_table(100, seed=9)))
    with pytest.raises(InputError, match="different frames"):
        merge([REFERENCE, other])
