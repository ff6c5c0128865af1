"""What the next generation is trained on: five regimes of recursive training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from detector.audits.plan import Regime
from detector.data.arrays import positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.audits.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stock:
    """The real rows of one chain.

    Attributes:
        table: All real rows, in an order that does not depend on the file's.
        order: A random order of them: the first `rows` begin the chain, the next ones are
            taken fresh, and what is left has never been trained on.
        plan: The plan, with its rows filled in.

    """

    table: pa.Table
    order: NDArray[np.int64]
    plan: Plan
    _first: list[pa.Table] = field(default_factory=list, init=False, repr=False)

    @property
    def first(self) -> pa.Table:
        """Return the real rows that the chain begins with: generation 0."""
        if not self._first:
            self._first.append(self._rows(0, self.plan.rows or len(self.order)))
        return self._first[0]

    def fresh(self, generation: int) -> pa.Table:
        """Return the new real rows for the training of one generation, from the second on."""
        start = (self.plan.rows or 0) + (generation - 2) * self.plan.real_rows
        return self._rows(start, self.plan.real_rows)

    def unseen(self, most: int) -> pa.Table:
        """Return real rows that the chain never trains on, at most so many; maybe none."""
        used = self.plan.real_rows_needed
        return self._rows(max(used, len(self.order) - most), most)

    def _rows(self, start: int, count: int) -> pa.Table:
        chosen = self.order[start : start + count]
        return self.table.take(positions(chosen)).unify_dictionaries().combine_chunks()


def training_rows(
    stock: Stock, past: Sequence[pa.Table], *, generation: int, rng: np.random.Generator
) -> pa.Table:
    """Return the rows that the model of one generation is trained on.

    Args:
        stock: The chain's real rows.
        past: The rows of generations 1 to `generation` - 1; regimes without a memory look at
            the last one only.
        generation: From 1.
        rng: Mixes and draws.

    """
    plan, rows = stock.plan, stock.first.num_rows
    if generation == 1:
        return stock.first
    if plan.regime is Regime.REPLACE:
        return past[-1]
    if plan.regime is Regime.ACCUMULATE:
        return together([stock.first, *past])
    if plan.regime is Regime.ACCUMULATE_SUBSAMPLE:
        pool = together([stock.first, *past])
        chosen = rng.choice(pool.num_rows, rows, replace=False)
        return pool.take(positions(chosen)).combine_chunks()
    fresh = plan.regime is Regime.FRESH
    real = stock.fresh(generation) if fresh else stock.first.slice(0, plan.real_rows)
    mixed = together([real, past[-1].slice(0, rows - plan.real_rows)])
    return mixed.take(positions(rng.permutation(mixed.num_rows))).combine_chunks()


def remembers(regime: Regime) -> bool:
    """Tell whether a regime needs more than the last generation."""
    return regime in (Regime.ACCUMULATE, Regime.ACCUMULATE_SUBSAMPLE)


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables one below the other, one dictionary a category."""
    import pyarrow as pa

    whole = pa.concat_tables([table.replace_schema_metadata(None) for table in tables])
    return whole.unify_dictionaries().combine_chunks()
