"""Every optimiser under one roof: steps, the quantum natural gradient, and discrete solvers.

`slope_by`, which all recipes ask, `Adam` and `Spsa` live in `descent.py`, metrics in `geometry.py`,
`vqe` and `qaoa` in `solvers.py`.
"""

from __future__ import annotations

from generators.quantum.descent import Adam, AdamState, Place, Spsa, slope_by
from generators.quantum.geometry import fubini_study, natural_direction
from generators.quantum.solvers import Solution, qaoa, random_search, vqe

__all__ = [
    "Adam",
    "AdamState",
    "Place",
    "Solution",
    "Spsa",
    "fubini_study",
    "natural_direction",
    "qaoa",
    "random_search",
    "slope_by",
    "vqe",
]
