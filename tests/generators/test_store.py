from __future__ import annotations

import json

import numpy as np
import pytest

import detector
from detector.errors import DetectorError
from generators.store import read_model, write_model
from tests.generators.tables import numbers


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "model"
    model = detector.recipe("gaussian_copula").fit(numbers(50), np.random.default_rng(0))
    model.save(path)
    return path


def edited(folder, **changes):
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return folder


def refused(path, said):
    with pytest.raises(DetectorError, match=said):
        detector.load_model(path)


def test_a_model_of_another_version_is_refused(folder):
    refused(edited(folder, version=2), "`model` has model version 2; this release reads 1")


def test_a_model_of_another_program_is_refused(folder):
    refused(edited(folder, format="something"), "`model` is not a model of ours")


def test_a_model_of_a_recipe_that_is_not_installed_is_refused(folder):
    refused(edited(folder, recipe="magic"), "no recipe named `magic`")


def test_a_folder_that_is_missing_is_refused(tmp_path):
    refused(tmp_path / "none", "`none` is not a folder")


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    refused(tmp_path, r"has no manifest\.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"recipe": 7}', "null", "[" * 100_000])
def test_a_broken_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    refused(folder, r"cannot be read|names no recipe")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_broken_arrays_are_refused(folder, content):
    (folder / "arrays.npz").write_bytes(content)
    refused(folder, r"arrays\.npz is missing or damaged")


def test_missing_arrays_are_refused(folder):
    (folder / "arrays.npz").unlink()
    refused(folder, r"arrays\.npz is missing or damaged")


def test_arrays_that_do_not_fit_are_refused(folder):
    np.savez(folder / "arrays.npz", nothing=np.zeros(3))
    refused(folder, "do not fit together")


def test_an_option_that_is_unknown_to_this_release_is_refused(folder):
    refused(edited(folder, options={"magic": 1}), "do not fit together")


def test_pickled_arrays_are_never_loaded(folder):
    class Evil:
        def __reduce__(self):
            return print, ("loaded",)

    held = np.array([Evil()], dtype=object)
    np.savez(folder / "arrays.npz", **{"codec/0/fixed": held})
    refused(folder, r"damaged \(ValueError\)")


def test_objects_are_never_saved(tmp_path):
    with pytest.raises(TypeError, match="without pickle"):
        write_model(tmp_path / "m", {"recipe": "x"}, {"a": np.array([{}], dtype=object)})
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_a_folder_is_refused(tmp_path):
    with pytest.raises(DetectorError, match="Cannot write `m`"):
        write_model(tmp_path / "none" / "m", {"recipe": "x"}, {})


def test_a_number_that_is_none_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_model(tmp_path / "m", {"recipe": "x", "loss": float("nan")}, {})
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_read(tmp_path):
    arrays = {"a/b": np.arange(3), "c": np.array(["ü", ""])}
    write_model(tmp_path / "m", {"recipe": "x", "options": {}}, arrays)
    manifest, found = read_model(tmp_path / "m")
    assert manifest["options"] == {}
    assert {name: array.tolist() for name, array in found.items()} == {
        "a/b": [0, 1, 2],
        "c": ["ü", ""],
    }
