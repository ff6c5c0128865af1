"""The share of rows that the reference's law cannot explain: a bound and an estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detector.stats.foreign import _Cut, foreign_at_least, foreign_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Blocks = list[tuple[NDArray[np.float64], NDArray[np.float64]]]


def blocks(rng: np.random.Generator, sizes: tuple[int, int], *, share: float) -> Blocks:
    """Return four blocks in which foreign rows score two higher."""
    made = []
    for _ in range(4):
        score = rng.standard_normal(sizes[1])
        score[rng.random(sizes[1]) < share] += 2.0
        made.append((rng.standard_normal(sizes[0]), score))
    return made


def test_without_foreign_rows_the_count_above_a_cut_is_hypergeometric() -> None:
    # The 3rd largest of 20 reference scores has 5 or more of 30 candidate scores above it just
    # when at most 2 of the 7 highest of all 50 are the reference's.
    cut = _Cut(rank=3, n=20, m=30, above=5)
    assert cut.tail(0.0, cut.mass) == pytest.approx(stats.hypergeom(50, 20, 7).cdf(2), rel=1e-6)


def test_when_every_row_is_foreign_any_count_is_likely() -> None:
    cut = _Cut(rank=3, n=20, m=30, above=30)
    assert cut.tail(1.0, cut.mass) == pytest.approx(1.0)


def test_rows_that_all_outscore_the_reference_are_nearly_all_foreign() -> None:
    rows = np.arange(300.0)
    found = foreign_at_least([(rows, rows + 1_000)] * 4)
    assert 0.97 < found.share < 1.0
    assert found.p_value < 1e-30


def test_equal_scores_bound_nothing() -> None:
    rows = np.arange(300.0)
    found = foreign_at_least([(rows, rows)] * 4)
    assert found.share == 0.0
    assert found.p_value > 0.3


def test_ties_bound_nothing() -> None:
    found = foreign_at_least([(np.zeros(50), np.zeros(500))] * 4)
    assert (found.share, found.p_value) == (0.0, 1.0)


def test_more_rows_reveal_smaller_shares() -> None:
    seen = [
        foreign_at_least([(np.arange(rows), np.arange(rows))]).detectable
        for rows in (50.0, 500.0, 5_000.0)
    ]
    assert seen == sorted(seen, reverse=True)


@settings(max_examples=20)
@given(seed=st.integers(0, 99), scale=st.floats(0.1, 10), share=st.floats(0, 1))
def test_only_the_order_of_scores_counts(seed: int, scale: float, share: float) -> None:
    made = blocks(np.random.default_rng(seed), (60, 80), share=share)
    turned = [(np.arctan(scale * x), np.arctan(scale * y)) for x, y in made]
    assert foreign_at_least(made) == foreign_at_least(turned)
    assert foreign_share(*made[0]) == pytest.approx(foreign_share(*turned[0]))


@settings(max_examples=20)
@given(seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = blocks(rng, (60, 80), share=0.3)
    turned = [(rng.permutation(x), rng.permutation(y)) for x, y in made]
    assert foreign_at_least(made) == foreign_at_least(turned)
    assert foreign_share(*made[0]) == pytest.approx(foreign_share(*turned[0]))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_rows_far_off_are_counted(share: float) -> None:
    rows = np.arange(1_000.0)
    kept = rows[: round(1_000 * (1 - share))] * (1 / (1 - share))
    off = np.full(1_000 - len(kept), 1e6)
    assert foreign_share(rows, np.append(kept, off)) == pytest.approx(share, abs=0.01)


def test_of_a_moved_laplace_law_only_a_part_can_be_known() -> None:
    # The density ratio of Laplace(1) to Laplace(0) is at least 1/e: alpha* = alpha (1 - 1/e).
    rng = np.random.default_rng(0)
    found = [
        foreign_share(
            rng.laplace(size=5_000), np.append(rng.laplace(size=5_000), rng.laplace(1, size=5_000))
        )
        for _ in range(5)
    ]
    assert np.mean(found) == pytest.approx(0.5 * (1 - np.exp(-1)), abs=0.015)


def test_a_ratio_that_rises_smoothly_is_estimated() -> None:
    # Uniform scores against a mixture whose foreign rows have density 6 u^5: nothing of it at 0.
    rng = np.random.default_rng(1)
    clean = rng.random(5_000)
    mixed = np.append(rng.random(3_500), rng.random(1_500) ** (1 / 6))
    assert foreign_share(clean, mixed) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows_gives_a_share(rows: int) -> None:
    scores = np.arange(float(rows))
    assert 0.0 <= foreign_share(scores, scores + 10) <= 1.0
    assert foreign_at_least([(scores, scores)]).share == 0.0


def test_empty_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="every block needs rows on both sides"):
        foreign_at_least([(np.ones(3), np.empty(0))])
    with pytest.raises(ValueError, match="both sides need rows"):
        foreign_share(np.ones(3), np.empty(0))


@pytest.mark.calibration
@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("sizes", [(25, 100), (100, 25), (80, 80)])
def test_the_bound_is_above_the_share_one_time_in_twenty(
    sizes: tuple[int, int], share: float, calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=100, full=1_000)
    above = 0
    for seed in range(runs):
        rng = np.random.default_rng([seed, *sizes, round(10 * share)])
        above += foreign_at_least(blocks(rng, sizes, share=share)).share > share
    assert above <= stats.binom(runs, 0.05).ppf(0.9995)


@pytest.mark.calibration
def test_a_clean_batchs_p_value_is_small_as_often_as_it_says(
    calibration_runs: Callable[..., int],
) -> None:
    runs = calibration_runs(bounded=300, full=2_000)
    small = 0
    for seed in range(runs):
        rng = np.random.default_rng([seed, 3])
        small += foreign_at_least(blocks(rng, (200, 200), share=0.0)).p_value <= 0.05
    law = stats.binom(runs, 0.05)
    assert law.ppf(0.0005) / 2 <= small <= law.ppf(0.9995)  # counts make it conservative
