"""Drawings of a finished report, one format a file; they never compute a statistic."""

from __future__ import annotations
