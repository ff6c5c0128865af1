"""Ising models and quadratic binary problems."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.quantum.observables import bit_table
from generators.quantum.problems import Ising


@given(q=st.integers(1, 6), seed=st.integers(0, 1000))
def test_a_quadratic_problem_keeps_its_values(q, seed):
    matrix = np.random.default_rng(seed).normal(size=(q, q))
    bits = bit_table(q).astype(float)
    expected = np.einsum("si,ij,sj->s", bits, matrix, bits)
    np.testing.assert_allclose(Ising.from_qubo(matrix).energies(), expected, atol=1e-12)


def test_energies_worked_by_hand():
    problem = Ising(fields=np.array([1.0, 0.0]), couplings=np.array([[0.0, 2.0], [0.0, 0.0]]))
    assert problem.energies().tolist() == [3, -1, -3, 1]


def test_couplings_on_the_diagonal_are_refused():
    with pytest.raises(ValueError, match="nothing on or below the diagonal"):
        Ising(fields=np.zeros(2), couplings=np.eye(2))
