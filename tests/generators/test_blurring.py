"""What a log says of noise and finite executions."""

from __future__ import annotations

import numpy as np
import pytest

import detector
from generators.blurring import blurred_law, blurred_rows
from generators.born import Target
from generators.losses import StateKernel
from tests.generators.tables import numbers

TARGET = Target(shares=np.array([0.5, 0.5, 0.0, 0.0]), kernel=StateKernel.of_bits(2))
RATES = (0.0, 0.003, 0.01, 0.03)


def test_a_law_that_noise_makes_uniform_has_moved_by_half_and_uses_all_states():
    facts, notes = blurred_law(TARGET, TARGET.shares, np.full(4, 0.25))
    assert facts["moved"] == pytest.approx(0.5)
    assert facts["states"] == pytest.approx(4)
    assert facts["states_exact"] == pytest.approx(2)
    assert facts["distance"] > facts["distance_exact"] == pytest.approx(0.0)
    assert "move 50.0% of the law: 4 states in use (2 without)" in notes[0]
    assert len(notes) == 1


def test_a_law_that_decays_to_one_state_is_called_a_collapse():
    facts, notes = blurred_law(TARGET, TARGET.shares, np.array([1.0, 0, 0, 0]))
    assert facts["states"] == pytest.approx(1)
    assert notes[1] == "Collapse by noise: 50.0% of the variety is left."


def test_rows_that_noise_draws_together_are_called_a_collapse():
    rows = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    facts, notes = blurred_rows(rows, rows, rows / 2)
    assert facts["spread_kept"] == pytest.approx(0.5)
    assert notes[1].startswith("Collapse by noise: 50.0%")
    assert blurred_rows(rows, rows, rows)[1][1:] == ()


def fitted(name, **options):
    recipe = detector.recipe(name, qubits=4, layers=2, steps=20, **options)
    return recipe.fit(numbers(200, 4), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "facts"), [("qcbm", {"moved", "states", "states_exact"}), ("qgan", {"spread_kept"})]
)
def test_a_disturbed_recipe_says_what_noise_did_and_a_quiet_one_nothing(name, facts):
    quiet, loud = fitted(name), fitted(name, depolarising=0.02, readout=0.01)
    assert facts | {"distance", "distance_exact"} <= loud.log.facts.keys()
    assert not facts & quiet.log.facts.keys()
    assert any(note.startswith("Noise and finite executions") for note in loud.log.notes)
    assert not any(note.startswith("Noise") for note in quiet.log.notes)


def test_the_more_noise_the_further_a_law_moves():
    moved = [fitted("qcbm", depolarising=rate).log.facts.get("moved", 0.0) for rate in RATES]
    assert moved == sorted(moved)


def test_damping_lets_a_law_collapse():
    states = [
        fitted("qcbm", amplitude_damping=rate).log.facts.get("states", np.inf)
        for rate in (0.0, 0.1, 0.5)
    ]
    assert states[1] > states[2]
    notes = fitted("qcbm", amplitude_damping=0.5).log.notes
    assert any(note.startswith("Collapse by noise") for note in notes)
