"""Rows for time: which checks look at fewer rows so that a gate keeps to so many seconds.

The choice follows a fixed model of cost, not the clock: the same budget, rows and columns
give the same limits on every machine, and so the same report.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from detector.errors import DetectorError
from detector.findings import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from detector.findings import Finding

    Plugin = Any  # a check: any frozen dataclass

OPTIONS = ("rows", "max_rows", "fit_rows", "learn_rows")
"""The options by which checks limit the sampled rows of each side."""

LEAST = 500
"""No budget limits a check to fewer rows."""

MOST = 65_536
"""Rows that a profile's sample holds at most."""

READING = 1.5e-7
"""Seconds to read and profile one cell."""


class Cost(NamedTuple):
    """What a check costs on one core of an ordinary machine.

    fixed: Seconds whatever the rows.
    cell: Seconds for each sampled row and column of one side.
    """

    fixed: float
    cell: float


COSTS = {
    "schema": Cost(0.1, 0.0),
    "provenance": Cost(0.0, 0.0),
    "marginals": Cost(0.1, 0.0),
    "dependence": Cost(0.2, 6e-7),
    "joint": Cost(1.0, 0.0),
    "discriminator": Cost(0.6, 3e-6),
    "indistinguishability": Cost(0.0, 0.0),  # shares the fit of `discriminator`
    "contamination": Cost(0.6, 8e-6),  # and so does this one, beside fits of its own
    "quarantine": Cost(0.3, 4e-6),
    "known_synthetic": Cost(0.2, 0.0),
    "tails": Cost(0.1, 5e-7),
    "coverage": Cost(0.3, 8e-6),
    "diversity": Cost(0.6, 2.5e-5),
    "copies": Cost(0.3, 6e-6),
    "fingerprints": Cost(0.1, 1e-6),
    "utility": Cost(0.5, 4e-6),
}
"""Measured by `benchmarks/gate_all.py`, rounded up. A zero for cells: it looks at every row."""

UNKNOWN = Cost(0.5, 1e-5)
"""What a check costs that is not in the table."""

TRAINED = Cost(15.0, 2e-4)
"""What a check costs that needs an extra."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a budget came to.

    Attributes:
        seconds: The budget.
        estimate: What the gate costs within these limits, by the model.
        limits: By check: the rows that it may look at, and those that it would have.

    """

    seconds: float
    estimate: float
    limits: dict[str, tuple[int, int]]

    def told(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings; those of limited checks say what that costs in power."""
        return tuple(map(self._told, findings))

    def _told(self, finding: Finding) -> Finding:
        found = finding.outcome
        if finding.check not in self.limits or not isinstance(found, Measurement):
            return finding
        rows, all_rows = self.limits[finding.check]
        said: dict[str, object] = {"seconds": self.seconds, "rows": rows, "of": all_rows}
        said["estimate"] = self.estimate
        if found.detectable is not None:
            said["detectable"] = found.detectable * (rows / all_rows) ** found.rate
        return replace(finding, evidence={**finding.evidence, "budget": said})


def planned(
    checks: Sequence[Plugin], *, seconds: float, rows: int, cells: int, columns: int
) -> tuple[tuple[Plugin, ...], Plan]:
    """Return the checks with row limits that keep to a budget, and what they are.

    One limit holds for all checks: the largest of a fixed ladder that fits, `LEAST` where
    none does.

    Args:
        checks: The checks with their options.
        seconds: The budget.
        rows: Sampled rows of the larger side.
        cells: Rows times columns of all inputs, which are read whatever the budget.
        columns: Compared columns.

    """
    for cap in _ladder():
        limited = tuple(_limited(check, cap) for check in checks)
        estimate = READING * cells + sum(seconds_of(c, rows=rows, columns=columns) for c in limited)
        if estimate <= seconds or cap == LEAST:
            break
    limits = {
        new.name: (now, was)
        for old, new in zip(checks, limited, strict=True)
        if (now := _rows(new, rows)) < (was := _rows(old, rows))
    }
    return limited, Plan(seconds=seconds, estimate=round(estimate, 1), limits=limits)


def seconds_of(check: Plugin, *, rows: int, columns: int) -> float:
    """Return what a check costs by the model."""
    cost = COSTS.get(check.name, TRAINED if hasattr(check, "extra") else UNKNOWN)
    return cost.fixed + cost.cell * _rows(check, rows) * columns


def refuse(seconds: object) -> None:
    """Refuse a budget that is no positive number."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 < float(seconds) < float("inf"):  # type: ignore[arg-type]
        raise DetectorError(f"the budget is {seconds!r}.", hint="Give seconds above 0.")


def _ladder() -> list[int]:
    """Return the limits that are tried, largest first, two digits each."""
    steps = [float(f"{MOST * 0.85**step:.2g}") for step in range(31)]
    return [int(step) for step in steps if step > LEAST] + [LEAST]


def _limited(check: Plugin, cap: int) -> Plugin:
    """Return a check that looks at no more rows, or at as few as it can do with."""
    options = _options(check)
    for limit in [cap, *(step for step in reversed(_ladder()) if step > cap)]:
        try:
            return replace(check, **{name: min(limit, getattr(check, name)) for name in options})
        except ValueError:  # fewer than the check can work with
            continue
    return check


def _rows(check: Plugin, rows: int) -> int:
    """Return the rows of the larger side that a check looks at."""
    limits: list[int] = [getattr(check, name) for name in _options(check)]
    return min([rows, *limits])


def _options(check: Plugin) -> tuple[str, ...]:
    """Return the options that limit a check's rows; none where its cost is not in its rows."""
    name = check.name
    free = name in COSTS and not COSTS[name].cell and name != "indistinguishability"
    if free or not is_dataclass(check):
        return ()
    names = {item.name for item in fields(check)}
    return tuple(name for name in OPTIONS if name in names)
