"""How much of the batch comes from elsewhere than the reference?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.checks._three_samples import in_percent, synthetic_share
from detector.checks._told_apart import ADDRESS, MIN_ROWS, told_apart
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from detector.checks._told_apart import ToldApart
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

    Numbers = NDArray[np.float64]

FOREIGN = "foreign_share"
SYNTHETIC = "synthetic_share"

_DRAWS = 4
_FITTED_ROWS = 20_000
"""Rows over all draws of folds, about: how the folds fall matters most where rows are few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """Bounds the share of foreign rows; with known synthetic rows, measures their share.

    Attributes:
        rows: Sampled rows of each side that enter, at most; with the same number as
            `discriminator` both share one fit.

    """

    name: ClassVar[str] = "contamination"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({FOREIGN, SYNTHETIC})
    address: ClassVar[str] = ADDRESS

    rows: int = 10_000

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=MIN_ROWS)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure both shares, or say why one cannot be known."""
        made = told_apart(
            comparison, check=self.name, rows=self.rows, streams=streams, one_of_each=True
        )
        if isinstance(made, Finding):
            assert isinstance(made.outcome, Gap)  # noqa: S101 - told_apart's only findings
            gap = Gap(name=FOREIGN, reason=made.outcome.reason, detail=made.outcome.detail)
            yield self._finding(gap, (0, 0))
        else:
            yield self._foreign(made, streams)
        outcome, rows, evidence = synthetic_share(comparison, rows=self.rows, streams=streams)
        yield self._finding(outcome, rows, evidence)

    def _foreign(self, made: ToldApart, streams: Streams) -> Finding:
        """Measure the share that the reference's law cannot explain."""
        from detector.stats.foreign import foreign_at_least

        found = made.found
        least = foreign_at_least(_blocks(made))
        likely = max(_guess(made, streams("contamination")), least.share)
        evidence: dict[str, object] = {
            "at_least": least.share,
            "best_guess": likely,
            "auc": found.combined.value,
        }
        if least.share == 0 and found.combined.interval[0] <= 0.5:
            return self._finding(_unseen(made, least.detectable), made.rows, evidence)
        measured = Measurement(
            name=FOREIGN,
            value=likely,
            worse=Worse.HIGHER,
            unit="share",
            null_value=0.0,
            interval=(least.share, 1.0),
            p_value=least.p_value,
            detectable=least.detectable,
        )
        return self._finding(measured, made.rows, evidence)

    def _finding(
        self,
        outcome: Measurement | Gap,
        rows: tuple[int, int],
        evidence: dict[str, object] | None = None,
    ) -> Finding:
        return Finding(
            check=self.name,
            subject=TABLE,
            outcome=outcome,
            n_reference=rows[0],
            n_candidate=rows[1],
            evidence=evidence or {},
        )


def _guess(made: ToldApart, rng: np.random.Generator) -> float:
    """Return the mean estimate over several draws of folds, the more the fewer rows there are."""
    from detector.classifiers.held_out import combined, held_out_scores
    from detector.stats.foreign import foreign_share

    side, guesses = made.found.candidate, []
    for _ in range(min(_DRAWS, max(1, _FITTED_ROWS // len(side)))):
        score = combined(held_out_scores(made.features, side, rng=rng), side)
        guesses.append(foreign_share(score[~side], score[side]))
    return float(np.mean(guesses))


def _blocks(made: ToldApart) -> list[tuple[Numbers, Numbers]]:
    """Return the scores of both sides, block by block in the order in which they were made."""
    found = made.found
    scored = ~np.isnan(found.placement)
    held = [found.block == block for block in np.unique(found.block[scored])]
    return [
        (found.placement[block & ~found.candidate], found.placement[block & found.candidate])
        for block in held
    ]


def _unseen(made: ToldApart, detectable: float) -> Gap:
    """Say that nothing is told apart, and how much could hide behind that."""
    area = made.found.combined
    hidden = min(1.0, max(2 * area.interval[1] - 1, detectable))
    return Gap(
        name=FOREIGN,
        reason=Reason.NOT_IDENTIFIABLE,
        detail=(
            f"rows are not told from the reference's (AUC {area.value:.3f}); up to "
            f"{in_percent(hidden)} of rows unlike the reference's could hide unseen, and any "
            "share of rows like them"
        ),
    )
