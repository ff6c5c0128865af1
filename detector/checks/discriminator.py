"""Can a classifier tell the batch from the reference, and by what?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.checks._told_apart import ADDRESS, MIN_ROWS, PLAIN, told_apart
from detector.findings import TABLE, Finding
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from detector.checks._told_apart import ToldApart
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

_BINS = 20
_NAMED = 10
_AT_ONCE = 32
"""Columns that are probed in one call, to bound memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discriminator:
    """Trains a pairwise linear rule and boosted trees to tell the two samples apart.

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        probed_rows: Held-out rows on which columns are shuffled to see what they give away.
        features: "none", or the name of an installed feature map, for example "quantum", whose
            features the learners read beside the columns.

    """

    name: ClassVar[str] = "discriminator"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"auc"})
    address: ClassVar[str] = ADDRESS

    rows: int = 10_000
    probed_rows: int = 500
    features: str = PLAIN

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=MIN_ROWS, probed_rows=10)
        if self.features != PLAIN:
            from detector.checks._feature_maps import refuse_unknown

            refuse_unknown(self.features, plain=PLAIN, check=self.name, option="features")

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure how well held-out rows are told apart."""
        made = told_apart(
            comparison, check=self.name, rows=self.rows, streams=streams, map_name=self.features
        )
        if isinstance(made, Finding):
            yield made
            return
        yield Finding(
            check=self.name,
            subject=TABLE,
            outcome=made.area("auc"),
            n_reference=made.rows[0],
            n_candidate=made.rows[1],
            evidence={
                "learners": {name: own.value for name, own in made.found.learners.items()},
                "columns": self._columns(made, streams),
                **_histogram(made),
            },
        )

    def _columns(self, made: ToldApart, streams: Streams) -> list[dict[str, object]]:
        """Return the columns that give rows away, the most telling first.

        None where the rows are not told apart: then only noise would be named. Losses within
        one standard error of the area itself are noise as well and left out.
        """
        found = made.found
        if found.combined.interval[0] <= 0.5:
            return []
        rng = streams("probe")
        held = _probed(made, self.probed_rows, rng)
        names = made.features.names
        losses = _losses(made, held, rng.permutation(len(held)))
        best = sorted(losses, key=lambda place: -losses[place])[:_NAMED]
        return [
            {"name": names[place], "importance": losses[place]}
            for place in best
            if losses[place] > found.combined.null_error
        ]


def _probed(made: ToldApart, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return places of held-out rows that the last models have scored, half of each side."""
    found = made.found
    last = found.block == found.block[~np.isnan(found.placement)].max()
    sides = (last & ~found.candidate, last & found.candidate)
    drawn = [rng.permutation(np.flatnonzero(side))[: most // 2] for side in sides]
    return np.sort(np.concatenate(drawn))


def _losses(made: ToldApart, held: NDArray[np.intp], order: NDArray[np.intp]) -> dict[int, float]:
    """Return what the area loses when one column of the held-out rows is shuffled.

    Args:
        made: The fit.
        held: Places of held-out rows.
        order: How they are shuffled.

    """
    from detector.classifiers.cross_fit import spread
    from detector.stats.auc import placements

    models, features = made.found.models, made.features
    side = made.found.candidate[held]
    scores, bins = features.scores[held], features.bins[:, held]
    plain = models.raw(scores, bins)
    weights = models.weights / spread(plain)[:, 0]

    def area(raw: NDArray[np.float64]) -> float:
        score = weights @ raw
        return float(placements(score[~side], score[side]).mean())

    whole, losses = area(plain), {}
    looked_at = np.unique(features.sources[models.polynomial.chosen]).tolist()
    for start in range(0, len(looked_at), _AT_ONCE):
        places = looked_at[start : start + _AT_ONCE]
        shuffled = np.repeat(scores[None], len(places), axis=0)
        mixed = np.repeat(bins[:, None], len(places), axis=1)
        for copy, place in enumerate(places):
            own = features.sources == place
            shuffled[copy][:, own] = scores[order][:, own]
            mixed[place, copy] = bins[place, order]
        raw = models.raw(shuffled.reshape(-1, scores.shape[1]), mixed.reshape(len(bins), -1))
        for place, own_raw in zip(places, np.split(raw, len(places), axis=1), strict=True):
            losses[place] = whole - area(own_raw)
    return losses


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
