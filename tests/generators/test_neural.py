from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import detector
from generators.dense import Dense
from generators.features import Features
from generators.mixture import Mixture
from tests.generators.tables import mixed

QUICK = {
    "gan": {"steps": 30, "width": 16, "batch": 32, "checks": 3},
    "vae": {"steps": 30, "width": 16, "batch": 32, "checks": 3, "components": 2},
}


@pytest.fixture(scope="module", params=sorted(QUICK))
def model(request):
    recipe = detector.recipe(request.param, **QUICK[request.param])
    return recipe.fit(mixed(), np.random.default_rng(0))


def test_the_sample_has_the_schema_exactly(model):
    assert model.sample(20, np.random.default_rng(0)).schema == detector.open_data(mixed()).schema


def test_a_short_sample_begins_a_long_one(model):
    short, long = (model.sample(n, np.random.default_rng(3)).to_arrow() for n in (9, 5_000))
    assert short.to_pylist() == long.slice(0, 9).to_pylist()


def test_a_loaded_model_draws_the_same_rows_without_tensorflow(model, tmp_path):
    model.save(tmp_path / "model")
    wanted = model.sample(50, np.random.default_rng(1)).to_arrow()
    script = (
        "import sys, numpy as np, detector, pyarrow.parquet as pq; "
        f"model = detector.load_model({str(tmp_path / 'model')!r}); "
        "rows = model.sample(50, np.random.default_rng(1)).to_arrow(); "
        f"pq.write_table(rows, {str(tmp_path / 'rows.parquet')!r}); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    found = pq.read_table(tmp_path / "rows.parquet")
    assert found.to_pylist() == wanted.to_pylist()


def test_the_log_has_losses_steps_and_seconds(model):
    log = model.log
    assert log.steps == 30
    assert log.seconds > 0
    assert all(len(values) == 3 for values in log.losses.values())
    assert log.facts["parameters"] > 0


@pytest.mark.parametrize(
    "table",
    [
        mixed(2),
        pa.table({"x": np.arange(40.0)}),
        pa.table({"c": ["a", "b", "c"] * 20}),
        pa.table({"x": [1.0] * 9}),
    ],
)
@pytest.mark.parametrize("name", sorted(QUICK))
def test_odd_tables_are_learned(name, table):
    model = detector.recipe(name, **QUICK[name]).fit(table, np.random.default_rng(0))
    assert model.sample(5, np.random.default_rng(0)).to_arrow().num_rows == 5


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUICK))
def test_one_seed_gives_the_same_weights_in_two_processes(name, tmp_path):
    table = mixed(300).select(["height", "age", "color", "flag"])
    pq.write_table(table, tmp_path / "real.parquet")
    script = f"""
import sys, numpy as np, detector
recipe = detector.recipe({name!r}, **{QUICK[name]!r})
model = recipe.fit(sys.argv[1], np.random.default_rng(1))
model.save(sys.argv[2])
"""
    line = [sys.executable, "-c", script, str(tmp_path / "real.parquet")]
    made = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        subprocess.run([*line, str(folder)], check=True, capture_output=True)
        made.append((folder / "arrays.npz").read_bytes())
    assert made[0] == made[1]


@pytest.mark.slow
def test_the_vae_learns_two_moons_that_a_copula_cannot():
    from sklearn.datasets import make_moons

    points, _ = make_moons(1_000, noise=0.06, random_state=0)
    table = pa.table({"x": points[:, 0], "y": points[:, 1]})

    def missed(name, **options):
        model = detector.recipe(name, **options).fit(table, np.random.default_rng(0))
        drawn = model.sample(1_000, np.random.default_rng(1)).to_arrow()
        made = np.column_stack([np.asarray(column) for column in drawn.columns])
        apart = np.linalg.norm(made[:, None] - points[None], axis=2).min(axis=1)
        return float((apart > 0.15).mean())

    assert missed("vae", steps=2_000) < 0.5 * missed("gaussian_copula")


def test_without_tensorflow_the_recipe_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    said = r"`gan` needs tensorflow and tf_keras, not installed here\. Run `pip install 'coll"
    from detector import recipes
    from generators.recipes.gan import Gan

    assert recipes.missing_packages(Gan) == ("tensorflow", "tf_keras")
    monkeypatch.setattr(recipes, "recipe_class", lambda _name: Gan)
    with pytest.raises(detector.DetectorError, match=said):
        detector.recipe("gan")


@pytest.mark.parametrize(
    "options", [{"steps": 0}, {"rate": 2.0}, {"pack": 0}, {"average": -1}, {"patience": 0}]
)
def test_networks_that_cannot_be_trained_are_refused(options):
    from generators.recipes.gan import Gan

    with pytest.raises(ValueError, match=r"it must"):
        Gan(**options)


def test_features_are_undone():
    edges = (np.empty(0), np.array([-1, 0, 0.5, 1.0]), np.empty(0))
    features = Features(edges=edges)
    rng = np.random.default_rng(0)
    rows = rng.uniform(-0.999, 0.999, (200, 3)).astype(np.float32)
    made = features.encode(rows)
    assert made.shape == (200, 5)
    assert (made[:, 1:4].sum(axis=1) == 1).all()
    sure = made.copy()
    sure[:, 1:4] *= 1_000  # log odds of a certain level
    back = features.decode(sure, rng)
    assert np.abs(back[:, [0, 2]] - rows[:, [0, 2]]).max() < 1e-5
    place = np.searchsorted(edges[1][1:-1], rows[:, 1], side="right")
    assert np.array_equal(np.searchsorted(edges[1][1:-1], back[:, 1], side="right"), place)
    again = Features.restored(features.save())
    assert [block.stop for block in again.blocks] == [1, 4, 5]


def test_a_dense_network_by_hand():
    weights = (np.array([[1.0, -1.0]], np.float32), np.zeros(2, np.float32))
    last = (np.array([[1.0], [1.0]], np.float32), np.array([0.5], np.float32))
    network = Dense(layers=(weights, last))
    found = network(np.array([[2.0], [-1.0]], np.float32))
    assert found[:, 0].tolist() == pytest.approx([2 - 0.4 + 0.5, -0.2 + 1 + 0.5])
    again = Dense.restored(network.save("net"), "net")
    assert np.array_equal(again(np.ones((1, 1), np.float32)), network(np.ones((1, 1), np.float32)))


def test_a_mixture_draws_what_it_was_fitted_to():
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(-3, 0.5, (700, 2)), rng.normal(3, 1.0, (300, 2))])
    found = Mixture.fitted(rows.astype(np.float32), most=2, rng=rng)
    drawn = found.draw(10_000, rng)
    assert np.mean(drawn[:, 0] < 0) == pytest.approx(0.7, abs=0.03)
    assert drawn.mean(axis=0) == pytest.approx(rows.mean(axis=0), abs=0.15)
    assert Mixture.restored(found.save()).draw(5, np.random.default_rng(1)).tolist() == (
        found.draw(5, np.random.default_rng(1)).tolist()
    )
