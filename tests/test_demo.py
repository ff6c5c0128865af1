from __future__ import annotations

import shlex

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from examples import demo


def test_a_long_command_line_is_folded_so_that_a_shell_joins_it():
    words = ["detector", "gate", "demo/" + "a" * 30, "demo/" + "b" * 30, "--html", "demo/it's"]
    drawn = demo.folded(words)
    assert len(drawn.splitlines()) == 2
    assert max(map(len, drawn.splitlines())) <= 80
    assert shlex.split(drawn.removeprefix("$ ").replace("\\\n", "")) == words


def test_without_the_quantum_extra_it_says_so_and_goes_on(capsys, monkeypatch):
    monkeypatch.setattr(demo, "missing_packages", lambda _kind: ("cirq",))
    assert demo.quantum_rows() == []
    out = capsys.readouterr().out
    assert "Left out: it needs cirq" in out
    assert "pip install 'collapse-detector[quantum]'" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_fit_that_fails_leaves_its_scenes_out(capsys, monkeypatch):
    monkeypatch.setattr(demo, "missing_packages", lambda _kind: ())
    monkeypatch.setattr(demo, "run", lambda *_: 2)
    assert demo.quantum_rows() == []
    assert "could not be fitted" in capsys.readouterr().out


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "OUT", tmp_path)
    for name, start in (("diamonds-half-2", 0), ("diamonds-qcbm", 100_000)):
        rows = pa.table({"x": np.arange(start, start + 6_000)})
        pq.write_table(
            rows.replace_schema_metadata({"made by": name}), tmp_path / f"{name}.parquet"
        )


@pytest.mark.usefixtures("files")
def test_the_contaminated_batch_says_nothing_and_hides_its_rows(monkeypatch):
    monkeypatch.setattr(demo, "missing_packages", lambda _kind: ())
    calls = []
    monkeypatch.setattr(demo, "run", lambda *words: calls.append(words) or 0)
    monkeypatch.setattr(demo, "_short", lambda path: path.name)
    declared, hidden = demo.quantum_rows()
    assert [words[1] for words in calls] == ["fit", "sample"]
    assert declared.candidate.name == "diamonds-qcbm.parquet"
    table = pq.read_table(hidden.candidate)
    fake = np.asarray(table["x"]) >= 100_000
    assert table.num_rows == demo.BATCH
    assert fake.sum() == demo.HIDDEN
    assert 0 < fake[: demo.HIDDEN].sum() < demo.HIDDEN
    assert b"made by" not in (table.schema.metadata or {})
