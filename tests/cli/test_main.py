from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from detector.cli.main import COMMANDS, LazyGroup, cli
from detector.errors import InputError, PolicyError

COMMAND_PATHS = [(name,) for name in COMMANDS]
COMMAND_PATHS += [("policy", name) for name in ("init", "check", "show")]
HEAVY = {"numpy", "scipy", "sklearn", "pyarrow", "pandas", "polars", "rich", "jinja2"}


def modules_after(*arguments):
    """Return the modules that one command line loads, in a process of its own."""
    script = (
        "import sys\n"
        "from detector.cli.main import run\n"
        f"run({list(arguments)!r})\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_lists_every_command_with_one_line(call):
    code, out, _ = call("--help")
    assert code == 0
    for name, help_text in COMMANDS.items():
        assert f"  {name:<9} {help_text}" in out


def test_help_imports_no_command_and_nothing_heavy():
    loaded = modules_after("--help")
    assert not loaded & HEAVY
    assert not [name for name in loaded if name.endswith("_command")]
    assert not [name for name in loaded if name.startswith("detector.formats")]


@pytest.mark.parametrize("path", COMMAND_PATHS, ids=" ".join)
def test_the_help_of_a_command_imports_nothing_heavy(path):
    assert not modules_after(*path, "--help") & HEAVY


@pytest.mark.parametrize("path", COMMAND_PATHS, ids=" ".join)
def test_every_command_helps_with_an_example_and_the_exit_codes(call, path):
    code, out, _ = call(*path, "--help")
    assert code == 0
    assert "Example:\n" in out
    assert f"detector {path[0]}" in out
    assert "Exit codes:" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_one_line_helps_are_told_to_the_commands_own(name):
    command = cli.get_command(click.Context(cli), name)
    assert command.name == name


def test_an_unknown_command_is_answered_with_the_nearest(call):
    code, out, err = call("gaet")
    assert (code, out) == (2, "")
    assert "There is no command `gaet`. Did you mean `gate`?" in err


def test_nothing_at_all_is_a_usage_error(call):
    assert call()[0] == 2


def test_the_version_is_the_packages(call):
    code, out, _ = call("--version")
    version = importlib.metadata.version("collapse-detector")
    assert (code, out) == (0, f"detector, version {version}\n")


def test_a_missing_argument_exits_2(call):
    code, out, err = call("gate", "a.csv")
    assert (code, out) == (2, "")
    assert "Missing argument 'CANDIDATE'" in err


def test_what_the_user_can_mend_is_one_line_and_no_traceback(call, gate):
    gate.report = InputError("`b.csv` has no row.", hint="Give a file with rows.")
    code, out, err = call("gate", "a.csv", "b.csv")
    assert (code, out) == (2, "")
    assert err == "detector: `b.csv` has no row. Give a file with rows.\n"


def test_every_fault_of_a_policy_has_its_line(call, gate):
    gate.report = PolicyError(("line 3: no", "line 9: no"), source="p.toml")
    lines = call("gate", "a", "b")[2].splitlines()
    assert lines == ["detector: p.toml: line 3: no", "detector: p.toml: line 9: no"]


def test_a_hostile_name_in_an_error_cannot_move_the_cursor_or_command_the_runner(call, gate):
    gate.report = InputError("::error::\x1b[2J\u202ex")
    assert call("gate", "a", "b")[2] == "detector: ::error::\\x1b[2J\\u202ex\n"


def test_a_crash_exits_70_and_never_reads_as_a_verdict(call, gate):
    gate.report = ZeroDivisionError("division by zero\nat sea")
    code, out, err = call("gate", "a.csv", "b.csv")
    assert (code, out) == (70, "")
    assert "an unexpected error, which is no verdict: ZeroDivisionError: division by zero" in err
    assert "Please report it" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_crash_can_be_asked_where_it_happened(call, gate, monkeypatch, how):
    gate.report = ZeroDivisionError("division by zero")
    more = ["--verbose"] if how == "option" else []
    if how == "environment":
        monkeypatch.setenv("DETECTOR_DEBUG", "1")
    code, _, err = call("gate", "a.csv", "b.csv", *more)
    assert code == 70
    assert "Traceback" in err


def test_ctrl_c_exits_130(call, gate):
    gate.report = KeyboardInterrupt()
    assert call("gate", "a.csv", "b.csv") == (130, "", "\ndetector: stopped.\n")


def test_the_package_is_the_command():
    command = [sys.executable, "-m", "detector", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("detector, version")


def test_a_group_finds_no_command_that_it_does_not_list():
    group = LazyGroup("x")
    assert group.get_command(click.Context(group), "saved") is None


def test_the_page_of_the_docs_is_what_help_says():
    root = Path(__file__).parents[2]
    scope = {"__file__": str(root / "docs" / "make_cli.py"), "__name__": "make_cli"}
    exec(compile((root / "docs" / "make_cli.py").read_text("utf-8"), "make_cli.py", "exec"), scope)
    page = (root / "docs" / "cli.md").read_text("utf-8")
    assert page == scope["page"](), "run `python docs/make_cli.py`"


def test_the_page_of_the_docs_is_what_a_terminal_shows():
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "detector", "gate", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert done.stdout.strip() in page
