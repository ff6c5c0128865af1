"""Bits, signs and words of Z."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.quantum.observables import (
    bit_table,
    bits_of,
    states_of,
    walsh_hadamard,
    z_combination,
    z_expectations,
    z_signs,
)

qubits = st.integers(1, 7)


def rows(count, width):
    return np.random.default_rng(width).normal(size=(count, width))


@given(q=qubits)
def test_states_and_bits_are_inverse(q):
    np.testing.assert_array_equal(states_of(bit_table(q)), np.arange(2**q))
    np.testing.assert_array_equal(bits_of(np.arange(2**q), qubits=q), bit_table(q))


@given(q=qubits)
def test_expectations_of_z_are_sums_against_the_signs(q):
    values = rows(3, 2**q)
    np.testing.assert_allclose(z_expectations(values), values @ z_signs(q).T, atol=1e-12)


@given(q=qubits)
def test_a_combination_of_z_is_the_transpose_of_their_expectations(q):
    factors = rows(3, q)
    np.testing.assert_allclose(z_combination(factors), factors @ z_signs(q), atol=1e-12)


@given(q=qubits)
def test_the_transform_is_its_own_inverse_but_for_size(q):
    values = rows(2, 2**q)
    np.testing.assert_allclose(walsh_hadamard(walsh_hadamard(values)), 2**q * values, atol=1e-9)


@given(q=qubits, data=st.data())
def test_each_word_is_the_product_of_its_qubits_signs(q, data):
    word = data.draw(st.integers(0, 2**q - 1))
    chosen = bits_of(np.array([word]), qubits=q)[0].astype(bool)
    values = rows(1, 2**q)
    expected = values[0] @ z_signs(q)[chosen].prod(axis=0)
    assert walsh_hadamard(values)[0, word] == pytest.approx(expected, abs=1e-9)
