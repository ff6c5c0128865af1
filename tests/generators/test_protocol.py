"""Anybody's recipe joins with one class and one entry point; `detector` asks for no more."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector import catalogue
from detector.errors import DetectorError
from detector.recipes import Model, Recipe, Stop, TrainingLog, row_hashes, rows_digest
from generators.cli import run
from tests.generators.tables import mixed


class Constant:
    """Draws one row for ever."""

    name = "constant"

    def __init__(self, *, value=1.0):
        self.value = value

    def fit(self, data, _rng):
        return ConstantModel(detector.open_data(data).schema, self.value)

    @staticmethod
    def load(path):
        value = json.loads((Path(path) / "manifest.json").read_text())["value"]
        return ConstantModel(detector.open_data({"x": [1.0]}).schema, value)


class ConstantModel:
    log = TrainingLog(stop=Stop.CLOSED_FORM)

    def __init__(self, schema, value):
        self.schema, self.value = schema, value

    def sample(self, n, _rng):
        return detector.open_data({"x": np.full(n, self.value)})

    def save(self, path):
        Path(path).mkdir()
        manifest = {"recipe": "constant", "value": self.value}
        (Path(path) / "manifest.json").write_text(json.dumps(manifest))


class Needy:
    """Needs what nobody has."""

    name = "needy"
    needs = ("no_such_package",)
    extra = "quantum"


CLASSES = {"constant": Constant, "needy": Needy}


@pytest.fixture(autouse=True)
def _offered(monkeypatch):
    names = [*CLASSES, "broken"]
    entries = [EntryPoint(name, f"no_such_module:{name}", "detector.recipes") for name in names]

    def load(entry):
        if entry.name in CLASSES:
            return CLASSES[entry.name]
        raise ModuleNotFoundError("No module named 'no_such_module'")

    offer(monkeypatch, entries)
    monkeypatch.setattr("importlib.metadata.EntryPoint.load", load)


def offer(monkeypatch, entries):
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_group: entries)


def test_it_is_found_fitted_saved_and_loaded(tmp_path):
    recipe = detector.recipe("constant", value=4.0)
    assert isinstance(recipe, Recipe)
    model = recipe.fit({"x": [1.0, 2.0]}, np.random.default_rng(0))
    assert isinstance(model, Model)
    model.save(tmp_path / "m")
    again = detector.load_model(tmp_path / "m")
    assert again.sample(2, np.random.default_rng(0)).to_arrow()["x"].to_pylist() == [4.0, 4.0]


def test_the_command_line_takes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real.csv").write_text("x\n1.5\n2.5\n")
    assert run(["fit", "real.csv", "--recipe", "constant", "-o", "m", "--option", "value=2.5"]) == 0
    assert run(["sample", "m", "-n", "2", "-o", "out.csv"]) == 0
    assert (tmp_path / "out.csv").read_text() == '"x"\n2.5\n2.5\n'
    assert run(["show", "m"]) == 0
    assert "constant" in capsys.readouterr().out


def test_the_list_has_it_and_names_what_is_broken_or_missing(capsys):
    assert run(["list"]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    out = " ".join(printed.split())
    assert "constant Draws one row for ever." in out
    assert "needs no_such_package. Run `pip install 'collapse-detector[quantum]'`." in out
    assert "The recipe `broken` cannot be loaded" in out


def test_nothing_installed_is_said(monkeypatch, capsys):
    offer(monkeypatch, [])
    assert run(["list"]) == 0
    assert "No recipes are installed" in capsys.readouterr().out


def test_missing_packages_are_named_with_their_extra():
    with pytest.raises(DetectorError, match=r"`needy` needs no_such_package.*\[quantum\]"):
        detector.recipe("needy")


def test_an_option_that_is_refused_is_one_line():
    with pytest.raises(DetectorError, match=r"`constant` does not take this: .*'valeu'"):
        detector.recipe("constant", valeu=1)


def test_listing_imports_no_recipe():
    assert catalogue.names("detector.recipes") == ("broken", "constant", "needy")


def test_the_digest_of_rows_is_that_of_profiles_whatever_the_order_of_rows():
    table = mixed(300)
    dataset = detector.open_data(table)
    wanted = detector.profile(table).digest
    assert rows_digest(row_hashes(dataset)) == wanted
    shuffled = table.take(np.random.default_rng(0).permutation(300))
    assert rows_digest(row_hashes(detector.open_data(shuffled))) == wanted


def test_no_rows_have_a_digest_too():
    empty = pa.table({"x": pa.array([], pa.float64())})
    assert rows_digest(row_hashes(detector.open_data(empty))) == detector.profile(empty).digest
