"""The gate that stands before training: may this batch enter?

>>> import detector
>>> report = detector.gate("real.parquet", "batch.parquet")  # doctest: +SKIP
>>> report.decision  # doctest: +SKIP
<Decision.ADMIT: 'admit'>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detector.api import gate, judge, measure, profile, render
    from detector.auditing import audit, lineage
    from detector.data.dataset import Dataset
    from detector.data.opening import open_data
    from detector.data.schema import ColumnSpec, Kind, Role, Schema
    from detector.errors import DetectorError, GateRefused, InputError, PolicyError, ReportError
    from detector.findings import Finding, Gap, Measurement
    from detector.policy.policy import Policy
    from detector.profiles.profile import Profile, merge
    from detector.recipes import Model, Recipe, TrainingLog, load_model, recipe
    from detector.report import Report
    from detector.trials.selftest import selftest
    from detector.verdicts import Decision, ExitCode, Level, Verdict

_HOMES = {
    "ColumnSpec": "detector.data.schema",
    "Dataset": "detector.data.dataset",
    "Decision": "detector.verdicts",
    "DetectorError": "detector.errors",
    "ExitCode": "detector.verdicts",
    "Finding": "detector.findings",
    "Gap": "detector.findings",
    "GateRefused": "detector.errors",
    "InputError": "detector.errors",
    "Kind": "detector.data.schema",
    "Level": "detector.verdicts",
    "Measurement": "detector.findings",
    "Model": "detector.recipes",
    "Policy": "detector.policy.policy",
    "PolicyError": "detector.errors",
    "Profile": "detector.profiles.profile",
    "Recipe": "detector.recipes",
    "Report": "detector.report",
    "ReportError": "detector.errors",
    "Role": "detector.data.schema",
    "Schema": "detector.data.schema",
    "TrainingLog": "detector.recipes",
    "Verdict": "detector.verdicts",
    "audit": "detector.auditing",
    "gate": "detector.api",
    "judge": "detector.api",
    "lineage": "detector.auditing",
    "load_model": "detector.recipes",
    "measure": "detector.api",
    "merge": "detector.profiles.profile",
    "open_data": "detector.data.opening",
    "profile": "detector.api",
    "recipe": "detector.recipes",
    "render": "detector.api",
    "selftest": "detector.trials.selftest",
}

__all__ = [
    "ColumnSpec",
    "Dataset",
    "Decision",
    "DetectorError",
    "ExitCode",
    "Finding",
    "Gap",
    "GateRefused",
    "InputError",
    "Kind",
    "Level",
    "Measurement",
    "Model",
    "Policy",
    "PolicyError",
    "Profile",
    "Recipe",
    "Report",
    "ReportError",
    "Role",
    "Schema",
    "TrainingLog",
    "Verdict",
    "audit",
    "gate",
    "judge",
    "lineage",
    "load_model",
    "measure",
    "merge",
    "open_data",
    "profile",
    "recipe",
    "render",
    "selftest",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that importing this costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'detector' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
