"""Annealed chains against exact diagonalisation, and each step against an exact sum."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from detector.errors import DetectorError
from generators.quantum.annealing import Paths, anneal, plain_ring, swept
from generators.quantum.ising import thermal_state
from generators.quantum.observables import z_signs
from generators.quantum.problems import Ising


def model(qubits, *, seed=0, scale=0.5):
    rng = np.random.default_rng(seed)
    couplings = scale * np.triu(rng.standard_normal((qubits, qubits)), 1)
    return Ising(fields=scale * rng.standard_normal(qubits), couplings=couplings)


def bit_errors(bits, problem, transverse):
    """Return how far the shares of ones, and of equal pairs, are from the exact ones."""
    exact = thermal_state(problem, transverse).moments()
    spins = 1.0 - 2.0 * bits
    pairs = np.triu(spins.T @ spins / len(spins), 1)
    alone = np.abs(spins.mean(axis=0) - exact.fields).max() / 2
    return alone, np.abs(pairs - exact.couplings).max() / 2


def ring_weights(up, link):
    """Return every ring of spins and its weight."""
    rings = np.array(list(itertools.product([True, False], repeat=len(up))))
    alone = np.where(rings, up, 1 - up).prod(axis=1)
    apart = (rings != np.roll(rings, 1, axis=1)).sum(axis=1)
    return rings, alone * link**apart


@pytest.mark.parametrize("slices", [2, 5])
def test_a_ring_is_drawn_from_its_exact_law(slices):
    rng = np.random.default_rng(slices)
    up, link, chains = rng.uniform(0.2, 0.8, slices), 0.3, 20_000
    drawn = np.empty((slices, chains), np.bool_)
    plain_ring(
        np.repeat(up[:, None], chains, axis=1),
        link,
        rng.random((slices, chains)),
        drawn,
        np.empty((slices, 4, chains)),
    )
    rings, weights = ring_weights(up, link)
    powers = 2 ** np.arange(slices)
    counts = np.bincount(drawn.T @ powers, minlength=2**slices)[rings @ powers]
    shares = weights / weights.sum()
    assert np.abs(counts / chains - shares).max() < 5 * np.sqrt(0.25 / chains)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slices", [1, 2, 9])
def test_the_compiled_ring_draws_the_same_spins(slices, dtype):
    from generators.quantum import rings

    rng = np.random.default_rng(0)
    up, uniform = (rng.random((slices, 300)).astype(dtype) for _ in range(2))
    plain, quick = np.empty((2, slices, 300), np.bool_)
    room = np.empty((slices, 4, 300), dtype)
    plain_ring(up, dtype(0.07), uniform, plain, room)
    rings.draw_ring(up, dtype(0.07), uniform, quick, room)
    assert np.array_equal(plain, quick)


def test_annealed_bits_are_those_of_exact_diagonalisation():
    problem, transverse = model(8, seed=3), np.full(8, 1.2)
    paths = anneal(problem, transverse, chains=10_000, sweeps=40, rng=np.random.default_rng(0))
    alone, pairs = bit_errors(paths.bits(), problem, transverse)
    assert alone <= 0.02
    assert pairs <= 0.02


def test_moments_of_chains_are_those_of_the_state():
    problem, transverse = model(5, seed=1), np.array([0.3, -1.0, 2.0, 0.0, 0.7])
    paths = anneal(problem, transverse, chains=10_000, sweeps=40, rng=np.random.default_rng(0))
    ours, exact = paths.moments(transverse), thermal_state(problem, transverse).moments()
    assert ours.fields == pytest.approx(exact.fields, abs=0.04)
    assert ours.couplings == pytest.approx(exact.couplings, abs=0.04)
    assert ours.transverse == pytest.approx(exact.transverse, abs=0.08)


def test_more_slices_leave_a_smaller_error():
    """The product's own error, without sampling: the law of a chain of matrices."""
    problem, transverse = model(4, seed=2, scale=1.5), np.full(4, 2.0)
    exact = thermal_state(problem, transverse).probabilities
    errors = [np.abs(product_law(problem, 2.0, slices) - exact).max() for slices in (4, 8, 16)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.3)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.3)


def product_law(problem, field, slices):
    """Return the diagonal of (exp(-E / slices) exp(field X / slices)) ** slices."""
    same, other = np.cosh(field / slices), np.sinh(field / slices)
    turn = np.ones((1, 1))
    for _ in range(problem.qubits):
        turn = np.kron(turn, np.array([[same, other], [other, same]]))
    step = np.exp(-problem.energies() / slices)[:, None] * turn
    law = np.diag(np.linalg.matrix_power(step, slices))
    return law / law.sum()


def test_chains_follow_the_law_of_the_product():
    problem, transverse = model(3, seed=5, scale=1.0), np.full(3, 1.5)
    rng = np.random.default_rng(0)
    bits = anneal(problem, transverse, chains=15_000, sweeps=40, slices=4, rng=rng).bits()
    shares = np.bincount(bits @ np.array([4, 2, 1]), minlength=8) / len(bits)
    assert np.abs(shares - product_law(problem, 1.5, 4)).max() < 0.02


def test_without_a_field_there_is_one_slice_and_gibbs_sampling():
    problem = model(6, seed=4)
    paths = anneal(problem, np.zeros(6), chains=10_000, sweeps=40, rng=np.random.default_rng(0))
    assert paths.zeros.shape == (6, 1, 10_000)
    assert max(bit_errors(paths.bits(), problem, np.zeros(6))) <= 0.02
    assert not paths.moments(np.zeros(6)).transverse.any()


def test_strong_pulls_are_sampled_in_double_precision():
    couplings = np.zeros((2, 2))
    couplings[0, 1] = -90.0
    problem = Ising(fields=np.zeros(2), couplings=couplings)
    bits = anneal(problem, np.ones(2), chains=200, rng=np.random.default_rng(0)).bits()
    assert np.array_equal(bits[:, 0], bits[:, 1])
    assert 0.3 < bits.mean() < 0.7


def test_pulls_beyond_all_precision_are_refused():
    problem = Ising(fields=np.array([700.0]), couplings=np.zeros((1, 1)))
    with pytest.raises(DetectorError, match="pulled with an energy of 700, too much"):
        anneal(problem, np.ones(1), chains=2, rng=np.random.default_rng(0))


def test_one_seed_gives_the_same_chains_and_sweeps_leave_theirs_alone():
    problem, transverse = model(4), np.ones(4)
    one, two = (
        anneal(problem, transverse, chains=50, rng=np.random.default_rng(7)) for _ in range(2)
    )
    assert np.array_equal(one.zeros, two.zeros)
    before = one.zeros.copy()
    one.zeros.flags.writeable = False
    swept(one, problem, transverse, sweeps=2, rng=np.random.default_rng(1))
    assert np.array_equal(one.zeros, before)


def test_bits_are_rows_with_qubit_zero_first():
    zeros = np.array([[[True, False]], [[False, False]]])
    assert Paths(zeros=zeros).bits().tolist() == [[0, 1], [1, 1]]
    assert z_signs(1)[0, 0] == 1.0  # spin up is bit 0
