"""Trainings that were cut short, and went on as if nothing had happened."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

import detector
from detector.errors import DetectorError
from detector.recipes import Stop, load_model
from generators.checkpoints import Checkpoints
from generators.cli import run
from generators.store import read_model
from tests.generators.tables import numbers

SMALL = {"qubits": 5, "layers": 2, "early_stop": False}
QUICK = [
    ("rbm", {"steps": 80}),
    ("qcbm", {"steps": 30, **SMALL}),
    ("qcbm", {"steps": 12, "restarts": 2, "optimiser": "spsa", **SMALL}),
    ("qcbm", {"steps": 12, "optimiser": "natural", "validation": 0.2, **SMALL}),
    ("qcbm", {"steps": 12, "noisy_training": True, "repetitions": 100, "readout": 0.02, **SMALL}),
    ("qgan", {"steps": 30, "early_stop": False}),
    (
        "qgan",
        {
            "steps": 20,
            "critic": "classical",
            "repetitions": 50,
            "noisy_training": True,
            "early_stop": False,
        },
    ),
    ("qgan", {"steps": 16, "early_stop": False, "optimiser": "natural"}),
    ("qgan", {"steps": 16, "early_stop": False, "optimiser": "spsa"}),
    ("qvae", {"steps": 40}),
    ("qvae", {"steps": 30, "optimiser": "natural"}),
    ("qvae", {"steps": 30, "optimiser": "spsa"}),
    ("qbm", {"steps": 40}),
    ("qbm", {"steps": 40, "optimiser": "natural"}),
    ("qbm", {"steps": 40, "optimiser": "spsa"}),
    ("qbm", {"steps": 40, "field": "all", "sampler": "annealing", "chains": 32, "anneal": 4}),
]
NETWORKS = [("gan", {"steps": 60, "checks": 20}), ("vae", {"steps": 60, "checks": 20})]


def interrupted(monkeypatch, share):
    """Let somebody press Ctrl-C once so much of the training is done; return who watches."""
    pressed = []

    @contextlib.contextmanager
    def asked():
        yield lambda: bool(pressed)

    monkeypatch.setattr("generators.fitting.interruptible", asked)
    return lambda _words, done: pressed.append(done) if done >= share else None


def fitted(name, options, data=None, **given):
    rng = np.random.default_rng(3)
    return detector.recipe(name, **options).fit(
        numbers(250, 3) if data is None else data, rng, **given
    )


def learned(model):
    return {name: array.tobytes() for name, array in model.source.save()[1].items()}


def goes_on(name, options, folder, monkeypatch):
    whole = fitted(name, options)
    watching = interrupted(monkeypatch, 0.4)
    part = fitted(name, options, progress=watching, checkpoints=Checkpoints(folder=folder))
    part.save(folder)
    monkeypatch.undo()
    assert part.log.stop is Stop.INTERRUPTED
    assert part.log.steps < whole.log.steps
    assert load_model(folder).sample(5, np.random.default_rng(0)).to_arrow().num_rows == 5
    done = fitted(name, options, checkpoints=Checkpoints(folder=folder, resume=True))
    assert learned(done) == learned(whole)
    assert done.log.losses == whole.log.losses
    assert (done.log.stop, done.log.steps) == (whole.log.stop, whole.log.steps)
    assert done.log.cpu_seconds > part.log.cpu_seconds


@pytest.mark.parametrize(("name", "options"), QUICK)
def test_a_training_that_was_cut_short_ends_with_the_same_bytes(
    name, options, tmp_path, monkeypatch
):
    goes_on(name, options, tmp_path / "model", monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_networks_too_go_on_with_the_same_bytes(name, options, tmp_path, monkeypatch):
    goes_on(name, options, tmp_path / "model", monkeypatch)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with half of a training."""
    path = tmp_path / "model"
    watching = interrupted(monkeypatch, 0.4)
    options = {"steps": 80}
    fitted("rbm", options, progress=watching, checkpoints=Checkpoints(folder=path)).save(path)
    monkeypatch.undo()
    return path


def refused(said, folder, name="rbm", options=None, data=None, seed=3):
    kept = Checkpoints(folder=folder, resume=True)
    chosen = detector.recipe(name, **(options or {"steps": 80}))
    data = numbers(250, 3) if data is None else data
    with pytest.raises(DetectorError, match=said) as found:
        chosen.fit(data, np.random.default_rng(seed), checkpoints=kept)
    assert "\n" not in str(found.value)


def test_a_finished_training_has_nothing_to_go_on_with(folder):
    fitted("rbm", {"steps": 80}, checkpoints=Checkpoints(folder=folder, resume=True)).save(folder)
    refused("no training to go on with: it ended by `all steps`", folder)
    assert "training" not in read_model(folder)[0]


def test_another_recipe_does_not_go_on(folder):
    refused("a model of `rbm`, not `gaussian`", folder, "gaussian", {"whiten": False})


def test_other_options_do_not_go_on(folder):
    refused("begun with steps = 80, and it is 90 now", folder, options={"steps": 90})


def test_other_rows_do_not_go_on(folder):
    refused("these rows, their kinds or their order are others", folder, data=numbers(251, 3))
    shuffled = numbers(250, 3).take(np.random.default_rng(0).permutation(250))
    refused("these rows, their kinds or their order are others", folder, data=shuffled)


def test_another_seed_does_not_go_on(folder):
    refused("begun with another seed", folder, seed=4)


def test_nothing_does_not_go_on(tmp_path):
    refused("`none` is not a folder, so it is no saved model", tmp_path / "none")


def test_a_damaged_training_does_not_go_on(folder):
    _, arrays = read_model(folder)
    with np.load(folder / "arrays.npz") as held:
        kept = {name: held[name] for name in held.files if name != "training/carried/chains"}
    assert len(kept) == len(arrays) - 1
    np.savez(folder / "arrays.npz", **kept)
    refused("does not fit together", folder)


def test_a_budget_ends_a_training_that_can_go_on(tmp_path):
    path, options = tmp_path / "model", {"steps": 2_000, "budget": 0.05, **SMALL}
    part = fitted("qcbm", options, checkpoints=Checkpoints(folder=path))
    part.save(path)
    assert part.log.stop is Stop.BUDGET
    more = fitted("qcbm", options, checkpoints=Checkpoints(folder=path, resume=True))
    assert more.log.steps > part.log.steps


def test_checkpoints_are_kept_while_training_goes_on(tmp_path):
    path, seen = tmp_path / "model", []

    def look(_words, _done):
        if (path / "manifest.json").is_file():
            seen.append(load_model(path).log.steps)

    kept = Checkpoints(folder=path, every=0.0)
    whole = fitted("rbm", {"steps": 400}, progress=look, checkpoints=kept)
    assert seen
    assert 0 < seen[0] < 400
    assert learned(whole) == learned(fitted("rbm", {"steps": 400}))


def test_a_checkpoint_that_cannot_be_written_is_noted_and_ends_nothing(tmp_path):
    kept = Checkpoints(folder=tmp_path / "none" / "model", every=0.0)
    model = fitted("rbm", {"steps": 80}, checkpoints=kept)
    assert model.log.stop is Stop.ALL_STEPS
    assert "A checkpoint could not be written: Cannot write `model`" in model.log.notes[0]


LOOP = """
import numpy as np, detector
from generators.checkpoints import Checkpoints
from tests.generators.tables import numbers
kept = Checkpoints(folder={folder!r}, every=0.0)
recipe = detector.recipe("rbm", steps={steps}, bits=2)
model = recipe.fit(numbers(250, 3), np.random.default_rng(3), checkpoints=kept)
model.save({folder!r})
print(model.log.stop.value, model.log.steps)
"""


def started(folder, steps):
    """Return a process that trains, once its first checkpoint is there."""
    script = LOOP.format(folder=str(folder), steps=steps)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (folder / "manifest.json").is_file() and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    return process


def test_a_killed_training_leaves_a_model_and_goes_on(tmp_path):
    path = tmp_path / "model"
    process = started(path, 4_000)
    process.kill()
    process.communicate()
    part = load_model(path)
    assert 0 < part.log.steps < 4_000
    assert part.sample(5, np.random.default_rng(0)).to_arrow().num_rows == 5
    options = {"steps": 4_000, "bits": 2}
    done = fitted("rbm", options, checkpoints=Checkpoints(folder=path, resume=True))
    assert done.log.steps == 4_000
    assert learned(done) == learned(fitted("rbm", options))


def test_control_c_ends_the_training_between_two_steps(tmp_path):
    path = tmp_path / "model"
    process = started(path, 40_000)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out.startswith("interrupted ")
    assert err.strip() == "generators: stopping at the next checkpoint; Ctrl-C again cuts it short."
    assert load_model(path).training is not None


def test_the_shell_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(numbers(250, 3), "real.parquet")
    line = ["fit", "real.parquet", "--recipe", "rbm", "--option", "steps=80", "-o", "half"]
    assert run([*line, "--resume"]) == 2
    assert "`half` is not a folder" in capsys.readouterr().err
    with monkeypatch.context() as patched:
        patched.setattr("generators.fitting.interruptible", _at_once_with_a_best)
        assert run(line) == 0
    assert "The same command with --resume goes on from here." in capsys.readouterr().out
    assert run([*line, "--resume"]) == 0
    assert "rbm: fitted to real.parquet" in capsys.readouterr().out
    assert run([*line, "--resume"]) == 2
    err = capsys.readouterr().err
    assert "ended by `all steps`" in err
    assert err.count("\n") == 1


@contextlib.contextmanager
def _at_once_with_a_best():
    asked = iter(range(10**9))
    yield lambda: next(asked) > 20


def test_a_recipe_that_keeps_no_training_says_so(tmp_path, capsys, monkeypatch):
    class Other:
        def fit(self, data, rng):
            raise AssertionError

    monkeypatch.chdir(tmp_path)
    (tmp_path / "real.csv").write_text("a\n1\n2\n")
    monkeypatch.setattr("detector.recipes.recipe", lambda *_, **__: Other())
    monkeypatch.setattr("detector.recipes.recipe_class", lambda *_: Other)
    assert run(["fit", "real.csv", "--recipe", "other", "-o", "m", "--resume"]) == 2
    assert "keeps no training to go on with" in capsys.readouterr().err
