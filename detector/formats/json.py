"""A report as JSON: the exact form that is saved, judged again and drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detector.report import Report


def render(report: Report) -> str:
    """Return the report as JSON text, as `docs/report.schema.json` describes it."""
    return report.to_json()
