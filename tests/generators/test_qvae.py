"""Quantum autoencoders: their derivatives, their fits, and what they refuse."""

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
from generators.codec import Dimension
from generators.density import chosen_density, surprise
from generators.mixture import Mixture
from generators.quantum.autoencoder import Autoencoder, joined, parted
from generators.quantum.circuits import reuploading
from generators.quantum.engines import executor
from generators.recipes.qvae import Qvae, centered
from tests.generators.tables import mixed, numbers

QUICK = {"steps": 60, "encoder_layers": 2, "decoder_layers": 2, "checks": 10, "components": 4}
ROOT = Path(__file__).parents[2]


def fitted(table=None, *, seed=0, **options):
    recipe = Qvae(**{**QUICK, **options})
    return recipe.fit(numbers() if table is None else table, np.random.default_rng(seed))


def moons(rows, *, seed=0):
    rng = np.random.default_rng(seed)
    upper = rng.random(rows) < 0.5
    angle = np.pi * rng.random(rows)
    place = np.column_stack([np.cos(angle), np.sin(angle)])
    place[~upper] = np.array([1.0, 0.5]) - place[~upper]
    place += 0.08 * rng.standard_normal(place.shape)
    return pa.table({"x": place[:, 0], "y": place[:, 1], "upper": upper})


def network(*, engine="fast", **options):
    run = [executor(reuploading(3, layers=layers), engine=engine, **options) for layers in (2, 1)]
    return Autoencoder(encoder=run[0], decoder=run[1], columns=2, latent=2)


def sample(model, n, *, seed=1):
    return model.sample(n, np.random.default_rng(seed)).to_arrow()


def test_derivatives_agree_with_finite_differences():
    net, rng = network(precision="double"), np.random.default_rng(0)
    rows, noise = rng.uniform(-1, 1, (5, 2)), rng.standard_normal((5, 2))
    weights = net.started(rng)
    slopes = net.slopes(weights, rows, noise, beta=0.7)[1]

    def loss(vector):
        bound = net.bound(parted(vector, weights), rows, noise)
        return bound.surprise + 0.7 * bound.divergence

    vector, step = joined(weights), 1e-5
    expected = [
        (loss(vector + shift) - loss(vector - shift)) / (2 * step)
        for shift in step * np.eye(len(vector))
    ]
    assert joined({name: slopes[name] for name in weights}) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("other", [{"gradient": "parameter_shift"}, {"engine": "cirq"}])
def test_other_derivatives_and_engines_give_the_same_slopes(other):
    rng = np.random.default_rng(1)
    rows, noise = rng.uniform(-1, 1, (3, 2)), rng.standard_normal((3, 2))
    weights = network().started(rng)
    ours = network(precision="double").slopes(weights, rows, noise, beta=0.3)[1]
    theirs = network(**other).slopes(weights, rows, noise, beta=0.3)[1]
    for name in weights:
        assert theirs[name] == pytest.approx(ours[name], abs=2e-4), name


def test_a_spread_is_cut_below_and_does_not_move_then():
    net, rng = network(), np.random.default_rng(0)
    weights = net.started(rng) | {"spread": np.array([-9.0, -1.0])}
    rows, noise = rng.uniform(-1, 1, (4, 2)), rng.standard_normal((4, 2))
    assert net.spread(weights) == pytest.approx([0.02, np.exp(-1.0)])
    moved = net.slopes(weights, rows, noise, beta=0.3)[1]["spread"]
    assert moved[0] == 0.0
    assert moved[1] != 0.0


def test_ties_are_read_at_their_middle():
    edges = np.array([-1.0, 0.0, 0.5, 1.0])
    rows = np.array([[-0.9, 0.3], [0.1, -0.2], [0.9, 0.7]], np.float32)
    dimensions = (Dimension("color", "level", edges), Dimension("height", "value"))
    found = centered(rows, dimensions)
    assert found[:, 0].tolist() == [-0.5, 0.25, 0.75]
    assert found[:, 1] == pytest.approx(rows[:, 1])


def test_the_density_has_no_more_components_than_held_out_codes_bear_out():
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((400, 2))
    density = chosen_density(codes, held=100, most=16, rng=rng)
    assert len(density.shares) <= 2
    two = np.where(np.arange(400) % 2, 6.0, -6.0)[:, None] + rng.standard_normal((400, 2))
    assert len(chosen_density(two, held=100, most=16, rng=rng).shares) >= 2


def test_surprise_is_that_of_the_normal_density():
    density = Mixture.standard(2)
    assert surprise(density, np.array([[1.0, 2.0], [0.0, 1.0]])) == pytest.approx(1.5)


def test_training_lowers_the_bound_and_keeps_the_best():
    log = fitted(moons(400), steps=200).log
    assert log.stop is Stop.ALL_STEPS
    assert log.losses["validation"][-1] < log.losses["validation"][0] - 1.0
    assert log.facts["engine"] == "fast"
    assert log.facts["qubits"] == 4


def test_no_training_row_is_drawn_again():
    assert fitted(numbers(200)).log.facts["copied_share"] == 0.0


def test_a_model_draws_the_same_rows_after_a_round_trip(tmp_path):
    model = fitted(moons(200))
    model.save(tmp_path / "m")
    again = detector.load_model(tmp_path / "m")
    assert sample(again, 200).equals(sample(model, 200))


def test_mixed_tables_are_projected_and_come_back_with_their_schema():
    model = fitted(mixed(200), whiten=True, qubits=4)
    drawn = model.sample(50, np.random.default_rng(0))
    assert drawn.schema == detector.open_data(mixed(200)).schema
    assert model.log.facts["qubits"] == 4


def test_too_many_columns_are_told_how_many_fit():
    with pytest.raises(
        DetectorError, match=r"has 4 dimensions, and 3 qubits take 3 of them"
    ) as error:
        fitted(qubits=3)
    assert "Set `whiten` to project the table onto 3 axes" in str(error.value.hint)


def test_no_step_leaves_the_circuits_untrained_and_says_so():
    log = fitted(numbers(60), steps=0).log
    assert log.steps == 0
    assert log.notes[0] == "The circuits are untrained."


def test_a_loss_that_is_no_number_keeps_the_best_and_says_so(monkeypatch):
    usual, count = Autoencoder.slopes, iter(range(1000))

    def broken(self, *args, **options):
        bound, slopes = usual(self, *args, **options)
        return (bound._replace(surprise=np.nan) if next(count) == 30 else bound), slopes

    monkeypatch.setattr(Autoencoder, "slopes", broken)
    model = fitted(numbers(100))
    assert model.log.stop is Stop.NOT_FINITE
    assert "Step 30 gave a loss that is no number" in model.log.notes[0]
    assert sample(model, 20).num_rows == 20


def test_patience_ends_the_training():
    log = fitted(numbers(60), rate=0.0, patience=3).log
    assert log.stop is Stop.VALIDATION
    assert log.steps < QUICK["steps"]


def test_a_sample_declares_the_engine_and_the_circuit():
    declared = fitted(numbers(60)).provenance().options
    assert declared["engine"] == "fast"
    assert declared["circuit_digest"]


def test_a_model_is_drawn_as_text():
    text = fitted(numbers(60)).source.core.describe()
    assert "encoder" in text
    assert "decoder" in text
    assert "Ry" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"qubits": 13}, "it must lie between 0 and 12"),
        ({"prior": "flat"}, "it can be mixture, normal"),
        ({"engine": "cirq", "gradient": "adjoint"}, "does not have"),
        ({"decoder_layers": 0}, "it must be 1 at least"),
        ({"beta": -1.0}, "it must be 0 at least"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Qvae(**options)


@pytest.mark.slow
def test_one_seed_gives_the_same_bytes_in_two_processes(tmp_path):
    script = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from generators.recipes.qvae import Qvae
from generators.writing import write_sample
from tests.generators.tables import numbers
model = Qvae(**{QUICK!r}).fit(numbers(200), np.random.default_rng(1))
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
def test_moons_are_learned():
    """The issue asks for 0.68 by two classifiers; a forest alone is the harder one here."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    real, unseen = moons(1000), moons(1000, seed=1)
    drawn = sample(Qvae().fit(real, np.random.default_rng(0)), 1000)
    rows = np.vstack(
        [
            np.column_stack([np.asarray(t[c], float) for c in ("x", "y", "upper")])
            for t in (unseen, drawn)
        ]
    )
    side = np.repeat([0, 1], 1000)
    order = np.random.default_rng(0).permutation(2000)
    fit, judge = order[:1000], order[1000:]
    forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=0)
    chance = forest.fit(rows[fit], side[fit]).predict_proba(rows[judge])[:, 1]
    assert roc_auc_score(side[judge], chance) <= 0.68
