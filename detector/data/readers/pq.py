"""Parquet by its short suffix."""

from __future__ import annotations

from detector.data.readers.parquet import open

__all__ = ["open"]
