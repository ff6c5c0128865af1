"""Are rows copied from the reference, or from each other?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._contents import Contents, contents, groups_seen
from detector.checks._near_rows import MIN_ROWS, NearRows
from detector.checks._options import at_least
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.profiles import hashing
from detector.profiles.parts import Part
from detector.stats.auc import Z_95_ONE_SIDED
from detector.stats.copying import LEAST_IN_CELL, cells_of, data_copying, foremost, repeats
from detector.stats.proportions import (
    Z_80,
    Z_95,
    clopper_pearson,
    difference_seen,
    share_seen,
    upper_mid_p,
    wilson,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from detector.profiles.comparison import Comparison
    from detector.rng import Streams
    from detector.stats.neighbours import Nearest

    Numbers = NDArray[np.float64]

_NEAR = ("near_copies", "authenticity", "data_copying")
_MOST_CONTENTS = 4_096
_CHANCE_OF_OVERLAP = 1e-4
_NEAREST_SHARE = 0.01
_CELLS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Counts equal rows by hash, and compares how near rows lie with how near a holdout lies.

    Attributes:
        rows: Sampled rows of each side between which distances are taken, at most.

    """

    name: ClassVar[str] = "copies"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset(
        {
            "exact_copies",
            "reappearing_rows",
            "near_copies",
            "authenticity",
            "data_copying",
            "repeated_rows",
        }
    )

    rows: int = 8_000

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=MIN_ROWS)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure copies of the reference, then repeats inside the candidate."""
        reference, candidate, holdout = (
            comparison.reference,
            comparison.candidate,
            comparison.holdout,
        )
        found = contents([reference, candidate, *([holdout] if holdout else [])])
        if isinstance(found, Gap):
            for name in ("exact_copies", "reappearing_rows", "repeated_rows"):
                yield self._finding(replace(found, name=name), comparison)
            overlap = None
        else:
            overlap = _overlap(found, comparison)
            yield self._exact(found, comparison)
            yield self._reappearing(found, comparison, streams, overlap)
            yield self._repeated(found, comparison, streams)
        yield from self._near(comparison, streams, overlap)

    def _exact(self, found: list[Contents], comparison: Comparison) -> Finding:
        """Count candidate rows that are reference rows, and what chance alone would give."""
        reference, candidate = found[:2]
        copied, looked_at = candidate.seen_in(reference)
        if not looked_at or not reference.total:
            detail = f"{looked_at} candidate and {reference.total} reference rows to match"
            gap = Gap(name="exact_copies", reason=Reason.TOO_FEW_ROWS, detail=detail)
            return self._finding(gap, comparison)
        twins = int(reference.drawn[reference.count > 1].sum())
        outcome = Measurement(
            name="exact_copies",
            value=copied / looked_at,
            worse=Worse.HIGHER,
            unit="share",
            # A reference row among the other reference rows is what a fresh row would be.
            null_value=twins / max(1, int(reference.drawn.sum())),
            interval=clopper_pearson(copied, looked_at),
        )
        evidence = {"copied": copied, "looked_at": looked_at, "share": looked_at / candidate.total}
        return self._finding(outcome, comparison, evidence=evidence)

    def _reappearing(
        self,
        found: list[Contents],
        comparison: Comparison,
        streams: Streams,
        overlap: str | None,
    ) -> Finding:
        """Test whether more reference rows than holdout rows are in the candidate."""
        name = "reappearing_rows"
        if comparison.holdout is None or overlap is not None:
            return self._finding(_needs_holdout(name, overlap), comparison)
        sides = _matched(found, comparison, rng=streams("lone"))
        if isinstance(sides, Gap):
            return self._finding(sides, comparison)
        (copied, rows), (by_chance, held) = sides
        if min(rows, held) < 1:
            detail = f"{rows} reference and {held} holdout rows of which it is known"
            return self._finding(
                Gap(name=name, reason=Reason.TOO_FEW_ROWS, detail=detail), comparison
            )
        chance = by_chance / held
        needed = max(1, int(np.ceil(np.log(0.1) / np.log(rows / (rows + held)))))
        outcome = Measurement(
            name=name,
            value=copied / rows,
            worse=Worse.HIGHER,
            unit="share",
            null_value=chance,
            interval=wilson(copied, rows),
            p_value=upper_mid_p(by_chance, held, copied, rows),
            detectable=max(share_seen(needed, rows), difference_seen(chance, held, rows)),
        )
        evidence = {"copied": copied, "looked_at": rows, "holdout": by_chance, "held_out": held}
        return self._finding(outcome, comparison, evidence=evidence)

    def _repeated(self, found: list[Contents], comparison: Comparison, streams: Streams) -> Finding:
        """Test whether candidate rows repeat each other more than the reference's do."""
        name = "repeated_rows"
        content = np.union1d(found[0].content, found[1].content)
        content = content[found[0].knows(content) & found[1].knows(content)]
        sides = [side.counts(content) for side in found[:2]]
        rows = int(sides[1].sum())
        if min(rows, int(sides[0].sum())) < 2:
            gap = Gap(name=name, reason=Reason.TOO_FEW_ROWS, detail="under two rows on one side")
            return self._finding(gap, comparison)
        if comparison.group is not None:
            detail = f"rows of one {comparison.group!r} may repeat each other without a fault"
            gap = Gap(name=name, reason=Reason.KIND_NOT_SUPPORTED, detail=detail)
            return self._finding(gap, comparison)
        # Chosen by hash, any contents do: the test is right for each set of them.
        order = hashing.mix(content).argsort()
        repeating = np.cumsum((sides[0] + sides[1])[order] > 1)
        chosen = order[repeating <= _MOST_CONTENTS]
        made = repeats(sides[0][chosen], sides[1][chosen], rng=streams("repeats"))
        looked_at = int(sides[1][chosen].sum())
        outcome = Measurement(
            name=name,
            value=made.value,
            worse=Worse.HIGHER,
            unit="share",
            null_value=made.expected,
            interval=clopper_pearson(round(made.value * looked_at), looked_at),
            p_value=made.p_value,
        )
        return self._finding(outcome, comparison, evidence={"looked_at": looked_at})

    def _near(
        self, comparison: Comparison, streams: Streams, overlap: str | None
    ) -> Iterator[Finding]:
        """Compare distances to reference rows with those to holdout rows."""
        near = NearRows.of(comparison, rows=self.rows)
        if isinstance(near, Gap):
            for name in _NEAR:
                yield self._finding(replace(near, name=name), comparison)
            return
        apart = near.distances()
        authentic = apart.candidate.distance > apart.own[apart.candidate.place]
        if apart.holdout is None or overlap is not None:
            yield self._finding(_needs_holdout("near_copies", overlap), comparison)
            yield self._authenticity(authentic, None, near, comparison)
            yield self._finding(_needs_holdout("data_copying", overlap), comparison)
            return
        yield self._near_copies(near, apart.real, comparison, streams)
        fresh = apart.holdout.distance > apart.own[apart.holdout.place]
        yield self._authenticity(authentic, fresh, near, comparison)
        yield self._data_copying((apart.candidate, apart.holdout), near, comparison, streams)

    def _near_copies(
        self, near: NearRows, real: Numbers, comparison: Comparison, streams: Streams
    ) -> Finding:
        """Test whether the real rows that candidates lie nearest to are the reference's."""
        closeness, rows = near.closeness(real), len(near.reference)
        rng = streams("near")
        # Ties in random order, so that no side's rows go first.
        order = np.lexsort((rng.permutation(len(closeness)), closeness))
        made = foremost(order < rows, rng=rng)
        held_out = np.sort(closeness[rows:])
        reach = held_out[max(0, int(np.ceil(_NEAREST_SHARE * len(held_out))) - 1)]
        copied = int((closeness[:rows] <= reach).sum())
        chance = float((held_out <= reach).mean())
        outcome = Measurement(
            name="near_copies",
            value=copied / rows,
            worse=Worse.HIGHER,
            unit="share",
            null_value=chance,
            interval=wilson(copied, rows),
            p_value=made.p_value,
            detectable=share_seen(made.needed, rows),
        )
        evidence = {
            "first": made.depth,
            "of_reference": made.held,
            "reach": float(reach),
            "share_of_reference": rows / comparison.reference.n_rows,
            "share_of_candidate": len(near.candidate) / comparison.candidate.n_rows,
        }
        return self._finding(outcome, comparison, rows=near.rows, evidence=evidence)

    def _authenticity(
        self,
        authentic: NDArray[np.bool_],
        fresh: NDArray[np.bool_] | None,
        near: NearRows,
        comparison: Comparison,
    ) -> Finding:
        """Count rows farther from their nearest reference row than that is from its own."""
        count, rows = int(authentic.sum()), len(authentic)
        outcome = Measurement(
            name="authenticity",
            value=count / rows,
            worse=Worse.LOWER,
            unit="share",
            interval=wilson(count, rows),
        )
        if fresh is not None:
            of_holdout, held = int(fresh.sum()), len(fresh)
            outcome = replace(
                outcome,
                null_value=of_holdout / held,
                p_value=upper_mid_p(held - of_holdout, held, rows - count, rows),
                detectable=difference_seen(of_holdout / held, held, rows),
            )
        return self._finding(outcome, comparison, rows=near.rows)

    def _data_copying(
        self,
        found: tuple[Nearest, Nearest],
        near: NearRows,
        comparison: Comparison,
        streams: Streams,
    ) -> Finding:
        """Rank candidate distances among holdout distances, cell by cell."""
        rows = near.reference, near.candidate, near.holdout
        cells = cells_of(*rows, cells=_CELLS, rng=streams("cells"))
        made = data_copying(found[0].distance, found[1].distance, (cells[0], cells[1]))
        if made is None:
            detail = f"no cell has {LEAST_IN_CELL} rows of the candidate and of the holdout"
            gap = Gap(name="data_copying", reason=Reason.TOO_FEW_ROWS, detail=detail)
            return self._finding(gap, comparison)
        outcome = Measurement(
            name="data_copying",
            value=made.value,
            worse=Worse.LOWER,
            null_value=0.0,
            interval=(made.value - Z_95, made.value + Z_95),
            p_value=made.p_value,
            detectable=Z_95_ONE_SIDED + Z_80,
        )
        cells_seen = [{"holdout": h, "candidate": c, "z": z} for h, c, z in made.cells]
        return self._finding(outcome, comparison, rows=near.rows, evidence={"cells": cells_seen})

    def _finding(
        self,
        outcome: Measurement | Gap,
        comparison: Comparison,
        *,
        rows: tuple[int, int] | None = None,
        evidence: Mapping[str, object] | None = None,
    ) -> Finding:
        whole = comparison.reference.n_rows, comparison.candidate.n_rows
        reference, candidate = rows or whole
        return Finding(
            check=self.name,
            subject=TABLE,
            outcome=outcome,
            n_reference=reference,
            n_candidate=candidate,
            evidence=evidence or {},
        )


def _matched(
    found: list[Contents], comparison: Comparison, *, rng: np.random.Generator
) -> tuple[tuple[int, int], tuple[int, int]] | Gap:
    """Return the rows (or groups) that the candidate has, of how many: reference, then holdout."""
    reference, candidate, holdout = found
    whole = all(side.complete for side in found)
    group, held_out = comparison.group, comparison.holdout
    if group is not None and held_out is not None and group in held_out.schema:
        if whole:
            return groups_seen(comparison.reference, held_out, candidate, group=group)
        detail = f"more distinct rows than a profile keeps, and they are clustered by {group!r}"
        return Gap(name="reappearing_rows", reason=Reason.NEEDS_ROWS, detail=detail)
    if whole:
        return reference.seen_in(candidate), holdout.seen_in(candidate)
    # A larger holdout has more rows with a twin: drawn at the reference's rate both sides have
    # as many. A smaller one only makes the test milder.
    rate = reference.total / max(holdout.total, 1)
    return (
        reference.lone_seen_in(candidate, rate=1.0, rng=rng),
        holdout.lone_seen_in(candidate, rate=rate, rng=rng),
    )


def _overlap(found: list[Contents], comparison: Comparison) -> str | None:
    """Say that holdout rows are reference rows, if they are so beyond chance.

    Of two equal real rows chance puts one on each side with a known probability.
    """
    from scipy.stats import binom

    if comparison.holdout is None:
        return None
    if comparison.holdout.digest == comparison.reference.digest:
        return "the holdout is the reference itself"
    reference, _, holdout = found
    content = np.union1d(reference.content, holdout.content)
    content = content[reference.knows(content) & holdout.knows(content)]
    one, other = reference.counts(content), holdout.counts(content)
    rows, held = int(one.sum()), int(other.sum())
    both = int(((one == 1) & (other == 1)).sum())
    pairs = both + int(((one + other == 2) & (one != other)).sum())
    if not pairs:
        return None
    split = 2 * rows * held / ((rows + held) * (rows + held - 1))
    if binom.sf(both - 1, pairs, split) > _CHANCE_OF_OVERLAP:
        return None
    return f"{both:,} of {held:,} holdout rows are rows of the reference too"


def _needs_holdout(name: str, overlap: str | None) -> Gap:
    detail = "no holdout was given"
    if overlap is not None:
        detail = f"{overlap}; a holdout has rows that no generator has seen"
    return Gap(name=name, reason=Reason.NEEDS_HOLDOUT, detail=detail)
