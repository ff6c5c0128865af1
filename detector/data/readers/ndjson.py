"""JSON lines under another suffix."""

from __future__ import annotations

from detector.data.readers.jsonl import open

__all__ = ["open"]
