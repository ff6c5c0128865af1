"""Recipes side by side on one data set: how real their rows are, and what they cost."""

from __future__ import annotations
