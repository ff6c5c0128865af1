"""The `dev` script: clean shell, and one clear line for whatever is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("basename", "cat", "cksum", "dirname", "grep", "rm", "sh", "tail", "uname")


@pytest.fixture
def machine(tmp_path):
    """A copy of the project in a path with a space, and a PATH with no Python on it."""
    project = tmp_path / "a project"
    project.mkdir()
    locks = "requirements.lock", "requirements-full.lock"
    for name in ("dev", "pyproject.toml", *locks, "setup.cfg"):
        shutil.copy(ROOT / name, project / name)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name))
    return project


def dev(project, *arguments, **environment):
    return subprocess.run(
        ["sh", str(project / "dev"), *arguments],
        cwd=project.parent,
        env={"PATH": str(project.parent / "tools"), **environment},
        capture_output=True,
        check=False,
        text=True,
    )


def add_tool(project, name, script):
    path = project.parent / "tools" / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_every_shell_can_parse_it(shell):
    found = shutil.which(shell)
    if found:  # `sh` is everywhere; the others where they are
        subprocess.run([found, "-n", str(ROOT / "dev")], check=True)
    assert found or shell != "sh"


def test_help_needs_nothing(machine):
    done = dev(machine, "help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ./dev COMMAND")


def test_an_unknown_command_is_named(machine):
    done = dev(machine, "tset")
    assert done.returncode == 1
    assert done.stderr.endswith("dev: there is no command 'tset'\n")


def test_a_missing_python_is_said(machine):
    done = dev(machine, "test")
    assert done.returncode == 1
    assert "dev: python3.11 is not on the PATH" in done.stderr


def test_a_missing_venv_module_is_said_with_the_remedy(machine):
    add_tool(machine, "python3.11", 'case "$*" in *ensurepip*) exit 1 ;; esac')
    done = dev(machine, "test")
    assert done.returncode == 1
    assert "no venv or ensurepip module" in done.stderr
    assert "apt install python3.11-venv" in done.stderr


def test_a_machine_without_wheels_is_named(machine):
    add_tool(machine, "python3.11", "")
    add_tool(machine, "uname", "echo mips")
    done = dev(machine, "test")
    assert done.returncode == 1
    assert "no binary packages for mips on mips" in done.stderr


def test_an_unknown_bench_lists_the_known_ones(machine):
    (machine / "benchmarks").mkdir()
    (machine / "benchmarks" / "power.py").touch()
    done = dev(machine, "bench", "powre")
    assert done.returncode == 1
    assert done.stderr == "dev: there is no benchmarks/powre.py; there are: power\n"


@pytest.mark.slow
def test_an_unreachable_registry_is_said_in_one_line(machine):
    add_tool(machine, "python3.11", f'exec "{Path(sys.executable).resolve()}" "$@"')
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    done = dev(machine, "test", PIP_RETRIES="1", **nowhere)
    assert done.returncode == 1
    assert "dev: the package registry cannot be reached" in done.stderr.splitlines()[-1]
    assert not (machine / ".venv" / "stamp").exists()
