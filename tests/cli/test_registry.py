from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from detector.data.provenance import SUFFIX


@pytest.fixture
def made(tmp_path):
    rng = np.random.default_rng(0)
    csv.write_csv(pa.table({"x": rng.standard_normal(50)}), tmp_path / "made.csv")
    return "made.csv"


def test_add_list_and_remove_go_round(call, made):
    code, out, err = call("registry", "add", made)
    assert (code, err) == (0, "")
    assert out == "Added: made.csv: 50 rows, 1 column\nRegistry: detector-registry.json\n"
    assert call("registry", "list") == (0, "made.csv: 50 rows, 1 column\n", "")
    assert call("registry", "remove", made) == (0, "Registry: detector-registry.json\n", "")
    assert call("registry", "list") == (0, "There is no source in it.\n", "")


def test_a_name_is_for_one_file(call, made):
    assert call("registry", "add", made, "--name", "gan, March")[0] == 0
    assert call("registry", "list")[1].startswith("gan, March: ")
    code, _, err = call("registry", "add", made, made, "--name", "two")
    assert code == 2
    assert "--name names one FILE, and there are more." in err


def test_the_environment_names_the_registry(call, made, tmp_path, monkeypatch):
    monkeypatch.setenv("DETECTOR_REGISTRY", "elsewhere.json")
    assert call("registry", "add", made)[0] == 0
    assert (tmp_path / "elsewhere.json").is_file()
    assert call("registry", "add", made, "--registry", "here.json")[0] == 0
    assert (tmp_path / "here.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("list",), "there is no registry `detector-registry.json`."),
        (("remove", "a"), "there is no registry `detector-registry.json`."),
        (("add", "no.csv"), "no.csv"),
        (("add", f"no{SUFFIX}"), f"Cannot read `no{SUFFIX}`"),
        (("add", "made.csv", "--registry", "made.csv"), "`made.csv` is damaged: it is not JSON."),
    ],
)
@pytest.mark.usefixtures("made")
def test_what_cannot_be_done_is_one_line(call, arguments, fault):
    code, out, err = call("registry", *arguments)
    assert (code, out) == (2, "")
    assert fault in err
    assert err.count("\n") == 1


def test_a_file_that_fails_leaves_the_registry_as_it_was(call, made, tmp_path):
    call("registry", "add", made)
    before = (tmp_path / "detector-registry.json").read_bytes()
    assert call("registry", "add", made, "no.csv", "--registry", "detector-registry.json")[0] == 2
    assert (tmp_path / "detector-registry.json").read_bytes() == before
