"""Which rows of the batch do not belong to the reference's law, at a stated rate of error?"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._options import at_least
from detector.checks._row_list import RowList
from detector.checks._row_reasons import described
from detector.checks._strange_rows import MEASURED, MIN_REFERENCE, StrangeRows, strange_rows
from detector.data.tables import write_table
from detector.findings import Finding, Gap, Measurement, Subject, SubjectKind, Worse
from detector.profiles.parts import Part
from detector.stats.conformal import top_share_p_value
from detector.stats.multiplicity import benjamini_hochberg
from detector.stats.proportions import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from detector.data.dataset import Dataset
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

ROWS = Subject(kind=SubjectKind.ROWS)
WORST = 20
"""Rows that the report itself shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Gives each candidate row a conformal p-value and lists rows by false-discovery rate.

    Attributes:
        fdr: Of the listed rows, the share that may be the reference's own kind, on average.
        fit_rows: Reference rows that the score is fitted to, at most, and at most half of them.
        learn_rows: Mixed rows that the trees learn from, about.

    """

    name: ClassVar[str] = "quarantine"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({MEASURED})

    fdr: float = 0.05
    fit_rows: int = 10_000
    learn_rows: int = 20_000

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        if not 0 < self.fdr < 1:
            raise ValueError(f"quarantine: fdr is {self.fdr}; it lies between 0 and 1")
        at_least(self, fit_rows=MIN_REFERENCE // 2, learn_rows=MIN_REFERENCE // 2)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the share of sampled candidate rows that are listed."""
        made, sample = self._fitted(comparison), comparison.candidate.sample
        if isinstance(made, Gap) or sample is None:
            assert isinstance(made, Gap)  # noqa: S101 - without a sample nothing is fitted
            sizes = comparison.reference.n_rows, comparison.candidate.n_rows
            yield self._finding(made, sizes, {})
            return
        judged = made.judge(sample.table)
        adjusted = benjamini_hochberg(judged.p_values.tolist())
        listed = np.flatnonzero(adjusted <= self.fdr)
        batch = top_share_p_value(made.trusted, judged.scores)
        worst = listed[np.lexsort((listed, -judged.scores[listed]))][:WORST]
        table = sample.table.take(worst)
        rows = described(made, table, judged.p_values[worst], adjusted[worst])
        yield self._finding(
            self._share(made, listed=len(listed), rows=len(adjusted), batch=batch),
            (made.fit_rows + len(made.trusted), len(adjusted)),
            {
                "fdr": self.fdr,
                "listed": len(listed),
                "calibrating_rows": len(made.trusted),
                "batch_p_value": batch,
                "rows": rows,
            },
        )

    def write(
        self,
        path: str | os.PathLike[str],
        findings: Sequence[Finding],
        comparison: Comparison,
        dataset: Dataset,
    ) -> tuple[Finding, ...]:
        """Write the listed rows of the whole candidate, read again in bounded memory.

        A list without rows is written too: an older file must not pass for this batch's.

        Returns:
            The findings, this check's with the name of the file and how many rows it holds.

        """
        table = RowList(strange=self._fitted(comparison), fdr=self.fdr).table(dataset)
        write_table(table, path)
        worst = table.slice(0, WORST).to_pylist()
        said = {"rows_file": os.fspath(path), "listed_rows": len(table)}
        return tuple(
            replace(finding, evidence={**finding.evidence, **said, "rows": worst})
            if finding.check == self.name
            else finding
            for finding in findings
        )

    def _fitted(self, comparison: Comparison) -> StrangeRows | Gap:
        return comparison.cached(
            ("strange_rows", self.fit_rows, self.learn_rows, self.fdr),
            lambda: strange_rows(
                comparison, fit_rows=self.fit_rows, learn_rows=self.learn_rows, fdr=self.fdr
            ),
        )

    def _share(self, made: StrangeRows, *, listed: int, rows: int, batch: float) -> Measurement:
        # Where no row can be named, none can be held back, whatever the batch as a whole shows.
        return Measurement(
            name=MEASURED,
            value=listed / rows,
            worse=Worse.HIGHER,
            unit="share",
            null_value=0.0,
            interval=clopper_pearson(listed, rows),
            p_value=batch if listed else 1.0,
            detectable=min(1.0, max(1 / rows, 1 / (self.fdr * (len(made.trusted) + 1)))),
            rate=1.0,
        )

    def _finding(
        self, outcome: Measurement | Gap, rows: tuple[int, int], evidence: dict[str, object]
    ) -> Finding:
        return Finding(
            check=self.name,
            subject=ROWS,
            outcome=outcome,
            n_reference=rows[0],
            n_candidate=rows[1],
            evidence=evidence,
        )
