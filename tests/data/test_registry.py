"""A registry holds what it was given, is whole or an error, and never holds rows."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from detector.data import registry as registries
from detector.data.provenance import SUFFIX, Origin, Provenance
from detector.data.registry import Registry, known_rows, read_registry
from detector.errors import DetectorError, InputError


@pytest.fixture
def file(tmp_path):
    """Return a file of 50 rows."""
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.standard_normal(50), "secret": [f"name{i}" for i in range(50)]})
    csv.write_csv(table, tmp_path / "made.csv")
    return tmp_path / "made.csv"


def said(call, *arguments) -> str:
    """Return the error of a call, which is one line."""
    with pytest.raises(DetectorError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_written_is_read(tmp_path, file):
    held = Registry().add(known_rows(str(file)))
    held.write(tmp_path / "r.json")
    (known,) = read_registry(tmp_path / "r.json").sources
    assert (known.name, known.recipe, known.fingerprint.rows) == ("made.csv", None, 50)
    assert known.fingerprint.to_plain() == held.sources[0].fingerprint.to_plain()
    assert "name7" not in (tmp_path / "r.json").read_text()


def test_the_same_rows_or_the_same_name_give_way(file):
    first = known_rows(str(file), name="one")
    assert [
        k.name for k in Registry().add(first).add(known_rows(str(file), name="two")).sources
    ] == ["two"]
    assert len(Registry().add(first).add(first).sources) == 1


def test_removing_needs_a_name_that_is_there(file):
    held = Registry().add(known_rows(str(file)))
    assert held.remove("made.csv").sources == ()
    assert said(held.remove, "other").startswith("the registry has no source `other`.")


def test_it_can_be_full(file, monkeypatch):
    monkeypatch.setattr(registries, "MAX_SOURCES", 1)
    held = Registry().add(known_rows(str(file), name="one"))
    csv.write_csv(pa.table({"x": [1.0, 2.0]}), file)
    assert "no more fit" in said(held.add, known_rows(str(file), name="two"))


def test_it_cannot_grow_beyond_what_can_be_read(tmp_path, file, monkeypatch):
    held = Registry().add(known_rows(str(file)))
    held.write(tmp_path / "r.json")
    monkeypatch.setattr(registries, "MAX_BYTES", 100)
    assert "larger than 256 MiB" in said(held.write, tmp_path / "other.json")
    assert "larger than 256 MiB" in said(read_registry, tmp_path / "r.json")
    assert not (tmp_path / "other.json").exists()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "`r.json` is damaged: it is not JSON."),
        ("[" * 100_000, "`r.json` is damaged: it is not JSON."),
        ("[]", "`r.json` is not a registry."),
        ('{"format": "collapse-detector registry", "version": 9}', "has registry version 9"),
        (
            '{"format": "collapse-detector registry", "version": 1, "sources": 3}',
            "`r.json` is damaged: its list of sources is none.",
        ),
        (
            '{"format": "collapse-detector registry", "version": 1, "sources": [{}]}',
            "`r.json` is damaged: a source has no name.",
        ),
        (
            '{"format": "collapse-detector registry", "version": 1, "sources": [{"name": "a"}]}',
            "`r.json` is damaged: not a fingerprint of version 1.",
        ),
    ],
)
def test_a_damaged_registry_is_one_line(tmp_path, text, fault):
    (tmp_path / "r.json").write_text(text)
    assert fault in said(read_registry, tmp_path / "r.json")


def test_a_cut_file_is_one_line(tmp_path, file):
    Registry().add(known_rows(str(file))).write(tmp_path / "r.json")
    whole = (tmp_path / "r.json").read_text()
    (tmp_path / "r.json").write_text(whole[: len(whole) // 2])
    assert "is damaged" in said(read_registry, tmp_path / "r.json")
    (tmp_path / "r.json").write_text(whole.replace('"hashes": "', '"hashes": "!!'))
    assert "a lattice that is damaged" in said(read_registry, tmp_path / "r.json")


def test_a_registry_that_is_absent_is_one_line(tmp_path):
    assert said(read_registry, tmp_path / "r.json").startswith("Cannot read `r.json`: No such file")


def test_a_manifest_without_a_fingerprint_is_one_line(file):
    Provenance(origin=Origin.SYNTHETIC).write(file)
    assert "has no fingerprint of the rows" in said(known_rows, f"{file}{SUFFIX}")


def test_a_manifest_with_one_stands_for_the_rows(file):
    rows = known_rows(str(file))
    plain = rows.fingerprint.to_plain()
    Provenance(origin=Origin.SYNTHETIC, recipe="gan", fingerprint=plain).write(file)
    known = known_rows(f"{file}{SUFFIX}")
    assert (known.name, known.recipe) == ("made.csv", "gan")
    assert known.fingerprint.to_plain() == plain
    assert known_rows(str(file)).recipe == "gan"


def test_rows_that_are_declared_real_are_refused(file):
    Provenance(origin=Origin.REAL).write(file)
    assert "declares that its rows are real" in said(known_rows, str(file))
    assert "declares that its rows are real" in said(known_rows, f"{file}{SUFFIX}")


def test_a_file_without_rows_is_refused(file):
    file.write_text("x,y\n")
    assert "a data set without rows has no fingerprint" in said(known_rows, str(file))


def test_a_damaged_fingerprint_in_a_manifest_is_refused(file):
    manifest = {"origin": "synthetic", "fingerprint": {"version": 1}}
    file.with_name(f"{file.name}{SUFFIX}").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"`fingerprint` is .* it must be one that `generators`"):
        known_rows(f"{file}{SUFFIX}")
