"""The work that `discriminator` and `indistinguishability` share: one fit of both learners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.data.schema import Kind, Schema
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse

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

PLAIN = "none"
"""The features that need nothing from elsewhere: none beside the columns."""


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

    def area(self, name: str, *, two_sided: bool = False) -> Measurement:
        """Return the area with its meaning: above 0.5, or off it on either side."""
        found = self.found.combined
        either = min(1.0, 2 * min(found.above, found.below))
        return Measurement(
            name=name,
            value=found.value,
            worse=Worse.BOTH if two_sided else Worse.HIGHER,
            null_value=0.5,
            interval=found.interval,
            p_value=either if two_sided else found.above,
            detectable=found.detectable(two_sided=two_sided),
        )


def told_apart(
    comparison: Comparison,
    *,
    check: str,
    rows: int,
    streams: Streams,
    map_name: str = PLAIN,
    one_of_each: bool = False,
) -> ToldApart | Finding:
    """Return the fit, made once for both checks, or the finding with the gap.

    Args:
        comparison: The two sides.
        check: Who asks.
        rows: Sampled rows of each side, at most.
        streams: Where to draw the blocks.
        map_name: The features beside the columns, by name.
        one_of_each: Whether one row of each group stands for it, so that rows are independent.

    """
    lone = one_of_each and comparison.group is not None
    key = ("told_apart", rows, map_name, lone)
    made = comparison.cached(
        key, lambda: _fit(comparison, rows=rows, streams=streams, map_name=map_name, lone=lone)
    )
    if isinstance(made, ToldApart):
        return made
    return Finding(check=check, subject=TABLE, outcome=made, n_reference=0, n_candidate=0)


def _fit(
    comparison: Comparison, *, rows: int, streams: Streams, map_name: str, lone: bool
) -> ToldApart | Gap:
    names = comparison.columns(*(kind for kind in Kind if kind is not Kind.TEXT))
    if not names:
        return _gap(Reason.NO_COMMON_COLUMNS, "no column in common can be compared")
    trusted, questioned = comparison.reference.sample, comparison.candidate.sample
    if trusted is None or questioned is None:
        return _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
    if lone:
        group = comparison.group
        reference, candidate = (one_each(side.table, group, rows) for side in (trusted, questioned))
    else:
        reference, candidate = trusted.head(rows).table, questioned.head(rows).table
    fewest = min(len(reference), len(candidate))
    if fewest < MIN_ROWS:
        what, reason = ("groups", Reason.TOO_FEW_GROUPS) if lone else ("rows", Reason.TOO_FEW_ROWS)
        return _gap(reason, f"{fewest} {what} on one side, {MIN_ROWS} needed")
    groups = None if lone else _groups(comparison, reference, candidate)
    if isinstance(groups, Gap):
        return groups
    of_rows = _features(comparison, names, (reference, candidate), map_name=map_name)
    if isinstance(of_rows, Gap):
        return of_rows
    return _cross_fit(of_rows, (len(reference), len(candidate)), groups, streams)


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


def one_each(side: pa.Table, group: str | None, most: int) -> pa.Table:
    """Return one row of each group, at most so many; a row without a group is its own.

    Rows of a sample come in random order, so the first of a group is a random one.
    """
    from detector.checks._clusters import group_codes

    if group is None or group not in side.column_names:
        return side.slice(0, most)
    codes = group_codes(side, side.slice(0, 0), group)
    _, first = np.unique(codes, return_index=True)
    return side.take(np.sort(first)[:most])


def _features(
    comparison: Comparison,
    names: tuple[str, ...],
    sides: tuple[pa.Table, pa.Table],
    *,
    map_name: str,
) -> Features | Gap:
    """Return what the learners read, blind to the sides."""
    from detector.classifiers.features import features
    from detector.data.encode import encode_codes

    schema = comparison.reference.frame.schema
    own = Schema(columns=tuple(schema[name] for name in names))
    of_rows = features(encode_codes(*sides, own))
    if not of_rows.scores.any():
        return _gap(Reason.CONSTANT_COLUMN, "all rows of both sides are equal")
    return of_rows if map_name == PLAIN else _with_map(of_rows, sides, own, map_name=map_name)


def _with_map(
    of_rows: Features, sides: tuple[pa.Table, pa.Table], schema: Schema, *, map_name: str
) -> Features | Gap:
    """Return the features with those of a map that has learned from both sides' rows alike."""
    from detector.checks._feature_maps import feature_map
    from detector.classifiers.features import with_numbers
    from detector.data.encode import encode_dense

    learn = feature_map(map_name, measurement="auc")
    if isinstance(learn, Gap):
        return learn
    dense = encode_dense(*sides, schema)
    pooled = np.concatenate((dense.x, dense.y))
    learned = learn(pooled)
    labels = tuple(f"{map_name} {label}" for label in learned.labels)
    return with_numbers(of_rows, learned.features(pooled), labels)


def _cross_fit(
    of_rows: Features,
    rows: tuple[int, int],
    groups: NDArray[np.int64] | None,
    streams: Streams,
) -> ToldApart | Gap:
    from detector.classifiers.cross_fit import cross_fit

    found = cross_fit(of_rows, _side(*rows), rng=streams("blocks"), groups=groups)
    if found is None:
        return _gap(Reason.TOO_FEW_GROUPS, "the groups cannot be cut into blocks of both sides")
    return ToldApart(found=found, features=of_rows, rows=rows)


def _side(reference: int, candidate: int) -> NDArray[np.bool_]:
    return np.arange(reference + candidate) >= reference


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name="auc", reason=reason, detail=detail)
