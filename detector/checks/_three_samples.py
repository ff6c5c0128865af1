"""The reference, rows known to be synthetic, and the candidate as a mixture of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.checks._told_apart import MIN_ROWS, one_each
from detector.data.schema import Kind, Schema
from detector.findings import Gap, Measurement, Reason, Worse

if TYPE_CHECKING:
    import pyarrow as pa

    from detector.classifiers.features import Features
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

    Outcome = tuple[Measurement | Gap, tuple[int, int], dict[str, object]]
    Tables = tuple[pa.Table, pa.Table, pa.Table]

NAME = "synthetic_share"


def synthetic_share(comparison: Comparison, *, rows: int, streams: Streams) -> Outcome:
    """Measure the share of the known synthetic rows' law in the candidate.

    Args:
        comparison: With or without synthetic rows.
        rows: Sampled rows of each of the three, at most.
        streams: Where to draw the folds.

    """
    tables = _tables(comparison, rows)
    if isinstance(tables, Gap):
        return tables, (0, 0), {}
    made = _features(comparison, tables)
    sizes = len(tables[0]), len(tables[2])
    if isinstance(made, Gap):
        return made, sizes, {}
    return _measured(made, tuple(map(len, tables)), streams)


def _tables(comparison: Comparison, rows: int) -> Tables | Gap:
    """Return sampled rows of the reference, the synthetic rows and the candidate."""
    if comparison.synthetic is None:
        return _gap(Reason.NEEDS_SYNTHETIC, "no rows known to be synthetic were given")
    lost = [name for name in _names(comparison) if name not in comparison.synthetic.columns]
    if lost:
        detail = f"the synthetic rows lack {len(lost)} of the compared columns, first `{lost[0]}`"
        return _gap(Reason.COLUMN_ABSENT, detail)
    profiles = comparison.reference, comparison.synthetic, comparison.candidate
    samples = [profile.sample for profile in profiles]
    if any(sample is None for sample in samples):
        return _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
    group = comparison.group
    held = [one_each(sample.table, group, rows) for sample in samples if sample is not None]
    fewest = min(map(len, held))
    if fewest < MIN_ROWS:
        what, reason = (
            ("rows", Reason.TOO_FEW_ROWS) if group is None else ("groups", Reason.TOO_FEW_GROUPS)
        )
        sides = "in the reference, the synthetic rows or the candidate"
        return _gap(reason, f"{fewest} {what} {sides}, {MIN_ROWS} needed")
    return held[0], held[1], held[2]


def _names(comparison: Comparison) -> tuple[str, ...]:
    return comparison.columns(*(kind for kind in Kind if kind is not Kind.TEXT))


def _features(comparison: Comparison, tables: Tables) -> Features | Gap:
    """Return what the learners read, blind to whose rows they are."""
    import pyarrow as pa

    from detector.classifiers.features import features
    from detector.data.encode import encode_codes

    names = _names(comparison)
    if not names:
        return _gap(Reason.NO_COMMON_COLUMNS, "no column in common can be compared")
    schema = comparison.reference.frame.schema
    own = Schema(columns=tuple(schema[name] for name in names))
    questioned = pa.concat_tables([table.select(list(names)) for table in tables[1:]])
    made = features(encode_codes(tables[0], questioned, own))
    if not made.scores.any():
        return _gap(Reason.CONSTANT_COLUMN, "all rows are equal")
    return made


def _measured(made: Features, sizes: tuple[int, ...], streams: Streams) -> Outcome:
    """Measure the share by the density ratio of the synthetic rows to the reference's."""
    from detector.classifiers.held_out import combined, density_ratio, held_out_scores
    from detector.stats.auc import Z_95_ONE_SIDED, Stratum, auc
    from detector.stats.mixing import mixture_share
    from detector.stats.proportions import Z_80

    sample = np.repeat(np.arange(3), sizes)
    other, asked = sample == 1, sample == 2
    rng = streams("contamination", "synthetic")
    scores = held_out_scores(made, other, rng=rng, asked=asked)
    score = combined(scores[:, ~asked], other[~asked])
    area = auc([Stratum(x=score[: sizes[0]], y=score[sizes[0] :])])
    ratio = density_ratio(scores, other, asked)
    found = mixture_share(*(ratio[sample == part] for part in range(3)))
    rows = sizes[0], sizes[2]
    evidence: dict[str, object] = {"auc": area.value, "synthetic_rows": sizes[1]}
    if area.interval[0] <= 0.5:
        detail = (
            f"the synthetic rows are not told from the reference's (AUC {area.value:.3f}); up to "
            "100 % of the rows could be like them unseen"
        )
        return _gap(Reason.NOT_IDENTIFIABLE, detail), rows, evidence
    measured = Measurement(
        name=NAME,
        value=found.value,
        worse=Worse.HIGHER,
        unit="share",
        null_value=0.0,
        interval=found.interval,
        p_value=found.p_value,
        detectable=min(1.0, (Z_95_ONE_SIDED + Z_80) * found.null_error),
    )
    return measured, rows, evidence


def in_percent(share: float) -> str:
    """Return a share as people read it.

    >>> in_percent(0.0213), in_percent(1.0)
    ('2.1 %', '100 %')
    """
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name=NAME, reason=reason, detail=detail)
