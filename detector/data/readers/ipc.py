"""Arrow IPC under another suffix."""

from __future__ import annotations

from detector.data.readers.arrow import open

__all__ = ["open"]
