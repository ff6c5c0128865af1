"""How much variance a loop keeps with so many real rows in each training, told by few chains.

Single chains scatter far more than they lose. Nearly all of that is the luck of the draw, and
it can be known: each model draws many more rows than its chain goes on with, and these tell
what its own moments are. So the luck of every draw is carried along as the chain carries it,
and serves as a control: whatever the recipe, its expectation is zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.audits.draw import ChainEnded, next_sets
from detector.audits.plan import Regime
from detector.audits.regimes import Stock, together, training_rows
from detector.rng import stream, streams

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.audits.loop import Ground
    from detector.audits.plan import Plan

    Numbers = NDArray[np.float64]

EXTRA = 4_000
"""Rows that each model draws beside its generation, at least; never less than four times it."""


class Kept(NamedTuple):
    """The share of the variance that a chain keeps, and the luck in it."""

    share: float
    luck: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loops:
    """Chains with a number of real rows in each training.

    Attributes:
        ground: What all chains share.
        plan: Of regime `fresh` or `fixed`, with its rows filled in.
        center: Means of all real rows along the axes, shape (k,).
        spread: Their standard deviations.

    """

    ground: Ground
    plan: Plan
    center: Numbers
    spread: Numbers

    @staticmethod
    def of(ground: Ground, plan: Plan) -> Loops:
        """Return the loops with the moments of all real rows."""
        mean, cov = ground.lens.moments(ground.lens.view(ground.table))
        return Loops(ground=ground, plan=plan, center=mean, spread=np.sqrt(np.diag(cov)))

    def chain(self, real: int, number: int) -> Kept | None:
        """Run a chain with so many real rows, from disk where it has been run before.

        None where it ended early. Cost: `plan.generations` fits.
        """
        name = f"real-share-{self.plan.regime}-{real}-{number}"
        store = self.ground.store
        if (known := store.record(name)) is None:
            try:
                known = self._run(real, name)._asdict()
            except ChainEnded:
                return None
            store.note(name, known)
        return Kept(**known)

    def _run(self, real: int, name: str) -> Kept:
        ground, rows = self.ground, self.plan.rows or self.ground.table.num_rows
        regime = self.plan.regime if real else Regime.REPLACE
        plan = replace(self.plan, regime=regime, rows=rows, real_share=real / rows if real else 0.0)
        order = stream(plan.seed, "audit", name, "real").permutation(ground.table.num_rows)
        stock = Stock(table=ground.table, order=order, plan=plan)
        training = stock.first
        luck = _Luck.of(self._about(training))
        for number in range(1, plan.generations + 1):
            address = streams(plan.seed, "audit", name, str(number))
            made, *others = next_sets(
                ground.recipe,
                training,
                plan=plan,
                schema=ground.schema,
                lens=ground.lens,
                streams=address,
                sets=1 + max(4, math.ceil(EXTRA / rows)),
            )
            training = training_rows(stock, [made], generation=number + 1, rng=address("training"))
            fresh = plan.regime is Regime.FRESH
            luck = luck.after(
                self._about(stock.fresh(number + 1) if fresh else stock.first.slice(0, real)),
                self._about(made.slice(0, rows - real)),
                model=self._about(together(others)),
                share=real / rows,
            )
        last = self._about(training)
        return Kept(float((last.square - last.mean**2).mean()), luck.of_variance)

    def _about(self, table: pa.Table) -> _About:
        """Return the moments of rows about the mean of all real ones, in units of their spread."""
        if not table.num_rows:
            return _About(np.zeros_like(self.center), np.ones_like(self.center))
        features = self.ground.lens.features(self.ground.lens.view(table))
        scaled = (features - self.center) / self.spread
        return _About(scaled.mean(axis=0), np.square(scaled).mean(axis=0))


class _About(NamedTuple):
    """First and second moments along the axes, each of shape (k,)."""

    mean: Numbers
    square: Numbers


class _Luck(NamedTuple):
    """How the luck of all draws so far lies in the moments of a training, by axis.

    A model that keeps the first two moments hands on what it was trained on. So a share 1 - s
    of the luck in a training is found in the next one. One that does not makes this a poorer
    control, and still one of expectation zero.

    Attributes:
        real: The mean of the real rows in it.
        drawn: The luck of the models' draws in its mean.
        squares: The sum of the squares of these, draw by draw.
        square: The luck of all in its second moment.

    """

    real: Numbers
    drawn: Numbers
    squares: Numbers
    square: Numbers

    @staticmethod
    def of(first: _About) -> _Luck:
        none = np.zeros_like(first.mean)
        return _Luck(first.mean, none, none, first.square - 1.0)

    def after(self, real: _About, made: _About, *, model: _About, share: float) -> _Luck:
        """Return the luck after one more round, of which `made` are the rows that go on."""
        left, luck = 1.0 - share, made.mean - model.mean
        return _Luck(
            real=share * real.mean + left * self.real,
            drawn=left * (self.drawn + luck),
            squares=left**2 * (self.squares + luck**2),
            square=share * (real.square - 1.0) + left * (self.square + made.square - model.square),
        )

    @property
    def of_variance(self) -> float:
        """Return the luck in the variance: that in the second moment less that in the mean's.

        Of the square of the mean, only products of different draws are sure to be zero in
        expectation: what is left, the sum of the squares, is what is lost.
        """
        products = (self.real + self.drawn) ** 2 - self.real**2 - self.squares
        return float((self.square - products).mean())
