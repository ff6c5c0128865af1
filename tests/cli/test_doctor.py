from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution, metadata

import pytest

from detector.cli import doctor_command
from detector.cli.doctor_command import CORE, EXTRAS


def test_every_core_package_is_shown_with_version_and_license(call):
    code, out, err = call("doctor")
    assert (code, err) == (0, "")
    for name in CORE:
        version = re.escape(distribution(name).version)
        assert re.search(rf"(?m)^  {name} +{version} +\S", out)


def test_every_extra_is_shown_with_its_license(call):
    _, out, _ = call("doctor")
    for extra, (_, purpose, license_name) in EXTRAS.items():
        about = re.escape(f"{purpose} ({license_name})")
        assert re.search(rf"(?m)^  {extra} .*{about}$", out)


def test_the_extras_are_those_of_the_package():
    offered = set(metadata("collapse-detector").get_all("Provides-Extra"))
    assert set(EXTRAS) == offered - {"all", "dev"}


def test_the_core_is_what_the_package_requires():
    required = distribution("collapse-detector").requires or []
    plain = {re.split(r"[^\w-]", item)[0].lower() for item in required if "extra ==" not in item}
    assert set(CORE) == plain | {"collapse-detector"}


def test_a_missing_core_package_exits_2(call, monkeypatch):
    def found(name):
        if name == "rich":
            raise PackageNotFoundError(name)
        return distribution(name)

    monkeypatch.setattr(doctor_command, "distribution", found)
    code, out, err = call("doctor")
    assert code == 2
    assert re.search(r"^  rich +- +missing", out, re.MULTILINE)
    assert err == "detector: Missing: rich. Run `pip install collapse-detector` again.\n"


@pytest.mark.parametrize(
    ("about", "shown"),
    [
        ({"License-Expression": "MIT"}, "MIT"),
        ({"License": "Apache 2.0\nand a page of text"}, "Apache 2.0"),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, "BSD License"),
        ({}, "no license named"),
    ],
)
def test_a_license_is_named_briefly(about, shown):
    from email.message import Message
    from types import SimpleNamespace

    message = Message()
    for name, value in about.items():
        message[name] = value
    assert doctor_command._license(SimpleNamespace(metadata=message)) == shown
