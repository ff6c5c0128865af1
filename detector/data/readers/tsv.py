"""Text columns separated by tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.data.readers import csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from detector.data.source import Source


def open(paths: Sequence[Path]) -> Source:
    """Return tab-separated files as one source of text columns."""
    return csv.open(paths, delimiter="\t")
