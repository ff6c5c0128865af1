"""One command a file, each a thin skin over recipes and models."""

from __future__ import annotations
