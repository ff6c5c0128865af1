from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from detector.cli.main import run

POLICY = """
[[rule]]
name = "numbers have not moved"
check = "marginals"
measurement = "wasserstein"
kind = "significant"
negligible = 0.1
origin = 0
on_gap = "pass"
"""


@pytest.fixture
def rows(tmp_path):
    rng = np.random.default_rng(0)
    batch = np.arange(3_000) % 6
    x = rng.standard_normal(3_000) + 0.4 * batch
    table = pa.table({"x": x, "k": rng.choice(list("ab"), 3_000), "batch": batch.astype(str)})
    parquet.write_table(table, tmp_path / "rows.parquet")
    (tmp_path / "p.toml").write_text(POLICY, encoding="utf-8")
    return ("selftest", "rows.parquet", "--policy", "p.toml", "--runs", "2", "--rows", "300")


def test_it_prints_what_is_seen_and_what_not_in_eighty_columns(call, rows):
    code, out, err = call(*rows)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("Self-test of rows.parquet: 2 runs of each fault, 300 rows")
    assert "nothing              0 %  0 to 84 %           0 %" in lines
    assert "the gate refused 0 of 2: the true rate is at most 78 %" in out
    assert "correlation            -  could not be planted" in lines
    assert "Margin" not in out


def test_by_and_write_policy_show_margins_and_write_a_policy_that_loads(call, rows, tmp_path):
    code, out, _ = call(*rows, "--by", "batch", "--write-policy", "new.toml", "--only", "shift")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "margin that has to grow" in out
    assert "good batches" in out
    assert out.endswith("Policy: new.toml\n")
    assert call("policy", "check", "new.toml")[0] == 0
    assert 'ignore = ["batch"]' in (tmp_path / "new.toml").read_text("utf-8")


def test_json_and_markdown_go_where_they_are_sent(call, rows, tmp_path):
    code, out, _ = call(*rows, "--only", "shift", "--json", "-", "--markdown", "t.md")
    assert code == 0
    assert [fault["fault"] for fault in json.loads(out)["faults"]] == ["nothing", "shift=0.25"]
    page = (tmp_path / "t.md").read_text("utf-8")
    assert "| nothing | 0 % | 0 to 84 % | 0 % | nothing is wrong: refusals are false" in page


def test_quiet_prints_nothing(call, rows):
    assert call(*rows, "--only", "shift", "--quiet") == (0, "", "")


def test_a_file_that_cannot_be_written_is_refused_before_any_work(call, rows):
    code, out, err = call(*rows, "--json", "rows.parquet")
    assert (code, out) == (2, "")
    assert "--json rows.parquet: this command already uses `rows.parquet`." in err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--by", "bach"), "detector: `rows.parquet` has no column `bach`. Its columns begin with"),
        (("--only", "tials"), "detector: there is no fault `tials`. Did you mean `tails`?"),
    ],
)
def test_a_wrong_call_is_one_line(call, rows, more, said):
    code, out, err = call(*rows, *more)
    assert (code, out) == (2, "")
    assert err.startswith(said)
    assert err.count("\n") == 1


def test_too_few_rows_are_one_line(call, tmp_path):
    parquet.write_table(pa.table({"x": np.arange(200.0)}), tmp_path / "few.parquet")
    code, _, err = call("selftest", "few.parquet")
    assert code == 2
    assert err.startswith("detector: `few.parquet` has 200 rows; a self-test needs 400.")


def test_a_hostile_column_cannot_command_the_terminal(capfd, tmp_path):
    name = "a\x1b[2J|b"
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.standard_normal(900), name: (np.arange(900) % 3).astype(str)})
    parquet.write_table(table, tmp_path / "h.parquet")
    assert run(["selftest", "h.parquet", "--by", name, "--runs", "1", "--only", "shift"]) == 0
    assert "\x1b" not in capfd.readouterr().out
