"""What disappeared first: columns, levels and ties by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits.lens import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detector.audits.lens import Lens
    from detector.audits.loop import Chain

HALF = 0.5
MOST = 50
"""Losses that are listed, the first ones."""


def losses(chains: Sequence[Chain], lens: Lens) -> list[dict[str, Any]]:
    """Return what was lost in at least half of the chains, the first losses first.

    A column is lost when its variance has halved against generation 0, a tie between two
    columns when its correlation has, and a level when no row has it any more.
    """
    found: list[dict[str, Any]] = []
    found += _columns(chains, lens)
    found += _levels(chains, lens)
    found += _ties(chains)
    return sorted(found, key=lambda one: (one["generation"], -one["share"], one["name"]))[:MOST]


def _columns(chains: Sequence[Chain], lens: Lens) -> list[dict[str, Any]]:
    found = []
    for place, name in enumerate(lens.columns):
        when = []
        for chain in chains:
            first = chain.generations[0].facts["variance"][place]
            spread = [one.facts["variance"][place] for one in chain.generations]
            when.append(_first(np.array(spread) < HALF * first))
        found += _entry("column", name, when)
    return found


def _levels(chains: Sequence[Chain], lens: Lens) -> list[dict[str, Any]]:
    found = []
    for place, name in enumerate(lens.nominal):
        alive = [[set(one.facts["alive"][place]) for one in chain.generations] for chain in chains]
        for level, label in enumerate(lens.levels[place][:1000]):
            had = [lives for lives in alive if level in lives[0]]
            when = [_first(np.array([level not in one for one in lives])) for lives in had]
            if when:
                found += _entry("level", f"{name} = {label}", when)
    return found


def _ties(chains: Sequence[Chain]) -> list[dict[str, Any]]:
    by_name: dict[str, list[int]] = {}
    for chain in chains:
        first = chain.generations[0].facts
        for place, name in enumerate(first["pairs"]):
            start = first["ties"][place]
            now = np.array([one.facts["ties"][place] for one in chain.generations])
            by_name.setdefault(name, []).append(_first(now / start < HALF))
    least = len(chains) / 2
    return [
        entry
        for name, when in by_name.items()
        if len(when) >= least
        for entry in _entry("pair", name, when)
    ]


def _first(lost: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    places = np.flatnonzero(lost)
    return int(places[0]) if len(places) else MISSING


def _entry(what: str, name: str, when: list[int]) -> list[dict[str, Any]]:
    """Return one loss when at least half of the chains have it, with their median generation."""
    seen = sorted(generation for generation in when if generation > 0)
    if 2 * len(seen) < len(when) or not seen:
        return []
    middle = seen[(len(when) - 1) // 2] if (len(when) - 1) // 2 < len(seen) else seen[-1]
    return [{"what": what, "name": name, "generation": middle, "share": len(seen) / len(when)}]
