"""Are rows of the batch known to be the output of a generator?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.data.fingerprints import Fingerprint
from detector.data.registry import DEFAULT, Known, read_registry
from detector.data.row_cells import row_hashes
from detector.findings import Finding, Gap, Measurement, Reason, Subject, SubjectKind, Worse
from detector.profiles.parts import Part
from detector.stats.matches import Matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.fingerprints import Lattice
    from detector.profiles.comparison import Comparison
    from detector.profiles.profile import Profile
    from detector.rng import Streams

MEASURED = "known_synthetic_share"
ROWS = Subject(kind=SubjectKind.ROWS)
MIN_ROWS = 30
"""Different candidate rows that a sketch could know, at least."""

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSynthetic:
    """Looks for the rows of known sources, by fingerprints, and says how many and whose.

    Attributes:
        registry: The file of known sources, relative to the working directory.

    """

    name: ClassVar[str] = "known_synthetic"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({MEASURED})

    registry: str = DEFAULT

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the share of the batch that the best matching source accounts for."""
        sides = comparison.reference.sample, comparison.candidate.sample
        sources = self._sources(comparison)
        if not sources:
            detail = f"there is no registry `{Path(self.registry).name}` of known synthetic rows"
            outcome: Measurement | Gap = _gap(Reason.NEEDS_REGISTRY, detail)
            yield self._finding(comparison, outcome, {})
            return
        if sides[0] is None or sides[1] is None:
            outcome = _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
            yield self._finding(comparison, outcome, {})
            return
        outcome, evidence = _searched(sources, sides[0].table, sides[1].table)
        yield self._finding(comparison, outcome, evidence)

    def _sources(self, comparison: Comparison) -> list[Known]:
        """Return the registry's sources, and the rows that were given as synthetic."""
        found = _given(comparison.synthetic)
        if self.registry != DEFAULT or Path(self.registry).exists():
            found += read_registry(self.registry).sources
        return found

    def _finding(
        self, comparison: Comparison, outcome: Measurement | Gap, evidence: dict[str, object]
    ) -> Finding:
        return Finding(
            check=self.name,
            subject=ROWS,
            outcome=outcome,
            n_reference=comparison.reference.n_rows,
            n_candidate=comparison.candidate.n_rows,
            evidence=evidence,
        )


def _given(synthetic: Profile | None) -> list[Known]:
    """Return the rows given as synthetic as a source, where all of them are in the sample."""
    sample = None if synthetic is None else synthetic.sample
    if synthetic is None or sample is None or not (sample.complete and sample.table.num_columns):
        return []
    if not sample.total:
        return []
    made = Fingerprint.of_table(sample.table)
    return [Known(name=synthetic.name, recipe=None, fingerprint=made)]


def _searched(
    sources: list[Known], reference: pa.Table, candidate: pa.Table
) -> tuple[Measurement | Gap, dict[str, object]]:
    """Return the share of the best matching source, and what was found of each."""
    found: list[tuple[Known, Matches]] = []
    absent: list[str] = []
    looks = sum(len(source.fingerprint.lattices) for source in sources)
    for source in sources:
        columns = source.fingerprint.columns
        lacking = [name for name in columns if name not in candidate.column_names]
        if lacking:
            absent.append(f"`{source.name}` has the column `{lacking[0]}`")
            continue
        for lattice in source.fingerprint.lattices:
            sides = [
                row_hashes(side, columns, bits=lattice.bits) for side in (reference, candidate)
            ]
            found.append((source, _matches(lattice, *sides)))
    if absent and not found:
        detail = f"no known source has these columns only: {absent[0]}, which is not compared here"
        return _gap(Reason.NO_COMMON_COLUMNS, detail), {}
    most = max(matches.looked_at for _, matches in found)
    if most < MIN_ROWS:
        detail = f"{most} different rows that a fingerprint could know, {MIN_ROWS} needed"
        return _gap(Reason.TOO_FEW_ROWS, detail), {}
    found = [(source, matches) for source, matches in found if matches.looked_at >= MIN_ROWS]
    best_source, best = min(found, key=lambda one: (one[1].p_value, -one[1].share))
    told = [
        {"name": source.name, "share": matches.share, "known": matches.known}
        for source, matches in _best_by_source(found)
        if matches.known
    ]
    evidence: dict[str, object] = {
        "known": best.known,
        "looked_at": best.looked_at,
        "sources": told[:_SHOWN],
        "searched": len(sources),
    }
    if best.known:
        evidence["direction"] = f"as in `{best_source.name}`"
    return _measured(best, looks), evidence


def _best_by_source(found: list[tuple[Known, Matches]]) -> list[tuple[Known, Matches]]:
    """Return each source with its clearest matches, the clearest source first."""
    ordered = sorted(found, key=lambda one: (one[1].p_value, -one[1].share, one[0].name))
    return list({source.name: (source, matches) for source, matches in reversed(ordered)}.values())[
        ::-1
    ]


def _matches(
    lattice: Lattice, reference: NDArray[np.uint64], candidate: NDArray[np.uint64]
) -> Matches:
    """Count different rows that the sketch could hold, and those that it does hold.

    A candidate row that the reference has as well counts as unknown: nobody can tell whether
    it came from there. What chance does is read off reference rows, each against the sketch:
    they are real, and look as much like known rows as real rows do.
    """
    threshold = np.uint64(lattice.threshold)
    real, times = np.unique(reference, return_counts=True)
    single = real[times == 1]
    asked = np.unique(candidate[candidate <= threshold])
    single = single[single <= threshold]
    known = np.isin(asked, lattice.hashes) & ~np.isin(asked, real)
    return Matches(
        known=int(known.sum()),
        looked_at=len(asked),
        chance=int(np.isin(single, lattice.hashes).sum()),
        real=len(single),
    )


def _measured(best: Matches, looks: int) -> Measurement:
    return Measurement(
        name=MEASURED,
        value=best.share,
        worse=Worse.HIGHER,
        unit="share",
        null_value=best.chance_share,
        interval=best.interval,
        p_value=min(1.0, best.p_value * looks),
        detectable=best.detectable,
    )


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name=MEASURED, reason=reason, detail=detail)
