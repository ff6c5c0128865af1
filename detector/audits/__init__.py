"""The recursive-training audit: does a generator collapse when it learns from itself?"""

from __future__ import annotations
