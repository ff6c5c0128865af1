"""Quantum Boltzmann machines as recipes: ways to train, ways to sample, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.errors import DetectorError
from detector.recipes import Stop
from generators.diary import Diary
from generators.quantum import climbing
from generators.quantum.boltzmann import Machine, bound_slope, exact_loss
from generators.quantum.climbing import Climb, Evidence
from generators.recipes.qbm import Qbm
from tests.generators.tables import mixed, numbers

EXACT = {"qubits": 5, "hidden": 1, "steps": 30, "gamma": 1.0, "field": "all"}
ANNEALED = {
    "qubits": 6,
    "hidden": 2,
    "field": "all",
    "steps": 20,
    "sampler": "annealing",
    "chains": 64,
    "anneal": 6,
    "slices": 4,
}
WAYS = pytest.mark.parametrize("options", [EXACT, ANNEALED], ids=["exact", "annealed"])
ROOT = Path(__file__).parents[2]


def fitted(table=None, *, seed=0, **options):
    made = Qbm(**{**EXACT, **options})
    return made.fit(numbers(300) if table is None else table, np.random.default_rng(seed))


def sample(model, n, *, seed=1):
    return model.sample(n, np.random.default_rng(seed)).to_arrow()


def two_modes(rows=600):
    """Return three booleans that nearly always agree."""
    rng = np.random.default_rng(0)
    side = rng.random(rows) < 0.5
    flipped = side[:, None] ^ (rng.random((rows, 3)) < 0.05)
    return pa.table({name: flipped[:, place] for place, name in enumerate("abc")})


def agreement(table):
    return np.mean([len(set(row.values())) == 1 for row in table.to_pylist()])


@pytest.mark.parametrize(
    "options",
    [
        {"gamma": 1.0},
        {"gamma": 0.0},
        {"gamma": 0.5, "field": "hidden"},
        {"gamma": 0.5, "gradient": "bound"},
        {"gamma": 0.5, "sampler": "annealing", "anneal": 30, "slices": 6, "chains": 128},
    ],
)
def test_every_way_learns_what_independent_bits_cannot(options):
    table = two_modes()
    model = fitted(table, **{"whiten": False, "qubits": 3, "steps": 150, "rate": 0.1, **options})
    assert agreement(sample(model, 2_000)) == pytest.approx(agreement(table), abs=0.1)


@WAYS
def test_a_loaded_model_draws_the_same_rows(options, tmp_path):
    model = fitted(**options)
    model.save(tmp_path / "m")
    again = detector.load_model(tmp_path / "m")
    assert sample(again, 100).equals(sample(model, 100))
    assert again.source.core.describe() == model.source.core.describe()


@WAYS
def test_mixed_tables_come_back_with_their_schema(options):
    drawn = fitted(mixed(200), **options).sample(50, np.random.default_rng(0))
    assert drawn.schema == detector.open_data(mixed(200)).schema


@WAYS
def test_only_bitstrings_with_a_meaning_are_drawn(options):
    table = mixed(200).select(["color", "flag"])
    model = fitted(table, **{**options, "whiten": False})
    code = model.source.code
    assert not code.mask().all()
    assert code.valid(model.source.core.draw(500, np.random.default_rng(0))).all()


def test_without_a_field_the_machine_is_classical():
    model = fitted(gamma=0.0, hidden=0, qubits=4)
    machine = model.source.core.machine
    weights = np.exp(-machine.problem.energies())
    assert not machine.transverse.any()
    assert machine.probabilities() == pytest.approx(weights / weights.sum(), abs=1e-12)
    assert model.log.facts["sampler"] == "exact"


def test_the_field_is_trained_or_held_as_asked():
    options = {"whiten": False, "qubits": 3, "rate": 0.1}
    moved, held = (
        fitted(two_modes(), train_gamma=train, **options).source.core.machine.transverse
        for train in (True, False)
    )
    assert np.ptp(moved) > 0.1
    assert held == pytest.approx(np.ones(4))


def test_the_bound_holds_the_field_and_says_so():
    model = fitted(gradient="bound")
    assert model.source.core.machine.transverse == pytest.approx(np.ones(6))
    assert "the bound cannot train it" in model.log.notes[0]


def test_large_machines_are_annealed():
    model = fitted(**{**ANNEALED, "qubits": 10, "hidden": 2, "sampler": "auto"})
    assert model.log.facts["sampler"] == "annealing"
    assert model.provenance().options["sampler"] == "annealing"
    assert model.log.losses["mmd"]


def test_a_field_on_hidden_qubits_is_trained_and_the_seen_ones_feel_none():
    model = fitted(two_modes(), whiten=False, qubits=3, hidden=12, field="hidden", rate=0.1)
    transverse = model.source.core.machine.transverse
    assert not transverse[:3].any()
    assert np.ptp(transverse[3:]) > 0
    assert model.log.facts["trained"] == "hidden"
    assert not model.log.notes


def test_columns_that_do_not_fit_are_told_how_many_do():
    with pytest.raises(DetectorError, match=r"not fit on 3 qubits.*the first 3 of 4 dim") as error:
        fitted(qubits=3, whiten=False)
    assert "Set `whiten` to project it onto 3 bits" in str(error.value.hint)


@pytest.mark.parametrize("option", ["gradient", "sampler"])
def test_too_many_qubits_for_an_exact_way_are_told(option):
    with pytest.raises(DetectorError, match=f"`{option}` is exact, and 12 qubits are too many"):
        fitted(qubits=8, hidden=4, **{option: "exact"})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"gamma": -1.0}, "it must be 0 at least"),
        ({"slices": 1}, "it must be 2 at least"),
        ({"sampler": "dwave"}, "it can be auto, exact, annealing"),
        ({"gradient": "exact", "sampler": "annealing"}, "it needs no annealing"),
        ({"field": "hidden", "hidden": 0}, "there are no hidden qubits to feel it"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Qbm(**options)


def test_no_step_leaves_the_machine_untrained_and_says_so():
    log = fitted(numbers(60), steps=0).log
    assert log.steps == 0
    assert log.notes[0] == "The machine is untrained."


def test_a_loss_that_is_no_number_keeps_the_best_and_says_so(monkeypatch):
    count = iter(range(1000))

    def broken(machine, target, *, mask):
        loss, slope, chances = exact_loss(machine, target, mask=mask)
        return (np.nan if next(count) == 12 else loss), slope, chances

    monkeypatch.setattr(climbing, "exact_loss", broken)
    model = fitted()
    assert model.log.stop is Stop.NOT_FINITE
    assert "Step 12 gave a loss that is no number" in model.log.notes[0]
    assert sample(model, 10).num_rows == 10


def test_terms_that_are_no_number_end_the_training_and_keep_the_best(monkeypatch):
    count = iter(range(1000))

    def broken(machine, target, *, mask):
        loss, slope, chances = exact_loss(machine, target, mask=mask)
        return loss, slope * (np.nan if next(count) == 12 else 1.0), chances

    monkeypatch.setattr(climbing, "exact_loss", broken)
    assert fitted().log.stop is Stop.NOT_FINITE


def test_rows_are_held_back_for_the_checkpoint():
    rows = np.random.default_rng(0).integers(0, 2, (100, 3)).astype(np.uint8)
    evidence = Evidence.split(rows, held=0.1, rng=np.random.default_rng(0))
    assert len(evidence.validation) == 10
    assert evidence.target().sum() == pytest.approx(1.0)
    assert evidence.share * 90 == pytest.approx(np.rint(evidence.share * 90))


def test_few_rows_are_on_both_sides():
    rows = np.array([[0, 1], [1, 1], [1, 1]], np.uint8)
    evidence = Evidence.split(rows, held=0.1, rng=np.random.default_rng(0))
    assert evidence.share == pytest.approx([1 / 3, 2 / 3])
    assert len(evidence.validation) == 3


def test_chains_estimate_the_derivatives_of_the_bound():
    rng = np.random.default_rng(0)
    machine = Machine.started(3, hidden=1, gamma=0.7, rng=rng)
    machine = machine.moved(machine.vector + 0.3 * rng.standard_normal(len(machine.vector)))
    rows = rng.integers(0, 2, (40, 3)).astype(np.uint8)
    evidence = Evidence.split(rows, held=0.1, rng=rng)
    from generators.quantum.annealing import anneal
    from generators.quantum.ising import thermal_state

    exact = thermal_state(machine.problem, machine.transverse).moments()
    paths = anneal(machine.problem, machine.transverse, chains=8_000, sweeps=30, rng=rng)
    ours, expected = (
        bound_slope(machine, evidence.seen, evidence.share, moments)
        for moments in (paths.moments(machine.transverse), exact)
    )
    assert ours == pytest.approx(expected, abs=0.04)


def test_weight_decay_keeps_terms_small():
    rows = np.tile(np.array([[0, 0]], np.uint8), (50, 1))
    evidence = Evidence.split(rows, held=0.1, rng=np.random.default_rng(0))
    sizes = []
    for decay in (0.0, 0.1):
        machine = Machine.started(2, hidden=0, gamma=0.5, rng=np.random.default_rng(0))
        diary = Diary(total=100)
        climb = Climb(rate=0.1, decay=decay, steps=100, train_transverse=False)
        climb.summed(machine, evidence, diary, mask=np.ones(4, bool), way="exact")
        sizes.append(np.abs(diary.best["fields"]).max())
    assert sizes[1] < sizes[0]


@pytest.mark.slow
@WAYS
def test_one_seed_gives_the_same_bytes_in_two_processes(options, tmp_path):
    script = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from generators.recipes.qbm import Qbm
from generators.writing import write_sample
from tests.generators.tables import numbers
model = Qbm(**{options!r}).fit(numbers(200), np.random.default_rng(1))
model.save("model")
write_sample(model.sample(500, np.random.default_rng(2)), "out.parquet")
"""
    made = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)
        made.append([(folder / f).read_bytes() for f in ("out.parquet", "model/arrays.npz")])
    assert made[0] == made[1]


@pytest.mark.slow
def test_a_transverse_field_beats_the_classical_machine_on_bernoulli_mixtures():
    from benchmarks.boltzmann import mixture, trained

    for seed in (1, 2, 3):
        target = mixture(seed)
        quantum, classical = (
            trained(target, gamma=gamma, loss=exact_loss)[1] for gamma in (1.0, 0.0)
        )
        assert quantum <= 0.85 * classical
