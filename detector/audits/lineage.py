"""Data sets that exist already, as generations: do they drift away from the first one?

There is no recipe to refit. So the band is made of *resamples* of generation 0: a loop that
draws its rows again and again, with all earlier rows kept or half new real rows, which is the
least that any generator with n rows does; or one that draws real rows only.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.audits import alarm as alarms
from detector.audits.effective_share import effective_share
from detector.audits.found import CHANGE, change_finding, finding, no_band
from detector.audits.lens import lens_of, moments
from detector.audits.loop import Chain, Generation, picture
from detector.audits.null import draws_of, sets_of, steps_between
from detector.audits.result import Outcome, settled
from detector.audits.shown import shown
from detector.audits.trajectory import column_facts, measured, slopes, yardstick
from detector.data.export import canonical_table
from detector.data.provenance import find_provenance
from detector.errors import DetectorError
from detector.findings import Gap, Measurement, Reason, Worse
from detector.recipes import row_hashes, rows_digest
from detector.rng import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from detector.audits.alarm import Alarm, Band
    from detector.audits.composed import Draws, Steps
    from detector.audits.lens import Lens, View
    from detector.data.dataset import Dataset

    Numbers = NDArray[np.float64]

CHECK = "lineage"
RESAMPLES = 60
MOST_ROWS = 65_536
"""Rows of a generation that are looked at, drawn at random where there are more."""


def lineage_found(datasets: Sequence[Dataset], *, seed: int, alpha: float) -> Outcome:
    """Return what a lineage shows.

    Args:
        datasets: Generation 0, then 1, and so on; at least two.
        seed: Where random choices come from.
        alpha: How often a healthy lineage may raise an alarm.

    Raises:
        DetectorError: There are too few, or one lacks columns of the first.

    """
    if len(datasets) < 2:
        raise DetectorError(
            f"a lineage of {len(datasets)} generation says nothing.",
            hint="Give generation 0, then 1, and so on.",
        )
    views, lens = _views(datasets, seed)
    rows = min(map(len, views))
    chain = _chain(views, lens)
    found, gap = None, no_band(rows, lens.axes)
    spreads = np.array([one.spread for one in chain.generations])
    if gap is None:
        found = _alarm(views, lens, spreads, seed=seed, alpha=alpha)
        if not found[0].tells:
            gap = _cannot_tell(found[0])
    share = effective_share(views, lens, stream(seed, "lineage", "share"))
    seen = shown([chain], lens, found, alpha=alpha, rng=stream(seed, "lineage", "forecast"))
    told = {"lineage": {"sentences": _sentences(datasets, spreads, share, seed)}}
    made = [change_finding(CHECK, rows, found, gap, axes=lens.axes)]
    if share is not None:
        made.append(finding(CHECK, rows, _share_found(share)))
    return Outcome(findings=tuple(made), plain=settled({"kind": "lineage", **seen, **told}))


def _share_found(share: tuple[float, float, float]) -> Measurement:
    return Measurement(
        name="effective_real_share",
        value=share[0],
        worse=Worse.LOWER,
        unit="share",
        interval=share[1:],
    )


def change_point(values: Numbers, rng: np.random.Generator) -> tuple[int, float]:
    """Return after which generation the mean of a series changes most, and a p-value.

    Args:
        values: One for each generation, shape (g,), g >= 6.
        rng: Shuffles them: with no change and no trend every order is as likely.

    """

    def largest(series: Numbers) -> Numbers:
        count = series.shape[-1]
        sums = np.cumsum(series - series.mean(axis=-1, keepdims=True), axis=-1)[..., :-1]
        at = np.arange(1, count)
        found: Numbers = np.abs(sums) / np.sqrt(at * (count - at))
        return found

    seen = largest(values)
    shuffled = np.array([largest(rng.permutation(values)).max() for _ in range(999)])
    p_value = (1 + np.count_nonzero(shuffled >= seen.max() - 1e-12)) / 1000
    return int(seen.argmax()), float(p_value)


def _views(datasets: Sequence[Dataset], seed: int) -> tuple[list[View], Lens]:
    tables = []
    for number, dataset in enumerate(datasets):
        first = datasets[0].schema
        for spec in first.compared:
            if spec.name not in dataset.schema:
                raise DetectorError(
                    f"generation {number} (`{dataset.name}`) lacks the column `{spec.name}`.",
                    hint="Give generations with the same columns.",
                )
            kind = dataset.schema[spec.name].kind
            if kind is not spec.kind or dataset.schema[spec.name].width != spec.width:
                raise DetectorError(
                    f"generation {number} (`{dataset.name}`) has `{spec.name}` as {kind}, "
                    f"generation 0 as {spec.kind}.",
                    hint="Set the kind of the column.",
                )
        table = canonical_table(dataset)
        if table.num_rows < 2:
            raise DetectorError(
                f"generation {number} (`{dataset.name}`) has {table.num_rows} rows; 2 needed."
            )
        tables.append(table)
    lens = lens_of(tables[0], datasets[0].schema, rows=min(t.num_rows for t in tables))
    views = []
    for number, (dataset, table) in enumerate(zip(datasets, tables, strict=True)):
        order = np.argsort(row_hashes(dataset), kind="stable")
        view = lens.view(table)
        # File order carries no information, and measures look at the first rows only.
        order = order[stream(seed, "lineage", str(number)).permutation(len(order))][:MOST_ROWS]
        views.append(type(view)(view.numbers[order], view.codes[order]))
    return views, lens


def _chain(views: Sequence[View], lens: Lens) -> Chain:
    stick = yardstick(lens, views[0], views[0].head(0))
    found = []
    for number, view in enumerate(views):
        seen = lens.moments(view)
        measures = measured(view, stick, first=number == 0)
        measures["training_log_det"] = lens.log_det(seen.cov)
        half = lens.moments(view.head(max(2, len(view) // 2)))
        facts = column_facts(view, stick)
        found.append(
            Generation(
                number=number, measures=measures, facts=facts, training=seen, rows=seen, half=half
            )
        )
    risks = [one.measures.get("risk", math.nan) for one in found]
    for one, slope in zip(found, slopes(risks), strict=True):
        if slope is not None:
            one.measures["risk_slope"] = slope
    pictured = {round((len(views) - 1) * step / 5) for step in range(6)}
    pictures = {number: picture(views[number], lens) for number in sorted(pictured)}
    return Chain(replicate=1, generations=tuple(found), views=pictures)


def _cannot_tell(found: Alarm) -> Gap:
    detail = (
        "cannot tell: a lineage that resamples itself would be seen in "
        f"{100 * found.power:.0f} % of cases; {found.made:,} generations of "
        f"{max(found.needed, found.made + 1):,} needed"
    )
    return Gap(name=CHANGE, reason=Reason.TOO_FEW_ROWS, detail=detail)


def _alarm(
    views: Sequence[View], lens: Lens, spreads: Numbers, *, seed: int, alpha: float
) -> tuple[Alarm, Band]:
    """Hold the path against resampled loops of the size of the smallest generation."""
    rng = stream(seed, "lineage", "band")
    rows, features = min(map(len, views)), lens.features(views[0])
    steps, draws = _resampled(features, rows, lens, rng)
    asked: dict[str, Any] = {"replicates": 1, "rng": rng}
    band = alarms.healthy_band(
        spreads,
        steps,
        draws,
        alpha=alpha,
        own_rows=True,
        **asked,
    )
    return alarms.judge_path(spreads, band, steps, draws, **asked), band


def _resampled(
    features: Numbers, rows: int, lens: Lens, rng: np.random.Generator
) -> tuple[Steps, Draws]:
    """Return steps and draws of a loop that draws rows with replacement."""
    pairs = []
    for _ in range(RESAMPLES):
        before = features
        if rows < len(features):
            before = features[rng.choice(len(features), rows, replace=False)]
        after = before[rng.integers(len(before), size=rows)]
        pairs.append((moments(before), moments(after), moments(after[: max(2, rows // 2)])))
    draws = draws_of(features, rows=rows, rng=rng, ridge=lens.ridge)
    sets = sets_of(features, rows=rows, rng=rng)
    # Generation 0 is where the sets are drawn from, so it says nothing that it lies as they do.
    return steps_between(pairs), replace(draws, sets_cov=sets, alike=False)


def _sentences(
    datasets: Sequence[Dataset],
    spreads: Numbers,
    share: tuple[float, float, float] | None,
    seed: int,
) -> list[str]:
    """Return what is worth a sentence: real share, change point, broken manifests."""
    said = []
    if share is not None:
        best, low, high = (100 * one for one in share)
        said.append(
            f"The means move as with a real share of {best:.0f} % in every training "
            f"(95 % interval {low:.0f} to {high:.0f} %)."
        )
    if len(spreads) >= 6:
        at, p_value = change_point(spreads, stream(seed, "lineage", "change"))
        if p_value <= 0.05:
            said.append(f"The spread changes most after generation {at} (p = {p_value:.2g}).")
    return said + _manifests(datasets)


def _manifests(datasets: Sequence[Dataset]) -> list[str]:
    """Return where manifests and the order of the data sets contradict each other."""
    said, before = [], ""
    for number, dataset in enumerate(datasets):
        declared = find_provenance(dataset.source, dataset.metadata)
        if declared is not None and declared.generation not in (None, number):
            said.append(
                f"`{dataset.name}` declares generation {declared.generation}, not {number}."
            )
        if declared is not None and number and declared.parents and before not in declared.parents:
            said.append(f"`{dataset.name}` was not made from generation {number - 1}, it declares.")
        before = rows_digest(row_hashes(dataset))
    return said
