"""Kernel means: on average the exact kernel, in any split the same, and frozen by the reference."""

from __future__ import annotations

import itertools
import json
from functools import cache, reduce

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.data.schema import ColumnSpec, Kind, Schema
from detector.profiles.fold import Decoded, decode
from detector.profiles.kernel import (
    KernelMeans,
    KernelSpec,
    fold_kernel,
    freeze_kernel,
    merge_kernels,
    project,
)
from detector.profiles.make import make_profile
from detector.profiles.profile import merge
from detector.stats.kernels import Ladder
from tests.profiles.tables import SCHEMA, dataset, mixed_table

COLUMNS = tuple(spec for spec in SCHEMA.columns if spec.kind is not Kind.TEXT)


def batch(table: pa.Table) -> Decoded:
    """Return a small table as one batch."""
    return decode(table.combine_chunks().to_batches()[0], COLUMNS)


@cache
def frozen() -> KernelSpec:
    """Return what a mixed reference freezes."""
    spec = freeze_kernel(SCHEMA, mixed_table(500, seed=0))
    assert spec is not None
    return spec


def numeric_spec(name: str, bandwidths: list[float], *, count: int) -> KernelSpec:
    """Return a spec of one numeric and one level column, with units of their own."""
    ladder = Ladder(np.array(bandwidths), np.ones(len(bandwidths)))
    scales = {name: np.array([[10.0], [2.0]]), f"{name} level": np.array([[0.8]])}
    return KernelSpec(scales=scales, ladder=ladder, count=count)


def rows_of(name: str, values: list[float], codes: list[int]) -> Decoded:
    """Return a batch of one numeric and one level column."""
    levels = (np.array(codes, np.int32), ["a", "b"])
    numbers = {name: np.array(values)}
    return Decoded(
        numbers=numbers, levels={f"{name} level": levels}, vectors={}, texts={}, rows=len(values)
    )


# Exactness.


def test_features_are_the_kernel_on_average() -> None:
    """Column names choose the frequencies: over many names the mean is the exact kernel."""
    bandwidths = [4.0, 2.0, 1.0]
    values, codes = [10.0, 13.0, np.nan, 9.0], [0, 0, 1, -1]
    # Two numbers 3 apart are 1.5 spreads apart; a gap is a direction of its own, at 0; two
    # levels, or a level and a gap, are the root of 2 weights apart.
    points = np.array(
        [
            [0.0, 0, 0.8, 0, 0],
            [1.5, 0, 0.8, 0, 0],
            [0.0, 1, 0, 0.8, 0],
            [-0.5, 0, 0, 0, 0.8],
        ]
    )
    squared = np.square(points[:, None] - points[None]).sum(axis=2)
    expected = np.exp(-squared / 2 / np.square(bandwidths)[:, None, None])
    names, count = [f"c{place}" for place in range(80)], 32
    found = np.zeros((3, 4, 4))
    for name in names:
        spec = numeric_spec(name, bandwidths, count=count)
        each = [
            fold_kernel(rows_of(name, [value], [code]), spec).mean
            for value, code in zip(values, codes, strict=True)
        ]
        found += np.einsum("ikf,jkf->kij", each, each) / len(names)
    error = 1 / np.sqrt(len(names) * count)
    assert np.abs(found - expected).max() < 4 * error
    # A row is as like itself as can be, whatever the frequencies.
    assert np.einsum("kii->ki", found) == pytest.approx(np.ones((3, 4)), abs=1e-4)


def test_the_distance_of_two_means_is_the_exact_one_on_average() -> None:
    rng = np.random.default_rng(0)
    x, y = 10 + rng.standard_normal(40), 12 + 2 * rng.standard_normal(30)
    p, q = rng.integers(0, 2, 40), np.zeros(30, int)

    def exact(bandwidth: float) -> float:
        def mean(one: tuple[np.ndarray, ...], two: tuple[np.ndarray, ...]) -> float:
            apart = np.square((one[0][:, None] - two[0]) / 2)
            apart = apart + 2 * 0.8**2 * (one[1][:, None] != two[1])
            return float(np.exp(-apart / 2 / bandwidth**2).mean())

        return mean((x, p), (x, p)) + mean((y, q), (y, q)) - 2 * mean((x, p), (y, q))

    found = []
    for place in range(100):
        spec = numeric_spec(f"c{place}", [2.0, 1.0], count=32)
        sides = [
            fold_kernel(rows_of(f"c{place}", own.tolist(), codes.tolist()), spec).mean
            for own, codes in ((x, p), (y, q))
        ]
        found.append(np.square(sides[0] - sides[1]).sum(axis=1))
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - [exact(2.0), exact(1.0)]) < 4 * error).all()


def test_one_column_by_hand() -> None:
    spec = numeric_spec("c", [2.0], count=5)
    found = fold_kernel(rows_of("c", [12.0, 8.0], [0, 1]), spec)
    projected = project(rows_of("c", [12.0, 8.0], [0, 1]), spec)
    waves = np.hstack((np.cos(projected / 2), np.sin(projected / 2)))
    assert found.sums[0] == pytest.approx(waves.sum(axis=0), abs=1e-5)
    assert found.mean[0] == pytest.approx(waves.mean(axis=0) / np.sqrt(5), abs=1e-6)
    assert found.n == 2


# The algebra.


@settings(max_examples=25)
@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(0, 300), max_size=3))
def test_parts_in_any_order_and_grouping_are_one_pass(seed: int, cuts: list[int]) -> None:
    spec, table = frozen(), mixed_table(300, seed=seed)
    rng = np.random.default_rng(seed)
    whole = fold_kernel(batch(table), spec)
    mixed = table.take(rng.permutation(300))
    marks = [0, *sorted(cuts), 300]
    parts = [
        fold_kernel(batch(mixed.slice(start, stop - start)), spec)
        for start, stop in itertools.pairwise(marks)
        if stop > start
    ]
    ways = [merge_kernels(parts), merge_kernels(parts[::-1])]
    ways.append(reduce(lambda one, two: merge_kernels([two, one]), parts))
    for found in ways:
        assert found.n == 300
        assert found.mean == pytest.approx(whole.mean, abs=1e-6)
        assert found.spec is spec


def test_merging_leaves_the_parts_as_they_were() -> None:
    spec = frozen()
    parts = [fold_kernel(batch(mixed_table(20, seed=seed)), spec) for seed in (1, 2)]
    before = parts[0].sums.copy()
    merge_kernels(parts)
    assert np.array_equal(parts[0].sums, before)


def test_no_rows_have_a_mean_of_zero_and_add_nothing() -> None:
    spec = frozen()
    none = _no_rows(spec)
    some = fold_kernel(batch(mixed_table(50, seed=1)), spec)
    assert (none.mean == 0).all()
    assert np.array_equal(merge_kernels([none, some]).sums, some.sums)


def test_blocks_of_rows_add_up() -> None:
    """More rows than a block holds: as many small batches give the same."""
    spec, table = frozen(), mixed_table(5000, seed=3)
    whole = fold_kernel(batch(table), spec)
    parts = [fold_kernel(batch(table.slice(start, 700)), spec) for start in range(0, 5000, 700)]
    assert merge_kernels(parts).mean == pytest.approx(whole.mean, abs=1e-6)
    assert (np.linalg.norm(whole.mean, axis=1) <= 1 + 1e-6).all()


def test_profiles_carry_their_means_through_merging_and_saving(tmp_path: object) -> None:
    table = mixed_table(900, seed=4)
    whole = make_profile(dataset(table))
    parts = [make_profile(dataset(table.slice(s, 300)), against=whole) for s in (600, 0, 300)]
    merged = merge(parts).kernel
    whole.save(str(tmp_path / "a.profile"))  # type: ignore[operator]
    loaded = type(whole).load(str(tmp_path / "a.profile")).kernel  # type: ignore[operator]
    assert whole.kernel is not None
    assert merged is not None
    assert loaded is not None
    assert merged.mean == pytest.approx(whole.kernel.mean, abs=1e-6)
    assert np.array_equal(loaded.sums, whole.kernel.sums)
    assert loaded.spec.to_plain() == whole.kernel.spec.to_plain()


# What the reference freezes.


def test_scales_are_the_median_the_quartiles_and_how_often_levels_differ() -> None:
    values = np.arange(101.0)
    schema = Schema(
        columns=(
            ColumnSpec(name="x", kind=Kind.NUMERIC),
            ColumnSpec(name="k", kind=Kind.CATEGORY),
            ColumnSpec(name="rare", kind=Kind.CATEGORY),
        )
    )
    levels = pa.array(["a"] * 50 + ["b"] * 25 + ["c"] * 26).dictionary_encode()
    rare = pa.array(["a"] * 100 + ["b"]).dictionary_encode()
    spec = freeze_kernel(schema, pa.table({"x": values, "k": levels, "rare": rare}))
    assert spec is not None
    assert spec.scales["x"].ravel().tolist() == pytest.approx([50, 50 / 1.349])
    alike = (50**2 + 25**2 + 26**2) / 101**2
    assert spec.scales["k"].item() == pytest.approx(1 / np.sqrt(1 - alike))
    assert spec.scales["rare"].item() == 2.0


@pytest.mark.parametrize(
    ("values", "center", "spread"),
    [
        ([0.0] * 90 + [1.0] * 10, 0.0, 1 / 3.290),
        ([0.0] * 99 + [5.0], 0.0, 0.5),
        ([7.0] * 100, 7.0, 1.0),
        ([np.nan] * 100, 0.0, 1.0),
        ([np.inf, -np.inf] * 25 + [1.0] * 25 + [3.0] * 25, 2.0, 2 / 1.349),
    ],
)
def test_a_spread_is_always_positive(values: list[float], center: float, spread: float) -> None:
    schema = Schema(
        columns=(
            ColumnSpec(name="x", kind=Kind.NUMERIC),
            ColumnSpec(name="z", kind=Kind.NUMERIC),
        )
    )
    table = pa.table({"x": pa.array(values, from_pandas=True), "z": np.arange(100.0)})
    spec = freeze_kernel(schema, table)
    assert spec is not None
    assert spec.scales["x"].ravel().tolist() == pytest.approx([center, spread])


def test_rows_that_are_all_equal_or_absent_freeze_nothing() -> None:
    assert freeze_kernel(SCHEMA, mixed_table(1, seed=0).take([0] * 40)) is None
    assert freeze_kernel(SCHEMA, mixed_table(40, seed=0).slice(0, 0)) is None
    text = Schema(columns=(ColumnSpec(name="note", kind=Kind.TEXT),))
    assert freeze_kernel(text, mixed_table(40, seed=0)) is None


def test_a_spec_survives_json_exactly() -> None:
    spec = frozen()
    again = KernelSpec.from_plain(json.loads(json.dumps(spec.to_plain())))
    assert again.to_plain() == spec.to_plain()
    table = batch(mixed_table(30, seed=5))
    assert np.array_equal(fold_kernel(table, again).sums, fold_kernel(table, spec).sums)


def test_the_ladder_does_not_depend_on_units() -> None:
    def ladder(unit: float) -> list[float]:
        rng = np.random.default_rng(6)
        names = ("x", "y")
        columns = tuple(ColumnSpec(name=name, kind=Kind.NUMERIC) for name in names)
        table = pa.table(list(unit * rng.standard_normal((2, 300))), names=list(names))
        spec = freeze_kernel(Schema(columns=columns), table)
        assert spec is not None
        bandwidths: list[float] = spec.ladder.bandwidths.tolist()
        return bandwidths

    assert ladder(1e6) == pytest.approx(ladder(1.0), rel=1e-4)


def _no_rows(spec: KernelSpec) -> KernelMeans:
    table = mixed_table(1, seed=0).combine_chunks().to_batches()[0].slice(0, 0)
    return fold_kernel(decode(table, COLUMNS), spec)
