"""The work that `discriminator` and `indistinguishability` share: one fit of both learners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.data.schema import Kind, Schema
from detector.findings import TABLE, Finding, Gap, Reason

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.classifiers.cross_fit import CrossFit
    from detector.classifiers.features import Features
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

ADDRESS = "discriminator"
"""Where both checks draw their random numbers, so that they see the same folds."""

MIN_ROWS = 40
MIN_GROUPS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ToldApart:
    """Both learners, fitted and judged on rows that they had not seen.

    Attributes:
        found: The blocks, scores and areas.
        features: What the learners read, reference rows first.
        rows: Reference and candidate rows that entered.

    """

    found: CrossFit
    features: Features
    rows: tuple[int, int]


def told_apart(
    comparison: Comparison, *, check: str, rows: int, streams: Streams
) -> ToldApart | Finding:
    """Return the fit, made once for both checks, or the finding with the gap."""
    key = ("told_apart", rows)
    made = comparison.cached(key, lambda: _fit(comparison, rows=rows, streams=streams))
    if isinstance(made, ToldApart):
        return made
    return Finding(check=check, subject=TABLE, outcome=made, n_reference=0, n_candidate=0)


def _fit(comparison: Comparison, *, rows: int, streams: Streams) -> ToldApart | Gap:
    names = comparison.columns(*(kind for kind in Kind if kind is not Kind.TEXT))
    if not names:
        return _gap(Reason.NO_COMMON_COLUMNS, "no column in common can be compared")
    trusted, questioned = comparison.reference.sample, comparison.candidate.sample
    if trusted is None or questioned is None:
        return _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
    reference, candidate = trusted.head(rows).table, questioned.head(rows).table
    fewest = min(len(reference), len(candidate))
    if fewest < MIN_ROWS:
        return _gap(Reason.TOO_FEW_ROWS, f"{fewest} rows on one side, {MIN_ROWS} needed")
    groups = _groups(comparison, reference, candidate)
    if isinstance(groups, Gap):
        return groups
    return _cross_fit(comparison, names, (reference, candidate), groups, streams)


def _groups(
    comparison: Comparison, reference: pa.Table, candidate: pa.Table
) -> NDArray[np.int64] | Gap | None:
    """Return the group of each row, reference rows first; None where rows stand alone."""
    from detector.checks._clusters import group_codes

    if comparison.group is None:
        return None
    codes = group_codes(reference, candidate, comparison.group)
    few = min(len(np.unique(side)) for side in np.split(codes, [len(reference)]))
    if few < MIN_GROUPS:
        return _gap(Reason.TOO_FEW_GROUPS, f"{few} groups on one side, {MIN_GROUPS} needed")
    return codes


def _cross_fit(
    comparison: Comparison,
    names: tuple[str, ...],
    sides: tuple[pa.Table, pa.Table],
    groups: NDArray[np.int64] | None,
    streams: Streams,
) -> ToldApart | Gap:
    from detector.classifiers.cross_fit import cross_fit
    from detector.classifiers.features import features
    from detector.data.encode import encode_codes

    schema = comparison.reference.frame.schema
    own = Schema(columns=tuple(schema[name] for name in names))
    of_rows = features(encode_codes(*sides, own))
    if not of_rows.scores.any():
        return _gap(Reason.CONSTANT_COLUMN, "all rows of both sides are equal")
    rows = len(sides[0]), len(sides[1])
    found = cross_fit(of_rows, _side(*rows), rng=streams("blocks"), groups=groups)
    if found is None:
        return _gap(Reason.TOO_FEW_GROUPS, "the groups cannot be cut into blocks of both sides")
    return ToldApart(found=found, features=of_rows, rows=rows)


def _side(reference: int, candidate: int) -> NDArray[np.bool_]:
    return np.arange(reference + candidate) >= reference


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name="auc", reason=reason, detail=detail)
