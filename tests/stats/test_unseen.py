"""New levels: what chance brings, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stats.unseen import unseen_rows
from tests.stats.rates import band

if TYPE_CHECKING:
    from collections.abc import Callable

counts = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60).filter(
    lambda pairs: sum(a for a, _ in pairs) > 0 < sum(b for _, b in pairs)
)


def test_a_level_of_one_row_is_as_often_on_either_side() -> None:
    found = unseen_rows(np.array([9, 0]), np.array([9, 1]))
    # The lone row is the candidate's with chance 10 / 19; nothing else can be unseen.
    assert found.rows == 1
    assert found.expected == pytest.approx(10 / 19, abs=1e-4)
    assert found.p_value == pytest.approx(10 / 19 / 2, abs=1e-4)


def test_half_the_rows_in_new_levels_are_not_chance() -> None:
    assert unseen_rows(np.array([500, 500, 0]), np.array([250, 250, 500])).p_value < 1e-9


def test_a_column_of_ids_is_all_new_and_no_surprise() -> None:
    ids = np.repeat([1, 0], 300)
    found = unseen_rows(ids, ids[::-1].copy())
    assert found.rows == 300
    assert found.p_value > 0.1


@given(pairs=counts, seed=st.integers(0, 99))
def test_order_does_not_matter(pairs: list[tuple[int, int]], seed: int) -> None:
    one, two = np.array(pairs).T
    order = np.random.default_rng(seed).permutation(len(one))
    found, turned = unseen_rows(one, two), unseen_rows(one[order], two[order])
    assert found == turned
    assert 0 < found.p_value <= 1
    assert found.rows == two[one == 0].sum()


@given(pairs=counts)
def test_expected_rows_are_those_of_shuffled_labels(pairs: list[tuple[int, int]]) -> None:
    one, two = np.array(pairs).T
    n, m = int(one.sum()), int(two.sum())
    # A level's c rows are all among m of n + m with probability C(m, c) / C(n + m, c).
    chances = [
        np.prod([(m - i) / (n + m - i) for i in range(int(c))]) * c for c in one + two if c <= m
    ]
    assert unseen_rows(one, two).expected == pytest.approx(sum(chances))


@pytest.mark.calibration
@pytest.mark.parametrize(("n", "m"), [(1000, 1000), (100, 1000), (1000, 100), (1000, 50_000)])
@pytest.mark.parametrize("levels", [1000, 100_000])
def test_chance_is_called_a_surprise_in_five_percent(
    n: int, m: int, levels: int, calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=300, full=1000)
    law = np.arange(1, levels + 1.0) ** -1.2
    law /= law.sum()
    rng = np.random.default_rng([n, m, levels])
    found = [unseen_rows(rng.multinomial(n, law), rng.multinomial(m, law)) for _ in range(runs)]
    low, high = band(runs)
    assert low <= sum(one.p_value <= 0.05 for one in found) <= high
    rows = np.array([one.rows for one in found])
    expected = np.mean([one.expected for one in found])
    assert rows.mean() == pytest.approx(expected, abs=4 * rows.std() / np.sqrt(runs))
