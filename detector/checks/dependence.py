"""Do columns still move together as they did? Pairs of columns, of any kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.data.schema import NOMINAL, ORDERED
from detector.findings import TABLE, Finding, Gap, Reason
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from detector.checks._changed_pairs import Clusters
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

_MIN_ROWS, _MIN_GROUPS = 20, 10
_TIMES = 10
"""Rows of the larger sample for each row of the smaller, at most: more add next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """Compares the association of every pair of columns between the two samples.

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        pairs: Findings about single pairs, at most: those that changed most.
        levels: Levels of a category that are looked at by themselves, at most.
        permutations: Permutations behind every p-value.
        width: Score columns in all, at most; a wider table is compared on columns drawn
            at random, and categories in a wide table on fewer levels.

    """

    name: ClassVar[str] = "dependence"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"dependence_change", "association_change"})

    rows: int = 20_000
    pairs: int = 10
    levels: int = 8
    permutations: int = 499
    width: int = 256

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=_MIN_ROWS, pairs=0, levels=1, permutations=99, width=8)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure all pairs together, then the pairs that changed most."""
        names = comparison.columns(*ORDERED, *NOMINAL)
        samples = comparison.reference.sample, comparison.candidate.sample
        if len(names) < 2:
            detail = f"{len(names)} columns in common can be paired, 2 are needed"
            yield _gap(Reason.NO_COMMON_COLUMNS, detail)
            return
        if samples[0] is None or samples[1] is None:
            yield _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
            return
        few = min(self.rows, _TIMES * min(len(sample.table) for sample in samples if sample))
        sides = (samples[0].head(few).table, samples[1].head(few).table)
        sizes = (len(sides[0]), len(sides[1]))
        if min(sizes) < _MIN_ROWS:
            detail = f"{min(sizes)} rows on one side, {_MIN_ROWS} are needed"
            yield _gap(Reason.TOO_FEW_ROWS, detail, sizes=sizes)
            return
        clusters = _clusters(sides, comparison)
        if clusters is not None:
            groups = min(len(np.unique(side)) for side in clusters)
            if groups < _MIN_GROUPS:
                detail = f"{groups} groups on one side, {_MIN_GROUPS} are needed"
                yield _gap(Reason.TOO_FEW_GROUPS, detail, sizes=sizes)
                return
        chosen = self._chosen(names, streams)
        yield from self._compare(comparison, sides, chosen, clusters, streams)

    def _chosen(self, names: tuple[str, ...], streams: Streams) -> tuple[str, ...]:
        """Return the columns to compare: all, unless the table is too wide."""
        most = self.width // 2
        if len(names) <= most:
            return names
        drawn = streams("columns").permutation(len(names))[:most]
        return tuple(names[place] for place in np.sort(drawn))

    def _compare(
        self,
        comparison: Comparison,
        sides: tuple[pa.Table, pa.Table],
        names: tuple[str, ...],
        clusters: Clusters | None,
        streams: Streams,
    ) -> Iterator[Finding]:
        from detector.checks._changed_pairs import ChangedPairs
        from detector.checks._score_columns import score_columns
        from detector.stats.dependence import dependence_test
        from detector.stats.scored import together

        kinds = {spec.name: spec.kind for spec in comparison.reference.frame.schema.compared}
        nominal = max(1, sum(kinds[name] in NOMINAL for name in names))
        room = (self.width - len(names) + nominal) // nominal - 2
        levels = max(1, min(self.levels, room))
        held = [
            (n, c)
            for n in names
            for c in score_columns(sides, n, kinds[n], levels=levels, clusters=clusters)
        ]
        owners = [name for name, columns in held for _ in columns.labels]
        sizes = (len(sides[0]), len(sides[1]))
        if len(set(owners)) < 2:
            detail = "fewer than 2 columns vary, on both sides, in enough rows"
            yield _gap(Reason.CONSTANT_COLUMN, detail, sizes=sizes)
            return
        scored = together([columns.scored for _, columns in held])
        places = {name: place for place, name in enumerate(dict.fromkeys(owners))}
        test = dependence_test(
            scored,
            np.array([places[owner] for owner in owners]),
            rng=streams("permutations"),
            permutations=self.permutations,
            clusters=clusters,
        )
        if test is None:
            detail = "no two columns vary together in enough rows"
            yield _gap(Reason.TOO_FEW_ROWS, detail, sizes=sizes)
            return
        found = ChangedPairs(
            test=test,
            scored=scored,
            clusters=clusters,
            owners=owners,
            labels=[label for _, columns in held for label in columns.labels],
            sizes=sizes,
        )
        yield from found.findings(pairs=self.pairs)


def _clusters(sides: tuple[pa.Table, pa.Table], comparison: Comparison) -> Clusters | None:
    """Return each row's cluster, or None where rows stand alone.

    A group on both sides is no cluster: its rows trade sides like any others, and what is
    particular to the group is on both sides alike.
    """
    if comparison.group is None:
        return None
    from detector.checks._clusters import group_codes

    codes = group_codes(*sides, comparison.group)
    groups = np.split(codes, [len(sides[0])])
    x, y = (group.copy() for group in groups)
    lone = codes.max() + 1
    for side, other in ((x, groups[1]), (y, groups[0])):
        shared = np.isin(side, other)
        side[shared] = lone + np.arange(np.count_nonzero(shared))
    return x, y


def _gap(reason: Reason, detail: str, *, sizes: tuple[int, int] = (0, 0)) -> Finding:
    return Finding(
        check=Dependence.name,
        subject=TABLE,
        outcome=Gap(name="dependence_change", reason=reason, detail=detail),
        n_reference=sizes[0],
        n_candidate=sizes[1],
    )
