"""Rows by rules: distributions, dependencies and constraints that a person can read and edit."""

from __future__ import annotations
