"""The command line: one command a file, each a thin skin over `detector.api`."""

from __future__ import annotations
