"""A whole fit through each engine: the same losses, the same kind of model."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

import detector
from generators.cli import run
from tests.generators.tables import numbers

SMALL = {
    "qcbm": {"qubits": 4, "layers": 1, "steps": 6, "early_stop": False},
    "qgan": {
        "qubits": 3,
        "layers": 1,
        "critic_qubits": 3,
        "critic_layers": 1,
        "batch": 4,
        "steps": 5,
        "early_stop": False,
    },
    "qvae": {"qubits": 3, "encoder_layers": 1, "decoder_layers": 1, "batch": 6, "steps": 5},
}


def fitted(name, engine, **options):
    recipe = detector.recipe(name, engine=engine, **SMALL[name], **options)
    return recipe.fit(numbers(60, 3), np.random.default_rng(1))


@pytest.fixture
def few(monkeypatch):
    """Let few rows be looked at after a fit: Cirq runs them one by one."""
    for place in ("duel.LOOKED_AT", "tabular.LOOKED_AT", "fitting.LOOKED_AT", "model.BLOCK"):
        monkeypatch.setattr(f"generators.{place}", 64)
    monkeypatch.setattr("generators.tabular.CALIBRATING", 64)


@pytest.mark.slow
@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("engine", ["tfq", "cirq"])
def test_a_fit_takes_the_same_steps_through_every_engine(name, engine):
    ours, theirs = fitted(name, "fast"), fitted(name, engine)
    assert theirs.log.facts["engine"] == engine
    assert theirs.log.losses.keys() == ours.log.losses.keys()
    for loss, values in ours.log.losses.items():
        assert theirs.log.losses[loss] == pytest.approx(values, abs=1e-4), loss
    drawn = theirs.sample(50, np.random.default_rng(0)).to_arrow()
    assert drawn.num_rows == 50
    assert theirs.provenance().options["engine"] == engine


@pytest.mark.parametrize("name", ["qcbm", "qgan"])
def test_finite_shots_blur_rows_and_leave_the_training_alone(name):
    exact, counted = fitted(name, "fast"), fitted(name, "fast", repetitions=7)
    assert counted.log.losses == exact.log.losses
    assert counted.log.facts["copied_share"] == pytest.approx(0.0, abs=0.01)
    both = [model.sample(400, np.random.default_rng(0)).to_pandas() for model in (exact, counted)]
    assert not both[0].equals(both[1])


def test_the_law_of_seven_shots_has_seven_readings_at_most():
    law = fitted("qcbm", "fast", repetitions=7).source.core.law
    assert (law > 0).sum() <= 7
    assert np.allclose(law * 7, np.round(law * 7), atol=1e-5)


@pytest.fixture
def real(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(numbers(60, 3), "real.parquet")


def said(capsys):
    return capsys.readouterr().err


LINE = ["fit", "real.parquet", "--recipe", "qcbm", "-o", "m", "--option", "steps=0"]


@pytest.mark.usefixtures("real")
def test_the_shell_takes_engine_and_shots():
    few = ["--option", "qubits=4", "--option", "layers=1", "-q"]
    assert run([*LINE, *few, "--engine", "cirq", "--shots", "9"]) == 0
    model = detector.load_model("m")
    assert (model.options["engine"], model.options["repetitions"]) == ("cirq", 9)


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([*LINE, "--engine", "qiskit"], "'qiskit' is not one of"),
        ([*LINE, "--shots", "-1"], "-1 is not in the range"),
        ([*LINE, "--shots", "9", "--option", "repetitions=8"], "--option repetitions says it al"),
        (["fit", "real.parquet", "--recipe", "rbm", "-o", "m", "--engine", "tfq"], "no option `en"),
    ],
)
def test_an_engine_or_shots_that_cannot_be_is_one_line(line, words, capsys):
    assert run(line) == 2
    assert words in said(capsys)


@pytest.mark.usefixtures("real")
def test_an_engine_that_is_not_installed_is_one_line(capsys, monkeypatch):
    def absent(_module):
        raise ModuleNotFoundError("No module", name="tensorflow_quantum")

    monkeypatch.setattr("generators.quantum.engines.import_module", absent)
    assert run([*LINE, "--engine", "tfq"]) == 2
    err = said(capsys)
    assert "the tfq engine needs tensorflow_quantum, which is not installed" in err
    assert err.count("\n") == 1
