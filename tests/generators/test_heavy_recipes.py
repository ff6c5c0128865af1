"""The laws of every recipe, for those with circuits and networks."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector import catalogue
from detector.errors import DetectorError
from detector.recipes import Stop
from tests.generators.tables import mixed
from tests.generators.test_recipes import (
    QUICK,
    ROOT,
    test_a_loaded_model_draws_the_same_rows,
    test_a_model_is_a_model,
    test_a_model_of_a_sample_is_one_generation_on,
    test_a_sample_declares_where_it_comes_from,
    test_a_sample_has_as_many_rows_as_asked_for,
    test_a_short_sample_begins_a_long_one,
    test_nothing_in_a_model_needs_pickle,
    test_other_seeds_give_other_rows,
    test_the_digest_is_that_of_the_rows,
    test_the_order_of_rows_says_nothing,
    test_the_sample_has_the_schema_exactly,
)

pytestmark = pytest.mark.slow

LAWS = (
    test_a_loaded_model_draws_the_same_rows,
    test_a_model_is_a_model,
    test_a_model_of_a_sample_is_one_generation_on,
    test_a_sample_declares_where_it_comes_from,
    test_a_sample_has_as_many_rows_as_asked_for,
    test_a_short_sample_begins_a_long_one,
    test_nothing_in_a_model_needs_pickle,
    test_other_seeds_give_other_rows,
    test_the_digest_is_that_of_the_rows,
    test_the_order_of_rows_says_nothing,
    test_the_sample_has_the_schema_exactly,
)
"""Collected here once more, with the models of this file."""

HEAVY = {
    "qcbm": {"qubits": 8, "layers": 2, "steps": 20},
    "qgan": {"qubits": 4, "layers": 2, "steps": 10},
    "qvae": {"qubits": 4, "whiten": True, "steps": 10, "components": 2},
    "qbm": {"qubits": 6, "hidden": 2, "steps": 10},
    "gan": {"steps": 20, "checks": 4},
    "vae": {"steps": 20, "checks": 4, "components": 2},
}


def fitted(name, table=None, *, seed=0):
    made = detector.recipe(name, **HEAVY[name])
    return made.fit(mixed() if table is None else table, np.random.default_rng(seed))


@pytest.fixture(scope="module", params=HEAVY)
def model(request):
    with pytest.MonkeyPatch.context() as patch:
        # The laws fit a recipe once more by the name of its model.
        patch.setattr("tests.generators.test_recipes.QUICK", {**QUICK, **HEAVY})
        yield fitted(request.param)


def test_no_recipe_is_forgotten():
    assert {*QUICK, *HEAVY} == set(catalogue.names("detector.recipes"))


def test_one_seed_gives_the_same_bytes_in_two_processes(tmp_path):
    script = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import numpy as np, detector
from tests.generators.tables import mixed
from generators.writing import write_sample
for name, options in {HEAVY!r}.items():
    model = detector.recipe(name, **options).fit(mixed(), np.random.default_rng(1))
    model.save(f"{{name}}-model")
    write_sample(model.sample(300, np.random.default_rng(2)), f"{{name}}.parquet")
"""
    made = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)
        ends = ("-model/arrays.npz", ".parquet", ".parquet.provenance.json")
        made.append(
            {
                f"{name}{end}": (folder / f"{name}{end}").read_bytes()
                for name in HEAVY
                for end in ends
            }
        )
    assert made[0] == made[1]


@pytest.mark.parametrize("name", HEAVY)
def test_a_category_with_ten_thousand_levels_is_learned(name):
    levels = [f"level {i}" for i in range(10_000)] * 2
    dataset = detector.open_data(
        pa.table({"c": levels, "x": np.arange(20_000.0)}), kinds={"c": "category"}
    )
    drawn = fitted(name, dataset).sample(500, np.random.default_rng(0)).to_arrow()
    assert set(drawn["c"].to_pylist()) <= set(levels)


@pytest.mark.parametrize("name", HEAVY)
def test_one_row_is_too_few(name):
    with pytest.raises(DetectorError, match=r"has 1 row; `.*` needs 2 at least"):
        fitted(name, mixed(1))


@pytest.mark.parametrize("name", HEAVY)
def test_all_missing_comes_back_all_missing(name):
    model = fitted(name, pa.table({"x": pa.array([None] * 9, pa.float64())}))
    assert model.sample(3, np.random.default_rng(0)).to_arrow()["x"].to_pylist() == [None] * 3


@pytest.mark.parametrize("name", ["qcbm", "qvae"])
def test_a_loss_that_is_no_number_stops_keeps_the_best_and_says_so(name, monkeypatch):
    from generators.diary import Diary

    record, seen = Diary.record, []

    def poisoned(diary, **losses):
        seen.append(losses)
        record(diary, **(losses if len(seen) < 8 else dict.fromkeys(losses, float("nan"))))

    monkeypatch.setattr(Diary, "record", poisoned)
    model = fitted(name)
    assert model.log.stop is Stop.NOT_FINITE
    assert any("gave a loss that is no number" in note for note in model.log.notes)
    assert model.sample(3, np.random.default_rng(0)).to_arrow().num_rows == 3
