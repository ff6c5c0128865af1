"""The share of one known law in a mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from detector.stats.mixing import mixture_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Samples = list[NDArray[np.float64]]


def drawn(
    rng: np.random.Generator, sizes: tuple[int, int, int], *, share: float, move: float
) -> Samples:
    """Return the true density ratio at rows of two normal laws and of their mixture."""
    mixed = rng.standard_normal(sizes[2]) + move * (rng.random(sizes[2]) < share)
    rows = rng.standard_normal(sizes[0]), rng.standard_normal(sizes[1]) + move, mixed
    return [np.exp(move * own - move**2 / 2) for own in rows]


def test_two_values_give_a_share_by_hand() -> None:
    # 1 in 4 reference rows and 3 in 4 others have the high value; so have 2 in 5 of the mixture.
    # (0.4 - 0.25) / (0.75 - 0.25) = 0.3, whatever the two values are.
    def sample(high: float, rows: int = 400) -> NDArray[np.float64]:
        return np.where(np.arange(rows) < high * rows, 5.0, 0.2)

    assert mixture_share(sample(0.25), sample(0.75), sample(0.4)).value == pytest.approx(0.3)


def test_with_large_pure_samples_it_is_the_maximum_likelihood_estimate() -> None:
    rng = np.random.default_rng(0)
    reference, other, mixed = drawn(rng, (60_000, 60_000, 800), share=0.3, move=1.5)
    likely = optimize.minimize_scalar(
        lambda share: -np.log1p(share * (mixed - 1)).sum(), bounds=(0, 1), method="bounded"
    )
    assert mixture_share(reference, other, mixed).value == pytest.approx(likely.x, abs=0.01)


def test_a_wrong_ratio_costs_precision_and_not_the_truth() -> None:
    rng = np.random.default_rng(1)
    found = [
        mixture_share(*(np.sqrt(own) * 3 for own in drawn(rng, (2_000,) * 3, share=0.4, move=1.0)))
        for _ in range(30)
    ]
    assert np.mean([each.value for each in found]) == pytest.approx(0.4, abs=0.02)


def test_laws_alike_say_nothing() -> None:
    widths = []
    for seed in range(20):
        noise = np.random.default_rng([2, seed]).standard_normal((3, 300))
        low, high = mixture_share(*np.exp(0.01 * noise)).interval
        widths.append(high - low)
    assert np.median(widths) > 0.95


def test_equal_ratios_say_nothing() -> None:
    found = mixture_share(np.ones(50), np.ones(50), np.ones(50))
    assert found.interval == (0.0, 1.0)


def test_no_row_like_the_other_law_leaves_room_for_a_few() -> None:
    # The rule of three: 100 rows without a case allow a share of about 3 %.
    low, high = mixture_share(
        np.full(1_000, 1e-6), np.full(1_000, 1e6), np.full(100, 1e-6)
    ).interval
    assert low == 0.0
    assert 0.02 < high < 0.06


def test_swapping_the_laws_swaps_the_share() -> None:
    rng = np.random.default_rng(3)
    one, two, mixed = drawn(rng, (300, 400, 500), share=0.3, move=1.0)
    there, back = mixture_share(one, two, mixed), mixture_share(1 / two, 1 / one, 1 / mixed)
    assert there.value == pytest.approx(1 - back.value, abs=1e-3)
    assert there.interval[0] == pytest.approx(1 - back.interval[1], abs=1e-3)


@settings(max_examples=25)
@given(seed=st.integers(0, 99), share=st.floats(0, 1), move=st.floats(0.0, 4.0))
def test_the_share_lies_in_its_interval_and_both_in_0_to_1(
    seed: int, share: float, move: float
) -> None:
    found = mixture_share(*drawn(np.random.default_rng(seed), (30, 40, 50), share=share, move=move))
    assert 0 <= found.interval[0] <= found.value <= found.interval[1] <= 1
    assert 0 < found.p_value <= 1
    assert found.null_error >= 0


def test_single_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="each sample needs two rows"):
        mixture_share(np.ones(1), np.ones(5), np.ones(5))


@pytest.mark.calibration
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize(("move", "sizes"), [(0.5, (300, 300, 300)), (2.0, (150, 600, 300))])
def test_19_of_20_intervals_hold_the_share(
    share: float, move: float, sizes: tuple[int, int, int], calibration_runs: Callable[..., int]
) -> None:
    runs = calibration_runs(bounded=100, full=1_000)
    missed = 0
    for seed in range(runs):
        rng = np.random.default_rng([seed, *sizes, round(100 * share)])
        low, high = mixture_share(*drawn(rng, sizes, share=share, move=move)).interval
        missed += not low <= share <= high
    assert missed <= stats.binom(runs, 0.05).ppf(0.9995)
