from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from detector import catalogue
from detector.errors import DetectorError

FORMATS = "detector.formats"


@pytest.fixture
def offered(monkeypatch):
    """Pretend that installed packages offer these entry points."""

    def offer(*entries):
        def entry_points(*, group):
            return [entry for entry in entries if entry.group == group]

        monkeypatch.setattr("importlib.metadata.entry_points", entry_points)

    return offer


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a package `plugs.checks` whose files are given."""

    def make(**files):
        folder = tmp_path / "plugs" / "checks"
        folder.mkdir(parents=True)
        for name, text in {"__init__": "", **files}.items():
            (folder / f"{name}.py").write_text(text)
        (tmp_path / "plugs" / "__init__.py").write_text("")
        monkeypatch.syspath_prepend(tmp_path)
        for module in [name for name in sys.modules if name.startswith("plugs")]:
            monkeypatch.delitem(sys.modules, module)
        return "plugs.checks"

    yield make
    for module in [name for name in sys.modules if name.startswith("plugs")]:
        del sys.modules[module]


def test_names_are_file_names():
    assert catalogue.names(FORMATS) == ("html", "json", "junit", "markdown", "sarif", "text")


def test_private_files_subpackages_and_the_base_module_are_no_plug_ins(package, tmp_path):
    checks = package(joint="", _helper="", check="")
    inner = tmp_path / "plugs" / "checks" / "inner"
    inner.mkdir()
    (inner / "__init__.py").write_text("")
    assert catalogue.names(checks) == ("joint",)


def test_names_imports_no_plug_in(package):
    checks = package(joint="raise RuntimeError")
    assert catalogue.names(checks) == ("joint",)
    assert "plugs.checks.joint" not in sys.modules


def test_listing_formats_imports_none_of_them():
    script = (
        "import sys; from detector import catalogue; catalogue.names('detector.formats'); "
        "print(*[name for name in sys.modules if name.startswith('detector.formats')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_check_is_a_class_named_after_its_file(package):
    checks = package(row_copies="class RowCopies: pass")
    assert catalogue.load(checks, "row_copies").__name__ == "RowCopies"


def test_a_format_is_a_function_named_render():
    from detector.formats import html

    assert catalogue.load(FORMATS, "html") is html.render


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list():
    with pytest.raises(DetectorError) as caught:
        catalogue.load(FORMATS, "htmll")
    assert str(caught.value) == (
        "There is no format named `htmll`. Did you mean `html`? "
        "There are: html, json, junit, markdown, sarif, text."
    )


def test_a_name_like_no_other_is_answered_with_the_list_alone():
    with pytest.raises(DetectorError, match=r"named `zzz`\. There are: html, json"):
        catalogue.load(FORMATS, "zzz")


@pytest.mark.parametrize("name", ["_view", "../cli/main", "templates", "", "html.render", "os"])
def test_nothing_outside_the_list_is_ever_imported(name):
    with pytest.raises(DetectorError, match="There is no format named"):
        catalogue.load(FORMATS, name)


def test_a_group_without_a_folder_has_entry_points_only(offered):
    offered(EntryPoint("bootstrap", "json:loads", "detector.recipes"))
    import json

    assert catalogue.names("detector.recipes") == ("bootstrap",)
    assert catalogue.load("detector.recipes", "bootstrap") is json.loads


def test_nothing_installed_is_said_so(offered):
    offered()
    with pytest.raises(DetectorError, match=r"There is no recipe named `x`\. .*none is installed"):
        catalogue.load("detector.recipes", "x")


def test_an_entry_point_adds_a_format(offered):
    offered(EntryPoint("yaml", "json:dumps", FORMATS))
    assert "yaml" in catalogue.names(FORMATS)
    assert catalogue.load(FORMATS, "yaml").__module__ == "json"


def test_an_entry_point_cannot_take_the_place_of_a_file(offered):
    offered(EntryPoint("html", "json:dumps", FORMATS))
    assert catalogue.names(FORMATS).count("html") == 1
    assert catalogue.load(FORMATS, "html").__module__ == "detector.formats.html"


@pytest.mark.parametrize("value", ["no_such_package:render", "json:no_such_function"])
def test_a_broken_entry_point_is_named(offered, value):
    offered(EntryPoint("yaml", value, FORMATS))
    with pytest.raises(DetectorError, match=r"The format `yaml` cannot be loaded: .*no_such"):
        catalogue.load(FORMATS, "yaml")


def test_a_missing_package_is_named(package):
    checks = package(neural="import no_such_package")
    with pytest.raises(DetectorError, match=r"`neural` cannot be loaded: .*no_such_package"):
        catalogue.load(checks, "neural")


def test_a_fault_of_our_own_is_not_blamed_on_the_environment(package):
    checks = package(neural="import plugs.no_such_module")
    with pytest.raises(ModuleNotFoundError):
        catalogue.load(checks, "neural")
