"""Which qubits meet, as a discrete choice."""

from __future__ import annotations

import numpy as np
import pytest

import detector
from detector.errors import DetectorError
from generators.quantum.circuits import hardware_efficient
from generators.quantum.layouts import (
    CANDIDATES,
    EACH,
    EVEN,
    chosen_pairs,
    layout_problem,
    mutual_information,
)
from generators.quantum.optimisers import qaoa, random_search
from tests.generators.tables import numbers

RNG = np.random.default_rng(0)
COINS = RNG.integers(0, 2, (4_000, 3), np.uint8)
LINKED = np.column_stack([COINS, COINS ^ (RNG.random((4_000, 3)) < 0.1)])
"""Bits 0 and 3, 1 and 4, 2 and 5 tell of each other; no others do."""


def test_equal_bits_tell_one_bit_about_each_other_and_coins_nothing():
    found = mutual_information(np.column_stack([COINS, COINS[:, 0]]))
    assert found[0, 3] == pytest.approx(np.log(2), abs=1e-3)
    assert found[0, 1] == pytest.approx(0, abs=2e-3)
    assert np.array_equal(found, found.T)


def test_mutual_information_is_that_of_scikit_learn():
    from sklearn.metrics import mutual_info_score

    found = mutual_information(LINKED)
    for i, j in ((0, 1), (0, 3), (2, 5)):
        assert found[i, j] == pytest.approx(mutual_info_score(LINKED[:, i], LINKED[:, j]))


def test_the_energy_is_what_pairs_tell_and_what_uneven_qubits_cost():
    pairs, problem = layout_problem(LINKED)
    telling = mutual_information(LINKED)
    gain = np.array([telling[pair] for pair in pairs]) / telling.max()
    for bits in np.random.default_rng(1).integers(0, 2, (20, len(pairs)), np.uint8):
        gates = np.zeros(6)
        for pair, on in zip(pairs, bits, strict=True):
            gates[list(pair)] += on
        by_hand = -gain @ bits + EVEN * ((gates - EACH) ** 2 - EACH**2).sum()
        assert problem.energies_of(bits[None])[0] == pytest.approx(by_hand)


@pytest.mark.parametrize("by", ["qaoa", "vqe"])
def test_pairs_that_tell_of_each_other_meet(by):
    pairs = chosen_pairs(LINKED, by=by, rng=np.random.default_rng(0))
    assert {(0, 3), (1, 4), (2, 5)} <= set(pairs)


def test_qaoa_finds_the_best_layout_and_random_search_does_not():
    _, problem = layout_problem(LINKED)
    assert problem.qubits == CANDIDATES
    ours = [qaoa(problem, rng=np.random.default_rng(seed)) for seed in range(3)]
    lowest = problem.energies().min()
    assert all(found.energy == pytest.approx(lowest) for found in ours)
    blind = [
        random_search(problem, evaluations=found.evaluations, rng=np.random.default_rng(seed))
        for seed, found in enumerate(ours)
    ]
    assert np.mean([found.energy for found in blind]) > lowest + 0.1


def test_given_pairs_meet_in_every_layer():
    circuit = hardware_efficient(4, layers=2, pairs=[(0, 3), (1, 2)]).circuit
    met = [tuple(q.x for q in op.qubits) for op in circuit.all_operations() if len(op.qubits) == 2]
    assert sorted(met) == [(0, 3), (0, 3), (1, 2), (1, 2)]


@pytest.mark.parametrize("layout", ["qaoa", "vqe"])
def test_a_recipe_takes_its_layout_from_a_solver(layout):
    recipe = detector.recipe("qcbm", qubits=5, layers=2, steps=5, layout=layout, whiten=False)
    models = [recipe.fit(numbers(200, 3), np.random.default_rng(0)) for _ in range(2)]
    assert 0 < models[0].log.facts["pairs"] <= 10
    assert models[0].sample(9, RNG).to_arrow().num_rows == 9
    circuits = [model.source.core.circuit.tobytes() for model in models]
    assert circuits[0] == circuits[1]


def test_a_layout_that_nobody_knows_is_refused():
    with pytest.raises(DetectorError, match="layout is 'grid'; it can be ring, qaoa, vqe"):
        detector.recipe("qcbm", layout="grid")
