"""The area under the ROC curve: by hand, by oracle, and as often right as it says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from detector.stats.auc import Auc, Stratum, auc, logit_interval, placements, rows_for_margin
from tests.stats.rates import assert_size

if TYPE_CHECKING:
    from collections.abc import Callable

    Runs = Callable[..., int]

tied = st.lists(st.integers(0, 6), min_size=1, max_size=40)


def area(x: object, y: object, **options: object) -> Auc:
    """Return the area of one stratum."""
    return auc([Stratum(x=np.asarray(x, float), y=np.asarray(y, float), **options)])  # type: ignore[arg-type]


def shared(rng: np.random.Generator, truth: float, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return normal scores whose area is the truth."""
    shift = math.sqrt(2) * stats.norm.ppf(truth)
    return rng.standard_normal(n), rng.standard_normal(m) + shift


# By hand.


def test_three_scores_against_three_by_hand() -> None:
    # Of nine pairs y wins 6 and ties 2: (6 + 1) / 9.
    found = area([1, 2, 3], [2, 3, 4])
    assert found.value == pytest.approx(7 / 9)
    # (rows + 1 - 2 * 6 / 30) / 12 n m: two ties of two among six scores.
    assert found.null_error == pytest.approx(math.sqrt((7 - 0.4) / 108))
    assert found.above == pytest.approx(stats.norm.sf((7 / 9 - 0.5) / found.null_error))


def test_the_interval_of_three_against_three_by_hand() -> None:
    # y beats 1/3, 2/3 and 3/3 of x; x is beaten by as many of y. Both have variance 1/9, over
    # 3 rows: 2/27 in all, with 2 + 2 degrees of freedom.
    found = area([1, 3, 5], [2, 4, 6])
    error = math.sqrt(2 / 27) / (2 / 3 * 1 / 3)
    student = 2.7764451051977987
    expected = [1 / (1 + math.exp(-(math.log(2) + sign * student * error))) for sign in (-1, 1)]
    assert found.value == pytest.approx(2 / 3)
    assert found.interval == pytest.approx(tuple(expected))


def test_strata_are_averaged_by_weight() -> None:
    low = Stratum(x=np.array([2.0]), y=np.array([1.0]), weight=1.0)
    high = Stratum(x=np.array([1.0]), y=np.array([2.0]), weight=3.0)
    found = auc([low, high])
    assert found.value == 0.75
    # Two scores: the area is 0 or 1 with equal chance, variance 1/4 in each stratum.
    assert found.null_error == pytest.approx(math.sqrt((1 + 9) / 16 / 4))


def test_one_group_a_side_moves_the_area_from_none_to_all() -> None:
    found = area([1, 2, 3], [4, 5], x_groups=np.array([0, 0, 0]), y_groups=np.array([1, 1]))
    assert found.null_error == pytest.approx(0.5)
    assert found.above == pytest.approx(stats.norm.sf(1.0))
    assert found.interval[0] < 0.1


def test_two_groups_a_side_have_six_ways_to_fall() -> None:
    """Groups of 2 rows whose scores are (1,2) (3,4) (5,6) (7,8): all six areas by hand."""
    groups = np.array([0, 0, 1, 1])
    found = area([1, 2, 3, 4], [5, 6, 7, 8], x_groups=groups, y_groups=groups + 2)
    # The area by which two of the four groups are the candidate's: 1, .75, .5, .5, .25, 0.
    assert found.null_error == pytest.approx(np.std([1, 0.75, 0.5, 0.5, 0.25, 0]))


@pytest.mark.parametrize("pairs", [6, 10, 14, 22])
def test_groups_that_cancel_within_are_no_evidence(pairs: int) -> None:
    """Each group is a low score and as high a one: no relabeling moves the area."""
    low = np.arange(1.0, pairs + 1)
    x, y = np.split(np.column_stack((low, 2 * pairs + 1 - low)), 2)
    groups = np.arange(pairs).repeat(2)
    found = area(x.ravel(), y.ravel(), x_groups=groups[:pairs], y_groups=groups[pairs:])
    assert found.value == pytest.approx(0.5)
    assert (found.above, found.below) == (0.5, 0.5)


# Oracles.


@given(x=tied, y=tied)
def test_the_value_is_scikit_learns(x: list[int], y: list[int]) -> None:
    expected = roc_auc_score([0] * len(x) + [1] * len(y), [*x, *y])
    assert area(x, y).value == pytest.approx(expected)
    assert placements(np.array(x, float), np.array(y, float)).mean() == pytest.approx(expected)


@given(x=tied, y=tied)
def test_the_p_values_are_mann_and_whitneys(x: list[int], y: list[int]) -> None:
    found = area(x, y)
    if len({*x, *y}) == 1:
        assert (found.value, found.above, found.below) == (0.5, 0.5, 0.5)
        assert found.null_error == 0
        return
    for name, alternative in (("above", "less"), ("below", "greater")):
        oracle = stats.mannwhitneyu(
            x, y, alternative=alternative, method="asymptotic", use_continuity=False
        )
        assert getattr(found, name) == pytest.approx(oracle.pvalue)


@given(seed=st.integers(0, 2**31))
def test_groups_of_one_row_are_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.poisson(3, 30), rng.poisson(4, 20)
    alone = area(x, y)
    grouped = area(x, y, x_groups=np.arange(30), y_groups=np.arange(30, 50))
    assert grouped.value == alone.value
    assert grouped.null_error == pytest.approx(alone.null_error)
    assert grouped.above == pytest.approx(alone.above)
    assert grouped.interval == pytest.approx(alone.interval)


def test_the_variance_with_groups_is_obuchowskis() -> None:
    rng = np.random.default_rng(0)
    x_groups, y_groups = np.repeat(np.arange(12), 3), np.repeat(np.arange(12), 2)
    effect = rng.standard_normal(12)
    x = effect[x_groups] + rng.standard_normal(36)
    y = effect[y_groups] + rng.standard_normal(24) + 0.5
    wins = (y[:, None] > x[None]).astype(float)
    value = wins.mean()
    of_y, of_x = wins.mean(axis=1) - value, wins.mean(axis=0) - value
    sums = np.array(
        [of_x[x_groups == g].sum() / 36 + of_y[y_groups == g].sum() / 24 for g in range(12)]
    )
    variance = 12 / 11 * sums @ sums
    expected = logit_interval(value, variance, smallest=12, freedom=11)
    found = area(x, y, x_groups=x_groups, y_groups=y_groups)
    assert found.interval == pytest.approx(expected)


# Properties.


@given(x=tied, y=tied)
def test_swapping_the_sides_mirrors_everything(x: list[int], y: list[int]) -> None:
    there, back = area(x, y), area(y, x)
    assert back.value == pytest.approx(1 - there.value)
    assert back.interval == pytest.approx((1 - there.interval[1], 1 - there.interval[0]))
    assert (back.above, back.below) == pytest.approx((there.below, there.above))
    assert back.null_error == pytest.approx(there.null_error)


@given(x=tied, y=tied, seed=st.integers(0, 9))
def test_only_the_order_of_scores_counts(x: list[int], y: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    plain = area(x, y)
    bent = area(rng.permutation(np.exp(np.array(x, float))), np.exp(np.array(y, float)))
    assert bent.value == plain.value
    assert bent.interval == pytest.approx(plain.interval)
    assert bent.above == pytest.approx(plain.above)


@given(
    parts=st.lists(st.tuples(tied, tied, st.floats(0.1, 10)), min_size=1, max_size=4),
    grouped=st.booleans(),
)
def test_every_number_is_in_its_range(
    parts: list[tuple[list[int], list[int], float]], grouped: bool
) -> None:
    strata = [
        Stratum(
            x=np.array(x, float),
            y=np.array(y, float),
            weight=weight,
            x_groups=np.array(y[:1] * len(x)) if grouped else None,
            y_groups=np.array(y) if grouped else None,
        )
        for x, y, weight in parts
    ]
    found = auc(strata)
    assert 0 <= found.interval[0] <= found.value <= found.interval[1] <= 1
    assert 0 < found.above <= 1
    assert 0 < found.below <= 1
    assert 0 <= found.detectable() <= found.detectable(two_sided=True) <= 0.5


def test_perfect_separation_is_no_certainty() -> None:
    found = area(np.arange(20), np.arange(20) + 50)
    assert found.value == found.interval[1] == 1.0
    assert found.interval[0] < 0.95
    assert found.above > 0
    many = area(np.arange(20_000.0), np.arange(20_000.0) + 1e6)
    assert many.interval[0] > found.interval[0]
    assert 0 < many.above <= 1e-300


def test_the_closer_the_interval_the_more_rows() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for rows in (50, 200, 800):
        low, high = area(*shared(rng, 0.7, rows, rows)).interval
        widths.append(high - low)
    assert widths[0] > 1.6 * widths[1] > 1.6 * 1.6 * widths[2]


def test_a_group_of_half_the_rows_leaves_little_known() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 400))
    even = np.repeat(np.arange(20), 20)
    uneven = np.concatenate((np.zeros(200, int), 1 + np.arange(200) % 19))
    widths = []
    for groups in (even, uneven):
        low, high = area(x, y, x_groups=groups, y_groups=groups + 20).interval
        widths.append(high - low)
    assert widths[1] > widths[0]


@pytest.mark.parametrize("sides", [([], [1.0]), ([1.0], [])])
def test_a_stratum_without_one_side_is_refused(sides: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="rows on both sides"):
        area(*sides)
    with pytest.raises(ValueError, match="rows on both sides"):
        auc([])


# How often it is right.


@pytest.mark.calibration
@pytest.mark.parametrize("truth", [0.5, 0.7, 0.9])
@pytest.mark.parametrize(("n", "m"), [(50, 50), (200, 200), (40, 400)])
def test_intervals_hold_the_truth_in_95_of_100(
    n: int, m: int, truth: float, calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=4000, full=20_000)
    rng = np.random.default_rng([n, m, round(10 * truth)])
    held = 0
    for _ in range(runs):
        low, high = area(*shared(rng, truth, n, m)).interval
        held += low <= truth <= high
    assert 0.93 <= held / runs <= 0.97


@pytest.mark.calibration
@pytest.mark.parametrize(("n", "m"), [(60, 60), (40, 300)])
def test_intervals_hold_the_truth_of_tied_scores(n: int, m: int, calibration_runs: Runs) -> None:
    runs = calibration_runs(bounded=4000, full=20_000)
    rng = np.random.default_rng([n, m])
    laws = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.4, 0.3]])
    truth = sum(laws[1][j] * (laws[0][:j].sum() + laws[0][j] / 2) for j in range(4))
    held = 0
    for _ in range(runs):
        low, high = area(rng.choice(4, n, p=laws[0]), rng.choice(4, m, p=laws[1])).interval
        held += low <= truth <= high
    assert 0.93 <= held / runs <= 0.97


def clustered(
    rng: np.random.Generator, groups: tuple[int, int], *, shift: float, both: bool = False
) -> Stratum:
    """Return rows that mostly belong to their group, of 1 to 9 rows."""
    x_groups, y_groups = (np.repeat(np.arange(own), rng.integers(1, 10, own)) for own in groups)
    if not both:
        y_groups = y_groups + groups[0]
    effect = rng.standard_normal(sum(groups))
    x = effect[x_groups] + rng.standard_normal(len(x_groups)) / 3
    y = effect[y_groups] + rng.standard_normal(len(y_groups)) / 3 + shift
    weight = 1 / (1 / len(x) + 1 / len(y))
    return Stratum(x=x, y=y, weight=weight, x_groups=x_groups, y_groups=y_groups)


@pytest.mark.calibration
@pytest.mark.parametrize(
    ("groups", "both"),
    [((2, 2), False), ((3, 20), False), ((20, 3), False), ((12, 12), False), ((12, 12), True)],
)
def test_few_groups_alarm_no_more_often_than_many(
    groups: tuple[int, int], both: bool, calibration_runs: Runs
) -> None:
    """Blocks of a table of ten groups a side have two or three of each: the hardest case."""
    runs = calibration_runs(bounded=2000, full=10_000)
    rng = np.random.default_rng([*groups, both])
    above = below = 0
    for _ in range(runs):
        found = auc([clustered(rng, groups, shift=0.0, both=both) for _ in range(4)])
        above += found.above <= 0.05
        below += found.below <= 0.05
    assert_size(above, runs)
    assert_size(below, runs)


@pytest.mark.calibration
@pytest.mark.parametrize("groups", [(3, 3), (10, 10), (30, 6)])
def test_intervals_hold_the_truth_where_rows_are_clustered(
    groups: tuple[int, int], calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=2000, full=10_000)
    rng = np.random.default_rng(groups)
    truth = stats.norm.cdf(0.8 / math.sqrt(2 * (1 + 1 / 9)))
    held = 0
    for _ in range(runs):
        low, high = auc([clustered(rng, groups, shift=0.8) for _ in range(4)]).interval
        held += low <= truth <= high
    assert held / runs >= 0.92  # few groups may be told more than they know, never less


@pytest.mark.calibration
@pytest.mark.parametrize("margin", [0.1, 0.05])
def test_so_many_rows_show_sameness_in_nine_of_ten(margin: float, calibration_runs: Runs) -> None:
    runs = calibration_runs(bounded=1000, full=10_000)
    rows = rows_for_margin(margin)
    rng = np.random.default_rng(rows)
    reached = short = 0
    for _ in range(runs):
        low, high = area(*rng.standard_normal((2, rows))).interval
        reached += 0.5 - margin < low <= high < 0.5 + margin
        low, high = area(*rng.standard_normal((2, rows // 2))).interval
        short += 0.5 - margin < low <= high < 0.5 + margin
    assert stats.binomtest(reached, runs, 0.9).pvalue > 0.001
    assert short < 0.6 * runs


@pytest.mark.calibration
def test_what_is_detectable_is_detected_four_times_in_five(calibration_runs: Runs) -> None:
    runs = calibration_runs(bounded=2000, full=10_000)
    rng = np.random.default_rng(3)
    one_sided = two_sided = 0
    plain = area(*rng.standard_normal((2, 300)))
    for _ in range(runs):
        found = area(*shared(rng, 0.5 + plain.detectable(), 300, 300))
        one_sided += found.above <= 0.05
        found = area(*shared(rng, 0.5 + plain.detectable(two_sided=True), 300, 300))
        two_sided += min(found.above, found.below) <= 0.025
    assert 0.77 <= one_sided / runs <= 0.84
    assert 0.77 <= two_sided / runs <= 0.84
