"""Errors that a user can act on: what is, what was needed, what to do."""

from __future__ import annotations


class DetectorError(Exception):
    """Something the user can mend. The command line prints it in one line and exits 2."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep what is wrong apart from what to do about it."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the message followed by the hint."""
        return f"{self.message} {self.hint}".rstrip()


class InputError(DetectorError):
    """A file, frame or array cannot be read as rows and columns."""


class PolicyError(DetectorError):
    """A policy is not valid; every fault found is named at once."""

    def __init__(self, faults: tuple[str, ...], *, source: str = "policy") -> None:
        """Join the faults, one a line."""
        super().__init__("\n".join(f"{source}: {fault}" for fault in faults))
        self.faults = faults


class ReportError(DetectorError):
    """A saved report or profile cannot be used."""


class GateRefused(DetectorError):  # noqa: N818 - it is an answer, not a fault
    """The batch was not admitted; raised only by `Report.raise_for_decision`."""
