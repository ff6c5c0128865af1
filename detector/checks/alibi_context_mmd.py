"""A second opinion on rows beyond what a context explains: alibi-detect's context-aware test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.checks._alibi import EXTRA, Answer, asked, gap, permuted
from detector.checks._options import at_least
from detector.data.schema import Kind
from detector.findings import TABLE, Finding, Reason
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.checks._alibi import Rows
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class AlibiContextMmd:
    """Asks alibi-detect's ContextMMDDrift: do rows differ beyond what their context explains?

    Attributes:
        rows: Sampled rows of each side that enter, at most.
        min_rows: Rows that each side needs.
        context: Columns that may change: the rest is compared given them.
        permutations: Relabelings behind the p-value.

    """

    name: ClassVar[str] = "alibi_context_mmd"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({"alibi_context_mmd"})
    extra: ClassVar[str] = EXTRA

    rows: int = 300
    min_rows: int = 100
    context: tuple[str, ...] = ()
    permutations: int = 99

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=100, min_rows=100, permutations=99)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure the table."""
        known = comparison.columns(*(kind for kind in Kind if kind is not Kind.TEXT))
        others = tuple(name for name in known if name not in self.context)
        if not self.context:
            yield self._gap("no column is named under `context`")
        elif lost := [name for name in self.context if name not in known]:
            yield self._gap(f"`{lost[0]}`, named under `context`, cannot be compared")
        elif not others:
            yield self._gap("nothing is left beside the context", Reason.NO_COMMON_COLUMNS)
        else:
            yield asked(self, comparison, streams, self._ask, names=(*others, *self.context))

    def _ask(self, backend: str, rows: Rows, _seed: int) -> Answer:
        from alibi_detect.cd import ContextMMDDrift

        given = np.isin(rows.sources, self.context)
        drift = ContextMMDDrift(
            rows.x[:, ~given],
            rows.x[:, given],
            backend=backend,
            n_permutations=self.permutations,
        )
        _mend(drift._detector.clf)  # noqa: SLF001 - there is no other way in
        said = drift.predict(rows.y[:, ~given], rows.y[:, given])["data"]
        p_value = permuted(float(said["p_val"]), self.permutations)
        return Answer(float(said["distance"]), p_value, {"context": list(self.context)})

    def _gap(self, detail: str, reason: Reason = Reason.COLUMN_ABSENT) -> Finding:
        found = gap(self, reason, detail)
        return Finding(check=self.name, subject=TABLE, outcome=found, n_reference=0, n_candidate=0)


def _mend(domain: Any) -> None:
    """Calibrate a fitted classifier as alibi-detect means to.

    It asks scikit-learn for `cv="prefit"`, which later versions call a frozen estimator.
    """
    try:
        from sklearn.frozen import FrozenEstimator
    except ImportError:  # a version that still knows "prefit"
        return
    from sklearn.calibration import CalibratedClassifierCV

    def calibrate(x: Any, y: Any) -> None:
        made = CalibratedClassifierCV(FrozenEstimator(domain.clf), method=domain.cal_method)
        domain.clf = made.fit(x, y)

    domain.calibrate = calibrate
