"""Can a classifier tell the batch from the reference, and by what?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._told_apart import ADDRESS, MIN_ROWS, told_apart
from detector.findings import TABLE, Finding, Measurement, Worse
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from detector.checks._told_apart import ToldApart
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

_BINS = 20
_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Discriminator:
    """Trains a pairwise linear rule and boosted trees to tell the two samples apart.

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        probed_rows: Held-out rows on which columns are shuffled to see what they give away.

    """

    name: ClassVar[str] = "discriminator"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    address: ClassVar[str] = ADDRESS

    rows: int = 10_000
    probed_rows: int = 1_000

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        for option, least in (("rows", MIN_ROWS), ("probed_rows", 10)):
            if getattr(self, option) < least:
                raise ValueError(f"discriminator: {option} must be at least {least}")

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure how well held-out rows are told apart."""
        made = told_apart(comparison, check=self.name, rows=self.rows, streams=streams)
        if isinstance(made, Finding):
            yield made
            return
        area = made.found.combined
        yield Finding(
            check=self.name,
            subject=TABLE,
            outcome=Measurement(
                name="auc",
                value=area.value,
                worse=Worse.HIGHER,
                null_value=0.5,
                interval=area.interval,
                p_value=area.above,
                detectable=area.detectable(),
            ),
            n_reference=made.rows[0],
            n_candidate=made.rows[1],
            evidence={
                "learners": {name: own.value for name, own in made.found.learners.items()},
                "columns": self._columns(made, streams),
                **_histogram(made),
            },
        )

    def _columns(self, made: ToldApart, streams: Streams) -> list[dict[str, object]]:
        """Return the columns that give rows away: what the area loses when one is shuffled."""
        from detector.stats.auc import placements

        found, features = made.found, made.features
        last = np.flatnonzero(found.block == found.block.max())
        rng = streams("probe")
        held = np.sort(rng.permutation(last)[: self.probed_rows])
        side = found.candidate[held]
        scores, bins = features.scores[held], features.bins[:, held]
        order = rng.permutation(len(held))

        def area(scores: NDArray[np.float32], bins: NDArray[np.intp]) -> float:
            score = found.models.weights @ found.models.of(scores, bins)
            return float(placements(score[~side], score[side]).mean())

        whole = area(scores, bins)
        losses = []
        for place in range(len(features.names)):
            own = features.sources == place
            shuffled, mixed = scores.copy(), bins.copy()
            shuffled[:, own] = scores[order][:, own]
            mixed[place] = bins[place, order]
            losses.append(whole - area(shuffled, mixed))
        best = sorted(range(len(losses)), key=lambda place: -losses[place])[:_NAMED]
        return [
            {"name": features.names[place], "importance": losses[place]}
            for place in best
            if losses[place] > 0
        ]


def _histogram(made: ToldApart) -> dict[str, object]:
    """Return the shares of both sides by score: the share of reference rows scored lower."""
    placement, candidate = made.found.placement, made.found.candidate
    known = ~np.isnan(placement)
    edges = np.linspace(0, 1, _BINS + 1)

    def shares(side: NDArray[np.bool_]) -> list[float]:
        counts, _ = np.histogram(placement[known & side], edges)
        return [float(share) for share in counts / max(1, counts.sum())]

    return {
        "score_edges": [float(edge) for edge in edges],
        "reference_share": shares(~candidate),
        "candidate_share": shares(candidate),
    }
