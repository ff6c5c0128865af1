"""Merging summaries: the same from any split in any order, and what one pass would give."""

from __future__ import annotations

import math
from collections import Counter
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.profiles.aggregates import LevelSummary, NumericSummary, OpaqueSummary
from detector.profiles.binning import Binner
from detector.profiles.fold import summarize_levels, summarize_numbers
from detector.profiles.merge import cap_levels, merge_column, merge_columns

EDGES = Binner.over(np.array([-1.0, 0.0, 2.0]))
numbers = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 2.0])),
    max_size=25,
)
words_of_three = st.text("abc", max_size=3)
words = st.lists(st.sampled_from([*"abcdefgh", None]), max_size=25)


def of_numbers(values: list[float]) -> NumericSummary:
    """Return the summary of one batch of numbers."""
    return summarize_numbers(np.array(values, float), EDGES)


def of_words(values: list[str | None]) -> LevelSummary:
    """Return the summary of one batch of levels, with a dictionary of its own."""
    levels = list(dict.fromkeys(value for value in values if value is not None))[::-1]
    codes = [-1 if value is None else levels.index(value) for value in values]
    return summarize_levels(np.array(codes, np.int32), levels)


def plain(summary: object) -> object:
    """Return a summary as data that can be compared."""
    assert isinstance(summary, LevelSummary | OpaqueSummary)
    if isinstance(summary, OpaqueSummary):
        return summary.n, summary.missing
    return summary.n, summary.missing, dict(summary.levels), summary.spilled


def same_numbers(one: object, two: object) -> None:
    """Assert that two summaries agree: counts exactly, moments to rounding."""
    assert isinstance(one, NumericSummary)
    assert isinstance(two, NumericSummary)
    for name in ("n", "missing", "negative_infinite", "positive_infinite", "minimum", "maximum"):
        assert getattr(one, name) == getattr(two, name)
    assert np.array_equal(one.counts, two.counts)
    assert one.mean == pytest.approx(two.mean, rel=1e-9, abs=1e-6)
    assert one.m2 == pytest.approx(two.m2, rel=1e-9, abs=1e-3)


def test_two_batches_of_numbers_by_hand() -> None:
    found = merge_column(of_numbers([-3.0, 0.0, np.nan]), of_numbers([1.0, 2.0, np.inf]))
    assert isinstance(found, NumericSummary)
    # -3, 0, 1, 2: mean 0, squares 14. Places: below -1, at 0, between 0 and 2, at 2.
    assert (found.n, found.missing, found.positive_infinite, found.rows) == (4, 1, 1, 6)
    assert (found.mean, found.m2, found.minimum, found.maximum) == (0.0, 14.0, -3.0, 2.0)
    assert found.counts.tolist() == [1, 0, 0, 1, 1, 1, 0]


@given(a=numbers, b=numbers, c=numbers)
def test_numbers_merge_in_any_order_into_what_one_pass_gives(
    a: list[float], b: list[float], c: list[float]
) -> None:
    whole = of_numbers([*a, *b, *c])
    x, y, z = map(of_numbers, (a, b, c))
    for merged in (
        merge_column(merge_column(x, y), z),
        merge_column(x, merge_column(y, z)),
        merge_column(z, merge_column(y, x)),
    ):
        same_numbers(merged, whole)


@given(values=numbers)
def test_an_empty_batch_changes_nothing(values: list[float]) -> None:
    alone, empty = of_numbers(values), of_numbers([])
    same_numbers(merge_column(alone, empty), alone)
    same_numbers(merge_column(empty, alone), alone)


def test_moments_far_from_zero_agree_with_numpy() -> None:
    values = 1e9 + np.random.default_rng(0).standard_normal(4000)
    binner = Binner.over(np.array([1e9]))
    parts = [summarize_numbers(part, binner) for part in np.array_split(values, 13)]
    found = reduce(merge_column, parts)
    assert isinstance(found, NumericSummary)
    assert found.mean == pytest.approx(values.mean(), rel=1e-15)
    assert found.m2 == pytest.approx(values.var() * 4000, rel=1e-6)


def test_the_ends_of_float64_merge_into_finite_moments() -> None:
    found = merge_column(of_numbers([1.7e308]), of_numbers([-1.7e308, -1.7e308]))
    assert isinstance(found, NumericSummary)
    assert found.mean == pytest.approx(-1.7e308 / 3)
    assert math.isfinite(found.m2)


@given(a=words, b=words, c=words)
def test_levels_merge_in_any_order_into_what_one_pass_gives(
    a: list[str | None], b: list[str | None], c: list[str | None]
) -> None:
    whole = of_words([*a, *b, *c])
    x, y, z = map(of_words, (a, b, c))
    assert plain(merge_column(merge_column(x, y), z)) == plain(whole)
    assert plain(merge_column(z, merge_column(y, x))) == plain(whole)
    assert whole.rows == len([*a, *b, *c])


@given(held=st.lists(st.dictionaries(words_of_three, st.integers(1, 9)), min_size=2, max_size=5))
def test_capped_levels_merge_in_any_order(held: list[dict[str, int]]) -> None:
    """A level among the first of the whole is among the first of every part that has it."""
    most = 3
    parts = [LevelSummary(n=sum(own.values()), missing=0, levels=own) for own in held]
    whole: Counter[str] = Counter()
    for own in held:
        whole.update(own)
    once = cap_levels(LevelSummary(n=whole.total(), missing=0, levels=dict(whole)), most=most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cap_levels, "__kwdefaults__", {"most": most})
        capped = [cap_levels(part) for part in parts]
        merged = [reduce(merge_column, order) for order in (capped, capped[::-1])]
    assert [plain(found) for found in merged] == [plain(once)] * 2
    assert once.spilled == once.n - sum(once.levels.values())
    assert len(once.levels) == min(most, len(whole))


def test_presence_adds_up_and_columns_stay_apart() -> None:
    one = {"t": OpaqueSummary(n=3, missing=1), "k": of_words(["a", None])}
    two = {"t": OpaqueSummary(n=2, missing=0), "k": of_words(["b", "a"])}
    found = merge_columns([one, two, two])
    assert plain(found["t"]) == (7, 1)
    assert plain(found["k"]) == (5, 1, {"a": 3, "b": 2}, 0)


def test_summaries_of_two_kinds_do_not_merge() -> None:
    with pytest.raises(TypeError, match="cannot merge NumericSummary with LevelSummary"):
        merge_column(of_numbers([1.0]), of_words(["a"]))
