"""Conformal p-values of rows: the split of the reference, the fit, and the rows' content."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from detector.classifiers.strangeness import Mixed, Strangeness
from detector.data.schema import Kind, Schema
from detector.findings import Gap, Reason
from detector.profiles import hashing
from detector.profiles.fold import decode, row_hashes
from detector.profiles.frame import kept_columns
from detector.stats.conformal import conformal_p_values

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.classifiers.frozen import Encoded
    from detector.data.schema import ColumnSpec
    from detector.profiles.comparison import Comparison
    from detector.profiles.sample import SampleState

    Numbers = NDArray[np.float64]

MEASURED = "quarantined_share"
MIN_REFERENCE = 200
MIN_CANDIDATE = 20
NEAREST_ROWS = 20_000
"""Reference rows among which the nearest one is looked for, at most."""

_FOLD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StrangeRows:
    """A score with the scores of trusted rows that calibrate it.

    Attributes:
        fitted: The score.
        trusted: Scores of the calibrating rows, shape (n,).
        columns: The columns by which rows are told apart.
        fit_rows: Reference rows that the score was fitted to.
        neighbors: Scores of reference rows to be near to, shape (rows, q).
        contents: Content hashes of all sampled reference rows.

    """

    fitted: Strangeness
    trusted: Numbers
    columns: Schema
    fit_rows: int
    neighbors: NDArray[np.float32]
    contents: NDArray[np.uint64]

    def judge(self, rows: pa.Table) -> Judged:
        """Return rows with their scores and p-values."""
        content = contents(rows, self.columns)
        encoded = self.fitted.frozen.encode(rows)
        views = self.fitted.views(encoded)
        scores = self.fitted.score(encoded, views, _fold(content))
        return Judged(
            encoded=encoded,
            views=views,
            scores=scores,
            p_values=conformal_p_values(self.trusted, scores),
            content=content,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """Rows as they were seen and judged, all of length n."""

    encoded: Encoded
    views: Numbers
    scores: Numbers
    p_values: Numbers
    content: NDArray[np.uint64]


def strange_rows(
    comparison: Comparison, *, fit_rows: int, learn_rows: int, fdr: float
) -> StrangeRows | Gap:
    """Return the fitted score, or why there can be none.

    The reference's sample is cut in two: rows that the score is fitted to, at most half and at
    most `fit_rows`, and rows that calibrate it.

    Args:
        comparison: The two sides.
        fit_rows: Trusted rows that the score is fitted to, at most.
        learn_rows: Mixed rows that trees learn from, about.
        fdr: The false-discovery rate; a row can only be listed where a p-value can be as small.

    """
    refused = _refusal(comparison, fdr=fdr)
    trusted, questioned = comparison.reference.sample, comparison.candidate.state
    if refused is not None or trusted is None or questioned is None:
        return refused or _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
    schema = comparison.reference.frame.schema
    own = Schema(columns=tuple(schema[name] for name in _names(comparison)))
    told_by = Schema(columns=_told_by(comparison))
    cut = min(len(trusted.table) // 2, fit_rows)
    calibrating = trusted.table.slice(cut)
    mixed = _mixed(calibrating, questioned, told_by, learn_rows)
    fitted = Strangeness.fit(trusted.table.slice(0, cut), mixed, own)
    if fitted is None:
        return _gap(Reason.CONSTANT_COLUMN, "no column of the reference varies")
    plain = StrangeRows(
        fitted=fitted,
        trusted=np.zeros(1),
        columns=told_by,
        fit_rows=cut,
        neighbors=fitted.frozen.encode(trusted.head(NEAREST_ROWS).table).scores,
        contents=contents(trusted.table, told_by),
    )
    return replace(plain, trusted=plain.judge(calibrating).scores)


def contents(rows: pa.Table, schema: Schema) -> NDArray[np.uint64]:
    """Return the content hash of each row, shape (n,), the one that samples are drawn by."""
    import pyarrow as pa

    if not len(rows):
        return np.empty(0, np.uint64)
    names = [spec.name for spec in schema.columns]
    batches = rows.select(names).combine_chunks().to_batches()
    found = [row_hashes(decode(pa.record_batch(batch), schema.columns)) for batch in batches]
    return np.concatenate(found)


def _refusal(comparison: Comparison, *, fdr: float) -> Gap | None:
    """Return why no row can be judged, if so."""
    if comparison.group is not None:
        return _gap(
            Reason.KIND_NOT_SUPPORTED,
            f"rows come in groups (`{comparison.group}`), and a p-value of one row holds only "
            "where rows stand alone",
        )
    if not _names(comparison):
        return _gap(Reason.NO_COMMON_COLUMNS, "no column in common can be compared")
    trusted, questioned = comparison.reference.sample, comparison.candidate.state
    if trusted is None or questioned is None:
        return _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
    held = len(trusted.table)
    needed = max(MIN_REFERENCE, 2 * math.ceil(1 / fdr))
    if held < needed:
        at = "" if needed == MIN_REFERENCE else f" to list any row at {fdr:g}"
        return _gap(Reason.TOO_FEW_ROWS, f"{held} reference rows, {needed} needed{at}")
    if questioned.total < MIN_CANDIDATE:
        detail = f"{questioned.total} candidate rows, {MIN_CANDIDATE} needed"
        return _gap(Reason.TOO_FEW_ROWS, detail)
    return None


def _names(comparison: Comparison) -> tuple[str, ...]:
    return comparison.columns(*(kind for kind in Kind if kind is not Kind.TEXT))


def _told_by(comparison: Comparison) -> tuple[ColumnSpec, ...]:
    """Return the columns whose values the candidate's rows are told apart by."""
    own, frame = comparison.candidate.schema, comparison.reference.frame.schema
    return tuple(
        spec
        for spec in kept_columns(frame)
        if spec.name in own
        and own[spec.name].kind is spec.kind
        and own[spec.name].width == spec.width
    )


def _mixed(calibrating: pa.Table, questioned: SampleState, schema: Schema, most: int) -> Mixed:
    """Return mixed rows, chosen by a hash of their content, calibrating or not."""
    import pyarrow as pa

    share = min(1.0, most / (len(calibrating) + questioned.total))
    bound = np.uint64(min(2**64 - 1, int(share * 2**64)))
    if questioned.threshold is not None:
        # Contents with a larger hash are not all known.
        bound = min(bound, questioned.threshold)
    own = contents(calibrating, schema)
    names = [spec.name for spec in schema.columns]
    sides = (
        (calibrating, own, np.ones(len(own), np.int64)),
        (questioned.rows, questioned.content, questioned.count),
    )
    rows, content, count = [], [], []
    for table, hashes, counts in sides:
        near = np.flatnonzero(hashing.occurrence(hashes, 0, salt=questioned.salt) <= bound)
        rows.append(table.select(names).take(near))
        content.append(hashes[near])
        count.append(counts[near])
    hashes = np.concatenate(content)
    # In the order of their content: the trees must not see which side a row came from.
    order = np.argsort(hashes, kind="stable")
    joined = pa.concat_tables(rows).unify_dictionaries().take(order)
    # Rows that all are alike must not be learned a million times.
    entered = np.minimum(np.concatenate(count)[order], max(1, most // 10))
    return Mixed(rows=joined, count=entered, fold=_fold(hashes[order]))


def _fold(content: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return a fold for each row, from its content alone."""
    return (hashing.mix(content + _FOLD) & np.uint64(1)).astype(np.intp)


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name=MEASURED, reason=reason, detail=detail)
