from __future__ import annotations

import json
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from detector import gate
from detector.data.provenance import parse
from detector.data.registry import Registry, known_rows
from generators.cli import run
from tests.generators.tables import mixed

FLAT = ["height", "price", "age", "bill", "weight", "color", "flag", "when", "same"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(mixed(400).select(FLAT), "real.parquet")
    return tmp_path


@pytest.fixture
def model(folder):
    assert run(["fit", "real.parquet", "--recipe", "gaussian_copula", "-o", "model", "-q"]) == 0
    return folder / "model"


def said(capsys):
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return captured.out, captured.err


@pytest.mark.usefixtures("folder")
def test_fit_says_what_happened(capsys):
    line = ["fit", "real.parquet", "--recipe", "bootstrap", "-o", "model", "--seed", "3"]
    assert run(line) == 0
    out, err = said(capsys)
    assert out.startswith("bootstrap: fitted to real.parquet in 0.0 s")
    assert "Copies of training rows: 100.0%" in out
    assert out.endswith("Model: model\n")
    assert err == ""


def test_options_reach_the_recipe(folder):
    line = ["fit", "real.parquet", "--recipe", "gaussian_copula", "-o", "m", "-q"]
    assert run([*line, "--option", "shrinkage=0.5", "--option", "whiten=false"]) == 0
    manifest = json.loads((folder / "m" / "manifest.json").read_text())
    assert manifest["options"]["shrinkage"] == 0.5


def test_an_option_that_is_text_stays_text(folder):
    assert run(["rules", "infer", "real.parquet", "-o", "7", "-q"]) == 0
    line = ["fit", "real.parquet", "--recipe", "rules", "--option", "file=7", "-o", "m", "-q"]
    assert run(line) == 0
    manifest = json.loads((folder / "m" / "manifest.json").read_text())
    assert manifest["options"]["file"] == "7"


def test_kinds_and_roles_reach_the_data(folder):
    line = ["fit", "real.parquet", "--recipe", "bootstrap", "-o", "m", "-q"]
    assert run([*line, "--kind", "age=category", "--role", "flag=target"]) == 0
    columns = json.loads((folder / "m" / "manifest.json").read_text())["source"]["columns"]
    found = {one["name"]: (one["kind"], one["role"]) for one in columns}
    assert found["age"] == ("category", "feature")
    assert found["flag"] == ("boolean", "target")


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather", "csv", "tsv", "jsonl"])
def test_a_sample_in_any_format_passes_the_provenance_check(folder, capsys, suffix):
    assert run(["sample", "model", "-n", "300", "-o", f"out.{suffix}", "--seed", "5"]) == 0
    assert said(capsys) == (f"300 rows: out.{suffix}\n", "")
    declared = parse((folder / f"out.{suffix}.provenance.json").read_text(), name="m")
    assert declared.recipe == "gaussian_copula"
    assert declared.seed == 5
    report = gate("real.parquet", f"out.{suffix}", checks=["provenance"])
    found = {f.outcome.name: getattr(f.outcome, "value", None) for f in report.findings}
    assert found["declared_synthetic_share"] == 1.0
    assert found["generation"] == 1
    assert found["unknown_parents"] == 0
    assert found["digest_mismatch"] == 0


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "arrow"])
def test_a_manifest_is_enough_to_know_the_rows_again(folder, suffix):
    for name in ("out.parquet", f"again.{suffix}"):
        assert run(["sample", "model", "-n", "300", "-o", name, "--seed", "5", "-q"]) == 0
    known = known_rows("out.parquet.provenance.json")
    assert known.recipe == "gaussian_copula"
    Registry().add(known).write("registry.json")
    (folder / f"again.{suffix}.provenance.json").unlink()
    report = gate(
        "real.parquet", f"again.{suffix}", checks=["known_synthetic"], registry="registry.json"
    )
    assert report.findings[0].outcome.value > 0.99
    assert report.findings[0].evidence["direction"] == "as in `out.parquet`"
    told = gate("real.parquet", "out.parquet", checks=["provenance"]).inputs[1].provenance
    assert "recipe" in told
    assert "fingerprint" not in told


@pytest.mark.usefixtures("model")
def test_parquet_and_arrow_carry_the_manifest_inside(folder):
    for suffix in ("parquet", "arrow"):
        assert run(["sample", "model", "-n", "20", "-o", f"out.{suffix}", "-q"]) == 0
        (folder / f"out.{suffix}.provenance.json").unlink()
        report = gate("real.parquet", f"out.{suffix}", checks=["provenance"])
        assert report.findings[0].outcome.value == 1.0


@pytest.mark.usefixtures("model")
def test_the_same_seed_gives_the_same_file(folder):
    for name in ("a.parquet", "b.parquet"):
        assert run(["sample", "model", "-n", "50", "-o", name, "--seed", "9", "-q"]) == 0
    assert (folder / "a.parquet").read_bytes() == (folder / "b.parquet").read_bytes()


@pytest.mark.usefixtures("model")
def test_show_says_what_a_model_is(capsys):
    assert run(["show", "model"]) == 0
    out, _ = said(capsys)
    for part in ("recipe      gaussian_copula", "400 rows of real.parquet", "closed form", "color"):
        assert part in out


@pytest.mark.usefixtures("model")
def test_show_as_json_leaves_out_what_was_learned(capsys):
    assert run(["show", "model", "--json"]) == 0
    plain = json.loads(said(capsys)[0])
    assert plain["recipe"] == "gaussian_copula"
    assert "source" not in plain


def test_list_names_recipes_and_what_they_need(capsys, monkeypatch):
    monkeypatch.setattr("detector.recipes.missing_packages", lambda kind: kind.needs)
    assert run(["list"]) == 0
    printed, _ = said(capsys)
    assert max(map(len, printed.splitlines())) <= 80
    out = " ".join(printed.split())
    assert "gaussian_copula A normal copula over all dimensions" in out
    assert "not here yet: it needs tensorflow and tf_keras" in out
    assert "pip install 'collapse-detector[tensorflow]'" in out


@pytest.mark.usefixtures("folder")
def test_rules_are_inferred_edited_and_fitted(capsys):
    assert run(["rules", "infer", "real.parquet", "-o", "rules.toml"]) == 0
    assert "9 columns" in said(capsys)[0]
    line = ["fit", "real.parquet", "--recipe", "rules", "--option", "file=rules.toml"]
    assert run([*line, "-o", "m", "-q"]) == 0
    assert run(["sample", "m", "-n", "10", "-o", "out.csv", "-q"]) == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["fit", "none.csv", "--recipe", "gaussian", "-o", "m"], "none.csv"),
        (["fit", "real.parquet", "--recipe", "gausian", "-o", "m"], "Did you mean `gaussian`"),
        (
            ["fit", "real.parquet", "--recipe", "gan", "-o", "m", "--option", "stps=1"],
            "`stps`|needs",
        ),
        (["fit", "real.parquet", "--recipe", "rbm", "-o", "m", "--option", "steps"], "NAME=VALUE"),
        (["fit", "real.parquet", "--recipe", "rbm", "-o", "m", "--option", "steps=x"], "whole num"),
        (["fit", "real.parquet", "--recipe", "bootstrap", "-o", "no/m"], "Cannot write `m`"),
        (["fit", "real.parquet", "--recipe", "bootstrap", "-o", "real.parquet"], "no saved model"),
        (["fit", "real.parquet", "-o", "m"], "Missing option '--recipe'"),
        (["fit", "real.parquet", "--recipe", "rbm", "-o", "m", "--kind", "agee=text"], "agee"),
        (["sample", "none", "-n", "1", "-o", "x.csv"], "`none` is not a folder"),
        (["sample", "model", "-n", "1", "-o", "x.xls"], "no suffix of a format that is written"),
        (["sample", "model", "-n", "1", "-o", "no/x.csv"], "no place for a file"),
        (["sample", "model", "-n", "-1", "-o", "x.csv"], "-1 is not in the range"),
        (["show", "real.parquet"], "is not a folder"),
        (["shw"], "There is no command `shw`. Did you mean `show`"),
        (["rules", "infer", "real.parquet", "-o", "no/r.toml"], "Create the folder"),
    ],
)
@pytest.mark.usefixtures("model")
def test_a_mistake_is_one_line_and_exit_code_two(capsys, line, words):
    assert run(line) == 2
    out, err = said(capsys)
    assert out == ""
    assert re.search(words, err), err
    assert err.count("\n") <= 4  # click adds its usage


@pytest.mark.usefixtures("folder")
def test_a_vector_has_no_place_in_csv(capsys):
    pq.write_table(mixed(50), "all.parquet")
    assert run(["fit", "all.parquet", "--recipe", "bootstrap", "-o", "m", "-q"]) == 0
    assert run(["sample", "m", "-n", "5", "-o", "x.csv"]) == 2
    assert "no place for the vector `image`" in said(capsys)[1]
    assert run(["sample", "m", "-n", "5", "-o", "x.jsonl", "-q"]) == 0


@pytest.mark.usefixtures("model")
def test_an_error_of_ours_is_told_from_one_of_theirs(capsys, monkeypatch):
    def broken(*_):
        raise RuntimeError("oops")

    monkeypatch.setattr("detector.recipes.load_model", broken)
    assert run(["show", "model"]) == 70
    assert "This is our bug" in said(capsys)[1]


@pytest.mark.usefixtures("model")
def test_control_c_is_one_word(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("detector.recipes.load_model", interrupted)
    assert run(["show", "model"]) == 130
    assert said(capsys)[1].strip() == "generators: stopped."


@pytest.mark.parametrize("line", [["--help"], ["fit", "--help"], ["rules", "--help"], ["list"]])
def test_help_and_list_import_nothing_heavy(line):
    script = (
        f"import sys; from generators.cli import run; code = run({line!r}); "
        "print(sorted({n.partition('.')[0] for n in sys.modules} & "
        "{'tensorflow', 'tf_keras', 'sklearn', 'scipy', 'pandas', 'cirq', 'pyarrow'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.usefixtures("folder")
def test_control_c_while_training_leaves_a_usable_model(capsys, monkeypatch):
    from generators.recipes import rbm

    judged = []

    def distance(*samples, **options):
        judged.append(samples)
        if len(judged) == 3:
            raise KeyboardInterrupt
        return squared_mmd(*samples, **options)

    squared_mmd = rbm.squared_mmd
    monkeypatch.setattr(rbm, "squared_mmd", distance)
    line = ["fit", "real.parquet", "--recipe", "rbm", "--option", "steps=400", "-o", "model"]
    assert run(line) == 0
    out, _ = said(capsys)
    assert "interrupted." in out
    assert "Interrupted at step 29; the best checkpoint is kept." in out
    assert run(["sample", "model", "-n", "9", "-o", "out.csv", "-q"]) == 0
