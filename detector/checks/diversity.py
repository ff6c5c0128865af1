"""Are rows as varied as the reference's? Fewer kinds of rows, or more, than chance brings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from detector.checks._kinds_of_rows import Kinds
    from detector.checks._pooled import Pooled
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

_FOLDS = 20
_STUDENT = 2.093  # 97.5 % of Student's law with 19 degrees of freedom
_SEEN = 1.960 + 0.842


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """Compares how varied both sides' rows are, by seven numbers.

    Attributes:
        min_rows: Rows that each side needs.
        min_groups: Groups that each side needs where rows are clustered.
        max_rows: Sampled rows of each side that enter, at most.
        permutations: Relabelings behind the p-values.
        axes: Axes of the pooled rows, the widest, whose volume is taken.
        frequencies: Random frequencies of the kernel behind the Vendi scores.

    """

    name: ClassVar[str] = "diversity"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset(
        {
            "log_det_change",
            "entropy_change",
            "vendi_1",
            "vendi_2",
            "vendi_inf",
            "duplicate_share",
            "effective_row_share",
        }
    )

    min_rows: int = 40
    min_groups: int = 10
    max_rows: int = 2_500
    permutations: int = 299
    axes: int = 64
    frequencies: int = 48

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(
            self,
            min_rows=10,
            min_groups=2,
            max_rows=self.min_rows,
            permutations=99,
            axes=1,
            frequencies=8,
        )

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table."""
        from detector.checks._kinds_of_rows import Kinds
        from detector.checks._pooled import Pool

        pool = Pool(
            min_rows=self.min_rows,
            min_groups=self.min_groups,
            max_rows=self.max_rows,
            permutations=self.permutations,
        )
        pooled = pool.of(comparison, streams("sides"), name=self.name)
        if isinstance(pooled, Gap):
            yield _finding((pooled, {}), (0, 0))
            return
        kinds = Kinds.of(
            pooled, axes=self.axes, frequencies=self.frequencies, rng=streams("kernel")
        )
        if kinds is None:
            detail = "all rows of both sides are equal"
            gap = Gap(name=self.name, reason=Reason.CONSTANT_COLUMN, detail=detail)
            yield _finding((gap, {}), pooled.rows)
            return
        for measured in self._measured(kinds, pooled, streams):
            yield _finding(measured, pooled.rows)

    def _measured(
        self, kinds: Kinds, pooled: Pooled, streams: Streams
    ) -> Iterator[tuple[Measurement, Mapping[str, object]]]:
        """Measure each number against both sides' rows dealt out anew."""
        from detector.stats.diversity import compared

        fold = pooled.folds(_FOLDS, streams("folds"))
        under, kept = compared(kinds.numbers, pooled.sides, fold)
        evidence = {"rows": list(pooled.rows), "axes": kinds.volume.shape[1]}
        for place, name in enumerate(kinds.names):
            # The candidate's number less the reference's; of scores, their logarithms.
            pairs = under[:, place], kept[:, place]
            yield _judged(name, *pairs), evidence


def _judged(name: str, under: NDArray[np.float64], kept: NDArray[np.float64]) -> Measurement:
    """Return one number beside what chance makes of it.

    Args:
        name: What it is.
        under: The reference's and the candidate's number under each labeling, shape (b, 2).
        kept: Likewise without each fold, shape (folds, 2).

    """
    from detector.stats.clusters import permuted_p_value

    change = under[:, 1] - under[:, 0]
    by_chance = float(change[1:].mean())
    without = kept[:, 1] - kept[:, 0]
    reach = _STUDENT * float(without.std()) * math.sqrt(len(without) - 1)
    seen = _SEEN * float(change[1:].std())
    own, other = float(under[0, 1]), float(under[0, 0])
    if name.endswith("_change"):
        value, null, ends = own - other, by_chance, (own - other - reach, own - other + reach)
    elif name.startswith("vendi"):
        value, null = math.exp(own), math.exp(other + by_chance)
        ends = value * math.exp(-reach), value * math.exp(reach)
        seen = null * -math.expm1(-seen)
    else:
        value, null = own, min(1.0, max(0.0, other + by_chance))
        ends = max(0.0, own - reach), min(1.0, own + reach)
    return Measurement(
        name=name,
        value=value,
        worse=Worse.BOTH,
        unit=_UNITS.get(name, "1"),
        null_value=null,
        interval=ends,
        p_value=permuted_p_value(np.abs(change - change.mean())),
        detectable=seen,
    )


_UNITS = {
    "entropy_change": "bits",
    "vendi_1": "kinds",
    "vendi_2": "kinds",
    "vendi_inf": "kinds",
    "duplicate_share": "share",
    "effective_row_share": "share",
}


def _finding(
    measured: tuple[Measurement | Gap, Mapping[str, object]], sizes: tuple[int, int]
) -> Finding:
    outcome, evidence = measured
    return Finding(
        check=Diversity.name,
        subject=TABLE,
        outcome=outcome,
        n_reference=sizes[0],
        n_candidate=sizes[1],
        evidence=evidence,
    )
