"""`detector doctor`: what is installed, what each extra is for, under which license."""

from __future__ import annotations

import platform
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

import click

from detector.cli.main import OTHER_CODES
from detector.cli.terminal import emit
from detector.errors import DetectorError

CORE = (
    "collapse-detector",
    "click",
    "jinja2",
    "numpy",
    "pyarrow",
    "rich",
    "scikit-learn",
    "scipy",
    "threadpoolctl",
)
"""What every command may need."""

EXTRAS = {
    "quantum": ("tensorflow-quantum", "quantum generators; Linux on x86-64 only", "Apache-2.0"),
    "tensorflow": ("tensorflow", "neural generators", "Apache-2.0"),
    "alibi": ("alibi-detect", "a second opinion, never needed", "BUSL-1.1: not free in production"),
    "spark": ("pyspark", "profiles made on a cluster", "Apache-2.0"),
    "dask": ("dask", "profiles made on a cluster", "BSD-3-Clause"),
    "ray": ("ray", "profiles made on a cluster", "Apache-2.0"),
    "duckdb": ("duckdb", "profiles of SQL queries", "MIT"),
}
"""Each extra's main package, what it is for, and the license that comes with it."""


@click.command("doctor", epilog=OTHER_CODES)
def command() -> None:
    """Show the versions, extras and licenses that this installation has.

    It imports none of them. Exit 2 if a package that every gate needs is missing.

    \b
    Example:
      detector doctor
    """  # noqa: D301
    found = {name: _distribution(name) for name in CORE}
    lines = [f"Python {platform.python_version()}, {platform.system()} {platform.machine()}", ""]
    lines += ["Core"]
    lines += [_line(name, _version(package), _license(package)) for name, package in found.items()]
    lines += ["", "Extras: pip install 'collapse-detector[NAME]'"]
    for extra, (package, purpose, license_name) in EXTRAS.items():
        lines.append(_line(extra, _version(_distribution(package)), f"{purpose} ({license_name})"))
    emit("\n".join(lines) + "\n")
    if missing := [name for name, package in found.items() if package is None]:
        raise DetectorError(
            f"Missing: {', '.join(missing)}.", hint="Run `pip install collapse-detector` again."
        )


def _distribution(name: str) -> Distribution | None:
    """Return what is known of an installed package."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _version(package: Distribution | None) -> str:
    """Return a package's version."""
    return package.version if package else "-"


def _license(package: Distribution | None) -> str:
    """Return a package's license as its metadata name it, briefly."""
    if package is None:
        return "missing"
    about: Any = package.metadata
    trove = "License :: OSI Approved :: "
    named = [value for value in about.get_all("Classifier") or [] if value.startswith(trove)]
    stated = about["License-Expression"] or "".join(named).removeprefix(trove) or about["License"]
    return str(stated or "no license named").splitlines()[0][:60]


def _line(name: str, version: str, about: str) -> str:
    """Return one line of the table."""
    return f"  {name:<18} {version:<12} {about}"
