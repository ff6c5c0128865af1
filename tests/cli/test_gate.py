from __future__ import annotations

import dataclasses
import json
import os
import pty
import subprocess
import sys

import pytest

from detector.data.schema import Kind, Role
from detector.report import Report
from detector.verdicts import Decision
from tests.formats import reports

DRIVER = """
import sys
from detector import api
from detector.cli.main import main
from tests.formats import reports
api.gate = lambda *_, **__: reports.{kind}()
main({arguments!r})
"""


def process(*arguments, kind="rejected", **more):
    """Run the command line in a process of its own, the gate answering with this report."""
    script = DRIVER.format(kind=kind, arguments=["gate", "a", "b", *map(str, arguments)])
    environment = {
        name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}
    }
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), **more.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, env=environment, **more
    )


@pytest.mark.parametrize("decision", Decision)
def test_every_decision_has_its_exit_code(call, gate, decision):
    gate.report = dataclasses.replace(reports.empty(), decision=decision)
    code, out, err = call("gate", "a", "b")
    assert code == int(decision.exit_code)
    assert decision.name in out
    assert err == ""


@pytest.mark.usefixtures("gate")
def test_exit_zero_changes_the_code_and_nothing_else(call):
    loud = call("gate", "a", "b")
    assert loud[0] == 1
    assert call("gate", "a", "b", "--exit-zero") == (0, loud[1], loud[2])


def test_exit_zero_does_not_hide_an_error(call, gate):
    gate.report = ZeroDivisionError()
    assert call("gate", "a", "b", "--exit-zero")[0] == 70


def test_everything_asked_reaches_the_gate(call, gate):
    call(
        *("gate", "ref.csv", "new.csv", "--holdout", "h.csv", "--synthetic", "s.csv"),
        *("--policy", "p.toml", "--only", "joint", "--only", "schema", "--seed", "7"),
        *("--kind", "a=b=category", "--role", "person=group", "--rows", "back.csv"),
        *("--registry", "known.json", "--budget", "2.5"),
    )
    assert gate.asked.pop("progress") is None
    assert gate.asked == {
        "reference": "ref.csv",
        "candidate": "new.csv",
        "holdout": "h.csv",
        "synthetic": "s.csv",
        "policy": "p.toml",
        "checks": ("joint", "schema"),
        "kinds": {"a=b": Kind.CATEGORY},
        "roles": {"person": Role.GROUP},
        "rows": "back.csv",
        "registry": "known.json",
        "seed": 7,
        "budget": 2.5,
    }


def test_nothing_asked_is_nothing_said(call, gate):
    call("gate", "ref.csv", "new.csv")
    given = {name: value for name, value in gate.asked.items() if value}
    assert given == {"reference": "ref.csv", "candidate": "new.csv"}
    assert gate.asked["checks"] is None


def test_an_option_goes_before_the_environment(call, gate, monkeypatch):
    monkeypatch.setenv("DETECTOR_GATE_SEED", "5")
    call("gate", "a", "b")
    assert gate.asked["seed"] == 5
    call("gate", "a", "b", "--seed", "6")
    assert gate.asked["seed"] == 6


@pytest.mark.parametrize("pair", ["age", "age=", "=integer", "age=number", "age=Integer"])
def test_a_kind_that_is_none_is_refused_with_the_list(call, gate, pair):
    code, _, err = call("gate", "a", "b", "--kind", pair)
    assert code == 2
    assert f"`{pair}` is not COLUMN=VALUE with a value of numeric, integer" in err
    assert gate.asked is None


@pytest.mark.parametrize("seed", ["-1", "x", "1.5"])
@pytest.mark.usefixtures("gate")
def test_a_seed_is_a_whole_number_from_zero(call, seed):
    assert call("gate", "a", "b", f"--seed={seed}")[0] == 2


def test_every_format_is_written_and_the_text_printed(call, gate, tmp_path):
    names = ("json", "html", "markdown", "junit", "sarif")
    options = [part for name in names for part in (f"--{name}", tmp_path / f"r.{name}")]
    code, out, err = call("gate", "a", "b", *options)
    assert (code, err) == (1, "")
    assert "✖ REJECT" in out
    assert out.count("Report: ") == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"r.{name}" for name in names)
    assert Report.from_json((tmp_path / "r.json").read_text()) == gate.report


@pytest.mark.parametrize("name", ["json", "html", "markdown", "junit", "sarif"])
def test_a_format_on_stdout_has_stdout_for_itself(call, gate, name):
    from detector import api

    _, out, err = call("gate", "a", "b", f"--{name}", "-")
    assert out == api.render(gate.report, name)
    assert err == ""


def test_json_on_stdout_can_be_read_by_a_pipe():
    done = process("--json", "-")
    assert done.returncode == 1
    assert json.loads(done.stdout)["decision"] == "reject"


def test_a_format_on_stdout_is_utf8_whatever_the_terminal_says():
    done = process("--markdown", "-", env={"PYTHONIOENCODING": "latin-1"})
    assert done.stdout.decode("utf-8").startswith("## ❌ Reject")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--json", "-", "--html", "-"], "--html -: this command already uses `-`"),
        (["--json", "x", "--html", "./x"], "--html ./x: this command already uses `./x`"),
        (["--html", "b"], "--html b: this command already uses `b`"),
        (["--html", "no/where.html"], "--html no/where.html: there is no folder"),
        (["--policy", "p.toml", "--json", "p.toml"], "this command already uses `p.toml`"),
        (["--html", "."], "--html .: this is a folder; name a file in it"),
        (["--html", ""], "--html: there is no file name in it"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_any_work(call, gate, options, fault):
    code, out, err = call("gate", "a", "b", *options)
    assert (code, out) == (2, "")
    assert fault in err
    assert gate.asked is None


def test_a_link_to_itself_is_refused_before_any_work(call, gate, tmp_path):
    (tmp_path / "loop.html").symlink_to("loop.html")
    code, out, err = call("gate", "a", "b", "--html", "loop.html")
    assert (code, out, gate.asked) == (2, "", None)
    assert "this is a link to itself" in err


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_work(call, gate, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    code, out, err = call("gate", "a", "b", "--html", "r.html")
    assert (code, out, gate.asked) == (2, "", None)
    assert "cannot be written to" in err


@pytest.mark.usefixtures("gate")
def test_quiet_prints_nothing_and_still_writes_and_decides(call, tmp_path):
    assert call("gate", "a", "b", "--quiet", "--html", tmp_path / "r.html") == (1, "", "")
    assert (tmp_path / "r.html").exists()


def test_a_pipe_gets_no_color():
    assert b"\x1b" not in process().stdout


@pytest.mark.parametrize(
    ("environment", "options", "colored"),
    [
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "0"}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1"}, ["--no-color"], False),
        ({"NO_COLOR": ""}, [], False),
    ],
)
def test_color_obeys_the_option_then_the_environment(environment, options, colored):
    assert (b"\x1b[" in process(*options, env=environment).stdout) is colored


def watched(environment):
    """Return what a terminal shows of a gate."""
    leader, follower = pty.openpty()
    script = DRIVER.format(kind="rejected", arguments=["gate", "a", "b"])
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    variables |= {"PYTHONPATH": os.pathsep.join(sys.path), **environment}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=follower, stderr=follower, env=variables
    ) as child:
        os.close(follower)
        shown = b""
        while True:
            try:
                chunk = os.read(leader, 65_536)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
        os.close(leader)
        child.wait()
    return shown


@pytest.mark.parametrize(
    ("environment", "colored"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)],
)
def test_a_terminal_gets_color_unless_it_cannot_or_must_not(environment, colored):
    shown = watched(environment)
    assert b"REJECT" in shown
    assert (b"\x1b[" in shown) is colored


def test_a_terminal_without_unicode_gets_ascii():
    shown = process(env={"PYTHONIOENCODING": "ascii"}).stdout
    assert b"x REJECT" in shown


def test_a_reader_that_leaves_early_does_not_turn_a_reject_into_anything_else():
    script = DRIVER.format(kind="rejected", arguments=["gate", "a", "b"])
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_full_disk_behind_stdout_is_an_error_and_no_verdict():
    script = DRIVER.format(kind="admitted", arguments=["gate", "a", "b"])
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert done.returncode == 2
    assert done.stderr == b"detector: Cannot write to stdout: No space left on device.\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_closed_stream_is_no_crash(stream):
    script = f"import sys; sys.{stream} = None\n" + DRIVER.format(
        kind="rejected", arguments=["gate", "a", "b"]
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 1


def test_only_completes_the_names_of_checks():
    from detector.cli.options import complete_check

    assert complete_check(None, None, "no such") == []


def test_where_the_rows_to_hold_back_are_is_said_with_their_number(call, gate):
    gate.report = reports.admitted()
    assert (
        "Rows to hold back: back.csv (0 rows)\n" in call("gate", "a", "b", "--rows", "back.csv")[1]
    )
    assert call("gate", "a", "b", "--rows", "back.csv", "--quiet")[1] == ""
    out = call("gate", "a", "b", "--rows", "back.csv", "--json", "-")[1]
    assert "Rows to hold back" not in out


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("-", "--rows -: name a file that ends in .parquet or .csv."),
        ("b.csv", "--rows b.csv: this command already uses `b.csv`."),
        ("no/back.csv", "--rows no/back.csv: there is no folder"),
    ],
)
def test_rows_that_have_no_place_are_refused_before_any_work(call, gate, file, fault):
    code, out, err = call("gate", "a.csv", "b.csv", "--rows", file)
    assert (code, out) == (2, "")
    assert fault in err
    assert gate.asked is None
