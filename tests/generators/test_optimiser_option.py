"""The option `optimiser`: where slopes come from, and what every recipe does with them."""

from __future__ import annotations

from itertools import product

import cirq
import numpy as np
import pytest

import detector
from detector.errors import DetectorError
from generators.quantum.boltzmann import Machine
from generators.quantum.circuits import hardware_efficient, reuploading
from generators.quantum.descent import OPTIMISERS, Place, Spsa, slope_by
from generators.quantum.engine_fast import FastExecutor
from generators.quantum.fisher import among_laws, fisher
from generators.quantum.geometry import LOOKED_AT, among_states, fubini_study
from generators.running import all_inputs
from generators.stage import Stage
from tests.generators.tables import numbers

BIT_BY_BIT = {"whiten": False, "qubits": 5}
RECIPES = [
    ("qcbm", {"layers": 2, "steps": 120, "spread": 0.5, **BIT_BY_BIT}, "loss"),
    ("qgan", {"layers": 2, "steps": 120, "loss": "mmd", "whiten": False}, "distance"),
    ("qgan", {"layers": 2, "steps": 120, "whiten": False, "patches": 2}, "distance"),
    ("qvae", {"steps": 150}, "validation"),
    ("qbm", {"hidden": 2, "steps": 150, "rate": 0.03, **BIT_BY_BIT}, "loss"),
    ("qbm", {"hidden": 0, "field": "all", "steps": 100, "rate": 0.03, **BIT_BY_BIT}, "loss"),
]


def state_of(ansatz, values):
    named = dict(zip((*ansatz.weights, *ansatz.inputs), map(float, values), strict=True))
    simulator = cirq.Simulator(dtype=np.complex128)
    return simulator.simulate(ansatz.circuit, named, qubit_order=ansatz.qubits).final_state_vector


def metric_by_differences(ansatz, values, moving, step=1e-5):
    slopes = []
    for place in moving:
        shift = np.zeros(len(values))
        shift[place] = step
        ends = [state_of(ansatz, values + sign * shift) for sign in (1, -1)]
        slopes.append((ends[0] - ends[1]) / (2 * step))
    slopes = np.array(slopes)
    along = slopes.conj() @ state_of(ansatz, values)
    return (slopes.conj() @ slopes.T - np.outer(along, along.conj())).real


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize(("name", "options", "loss"), RECIPES)
def test_every_optimiser_lowers_the_loss_of_every_recipe(name, options, loss, optimiser):
    recipe = detector.recipe(name, optimiser=optimiser, **options)
    losses = recipe.fit(numbers(200, 3), np.random.default_rng(0), examine=False).log.losses[loss]
    few = max(1, len(losses) // 10)
    assert np.mean(losses[-few:]) < 0.97 * np.mean(losses[:few])


def test_the_metric_is_the_mean_over_rows_of_inputs():
    ansatz, rng = reuploading(2, layers=2), np.random.default_rng(0)
    weights = rng.normal(size=len(ansatz.weights))
    rows = rng.normal(size=(3, len(ansatz.inputs)))
    places = range(len(weights))
    expected = [metric_by_differences(ansatz, [*weights, *row], places) for row in rows]
    found = fubini_study(FastExecutor(ansatz, precision="double"), weights, rows)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-8)


def test_a_circuit_of_inputs_alone_has_the_metric_of_its_inputs():
    ansatz, rng = all_inputs(2, layers=1), np.random.default_rng(0)
    rows = rng.normal(size=(2, len(ansatz.inputs)))
    expected = [metric_by_differences(ansatz, row, range(len(row))) for row in rows]
    found = fubini_study(FastExecutor(ansatz, precision="double"), np.zeros(0), rows)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-8)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("on_visible", [False, True])
def test_fishers_metric_is_that_of_the_law_of_seen_bits(on_visible, masked):
    rng = np.random.default_rng(0)
    machine = Machine.started(3, hidden=2, gamma=0.7, rng=rng, on_visible=on_visible)
    start = machine.vector + rng.normal(0, 0.5, len(machine.vector)) * (machine.vector != 0)
    free = np.ones(len(start))
    if not on_visible:
        free[-5:-2] = 0.0
    start += free * rng.normal(0, 0.3, len(start))
    mask = np.arange(8) < (6 if masked else 8)

    def law(vector):
        kept = machine.moved(vector).probabilities() * mask
        return kept / kept.sum()

    steps = 1e-5 * np.diag(free)
    slopes = np.array([(law(start + step) - law(start - step)) / 2e-5 for step in steps])
    expected = (slopes[:, mask] / law(start)[mask]) @ slopes[:, mask].T
    found = fisher(machine.moved(start), mask if masked else None)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_terms_that_do_not_move_have_no_part_in_the_direction():
    machine = Machine.started(2, hidden=1, gamma=0.5, rng=np.random.default_rng(0))
    slope, moving = np.arange(1.0, 10.0), np.array([1.0] * 6 + [0.0] * 3)
    found = among_laws(machine, slope * moving, mask=None, moving=moving)
    own = fisher(machine)[:6, :6]
    np.testing.assert_allclose((own + 0.01 * np.eye(6)) @ found[:6], slope[:6])
    assert not found[6:].any()


def test_noise_in_front_of_a_circuit_has_no_part_in_its_geometry():
    ansatz, rng = hardware_efficient(3, layers=1), np.random.default_rng(0)
    weights, slope = rng.normal(size=(2, len(ansatz.weights)))
    run = FastExecutor(ansatz)
    behind = type("Behind", (), {"inner": run})()
    assert np.array_equal(among_states(behind, slope, weights), among_states(run, slope, weights))


def test_a_player_averages_the_metric_over_its_first_rows():
    rng = np.random.default_rng(0)
    stage = Stage.of(detector.recipe("qgan", qubits=3, layers=1, critic_qubits=3), 3)
    for player in (stage.generator(noise=False, rng=rng), stage.critic()):
        own = player.start(rng)
        rows = rng.uniform(-0.9, 0.9, (LOOKED_AT + 5, 3))
        slope = rng.normal(size=own["shift"].shape)
        found = player.natural(own, rows, slope)
        assert found.shape == slope.shape
        assert np.array_equal(found, player.natural(own, rows[:LOOKED_AT], slope))
        assert (found * slope).sum() > 0  # a metric never turns a slope around


def test_two_losses_estimate_the_slope_without_bias():
    slope = np.array([1.0, -2.0, 0.5])

    class Directions:
        def __init__(self, signs):
            self.signs = np.array(signs)

        def choice(self, _values, _shape):
            return self.signs

    found = [
        Spsa().slope(lambda at: float(slope @ at), np.zeros(3), taken=4, rng=Directions(signs))
        for signs in product([-1.0, 1.0], repeat=3)
    ]
    assert np.mean(found, axis=0) == pytest.approx(slope)


def test_only_what_an_optimiser_needs_is_asked():
    asked = []
    place = Place(
        slope=lambda: asked.append("slope") or np.ones(2),
        loss=lambda at: asked.append("loss") or float(at.sum()),
        natural=lambda slope, _at: asked.append("natural") or slope / 2,
    )
    rng = np.random.default_rng(0)
    needs = {"adam": ["slope"], "natural": ["slope", "natural"], "spsa": ["loss", "loss"]}
    for optimiser in OPTIMISERS:
        asked.clear()
        slope_by(optimiser, place, np.zeros(2), taken=0, rng=rng)
        assert asked == needs[optimiser]


def test_natural_steps_need_fewer_than_plain_ones_on_a_boltzmann_machine():
    options = {"hidden": 4, "qubits": 8, "steps": 60, "whiten": False, "patience": 60}
    ends = []
    for optimiser in ("natural", "adam"):
        recipe = detector.recipe("qbm", optimiser=optimiser, **options)
        log = recipe.fit(numbers(300, 3), np.random.default_rng(0), examine=False).log
        ends.append(log.losses["loss"][-1])
    assert ends[0] < ends[1]


def test_the_classical_machine_stays_classical_whatever_the_optimiser():
    options = {"gamma": 0.0, "steps": 10, "optimiser": "spsa", **BIT_BY_BIT}
    model = detector.recipe("qbm", **options).fit(numbers(100, 3), np.random.default_rng(0))
    assert not model.source.core.machine.transverse.any()


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("qgan", {"optimiser": "sgd"}, "optimiser is 'sgd'; it can be adam, natural, spsa"),
        ("qvae", {"optimiser": "sgd"}, "optimiser is 'sgd'; it can be adam, natural, spsa"),
        ("qbm", {"optimiser": "sgd"}, "optimiser is 'sgd'; it can be adam, natural, spsa"),
        ("qgan", {"optimiser": "natural", "engine": "cirq"}, "needs the engine `fast`"),
        ("qvae", {"optimiser": "natural", "engine": "tfq"}, "needs the engine `fast`"),
        (
            "qcbm",
            {"optimiser": "natural", "qubits": 4, "noisy_training": True, "phase_damping": 0.01},
            "states that are damped have no such metric",
        ),
    ],
)
def test_an_optimiser_that_cannot_be_is_refused(name, options, said):
    with pytest.raises(DetectorError, match=said):
        detector.recipe(name, **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimiser": "spsa", "sampler": "annealing"}, "chains tell the slope of the loss, and"),
        ({"optimiser": "natural", "sampler": "annealing"}, "and neither the loss nor its metric"),
        ({"optimiser": "natural", "field": "all", "gradient": "bound"}, "no Fisher metric"),
        (
            {"optimiser": "natural", "field": "all", "gradient": "exact", "hidden": 4},
            "minutes a step with 9 qubits; 8 are quick",
        ),
    ],
)
def test_a_boltzmann_machine_says_which_way_knows_no_such_slope(options, said):
    recipe = detector.recipe("qbm", **{"steps": 5, "hidden": 2, **BIT_BY_BIT, **options})
    with pytest.raises(DetectorError, match=said):
        recipe.fit(numbers(60, 3), np.random.default_rng(0))
