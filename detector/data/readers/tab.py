"""Text columns separated by tabs, under another suffix."""

from __future__ import annotations

from detector.data.readers.tsv import open

__all__ = ["open"]
