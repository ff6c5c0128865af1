"""What classifiers read knows nothing of the sides, of units and of how levels are called."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detector.classifiers.features import LEVELS, Features, features
from detector.data.encode import encode_codes
from detector.data.schema import ColumnSpec, Kind, Schema
from detector.stats.normal_scores import normal_scores
from tests.classifiers.tables import coded, column

SCHEMA = Schema(
    columns=(
        ColumnSpec(name="x", kind=Kind.NUMERIC),
        ColumnSpec(name="k", kind=Kind.CATEGORY),
        ColumnSpec(name="v", kind=Kind.VECTOR, width=2),
    )
)


def table(rng: np.random.Generator, rows: int, names: str) -> pa.Table:
    """Return numbers with gaps, levels with gaps and names of their own, and vectors."""
    x = np.where(rng.random(rows) < 0.2, np.nan, rng.poisson(3, rows))
    k = [None if rng.random() < 0.1 else names[rng.integers(0, len(names))] for _ in range(rows)]
    vectors = rng.standard_normal(2 * rows).astype(np.float32)
    return pa.table(
        {
            "x": pa.array(x, from_pandas=True),
            "k": pa.array(k, pa.string()).dictionary_encode(),
            "v": pa.FixedSizeListArray.from_arrays(pa.array(vectors), 2),
        }
    )


def of_tables(one: pa.Table, other: pa.Table) -> Features:
    """Return the features of two tables."""
    return features(encode_codes(one, other, SCHEMA))


@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 40),
    m=st.integers(1, 40),
    names=st.sampled_from(
        [("abc", "abc"), ("abc", "xyz"), ("a", "zyxw"), ("abcdefghijklmno", "q")]
    ),
)
def test_swapping_the_sides_swaps_the_rows_and_nothing_else(
    seed: int, n: int, m: int, names: tuple[str, str]
) -> None:
    rng = np.random.default_rng(seed)
    one, other = table(rng, n, names[0]), table(rng, m, names[1])
    there, back = of_tables(one, other), of_tables(other, one)
    turned = np.r_[m : n + m, 0:m]
    assert np.array_equal(back.bins[:, turned], there.bins)
    assert np.array_equal(back.scores[turned], there.scores)
    assert (back.n_bins, back.names) == (there.n_bins, there.names)
    assert np.array_equal(back.sources, there.sources)


def test_the_rows_order_moves_the_rows_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    one, other = table(rng, 60, "abcd"), table(rng, 50, "cdef")
    plain, order = of_tables(one, other), rng.permutation(60)
    mixed = of_tables(one.take(order), other)
    assert np.array_equal(mixed.scores[:60], plain.scores[order])
    assert np.array_equal(mixed.bins[:, :60], plain.bins[:, order])


def test_equally_frequent_levels_of_one_side_do_not_lie_apart() -> None:
    """First-appearance codes would put the candidate's own levels behind all of the reference's."""
    names = np.array([f"v{place:03d}" for place in range(400)])
    rng = np.random.default_rng(2)
    rng.shuffle(names)
    sides = [
        pa.table({"k": pa.array(own.tolist(), pa.string()).dictionary_encode()})
        for own in np.split(names, 2)
    ]
    schema = Schema(columns=SCHEMA.columns[1:2])
    (bins,) = features(encode_codes(*sides, schema)).bins
    assert stats.ks_2samp(bins[:200], bins[200:]).pvalue > 0.01


def test_three_levels_have_the_scores_of_their_shares() -> None:
    found = column([0, 0, 1, 2], level=True)
    assert found.bins.tolist() == [[1, 1, 2, 3]]
    half, quarter = stats.norm.pdf(0) / 0.5, stats.norm.pdf(stats.norm.ppf(0.25))
    expected = [[half, half, -half, -half]]
    expected += [
        [quarter / (0.25 if row == own else -0.75) for row in range(1, 5)] for own in (3, 4)
    ]
    assert np.allclose(found.scores.T, expected, atol=1e-6)


@given(
    st.lists(st.booleans(), min_size=2, max_size=50).filter(lambda held: 0 < sum(held) < len(held))
)
def test_an_indicator_scores_like_any_number_of_two_values(held: list[bool]) -> None:
    expected = normal_scores(np.array(held, float)).scores
    # Of two levels one score is enough: the second's, by code.
    assert column(held, level=True).scores[:, 0] == pytest.approx(expected, abs=1e-6)
    assert column(held).scores[:, 0] == pytest.approx(expected, abs=1e-6)


@given(
    st.lists(st.floats(-20, 20), min_size=3, max_size=60),
    st.sampled_from([np.exp, np.cbrt, np.arctan]),
)
def test_a_rising_transform_of_a_number_changes_nothing(values: list[float], bend: object) -> None:
    numbers = np.round(values, 1)
    plain, bent = column(numbers), column(bend(numbers))  # type: ignore[operator]
    assert np.array_equal(plain.scores, bent.scores)
    assert np.array_equal(plain.bins, bent.bins)


def test_bins_follow_the_order_and_hold_like_numbers() -> None:
    values = np.random.default_rng(3).standard_cauchy(3000)
    (bins,) = column(values).bins
    assert (np.diff(bins[np.argsort(values)]) >= 0).all()
    held = np.bincount(bins)[1:]
    # One in 100 at each end, then thirtieths of all, the outermost of them cut.
    assert held[[0, -1]] == pytest.approx(30, abs=1)
    assert held[2:-2] == pytest.approx(100, abs=1)


def test_missing_has_a_bin_an_indicator_and_no_score() -> None:
    found = column([np.nan, 1.0, 2.0, np.nan])
    assert found.bins[0, [0, 3]].tolist() == [0, 0]
    assert (found.bins[0, [1, 2]] > 0).all()
    assert found.scores[[0, 3], 0].tolist() == [0, 0]
    assert found.scores[:, 1] == pytest.approx(np.array([1, -1, -1, 1]) * 0.7978846)
    assert found.sources.tolist() == [0, 0]


def test_infinities_are_the_extreme_ranks() -> None:
    rng = np.random.default_rng(4)
    values = rng.standard_normal(50)
    ended = values.copy()
    ended[np.argmax(values)], ended[np.argmin(values)] = np.inf, -np.inf
    assert np.array_equal(column(ended).scores, column(values).scores)


@pytest.mark.parametrize("values", [[5.0, 5.0, 5.0], [np.nan] * 3])
@pytest.mark.parametrize("level", [False, True])
def test_a_column_of_one_value_tells_nothing(values: list[float], level: bool) -> None:
    found = column(values, level=level)
    assert found.scores.shape == (3, 0)
    assert len(set(found.bins[0].tolist())) == 1


def test_constants_beside_others_leave_their_place_empty() -> None:
    rng = np.random.default_rng(5)
    rows = np.column_stack((rng.standard_normal(20), np.ones(20), rng.integers(0, 2, 20)))
    found = features(coded(rows[:9], rows[9:], levels=(2,)))
    assert found.sources.tolist() == [0, 2]
    assert found.bins.shape == (3, 20)
    assert found.rows == 20


def test_only_frequent_levels_have_scores_and_all_have_bins() -> None:
    codes = np.repeat(np.arange(40), np.arange(80, 40, -1))
    found = column(codes, level=True)
    assert found.scores.shape[1] == LEVELS
    assert found.n_bins == 41
    assert abs(found.scores.mean(axis=0)).max() < 1e-5
