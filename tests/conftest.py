"""What every test shares: hypothesis profiles and the number of calibration runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

# The same examples on every machine and in every run. `HYPOTHESIS_PROFILE=explore` looks further.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def calibration_run_count(*, bounded: int, full: int) -> int:
    """Return how often a calibration repeats itself: bounded, or full with CALIBRATION=full."""
    profile = os.environ.get("CALIBRATION", "bounded")
    if profile not in {"bounded", "full"}:
        raise pytest.UsageError(f"CALIBRATION is {profile!r}; it can be 'bounded' or 'full'")
    return full if profile == "full" else bounded


@pytest.fixture
def calibration_runs() -> Callable[..., int]:
    """`calibration_runs(bounded=200, full=1000)` for tests marked calibration."""
    return calibration_run_count
