"""Runnable examples."""

from __future__ import annotations
