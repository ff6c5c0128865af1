"""One recipe a file; the file name is the recipe's name."""

from __future__ import annotations
