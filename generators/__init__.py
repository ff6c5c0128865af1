"""Sources of data: recipes that learn from a table and write rows like it."""

from __future__ import annotations
