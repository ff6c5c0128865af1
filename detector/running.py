"""What every kind of run shares: a clock, opened inputs, the policy, and the parts of a report."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from detector.data.schema import Kind, Role
from detector.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detector.data.dataset import Dataset
    from detector.data.provenance import Provenance
    from detector.data.schema import Schema
    from detector.findings import Finding
    from detector.policy.policy import Policy
    from detector.profiles.profile import Profile
    from detector.report import InputSummary

E = TypeVar("E", Kind, Role)

PROFILE_SUFFIX = ".profile"
_VERSIONED = ("collapse-detector", "numpy", "scipy", "scikit-learn", "pyarrow")


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Add the seconds since the last call to a stage."""
        now = time.perf_counter()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + now - self._last, 3)
        self._last = now


def opened(
    data: object,
    *,
    like: Schema | None,
    kinds: Mapping[str, Kind | str],
    roles: Mapping[str, Role | str],
    name: str | None = None,
    role: str | None = None,
) -> Dataset | Profile:
    """Return a Profile when that is what was given, else an opened data set."""
    from detector.data.opening import open_data
    from detector.profiles.profile import Profile

    if isinstance(data, Profile):
        return data
    is_path = isinstance(data, str | Path)
    if is_path and str(data).endswith(PROFILE_SUFFIX):
        return Profile.load(str(data))
    label = name if name is not None or is_path else role
    return open_data(
        data,
        name=label,
        kinds={column: _member(Kind, value) for column, value in kinds.items()},
        roles={column: _member(Role, value) for column, value in roles.items()},
        like=like,
    )


def _member(values: type[E], value: str) -> E:
    """Return a kind or a role by its name.

    Raises:
        DetectorError: There is none of this name.

    """
    try:
        return values(value)
    except ValueError as error:
        allowed = ", ".join(values)
        raise DetectorError(
            f"there is no {values.__name__.lower()} `{value}`.", hint=f"Use one of {allowed}."
        ) from error


def policy_of(policy: Policy | str | os.PathLike[str] | None) -> Policy:
    """Return a policy, or the one of a path, or the built-in one.

    Raises:
        DetectorError: It is neither a policy nor the path of one.

    """
    from detector.policy.load import load_policy
    from detector.policy.policy import Policy

    if isinstance(policy, Policy):
        return policy
    if policy is not None and not isinstance(policy, str | os.PathLike):
        raise DetectorError(
            f"a policy is a Policy or the path of one, and this is a {type(policy).__name__}.",
            hint="Write it to a TOML file; `detector policy init` makes one to start from.",
        )
    return load_policy(policy)


def refuse_seed(seed: object) -> None:
    """Refuse what is no seed before any work is done."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DetectorError(f"the seed is {seed!r}.", hint="Give a whole number from 0.")


def judged(findings: Sequence[Finding], rules: Policy) -> dict[str, Any]:
    """Return the fields of a report that come from the policy."""
    from datetime import datetime

    from detector.policy.headline import headline
    from detector.policy.judge import judge

    today = datetime.now().astimezone().date()
    verdicts, decision = judge(findings, rules, today=today)
    return {
        "decision": decision,
        "verdicts": verdicts,
        "headline": headline(decision, verdicts),
        "policy": rules.summary,
    }


def summary(role: str, found: Profile) -> InputSummary:
    """Return what a report says of one input."""
    from detector.data.provenance import find_provenance
    from detector.report import InputSummary

    declared = find_provenance(found.source, found.metadata)
    return InputSummary(
        role=role,
        name=found.name,
        rows=found.n_rows,
        digest=found.digest,
        columns=tuple(
            {"name": spec.name, "kind": spec.kind.value, "role": spec.role.value}
            for spec in found.schema.columns
        ),
        provenance={} if declared is None else _told(declared),
        sampled_rows=0 if found.sample is None else found.sample.table.num_rows,
    )


def _told(declared: Provenance) -> dict[str, Any]:
    """Return a manifest as a report shows it: without hashes of rows, which nobody reads."""
    return {key: value for key, value in declared.to_plain().items() if key != "fingerprint"}


def versions() -> dict[str, str]:
    """Return the installed versions of what numbers depend on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
