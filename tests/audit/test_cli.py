from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.cli.main import run

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"
QUICK = ["--generations", "3", "--replicates", "2", "--refits", "20"]


@pytest.fixture(autouse=True)
def real(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).standard_normal((120, 10))
    pq.write_table(pa.table({f"x{i}": rows[:, i] for i in range(10)}), "real.parquet")
    pq.write_table(pa.table({f"x{i}": 0.7 * rows[:, i] for i in range(10)}), "next.parquet")


def audit(*more):
    return run(["audit", "real.parquet", "--recipe", "gaussian", *QUICK, *more])


def test_an_audit_prints_writes_and_exits_with_its_decision(capsys):
    code = audit("--generations", "8", "--json", "a.json", "--html", "a.html")
    said = capsys.readouterr().out
    assert code == 1
    assert "More is lost than in healthy loops from generation" in said
    assert max(map(len, said.splitlines())) <= 80
    report = json.loads(Path("a.json").read_text("utf-8"))
    jsonschema.validate(report, json.loads(SCHEMA.read_text("utf-8")))
    assert report["exit_code"] == 1
    assert "<!DOCTYPE html>" in Path("a.html").read_text("utf-8")
    assert run(["render", "a.json"]) == 0
    assert run(["judge", "a.json"]) in {1, 3}


def test_an_audit_without_an_answer_exits_with_3(capsys):
    assert audit("--regime", "accumulate", "--generations", "1", "--rows", "100") == 3
    assert "Silence means nothing here" in capsys.readouterr().out


def test_regimes_shares_and_options_reach_the_audit(capsys):
    asked = ["--regime", "fixed", "--real-share", "0.3", "--keep", "best:0.9"]
    code = audit(*asked, "--temperature", "1.1", "--checkpoint", "kept", "--json", "-")
    plan = json.loads(capsys.readouterr().out)["audit"]["plan"]
    assert code in {0, 1, 3}
    assert (plan["regime"], plan["real_share"], plan["keep"]) == ("fixed", 0.3, 0.9)
    assert plan["temperature"] == 1.1
    assert list(Path("kept").rglob("chain-1-generation-3.arrow"))
    line = ["audit", "real.parquet", "--recipe", "kde", "--option", "bandwidth=0.5", *QUICK]
    run([*line, "--json", "-"])
    held = json.loads(capsys.readouterr().out)["audit"]["recipe"]["options"]
    assert held == {"bandwidth": 0.5}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--regime", "fresh", "--real-share", "0.5", "--rows", "100"], "so 80 are missing"),
        (["--generations", "0"], "`generations` is 0"),
        (["--keep", "most"], "Write best:0.8"),
        (["--real-share", "0.5"], "`replace` has no real share to set"),
        (["--option", "bins"], "is not NAME=VALUE"),
        (["--recipe", "gausian"], "Did you mean `gaussian`"),
        (["--recipe", "no_module:Nobody"], "cannot be imported"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_line_and_exits_with_2(more, said, capsys):
    assert audit(*more) == 2
    assert said in capsys.readouterr().err


def test_a_class_in_the_working_directory_is_found(capsys):
    Path("mine.py").write_text(
        "class Mine:\n"
        "    def fit(self, dataset, rng):\n"
        "        table = dataset.to_arrow()\n"
        "        self.sample = lambda n, rng: table.take(rng.integers(0, table.num_rows, n))\n"
        "        return self\n"
    )
    code = run(["audit", "real.parquet", "--recipe", "mine:Mine", *QUICK, "--json", "-"])
    assert code in {0, 1, 3}
    assert json.loads(capsys.readouterr().out)["audit"]["recipe"]["name"] == "Mine"


def test_a_lineage_prints_and_exits_with_its_decision(capsys):
    code = run(["lineage", "real.parquet", "next.parquet", "next.parquet", "--json", "l.json"])
    assert code == 1
    assert "More is lost than in healthy loops from generation" in capsys.readouterr().out
    report = json.loads(Path("l.json").read_text("utf-8"))
    jsonschema.validate(report, json.loads(SCHEMA.read_text("utf-8")))
    assert run(["lineage", "real.parquet"]) == 2
    assert "a lineage of 1 generation says nothing" in capsys.readouterr().err
