"""The project around the code: metadata, locks, and a light start."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"alibi_detect", "numpy", "pandas", "polars", "pyarrow", "scipy", "sklearn", "tensorflow"}


def setup_cfg():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(text):
    lines = (line.strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pins(lock):
    """Return name -> version of the pins that apply to this machine."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in pinned
        if one.marker is None or one.marker.evaluate()
    }


def test_setup_cfg_and_pyproject_agree():
    config, project = setup_cfg(), pyproject()["project"]
    assert config["metadata"]["name"] == project["name"]
    assert config["options"]["python_requires"] == project["requires-python"]


def test_every_dynamic_field_is_in_setup_cfg():
    homes = {
        "readme": ("metadata", "long_description"),
        "dependencies": ("options", "install_requires"),
        "optional-dependencies": ("options.extras_require", "dev"),
        "scripts": ("options.entry_points", "console_scripts"),
        "entry-points": ("options.entry_points", "console_scripts"),
        "authors": ("metadata", "author"),
    }
    config = setup_cfg()
    for field in pyproject()["project"]["dynamic"]:
        section, option = homes.get(field, ("metadata", field))
        assert config.has_option(section, option), field


def test_the_two_locks_agree_wherever_both_pin():
    small, full = pins("requirements.lock"), pins("requirements-full.lock")
    assert small
    assert {name: full.get(name) for name in small} == small


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements.lock", ["dev"]), ("requirements-full.lock", ["dev", "quantum", "alibi"])],
)
def test_a_lock_answers_setup_cfg(lock, extras):
    config, pinned = setup_cfg(), pins(lock)
    wanted = requirements(config["options"]["install_requires"])
    for extra in extras:
        wanted += requirements(config["options.extras_require"][extra])
    for one in wanted:
        if one.marker is None or one.marker.evaluate():
            found = pinned.get(canonicalize_name(one.name))
            assert found, f"{one} is not in {lock}; run ./dev lock"
            assert one.specifier.contains(found), f"{one} but {lock} has {found}; run ./dev lock"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-full.lock"])
def test_a_lock_has_a_hash_for_every_pin_and_no_address(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--index|--extra-index|--find-links", text)


def test_the_environment_is_the_lock():
    machine = platform.system(), platform.machine()
    everything = machine == ("Linux", "x86_64")
    pinned = pins("requirements-full.lock" if everything else "requirements.lock")
    assert {name: version(name) for name in pinned} == pinned


def test_every_locked_package_imports():
    locked = set(pins("requirements.lock"))
    names = sorted(
        module
        for module, owners in packages_distributions().items()
        if locked & {canonicalize_name(owner) for owner in owners}
        and module.isidentifier()
        and not module.endswith("__mypyc")
    )
    assert {"numpy", "pyarrow", "scipy", "sklearn"} <= set(names)
    script = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr


def test_no_file_names_the_machine_it_was_written_on():
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in names.split("\0") if name]
    assert paths
    places = {f"{ROOT}/", f"{Path.home()}/", "/" + "work/", "/" + "root/"} - {"//"}
    guilty = [
        (path.relative_to(ROOT).as_posix(), place)
        for path in paths
        if path.is_file()
        for place in places
        if place.encode() in path.read_bytes()
    ]
    assert guilty == []


@pytest.mark.parametrize("command", ["detector", "generators"])
def test_help_imports_nothing_heavy(command):
    line = [sys.executable, "-X", "importtime", "-m", command, "--help"]
    done = subprocess.run(line, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
    loaded = {row.rpartition("|")[2].strip().split(".")[0] for row in done.stderr.splitlines()}
    assert "click" in loaded
    assert loaded & HEAVY == set()


def test_generators_lists_its_own_recipes():
    line = [sys.executable, "-m", "generators", "list"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert "gaussian_copula" in done.stdout
    assert done.stderr == ""


def test_every_recipe_is_an_entry_point_of_its_own_name():
    lines = setup_cfg()["options.entry_points"]["detector.recipes"].split("\n")
    offered = dict(line.split(" = ") for line in lines if " = " in line)
    files = {path.stem for path in (ROOT / "generators/recipes").glob("[a-z]*.py")}
    assert set(offered) == files
    for name, place in offered.items():
        camel_case = "".join(word.capitalize() for word in name.split("_"))
        assert place == f"generators.recipes.{name}:{camel_case}"


def test_every_check_has_its_page_and_its_tests():
    checks = {path.stem for path in (ROOT / "detector/checks").glob("[a-z]*.py")} - {"check"}
    assert {path.stem for path in (ROOT / "docs/checks").glob("*.md")} == checks
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests/checks").glob("test_*.py")}
    assert checks <= tests


def test_every_folder_with_code_is_a_package():
    for top in ("detector", "generators"):
        for module in (ROOT / top).rglob("*.py"):
            assert (module.parent / "__init__.py").is_file(), module
