"""The tests: laws over every plug-in, then one folder for each package."""

from __future__ import annotations
