"""Directions belong to names: normal, the same everywhere, and cheap in wide tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.profiles import directions as module
from detector.profiles import hashing
from detector.profiles.directions import CLIP, Projector, directions
from detector.profiles.fold import Decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

PINNED = [0.8168288, -0.7476787, 1.1428607, -0.1230938]
ALONG, LEVEL, MISSING = ("along", "x", "0"), ("level", "k"), ("missing", "x")


def drawn(*path: str, count: int = 8) -> np.ndarray:
    """Return the direction of a name."""
    return directions(np.array([hashing.key(*path)], np.uint64), count)[0]


def decoded(
    *,
    numbers: Mapping[str, object] | None = None,
    levels: Mapping[str, tuple[list[int], list[str]]] | None = None,
    vectors: Mapping[str, object] | None = None,
) -> Decoded:
    """Return a batch."""
    held = {name: np.array(values, float) for name, values in (numbers or {}).items()}
    coded = {name: (np.array(c, np.int32), names) for name, (c, names) in (levels or {}).items()}
    wide = {name: np.array(values, np.float32) for name, values in (vectors or {}).items()}
    rows = {len(own) for own in (*held.values(), *wide.values())}
    rows |= {len(codes) for codes, _ in coded.values()}
    return Decoded(numbers=held, levels=coded, vectors=wide, texts={}, rows=rows.pop())


def projected(batch: Decoded, scales: dict[str, object], *, count: int = 8) -> np.ndarray:
    """Return all rows of a batch on the directions."""
    given_scales = {name: np.array(scale, float) for name, scale in scales.items()}
    return Projector.of(batch, given_scales, count).project(0, batch.rows)


# Directions.


def test_directions_are_the_same_on_every_machine() -> None:
    assert drawn(*ALONG, count=4).tolist() == pytest.approx(PINNED, abs=1e-6)


def test_equal_names_have_equal_directions_and_others_have_others() -> None:
    keys = np.array([hashing.key("along", name, "0") for name in ("x", "y", "x")], np.uint64)
    one, two, again = directions(keys, 64)
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.4
    # Whatever else is asked for at the same time.
    assert np.array_equal(directions(keys[:1], 64)[0], one)


def test_directions_are_standard_normal() -> None:
    keys = np.array([hashing.key("along", f"c{place}", "0") for place in range(400)], np.uint64)
    values = directions(keys, 101)
    assert values.shape == (400, 101)
    assert stats.kstest(values.ravel(), "norm").pvalue > 0.01
    # Both halves of the Box-Muller pairs, and the square, in which dependence would hide.
    cosine, sine = values[:, :50].ravel(), values[:, 51:].ravel()
    bound = 4 / np.sqrt(len(sine))
    assert abs(np.corrcoef(cosine, sine)[0, 1]) < bound
    assert abs(np.corrcoef(cosine**2, sine**2)[0, 1]) < bound


def test_directions_of_names_next_to_each_other_are_unrelated() -> None:
    keys = hashing.key("along", "x", "0") + np.arange(1000, dtype=np.uint64) * np.uint64(2)
    values = directions(keys, 40)
    among = np.corrcoef(values.T)[np.triu_indices(40, 1)] * np.sqrt(1000)
    between = np.corrcoef(values[:100])[np.triu_indices(100, 1)] * np.sqrt(40)
    assert abs(among).max() < 4.5
    assert np.mean(between**2) == pytest.approx(1.0, abs=0.1)


# Projection.


def test_a_number_leans_along_its_column() -> None:
    found = projected(decoded(numbers={"x": [5.0, 1.0]}), {"x": [[3.0], [4.0]]})
    assert found == pytest.approx(np.outer([0.5, -0.5], drawn(*ALONG)), abs=1e-6)


def test_a_level_and_a_missing_value_lean_along_their_own() -> None:
    batch = decoded(numbers={"x": [np.nan, 1.0]}, levels={"k": ([1, -1], ["a", "b"])})
    found = projected(batch, {"x": [[0.0], [1.0]], "k": [[0.5]]})
    of_b = directions(hashing.texts(_texts("b")) * hashing.key(*LEVEL), 8)[0]
    assert found[0] == pytest.approx(drawn(*MISSING) + 0.5 * of_b, abs=1e-6)
    assert found[1] == pytest.approx(drawn(*ALONG) + 0.5 * drawn("missing", "k"), abs=1e-6)


def test_a_vector_leans_along_each_dimension_and_is_missing_as_one() -> None:
    batch = decoded(vectors={"v": [[1.0, 2.0], [np.nan, np.nan]]})
    found = projected(batch, {"v": [[0.0, 1.0], [1.0, 0.5]]})
    along = [drawn("along", "v", str(place)) for place in range(2)]
    assert found[0] == pytest.approx(along[0] + 2 * along[1], abs=1e-5)
    assert found[1] == pytest.approx(drawn("missing", "v"), abs=1e-6)


def test_far_and_infinite_numbers_stop_at_the_clip() -> None:
    batch = decoded(numbers={"x": [1e300, np.inf, -np.inf, -1.7e308, CLIP]})
    found = projected(batch, {"x": [[1e307], [1e-300]]})
    signs = np.array([-1, 1, -1, -1, -1])
    assert found == pytest.approx(np.outer(CLIP * signs, drawn(*ALONG)), abs=1e-4)


def test_columns_that_only_one_of_both_knows_are_left_out() -> None:
    batch = decoded(numbers={"x": [1.0], "z": [9.0]}, levels={"q": ([0], ["a"])})
    found = projected(batch, {"x": [[0.0], [1.0]], "lost": [[0.0], [1.0]]})
    assert found[0] == pytest.approx(drawn(*ALONG), abs=1e-6)


@given(seed=st.integers(0, 2**31))
def test_neither_batches_nor_dictionaries_nor_the_order_of_columns_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, codes = rng.standard_normal(20), rng.integers(-1, 3, (2, 20))
    scales: dict[str, object] = {"x": [[0.1], [2.0]], "k": [[0.9]], "q": [[0.7]]}
    names = ["a", "b", "c"]
    whole = projected(
        decoded(numbers={"x": x}, levels={n: (c, names) for n, c in zip("kq", codes, strict=True)}),
        scales,
    )
    order = rng.permutation(3)
    turned = np.append(np.argsort(order), -1)[codes]
    other = [names[place] for place in order]
    again = decoded(
        levels={n: (turned[i][7:], [*other, "unused"]) for i, n in ((1, "q"), (0, "k"))},
        numbers={"x": x[7:]},
    )
    assert projected(again, scales) == pytest.approx(whole[7:], abs=1e-5)


# Level columns looked up together.


def wide(columns: int, levels: int, *, rows: int = 30, seed: int = 0) -> Decoded:
    """Return level columns with gaps."""
    rng = np.random.default_rng(seed)
    names = [f"v{place}" for place in range(levels)]
    held = {f"k{i}": (rng.integers(-1, levels, rows).tolist(), names) for i in range(columns)}
    return decoded(levels=held)


@pytest.mark.parametrize(("columns", "levels"), [(1, 3), (7, 2), (12, 9), (3, 100)])
def test_joined_tables_say_what_separate_look_ups_say(
    columns: int, levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = wide(columns, levels)
    scales: dict[str, object] = {f"k{i}": [[0.5 + i / 10]] for i in range(columns)}
    joined = projected(batch, scales)
    monkeypatch.setattr(module, "_MOST_COMBINED", 0)
    apart = projected(batch, scales)
    assert joined == pytest.approx(apart, abs=1e-5)
    by_hand = np.zeros((batch.rows, 8))
    for i in range(columns):
        by_hand += projected(wide_column(batch, f"k{i}"), scales)
    assert joined == pytest.approx(by_hand, abs=1e-5)


def test_small_columns_are_looked_up_together() -> None:
    scales = {f"k{i}": np.array([[1.0]]) for i in range(8)}
    held = Projector.of(wide(8, 2), scales, 8).levels
    assert len(held) == 2  # 3^7 = 2187 combinations of two levels and a gap, and one more column
    assert sorted(len(levels.sizes) for levels in held) == [1, 7]


@pytest.mark.parametrize(
    ("columns", "levels", "count"), [(40, 2, 320), (1500, 2, 64), (300, 12, 160), (2000, 1, 32)]
)
def test_tables_of_many_columns_stay_small(columns: int, levels: int, count: int) -> None:
    scales = {f"k{i}": np.array([[1.0]]) for i in range(columns)}
    held = Projector.of(wide(columns, levels, rows=2), scales, count).levels
    own = columns * (levels + 1) * count * 4
    assert sum(len(part.codes) for part in held) == columns
    assert sum(part.table.nbytes for part in held) <= 4 * module._MOST_NUMBERS + own


def wide_column(batch: Decoded, name: str) -> Decoded:
    """Return one level column of a batch."""
    codes, names = batch.levels[name]
    return decoded(levels={name: (codes.tolist(), names)})


def _texts(*values: str) -> object:
    import pyarrow as pa

    return pa.array(values, pa.string())
