"""Errors of the quantum part."""

from __future__ import annotations

from detector.errors import DetectorError


class EngineError(DetectorError):
    """An engine cannot be used here."""


class UnsupportedGateError(DetectorError):
    """An engine, or a way of differentiating, does not know a gate."""
