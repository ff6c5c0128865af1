from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from detector.data.export import canonical_table
from detector.data.opening import open_data
from detector.recipes import Stop, TrainingLog
from generators.codec import Codec
from generators.honesty import copies, coverage
from generators.tabular import TabularRecipe
from tests.generators.tables import mixed, numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow(TabularRecipe):
    """Draws uniform rows from a part of the cube."""

    name: ClassVar[str] = "narrow"

    reach: float = 0.2

    def train(self, task, rng):
        return NarrowCore(task.rows.shape[1], self.reach), TrainingLog(stop=Stop.CLOSED_FORM)


class NarrowCore:
    def __init__(self, width, reach):
        self.width, self.reach = width, reach

    def draw(self, n, rng):
        return rng.uniform(-self.reach, self.reach, (n, self.width)).astype(np.float32)

    def arrays(self):
        return {"reach": np.array(self.reach)}


def fitted(table=None, **options):
    table = numbers(800) if table is None else table
    return Narrow(**options).fit(table, np.random.default_rng(0))


def column(model, name="x0", n=5_000):
    return np.asarray(model.sample(n, np.random.default_rng(1)).to_arrow()[name], float)


def test_a_model_that_lost_regions_says_so_and_names_them():
    log = fitted(mixed(800)).log
    assert log.facts["coverage"] < 0.5
    assert any(note.startswith("Mode collapse: ") and "height" in note for note in log.notes)


def test_a_model_that_reaches_everything_says_nothing():
    log = fitted(reach=1.0).log
    assert log.facts["coverage"] == 1.0
    assert log.notes == ()


def test_rematched_marginals_are_those_of_the_training_rows():
    real = np.asarray(numbers(800)["x0"])
    made = column(fitted())
    quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    assert np.quantile(made, quantiles) == pytest.approx(np.quantile(real, quantiles), abs=0.1)


def test_without_rematching_a_lost_marginal_is_seen():
    real = np.asarray(numbers(800)["x0"])
    made = column(fitted(rematch_marginals=False))
    assert made.std() < 0.3 * real.std()


def test_whitened_rows_go_through_the_model_too():
    made = column(fitted(whiten=True, rematch_marginals=False))
    assert made.std() < 0.4 * np.asarray(numbers(800)["x0"]).std()


def test_rows_that_are_no_numbers_are_refused():
    class Broken(NarrowCore):
        def draw(self, n, rng):
            return np.full((n, self.width), np.nan, np.float32)

    from detector.errors import DetectorError
    from generators.tabular import TabularSource

    dataset = open_data(numbers(50))
    codec = Codec.learn(canonical_table(dataset), dataset.schema)
    source = TabularSource(codec=codec, core=Broken(4, 1.0))
    with pytest.raises(DetectorError, match="draws rows that are no numbers"):
        source.rows(3, np.random.default_rng(0))


def test_a_core_of_the_wrong_width_is_a_fault_of_its_author():
    from generators.tabular import TabularSource

    dataset = open_data(numbers(50))
    codec = Codec.learn(canonical_table(dataset), dataset.schema)
    with pytest.raises(ValueError, match=r"drew rows of shape \(3, 2\), not \(3, 4\)"):
        TabularSource(codec=codec, core=NarrowCore(2, 1.0)).rows(3, np.random.default_rng(0))


def test_copies_are_counted_by_hand():
    import pyarrow as pa

    from detector.recipes import row_hashes

    training = row_hashes(open_data(pa.table({"x": [1.0, 2.0, 2.0, 3.0]})))
    drawn = open_data(pa.table({"x": [2.0, 3.0, 4.0, 4.0, 4.0]}))
    assert copies(training, drawn) == (0.4, 0.5)


def test_coverage_by_hand():
    import pyarrow as pa

    dataset = open_data(pa.table({"c": ["a", "a", "b", "c"] * 25}))
    codec = Codec.learn(canonical_table(dataset), dataset.schema)
    rows = np.linspace(-1, 0.4, 100, dtype=np.float32)[:, None]
    assert coverage(codec, rows) == (pytest.approx(2 / 3), ("c",))
