"""Bin edges and couplings, as discrete choices."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import detector
from benchmarks.choices import best_edges
from detector.errors import DetectorError
from generators.bits import Bits
from generators.codec import Dimension
from generators.quantum.edges import (
    CANDIDATES,
    GRID,
    chosen_edges,
    edges_problem,
    exactly,
    tables_of,
    told,
)
from generators.quantum.optimisers import qaoa, random_search
from tests.generators.tables import mixed, numbers

AXES = (Dimension("a", "value"), Dimension("b", "value"))
EDGE = float(GRID[4])


def linked(rows=3_000, *, seed=0):
    """Return two axes: the second one tells on which side of one edge the first one lies."""
    rng = np.random.default_rng(seed)
    first, second = rng.uniform(-1, 1, (2, rows))
    second = np.where(first < EDGE, -np.abs(second), np.abs(second))
    return np.column_stack([first, second]).astype(np.float32)


def even(each):
    return Bits.even(AXES, each=each)


def test_what_bins_tell_is_their_mutual_information():
    from sklearn.metrics import mutual_info_score

    rows = linked()
    tables = tables_of(even(2), rows, 0)
    cells = np.searchsorted(GRID[[4, 9]], rows[:, 0], side="right")
    bins = np.searchsorted(even(2).cuts[1][1:-1], rows[:, 1], side="right")
    assert told(tables, [3, 8]) == pytest.approx(mutual_info_score(cells, bins))


def test_the_energy_of_one_edge_is_what_it_tells():
    tables = tables_of(even(1), linked(), 0)
    gain = np.array([told(tables, [k]) for k in range(CANDIDATES)])
    alone = edges_problem(tables, 1).energies_of(np.eye(CANDIDATES, dtype=np.uint8))
    assert alone - alone[0] == pytest.approx(-(gain - gain[0]) / gain.max())


def test_the_energy_of_two_edges_counts_what_they_share_in_part():
    tables = tables_of(even(2), linked(), 0)
    problem = edges_problem(tables, 3)
    gain = np.array([told(tables, [k]) for k in range(CANDIDATES)])
    bits = np.zeros((4, CANDIDATES), np.uint8)
    bits[1, 3], bits[2, 8], bits[3, [3, 8]] = 1, 1, 1
    none, one, two, both = problem.energies_of(bits)
    shared = (gain[3] + gain[8] - told(tables, [3, 8])) / gain.max()
    assert both - one - two + none == pytest.approx(shared / 2 + 2)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_lowest_energy_has_as_many_edges_as_are_wanted(count):
    for axis in range(2):
        problem = edges_problem(tables_of(even(2), linked(), axis), count)
        lowest = problem.energies().argmin()
        assert int(lowest).bit_count() == count


def test_edges_too_many_or_too_few_are_put_right_one_by_one():
    problem = edges_problem(tables_of(even(2), linked(), 0), 3)
    for start in (np.zeros(CANDIDATES, np.uint8), np.ones(CANDIDATES, np.uint8)):
        assert exactly(problem, start, 3).sum() == 3
    three = np.zeros(CANDIDATES, np.uint8)
    three[:3] = 1
    assert exactly(problem, three, 3) is three


@pytest.mark.parametrize("by", ["qaoa", "vqe"])
def test_an_edge_is_put_where_the_other_axis_changes(by):
    found = chosen_edges(even(1), linked(), AXES, by=by, rng=np.random.default_rng(0))
    assert found.cuts[0].tolist() == [-1.0, EDGE, 1.0]
    assert found.widths == (1, 1)


def test_axes_that_have_no_choice_keep_their_bins():
    rows = linked()
    level = Dimension("c", "level", edges=np.array([-1.0, 0.2, 1.0]))
    rng = np.random.default_rng(0)
    for code, dimensions in (
        (Bits.even((AXES[0], level), each=4), (AXES[0], level)),  # 15 edges, and levels
        (Bits(cuts=(even(2).cuts[0], np.array([-1.0, 1.0]))), AXES),  # nothing to tell about
    ):
        found = chosen_edges(code, rows, dimensions, by="qaoa", rng=rng)
        assert [cuts.tolist() for cuts in found.cuts] == [cuts.tolist() for cuts in code.cuts]


def test_the_best_edges_are_those_of_every_choice_there_is():
    tables = tables_of(even(2), linked(200, seed=3), 1)
    every = [told(tables, chosen) for chosen in combinations(range(CANDIDATES), 3)]
    assert told(tables, best_edges(tables, 3)) == pytest.approx(max(every))


def test_qaoa_beats_random_search_at_equal_looks_on_edges():
    ours, blind = [], []
    for seed in range(5):
        problem = edges_problem(tables_of(even(2), linked(300, seed=seed), 1), 3)
        found = qaoa(problem, rng=np.random.default_rng(seed))
        ours.append(found.energy)
        rngs = [np.random.default_rng([seed, k]) for k in range(10)]
        others = [random_search(problem, evaluations=found.evaluations, rng=rng) for rng in rngs]
        blind.append(np.mean([other.energy for other in others]))
    assert np.mean(ours) < np.mean(blind)


@pytest.mark.parametrize("edges", ["qaoa", "vqe"])
def test_a_born_machine_has_its_edges_from_a_solver(edges, tmp_path):
    recipe = detector.recipe("qcbm", qubits=8, layers=2, steps=5, edges=edges)
    models = [recipe.fit(mixed(120), np.random.default_rng(0)) for _ in range(2)]
    plain = detector.recipe("qcbm", qubits=8, layers=2, steps=5).fit(
        mixed(120), np.random.default_rng(0)
    )
    cuts = [np.concatenate(model.source.code.cuts) for model in (*models, plain)]
    assert np.array_equal(cuts[0], cuts[1])
    assert cuts[0].shape == cuts[2].shape
    assert not np.array_equal(cuts[0], cuts[2])
    models[0].save(tmp_path / "model")
    again = type(recipe).load(tmp_path / "model")
    ours, theirs = (m.sample(20, np.random.default_rng(1)).to_arrow() for m in (models[0], again))
    assert ours.equals(theirs)


@pytest.mark.parametrize("by", ["qaoa", "vqe"])
@pytest.mark.parametrize("options", [{}, {"field": "all", "qubits": 5, "hidden": 1}])
def test_only_chosen_couplings_are_trained(by, options):
    given = {"qubits": 8, "hidden": 2, "steps": 8, "whiten": False, **options}
    recipe = detector.recipe("qbm", couplings=by, **given)
    models = [recipe.fit(numbers(200, 3), np.random.default_rng(0)) for _ in range(2)]
    core, facts = models[0].source.core, models[0].log.facts
    seen = core.machine.problem.couplings[: core.machine.visible, : core.machine.visible]
    assert np.count_nonzero(seen) == facts["pairs"] > 0
    every = core.machine.visible * (core.machine.visible - 1) // 2
    assert facts["parameters"] == len(core.machine.vector) - every + facts["pairs"]
    assert (
        seen.tobytes()
        == models[1]
        .source.core.machine.problem.couplings[: core.machine.visible, : core.machine.visible]
        .tobytes()
    )


@pytest.mark.parametrize(("name", "option"), [("qcbm", "edges"), ("qbm", "couplings")])
def test_a_choice_that_nobody_knows_is_refused(name, option):
    with pytest.raises(DetectorError, match=f"{option} is 'best'; it can be"):
        detector.recipe(name, **{option: "best"})


def test_couplings_by_a_circuit_need_cirq(monkeypatch):
    monkeypatch.setattr("generators.recipes.qbm.find_spec", lambda _name: None)
    with pytest.raises(DetectorError, match=r"Cirq is not installed; it comes with collapse-det"):
        detector.recipe("qbm", couplings="qaoa")
