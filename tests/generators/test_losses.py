"""Losses of generators: values worked by hand, and every slope against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from generators.losses import (
    StateKernel,
    among,
    among_slope,
    cross_entropy,
    negative_log_likelihood,
    relative_distance,
    row_distance,
    state_distance,
)


def differences(loss, at, *, step=1e-5):
    slope = np.zeros(at.shape)
    for place in np.ndindex(*at.shape):
        moved = at.copy()
        moved[place] += step
        above = loss(moved)
        moved[place] -= 2 * step
        slope[place] = (above - loss(moved)) / (2 * step)
    return slope


def law(states, *, seed=0):
    drawn = 0.2 + np.random.default_rng(seed).random(states)
    return drawn / drawn.sum()


def dense(kernel, states):
    return np.array([kernel.apply(row) for row in np.eye(states)])


def test_two_pairs_of_points_are_as_far_apart_as_their_kernel_says():
    x, y = np.zeros((2, 1)), np.ones((2, 1))
    expected = 2 - 2 * np.exp(-0.5)
    assert row_distance(x, y, bandwidths=(1.0,)).value == pytest.approx(expected)


def test_the_distance_of_rows_averages_its_bandwidths():
    x, y = np.zeros((2, 3)), np.full((3, 3), 0.5)
    each = [row_distance(x, y, bandwidths=(width,)).value for width in (0.2, 0.7)]
    assert row_distance(x, y, bandwidths=(0.2, 0.7)).value == pytest.approx(np.mean(each))


def test_the_slope_of_the_distance_of_rows_is_its_derivative():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (7, 3)), rng.uniform(-1, 1, (9, 3))
    numeric = differences(lambda rows: row_distance(rows, y).value, x)
    assert row_distance(x, y).slope == pytest.approx(numeric, abs=1e-8)


def test_the_distance_of_rows_is_zero_on_average_for_one_law():
    rng = np.random.default_rng(1)
    found = [row_distance(*rng.uniform(-1, 1, (2, 20, 2))).value for _ in range(400)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))


def test_the_nearer_of_two_models_is_told_by_the_same_rows():
    rng = np.random.default_rng(4)
    real, near, far = (rng.normal(shift, 0.3, (300, 2)) for shift in (0.0, 0.0, 0.3))
    farther, error = relative_distance(far, near, real)
    assert farther == pytest.approx(row_distance(far, real).value - row_distance(near, real).value)
    assert farther > 4 * error > 0


def test_equal_models_are_equally_far():
    rng = np.random.default_rng(5)
    real = rng.normal(size=(100, 2))
    found = [relative_distance(*rng.normal(size=(2, 400, 2)), real) for _ in range(100)]
    assert abs(np.mean([farther for farther, _ in found])) < 3 * np.std(found) / 10


def test_one_row_has_no_distance():
    with pytest.raises(ValueError, match=r"need two rows on each side, got 1 and 5"):
        row_distance(np.zeros((1, 2)), np.zeros((5, 2)))


def test_rows_of_other_columns_have_no_distance():
    with pytest.raises(ValueError, match=r"drawn has 2 columns and real has 3"):
        row_distance(np.zeros((4, 2)), np.zeros((5, 3)))


def test_a_kernel_of_bits_counts_flips():
    kernel = dense(StateKernel.of_bits(3, bandwidths=(1.0,)), 8)
    flips = np.array([[(i ^ j).bit_count() for j in range(8)] for i in range(8)])
    assert kernel == pytest.approx(np.exp(-flips / 2))


@pytest.mark.parametrize("sizes", [(4, 2, 8), (2,) * 9, (64, 64)])
def test_a_kernel_of_many_bits_is_the_product_over_dimensions(sizes):
    rng = np.random.default_rng(2)
    places = [rng.random(size) for size in sizes]
    kernel = StateKernel.of_places(places, bandwidths=(0.3,))
    i, j = rng.integers(0, np.prod(sizes), 2)
    apart = sum(
        (place[a] - place[b]) ** 2
        for place, a, b in zip(
            places, np.unravel_index(i, sizes), np.unravel_index(j, sizes), strict=True
        )
    )
    state = np.zeros(np.prod(sizes))
    state[i] = 1.0
    assert kernel.apply(state)[j] == pytest.approx(np.exp(-apart / (2 * 0.3**2)))


def test_the_distance_of_laws_is_that_of_their_expected_rows():
    kernel = StateKernel.of_bits(4)
    p, t = law(16), law(16, seed=1)
    apart = p - t
    assert state_distance(p, t, kernel).value == pytest.approx(apart @ dense(kernel, 16) @ apart)


@pytest.mark.parametrize("kind", ["mmd", "nll"])
def test_the_slope_of_a_loss_of_laws_is_its_derivative(kind):
    kernel, p, t = StateKernel.of_bits(4), law(16), law(16, seed=1)
    t[3] = 0.0

    def loss(made):
        if kind == "nll":
            return negative_log_likelihood(made, t)
        return state_distance(made, t, kernel)

    numeric = differences(lambda x: loss(x).value, p)
    assert loss(p).slope == pytest.approx(numeric, rel=1e-5, abs=1e-6)


def test_the_likelihood_of_the_law_itself_is_its_entropy():
    t = np.array([0.5, 0.25, 0.25, 0.0])
    found = negative_log_likelihood(t, t).value
    assert found == pytest.approx(1.5 * np.log(2.0))


def test_a_state_without_probability_still_has_a_slope():
    found = negative_log_likelihood(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    assert np.isfinite(found.value)
    assert found.slope[1] < -1e6


def test_the_floor_is_the_distance_of_fresh_rows():
    rng = np.random.default_rng(3)
    kernel, t, rows = StateKernel.of_bits(5), law(32), 50
    drawn = rng.multinomial(rows, t, 4_000) / rows
    fresh = np.mean([state_distance(some, t, kernel).value for some in drawn])
    floors = np.mean([kernel.floor(some, rows) for some in drawn])
    assert floors == pytest.approx(fresh, rel=0.03)


def test_each_bandwidth_alone_makes_up_the_mixture():
    kernel, p = StateKernel.of_bits(4), law(16)
    each = [alone.apply(p) for alone in kernel.alone]
    assert kernel.apply(p) == pytest.approx(np.mean(each, axis=0))


def test_invalid_states_are_masked_and_the_rest_sums_to_one():
    valid = np.array([True, False, True, False])
    kept = among(valid, np.array([0.1, 0.5, 0.3, 0.1]))
    assert kept == pytest.approx([0.25, 0.0, 0.75, 0.0])


def test_the_slope_through_a_mask_is_the_derivative():
    valid = np.arange(16) % 3 != 0
    kernel, p, t = StateKernel.of_bits(4), law(16), among(valid, law(16, seed=1))
    found = state_distance(among(valid, p), t, kernel)
    numeric = differences(lambda x: state_distance(among(valid, x), t, kernel).value, p)
    assert among_slope(valid, p, found.slope) == pytest.approx(numeric, abs=1e-8)


def test_a_law_without_valid_states_is_refused():
    with pytest.raises(ValueError, match=r"no valid state has a probability above zero"):
        among(np.array([False, True]), np.array([1.0, 0.0]))


def test_a_critic_that_knows_nothing_loses_one_bit():
    assert cross_entropy(np.zeros(4), np.array([1.0, 1.0, 0.0, 0.0])).value == np.log(2)


def test_the_slope_of_a_critics_loss_is_its_derivative():
    logits = np.array([-40.0, -1.0, 0.3, 2.0, 35.0])
    wished = np.array([0.9, 0.0, 0.9, 0.0, 1.0])
    numeric = differences(lambda x: cross_entropy(x, wished).value, logits)
    assert cross_entropy(logits, wished).slope == pytest.approx(numeric, abs=1e-8)


def test_a_generator_is_not_let_off_by_a_sure_critic():
    assert cross_entropy(np.full(2, -50.0), 1.0).slope == pytest.approx([-0.5, -0.5])
