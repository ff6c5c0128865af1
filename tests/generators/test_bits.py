from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import DetectorError
from generators.bits import Bits, bitstrings, indices
from generators.codec import Dimension


def levels(*shares):
    return Dimension("c", "level", 2.0 * np.concatenate([[0.0], np.cumsum(shares)]) - 1.0)


NUMBER = Dimension("x", "value")
MIXED = (NUMBER, levels(0.5, 0.3, 0.2), NUMBER, levels(0.9, 0.1))


def rows(n=500, d=4, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, d)).astype(np.float32)


def test_every_dimension_has_the_bits_it_needs():
    code = Bits.even(MIXED, each=3)
    assert code.widths == (3, 2, 3, 1)
    assert code.total == 9


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_bits_read_back_are_the_same_bits(seed, each):
    code = Bits.even(MIXED, each=each)
    bits = code.encode(rows(50, seed=seed))
    assert bits.dtype == np.uint8
    assert bits.shape == (50, code.total)
    back = code.decode(bits, np.random.default_rng(seed))
    assert np.array_equal(code.encode(back), bits)
    assert np.abs(back).max() <= 1.0


def test_the_first_bit_is_the_most_significant():
    code = Bits.even((NUMBER,), each=2)
    found = code.encode(np.array([[-0.9], [-0.1], [0.1], [0.9]], np.float32))
    assert found.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert indices(found).tolist() == [0, 1, 2, 3]
    assert np.array_equal(bitstrings(np.arange(4), 2), found)


def test_the_mask_leaves_out_codes_that_mean_nothing_and_no_others():
    code = Bits.even(MIXED, each=1)
    mask = code.mask()
    every = bitstrings(np.arange(2**code.total), code.total)
    assert np.array_equal(mask, code.valid(every))
    assert mask.sum() == 2 * 3 * 2 * 2
    assert np.array_equal(np.unique(indices(code.encode(rows(5_000)))), np.flatnonzero(mask))


def test_rare_neighbors_share_a_code_and_come_back_by_their_shares():
    code = Bits.even((levels(0.5, 0.06, 0.04, 0.2, 0.2),), each=1, levels=2)
    assert code.widths == (2,)
    shared = np.tile(np.array([0, 1], np.uint8), (10_000, 1))
    back = code.decode(shared, np.random.default_rng(0))[:, 0]
    assert np.mean(back > 2 * 0.56 - 1) == pytest.approx(0.4, abs=0.02)


def test_bits_go_where_the_variance_is():
    weights = np.array([8.0, 4.0, 1.0, 0.01])
    code = Bits.by_weight((NUMBER,) * 4, total=6, weights=weights)
    assert code.widths == (3, 2, 1, 0)


def test_a_dimension_without_bits_is_uniform():
    code = Bits.by_weight((NUMBER,) * 2, total=1, weights=np.array([1.0, 0.1]))
    back = code.decode(np.zeros((4_000, 1), np.uint8), np.random.default_rng(0))
    assert back[:, 0].max() < 0 < back[:, 1].max()
    assert np.mean(back[:, 1]) == pytest.approx(0.0, abs=0.05)


def test_too_few_bits_are_refused_with_a_way_out():
    with pytest.raises(DetectorError, match=r"5 bits at least, and there are 4: the first 3 of 4"):
        Bits.by_weight(MIXED, total=4)


def test_too_many_bits_to_list_are_refused():
    with pytest.raises(DetectorError, match="27 bits have too many"):
        Bits.even((NUMBER,) * 27, each=1).mask()


def test_bits_survive_saving():
    code = Bits.even(MIXED, each=3)
    again = Bits.restored(code.save())
    assert again.widths == code.widths
    assert np.array_equal(again.encode(rows()), code.encode(rows()))
    assert Bits.restored(Bits.even((), each=1).save()).total == 0
