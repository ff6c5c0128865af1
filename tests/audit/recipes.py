"""Recipes that do what recipes should not, for the tests of the loop."""

from __future__ import annotations

import time

import numpy as np

from detector import open_data


class Faithful:
    """Draws rows again: the plainest recipe that somebody may write."""

    name = "faithful"

    def fit(self, dataset, rng):
        table = dataset.to_arrow()
        return Drawn(lambda n, rng: table.take(rng.integers(0, table.num_rows, n)))


class Drawn:
    def __init__(self, draw):
        self.sample = draw


class Failing:
    """Fits twice, then raises."""

    def __init__(self, *, good=2):
        self.left = good

    def fit(self, dataset, rng):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("out of luck")
        return Faithful().fit(dataset, rng)


class Short(Faithful):
    """Returns half of the rows."""

    def fit(self, dataset, rng):
        whole = super().fit(dataset, rng)
        return Drawn(lambda n, rng: whole.sample(n // 2, rng))


class NoNumbers:
    """Returns NaN."""

    def fit(self, dataset, rng):
        names = dataset.schema.names
        return Drawn(lambda n, _rng: open_data({name: np.full(n, np.nan) for name in names}))


class OtherColumns:
    """Returns a column of its own."""

    def fit(self, dataset, rng):
        return Drawn(lambda n, rng: {"other": rng.normal(size=n)})


class Endless:
    """Never ends."""

    def fit(self, dataset, rng):
        while True:
            time.sleep(0.01)


class NoRecipe:
    """Has no fit."""
