"""The parts of a profile that a check can ask for."""

from __future__ import annotations

import enum


class Part(enum.StrEnum):
    """A part of a profile; what no check needs is not computed."""

    COUNTS = "counts"
    SAMPLE = "sample"
    MOMENTS = "moments"
    KERNEL = "kernel"
    ORDER = "order"
