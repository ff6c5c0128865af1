"""The loop: fit, sample, train on what was sampled, again and again, in several chains.

Every random choice has an address, (replicate, generation), below one seed: chains can run in
any order, side by side or after a kill, and the numbers are the same.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from detector.audits.draw import ChainEnded, next_rows
from detector.audits.lens import Lens, Moments
from detector.audits.plan import Regime
from detector.audits.regimes import Stock, remembers, training_rows
from detector.audits.trajectory import MOST_ROWS, column_facts, measured, slopes, yardstick
from detector.rng import stream, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.audits.lens import View
    from detector.audits.plan import Plan
    from detector.audits.snapshots import Snapshots
    from detector.audits.store import Store
    from detector.audits.trajectory import Yardstick
    from detector.data.schema import Schema
    from detector.recipes import Recipe

    Tell = Callable[[str, float], None]

In = TypeVar("In")
Out = TypeVar("Out")

ROUNDS = 3
"""Rounds of the short healthy chains that a band is made of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """What all chains of a run share.

    Attributes:
        table: The real rows, in an order that does not depend on the file's.
        schema: Their columns.
        lens: How rows are seen.
        recipe: What is fitted.
        store: Where finished rounds are kept.
        snapshots: Where the profiles of generations go; None for nowhere.

    """

    table: pa.Table
    schema: Schema
    lens: Lens
    recipe: Recipe
    store: Store
    snapshots: Snapshots | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generation:
    """One generation of one chain.

    Attributes:
        number: 0 for the real rows.
        measures: Each measure's value, by name.
        facts: Variances, levels and correlations of its columns.
        training: Moments of the rows that the next model is trained on.
        rows: Moments of its own rows.
        half: Moments of the first half of its own rows.

    """

    number: int
    measures: dict[str, float]
    facts: dict[str, Any]
    training: Moments
    rows: Moments
    half: Moments

    @property
    def spread(self) -> float:
        """Return the log determinant of what the next model is trained on, along the axes."""
        return self.measures["training_log_det"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chain:
    """One chain: its generations, and why it ended before its time, if it did.

    Attributes:
        replicate: Its number, from 1.
        generations: From the real rows on.
        ended: Why it ended early; empty when it did not.
        views: Rows for a picture, by generation.

    """

    replicate: int
    generations: tuple[Generation, ...]
    ended: str = ""
    views: dict[int, NDArray[np.float64]] = field(default_factory=dict)


def run(ground: Ground, plan: Plan, *, tell: Tell) -> list[Chain]:
    """Run every chain of a plan, and write the profile of each generation where that is asked for.

    Cost: generations x replicates fits of `plan.rows` rows; of up to generations times as
    many with `accumulate`. Memory: two generations a chain; all of them where the regime
    itself needs them.
    """
    clock = _Clock(plan.replicates * plan.generations, tell, "generation")
    work = [_Job(ground, plan, f"chain-{k}", k, clock) for k in range(1, plan.replicates + 1)]
    return list(side_by_side(_Job.chain, work, ground.recipe))


def refits(ground: Ground, plan: Plan, *, tell: Tell) -> list[Chain]:
    """Run short healthy chains, half of each training new real rows: what a recipe does anyway.

    Where there are too few real rows, new ones are drawn with replacement.
    """
    count = math.ceil(plan.refits / ROUNDS)
    clock = _Clock(count * ROUNDS, tell, "healthy round")
    short = replace(plan, regime=Regime.FRESH, real_share=0.5, generations=ROUNDS)
    ground = replace(ground, snapshots=None)
    work = [_Job(ground, short, f"refit-{k}", k, clock) for k in range(1, count + 1)]
    return list(side_by_side(_Job.chain, work, ground.recipe))


def side_by_side(run: Callable[[In], Out], work: Sequence[In], recipe: Recipe) -> Iterator[Out]:
    """Run work in threads; recipes that bring threads of their own run one after the other."""
    from detector.profiles.parallel import ordered_map

    if getattr(recipe, "needs", ()) or len(work) == 1:
        return map(run, work)
    return ordered_map(run, work)


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """One chain to be run."""

    ground: Ground
    plan: Plan
    name: str
    replicate: int
    clock: _Clock

    def chain(self) -> Chain:
        stock = self._stock()
        lens = self.ground.lens
        first = lens.view(stock.first)
        stick = yardstick(lens, first, lens.view(stock.unseen(MOST_ROWS)))
        found = [_generation(0, first, lens.moments(first), stick)]
        self._profile(0, stock.first)
        views = {0: picture(first, lens)}
        past: list[pa.Table] = []
        ended = ""
        for number in range(1, self.plan.generations + 1):
            try:
                one, rows = self._round(stock, past, number, stick)
            except ChainEnded as error:
                ended = f"generation {number}: {error}"
                self.clock.skip(self.plan.generations - number + 1)
                break
            self._profile(number, rows)
            past = [*past, rows] if remembers(self.plan.regime) else [rows]
            found.append(one)
            if number in _pictured(self.plan.generations):
                views[number] = picture(lens.view(rows), lens)
            self.clock.done(number)
        return Chain(replicate=self.replicate, generations=_sloped(found), ended=ended, views=views)

    def _profile(self, number: int, rows: pa.Table) -> None:
        """Write the profile of a generation, under a name that sorts by its number."""
        if self.ground.snapshots is not None:
            digits = len(str(self.plan.generations))
            name = f"{self.name}-generation-{number:0{digits}d}"
            self.ground.snapshots.write(name, rows)

    def _stock(self) -> Stock:
        rng = stream(self.plan.seed, "audit", self.name, "real")
        total = self.ground.table.num_rows
        order = rng.permutation(total)
        if (short := self.plan.real_rows_needed - total) > 0:
            order = np.concatenate([order, rng.integers(total, size=short)])
        return Stock(table=self.ground.table, order=order, plan=self.plan)

    def _round(
        self, stock: Stock, past: list[pa.Table], number: int, stick: Yardstick
    ) -> tuple[Generation, pa.Table]:
        """Return one generation, from disk where it has been made before."""
        ground, name = self.ground, f"{self.name}-generation-{number}"
        if kept := ground.store.read(name):
            return _restored(kept[1]), kept[0]
        address = streams(self.plan.seed, "audit", self.name, str(number))
        training = training_rows(stock, past, generation=number, rng=address("training"))
        rows = next_rows(
            ground.recipe,
            training,
            plan=self.plan,
            schema=ground.schema,
            lens=ground.lens,
            streams=address,
        )
        view = ground.lens.view(rows)
        made = _generation(number, view, self._next_moments(stock, past, rows, number), stick)
        ground.store.write(name, rows, _plain(made))
        return made, rows

    def _next_moments(
        self, stock: Stock, past: list[pa.Table], rows: pa.Table, number: int
    ) -> Moments:
        """Return the moments of what the next model would be trained on."""
        lens = self.ground.lens
        if self.plan.regime is Regime.REPLACE:
            return lens.moments(lens.view(rows))
        if self.plan.regime is Regime.FRESH and number == self.plan.generations:
            stock = _with_last_fresh(stock)
        rng = stream(self.plan.seed, "audit", self.name, str(number + 1), "training")
        coming = training_rows(stock, [*past, rows], generation=number + 1, rng=rng)
        return lens.moments(lens.view(coming))


def _with_last_fresh(stock: Stock) -> Stock:
    """Return the stock for the training after the last round, which is never fitted.

    Its real rows are those of an earlier round where no new ones are left.
    """
    short = stock.plan.real_rows_needed + stock.plan.real_rows - len(stock.order)
    if short <= 0:
        return stock
    return replace(stock, order=np.concatenate([stock.order, stock.order[:short]]))


def _generation(number: int, view: View, training: Moments, stick: Yardstick) -> Generation:
    lens = stick.lens
    measures = measured(view, stick, first=number == 0)
    measures["training_log_det"] = lens.log_det(training.cov)
    return Generation(
        number=number,
        measures=measures,
        facts=column_facts(view, stick),
        training=training,
        rows=lens.moments(view),
        half=lens.moments(view.head(max(2, len(view) // 2))),
    )


def _sloped(found: list[Generation]) -> tuple[Generation, ...]:
    """Return the generations with the slope of risk so far."""
    risks = [one.measures.get("risk", math.nan) for one in found]
    return tuple(
        replace(one, measures=one.measures | ({} if slope is None else {"risk_slope": slope}))
        for one, slope in zip(found, slopes(risks), strict=True)
    )


def picture(view: View, lens: Lens, *, most: int = 160) -> NDArray[np.float64]:
    """Return a few rows along the two broadest axes of the real ones, shape (m, 2)."""
    rows = lens.features(view.head(most))
    if rows.shape[1] < 2:
        other = np.linspace(-1.0, 1.0, len(rows))
        return np.column_stack([rows[:, 0] if rows.shape[1] else other, other])
    return rows[:, :2]


def _pictured(generations: int) -> set[int]:
    """Return up to five generations for the filmstrip, the last one among them."""
    return {max(1, round(generations * step / 5)) for step in range(1, 6)}


class _Clock:
    """Tells how far a run has come, and how long it will take."""

    def __init__(self, total: int, tell: Tell, what: str) -> None:
        self._total, self._tell, self._what = total, tell, what
        self._done, self._began = 0, time.monotonic()

    def done(self, _number: int) -> None:
        self.skip(1)

    def skip(self, count: int) -> None:
        self._done += count
        share = min(1.0, self._done / self._total)
        left = (time.monotonic() - self._began) * (1.0 - share) / max(share, 1e-9)
        said = f"{self._what} {self._done:,} of {self._total:,}, {_span(left)} left"
        self._tell(said, share)


def _span(seconds: float) -> str:
    """Return a time in words.

    >>> _span(8.2), _span(200.0), _span(8000.0)
    ('8 s', '3 min', '2.2 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _plain(one: Generation) -> dict[str, Any]:
    """Return a generation as JSON data; floats read back exactly."""
    parts = {name: getattr(one, name) for name in ("training", "rows", "half")}
    return {
        "number": one.number,
        "measures": one.measures,
        "facts": one.facts,
        **{name: [part.mean.tolist(), part.cov.tolist()] for name, part in parts.items()},
    }


def _restored(plain: dict[str, Any]) -> Generation:
    parts = {}
    for name in ("training", "rows", "half"):
        mean, cov = (np.array(part, np.float64) for part in plain[name])
        parts[name] = Moments(mean, cov.reshape(len(mean), len(mean)))
    return Generation(
        number=plain["number"], measures=plain["measures"], facts=plain["facts"], **parts
    )
