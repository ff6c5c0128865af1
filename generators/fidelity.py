"""A model's rows against real ones, by the gate's own checks and without any judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import detector
from detector.recipes import row_hashes, rows_digest
from detector.rng import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.findings import Finding

CHECKS = ("discriminator", "joint", "dependence", "marginals")
"""From the whole table down to its columns."""

MOST_ROWS = 5_000
MOST_LINES = 3
"""Findings that are shown of each check, the clearest first."""


def measured(model: Any, data: str, *, seed: int) -> Iterator[str]:
    """Draw rows, measure them against real ones, and say what was found line by line.

    Args:
        model: A trained recipe.
        data: Real rows; unseen ones, if the figures are to mean anything.
        seed: Decides the rows and the checks.

    """
    real = detector.open_data(data)
    hashes = row_hashes(real)
    count = min(len(hashes), MOST_ROWS)
    drawn = model.sample(count, stream(seed, "against"))
    yield ""
    yield f"{count:,} drawn rows against {len(hashes):,} of {shown(real.name)}"
    lineage = getattr(model, "lineage", None)
    if lineage is not None and rows_digest(hashes) in lineage.parents:
        yield "  note: the model was trained on these rows; unseen ones would say more."
    found = detector.measure(real, drawn, checks=CHECKS, seed=seed)
    for check in CHECKS:
        own = [finding for finding in found if finding.check == check]
        yield from _lines(check, own)


def _lines(check: str, findings: list[Finding]) -> Iterator[str]:
    """Yield the clearest findings of one check, or why there are none."""
    measurements = [one for one in findings if isinstance(one.outcome, detector.Measurement)]
    if not measurements:
        reasons = {one.outcome.detail for one in findings if isinstance(one.outcome, detector.Gap)}
        yield f"{check:<14}not measured: {'; '.join(sorted(reasons)) or 'nothing to look at'}"
    for finding in sorted(measurements, key=_chance)[:MOST_LINES]:
        yield f"{check:<14}{_words(finding)}"


def _chance(finding: Finding) -> float:
    """Return the p-value; a measurement without one comes last."""
    value = getattr(finding.outcome, "p_value", None)
    return 2.0 if value is None else float(value)


def _words(finding: Finding) -> str:
    """Return what one finding says, in 66 characters or so."""
    outcome: Any = finding.outcome
    place = shown(", ".join(finding.subject.columns)) or "table"
    name = outcome.name.replace("_", " ")
    span = "" if outcome.interval is None else " [{:.3g}, {:.3g}]".format(*outcome.interval)
    chance = "" if outcome.p_value is None else f" p {max(outcome.p_value, 0.001):.3f}"
    return f"{place:<25}{name} {outcome.value:.3g}{span}{chance}"


def shown(text: str) -> str:
    """Return a name of a stranger's data without what would move the cursor."""
    return "".join(mark if mark.isprintable() else " " for mark in text[:24])
