"""Draws from probabilities: seeded, right in the long run, and in no order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.quantum.observables import states_of
from generators.quantum.sampling import draw_bits, draw_states, frequencies

seeds = st.integers(0, 2**32 - 1)


def rng(seed=0):
    return np.random.default_rng(seed)


@given(seed=seeds, short=st.integers(0, 50), long=st.integers(50, 200))
def test_a_longer_draw_begins_with_the_shorter(seed, short, long):
    probabilities = rng(1).dirichlet(np.ones(16))
    first = draw_states(probabilities, short, rng(seed))
    np.testing.assert_array_equal(draw_states(probabilities, long, rng(seed))[:short], first)


@given(seed=seeds, zeros=st.sets(st.integers(0, 15), max_size=15))
def test_a_state_of_no_probability_never_comes_up(seed, zeros):
    probabilities = rng(seed).random(16).astype(np.float32) + np.float32(0.1)
    probabilities[list(zeros)] = 0
    assert zeros.isdisjoint(draw_states(probabilities, 300, rng(seed)).tolist())


def test_the_shares_are_the_probabilities():
    probabilities = np.array([0.1, 0.2, 0.3, 0.4])
    counts = np.bincount(draw_states(probabilities, 40_000, rng()), minlength=4)
    expected = 40_000 * probabilities
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_rounded_probabilities_need_not_sum_to_one():
    probabilities = np.array([1e-7, 0.2, 0.2, 0.0])
    assert set(draw_states(probabilities, 1000, rng()).tolist()) <= {0, 1, 2}


def test_bits_are_those_of_the_states_qubit_0_first():
    probabilities = rng(3).dirichlet(np.ones(32))
    bits = draw_bits(probabilities, 100, rng(4))
    assert bits.shape == (100, 5)
    np.testing.assert_array_equal(states_of(bits), draw_states(probabilities, 100, rng(4)))


def test_the_order_of_rows_carries_no_content():
    """Runs above and below the median, Wald and Wolfowitz (1940); a sorted sample has two."""
    states = draw_states(rng(5).dirichlet(np.ones(64)), 4000, rng(6))
    above = states > np.median(states)
    runs = 1 + int((above[1:] != above[:-1]).sum())
    high, low = int(above.sum()), int((~above).sum())
    mean = 1 + 2 * high * low / (high + low)
    spread = math.sqrt((mean - 1) * (mean - 2) / (high + low - 1))
    assert abs(runs - mean) < 4 * spread
    assert np.abs(np.corrcoef(states, np.arange(4000))[0, 1]) < 4 / math.sqrt(4000)


def test_the_same_seed_gives_the_same_bytes():
    probabilities = rng(7).dirichlet(np.ones(8))
    first, second = (draw_bits(probabilities, 500, rng(8)).tobytes() for _ in range(2))
    assert first == second


def test_frequencies_come_from_whole_executions():
    found = frequencies(rng(9).dirichlet(np.ones(8), 3), repetitions=50, rng=rng(10))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found * 50, np.round(found * 50), atol=1e-9)


@pytest.mark.parametrize("bad", [[0.5, -0.1], [np.nan, 1.0], [0.0, 0.0]])
def test_what_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match="finite, at least zero and not all zero"):
        draw_states(np.array(bad), 1, rng())


def test_a_circuit_must_be_executed():
    with pytest.raises(ValueError, match="executed at least once, got 0"):
        frequencies(np.ones((1, 2)) / 2, repetitions=0, rng=rng())
