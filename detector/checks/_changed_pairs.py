"""From a test of all coefficients to findings about the table and its pairs of columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.findings import TABLE, Finding, Measurement, Worse, pair
from detector.stats.dependence import change_error
from detector.stats.proportions import Z_80

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from detector.stats.dependence import DependenceTest
    from detector.stats.scored import Scored

    Clusters = tuple[NDArray[np.int64], NDArray[np.int64]]

TABLE_CHANGE = "dependence_change"
PAIR_CHANGE = "association_change"
_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangedPairs:
    """A finished test with the names of what it compared.

    Attributes:
        test: The coefficients, k of them, and their p-values.
        scored: The score columns, p of them.
        clusters: The cluster of each row, or None.
        owners: The table column behind each score column.
        labels: The level behind each score column, None for a number.
        sizes: Reference and candidate rows.

    """

    test: DependenceTest
    scored: Scored
    clusters: Clusters | None
    owners: list[str]
    labels: list[str | None]
    sizes: tuple[int, int]

    def findings(self, *, pairs: int) -> Iterator[Finding]:
        """Say what changed in the table, then in the pairs that changed most."""
        worst = self._worst()
        measured = [(place, self._interval(place)) for place in worst[: max(1, pairs)]]
        yield self._table(worst, measured[0][1])
        for place, interval in measured[:pairs]:
            yield self._pair(place, interval)

    def _worst(self) -> list[int]:
        """Return the coefficient that changed most in each pair of columns, worst first."""
        surprise = np.abs(self.test.candidate - self.test.reference) / self.test.error
        order = np.lexsort((np.arange(len(surprise)), -surprise))
        seen: dict[tuple[str, str], int] = {}
        for place in order:
            seen.setdefault(self._names(int(place)), int(place))
        return list(seen.values())

    def _interval(self, place: int) -> tuple[float, float, float]:
        """Return the interval of a coefficient's absolute change, and its standard error.

        All intervals together hold in 95 of 100 comparisons, whichever pair is looked at.
        """
        test = self.test
        one, other = int(test.first[place]), int(test.second[place])
        error = change_error(self.scored, one, other, clusters=self.clusters)
        change = abs(float(test.candidate[place] - test.reference[place]))
        reach = test.critical * error
        return max(0.0, change - reach), change + reach, error

    def _table(self, worst: list[int], first: tuple[float, float, float]) -> Finding:
        """Return the finding about all pairs: the largest change of any of them."""
        test = self.test
        change = np.abs(test.candidate - test.reference)
        value = float(change.max())
        at_fault = [place for place in worst if test.p_values[place] <= 0.05]
        listed = dict.fromkeys(name for place in at_fault for name in self._names(place))
        return self._finding(
            None,
            Measurement(
                name=TABLE_CHANGE,
                value=min(value, 2.0),
                worse=Worse.HIGHER,
                null_value=min(test.by_chance, 2.0),
                interval=_clipped(
                    first[0], max(value, (change + test.critical * test.error).max())
                ),
                p_value=test.p_value,
                detectable=(test.critical + Z_80) * float(np.median(test.error)),
            ),
            {
                "columns": list(listed)[:_LISTED],
                "columns_compared": len(set(self.owners)),
                "pairs_compared": len(worst),
                "pairs_changed": len(at_fault),
            },
        )

    def _pair(self, place: int, interval: tuple[float, float, float]) -> Finding:
        """Return the finding about one pair of columns."""
        test = self.test
        before, after = float(test.reference[place]), float(test.candidate[place])
        ends = (int(test.first[place]), int(test.second[place]))
        named = [(self.owners[end], self.labels[end]) for end in ends]
        evidence: dict[str, object] = {
            "reference": min(1.0, max(-1.0, before)),
            "candidate": min(1.0, max(-1.0, after)),
        }
        levels = {name: label for name, label in named if label is not None}
        if levels:
            evidence["at_levels"] = levels
        measurement = Measurement(
            name=PAIR_CHANGE,
            value=min(abs(after - before), 2.0),
            worse=Worse.HIGHER,
            null_value=0.0,
            interval=_clipped(*interval[:2]),
            p_value=float(test.p_values[place]),
            detectable=(test.critical + Z_80) * interval[2],
        )
        return self._finding(self._names(place), measurement, evidence)

    def _names(self, place: int) -> tuple[str, str]:
        return self.owners[self.test.first[place]], self.owners[self.test.second[place]]

    def _finding(
        self,
        names: tuple[str, str] | None,
        measurement: Measurement,
        evidence: dict[str, object],
    ) -> Finding:
        return Finding(
            check="dependence",
            subject=TABLE if names is None else pair(*names),
            outcome=measurement,
            n_reference=self.sizes[0],
            n_candidate=self.sizes[1],
            evidence=evidence,
        )


def _clipped(low: float, high: float) -> tuple[float, float]:
    return min(low, 2.0), min(float(high), 2.0)
