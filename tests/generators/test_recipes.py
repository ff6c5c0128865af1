"""Laws that every recipe keeps, whatever it learns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detector
from detector import catalogue, open_data
from detector.data.provenance import METADATA_KEY, parse
from detector.errors import DetectorError, InputError
from detector.recipes import Model, Recipe, recipe_class
from generators.model import BLOCK, FittedModel
from tests.generators.tables import mixed, numbers

QUICK = {
    "bootstrap": {},
    "gaussian": {},
    "gaussian_copula": {},
    "histogram": {},
    "kde": {},
    "rbm": {"steps": 60, "bits": 2, "burn_in": 20},
    "rules": {},
}
"""The recipes of the core, with options that make them quick."""

ROOT = Path(__file__).parents[2]
NAMES = sorted(QUICK)
LEARNERS = [name for name in NAMES if name != "bootstrap"]


def fitted(name, table=None, *, seed=0, **options):
    made = detector.recipe(name, **QUICK[name], **options)
    return made.fit(mixed() if table is None else table, np.random.default_rng(seed))


@pytest.fixture(scope="module", params=NAMES)
def model(request):
    return fitted(request.param)


def rows(model, n, *, seed=5):
    return model.sample(n, np.random.default_rng(seed)).to_arrow()


def test_every_recipe_of_the_core_is_found_by_name():
    assert set(NAMES) <= set(catalogue.names("detector.recipes"))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_recipe_with_a_name_and_a_first_line(name):
    kind = recipe_class(name)
    assert kind.name == name
    assert isinstance(kind(), Recipe)
    assert kind.__doc__.partition("\n")[0].endswith((".", ":"))


def test_a_model_is_a_model(model):
    assert isinstance(model, Model)


def test_the_sample_has_the_schema_exactly(model):
    drawn = model.sample(50, np.random.default_rng(0))
    assert drawn.schema == open_data(mixed()).schema
    again = open_data(drawn.to_arrow(), like=drawn.schema)
    assert [spec.kind for spec in again.schema.columns] == [s.kind for s in drawn.schema.columns]
    assert drawn.to_arrow().schema.names == mixed().schema.names


@pytest.mark.parametrize("n", [0, 1, 7, BLOCK, BLOCK + 1])
def test_a_sample_has_as_many_rows_as_asked_for(model, n):
    assert rows(model, n).num_rows == n


def test_a_short_sample_begins_a_long_one(model):
    long = rows(model, BLOCK + 100)
    for n in (1, 33, BLOCK - 1, BLOCK + 99):
        assert rows(model, n).to_pylist() == long.slice(0, n).to_pylist()


def test_other_seeds_give_other_rows(model):
    assert rows(model, 40, seed=1).to_pylist() != rows(model, 40, seed=2).to_pylist()


def test_a_loaded_model_draws_the_same_rows(model, tmp_path):
    model.save(tmp_path / "model")
    again = detector.load_model(tmp_path / "model")
    assert rows(again, 300).equals(rows(model, 300))
    assert again.log == model.log
    assert again.lineage == model.lineage
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "arrays.npz",
        "manifest.json",
    ]


def test_nothing_in_a_model_needs_pickle(model, tmp_path):
    model.save(tmp_path / "model")
    with np.load(tmp_path / "model" / "arrays.npz", allow_pickle=False) as arrays:
        assert all(not arrays[name].dtype.hasobject for name in arrays.files)


def test_the_order_of_rows_says_nothing(model):
    drawn = model.sample(BLOCK, np.random.default_rng(3)).to_arrow()
    for name in ("height", "age"):
        column = np.asarray(drawn[name], float)
        above = column > np.median(column)
        runs = 1 + np.count_nonzero(above[1:] != above[:-1])
        on, off = above.sum(), (~above).sum()
        due = 1 + 2 * on * off / len(above)
        spread = np.sqrt((due - 1) * (due - 2) / (len(above) - 1))
        assert abs(runs - due) < 4 * spread


def test_a_sample_declares_where_it_comes_from(model):
    drawn = model.sample(10, np.random.default_rng(0), seed=7)
    declared = parse(drawn.metadata[METADATA_KEY], name="sample")
    assert declared.origin == "synthetic"
    assert declared.recipe == model.recipe
    assert declared.seed == 7
    assert declared.generation == 1
    assert declared.real_share == 0.0
    assert declared.parents == (detector.profile(mixed()).digest,)
    assert declared.versions["numpy"] == np.__version__
    assert set(declared.options) >= set(model.options)


def test_the_digest_is_that_of_the_rows(model):
    drawn = model.sample(200, np.random.default_rng(0))
    declared = parse(drawn.metadata[METADATA_KEY], name="sample")
    profile = detector.profile(drawn, against=detector.profile(mixed()))
    assert declared.digest == profile.digest


def test_a_model_of_a_sample_is_one_generation_on(model):
    drawn = model.sample(200, np.random.default_rng(0))
    child = fitted(model.recipe, drawn)
    assert child.lineage.generation == 2
    assert child.lineage.parents == (parse(drawn.metadata[METADATA_KEY], name="s").digest,)


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_gives_the_same_bytes_in_two_processes(name, tmp_path):
    script = f"""
import numpy as np, detector
from tests.generators.tables import mixed
from generators.writing import write_sample
model = detector.recipe({name!r}, **{QUICK[name]!r}).fit(mixed(), np.random.default_rng(1))
model.save("model")
write_sample(model.sample(500, np.random.default_rng(2)), "out.parquet")
"""
    made = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        script_path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{script}"
        subprocess.run([sys.executable, "-c", script_path], cwd=folder, check=True)
        files = ["out.parquet", "out.parquet.provenance.json", "model/arrays.npz"]
        made.append([(folder / file).read_bytes() for file in files])
    assert made[0] == made[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_leaves_its_input_alone(name):
    frame = mixed(100).select(["height", "age", "color"]).to_pandas()
    before = frame.copy(deep=True)
    fitted(name, frame)
    assert frame.equals(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("what", "table"),
    [
        ("two rows", mixed(2)),
        ("constants", pa.table({"x": [1.0] * 9, "c": ["a"] * 9})),
        ("all missing", pa.table({"x": pa.array([None] * 9, pa.float64())})),
        ("infinities", pa.table({"x": [np.inf, -np.inf, *np.arange(9.0)]})),
        ("huge numbers", pa.table({"x": np.linspace(-1, 1, 40) * 1.7e308})),
        ("one column", pa.table({"x": np.arange(50.0)})),
        ("hostile names", pa.table({"a/b\n": [1.0, 2, 3], "": [1, 2, 3], "0/values": [2, 2, 5]})),
        ("hostile levels", pa.table({"c": ["", "\x1b[2J", "a/b", "é" * 300] * 5})),
        ("booleans", pa.table({"b": [True, False, None] * 9})),
    ],
)
def test_odd_tables_are_learned_without_a_word(name, what, table, tmp_path):
    model = fitted(name, table)
    model.save(tmp_path / "m")
    drawn = rows(detector.load_model(tmp_path / "m"), 20)
    assert drawn.schema.names == open_data(table).to_arrow().schema.names, what
    assert drawn.schema.types == open_data(table).to_arrow().schema.types


@pytest.mark.parametrize("name", NAMES)
def test_a_category_with_ten_thousand_levels_is_learned(name):
    levels = [f"level {i}" for i in range(10_000)] * 2
    drawn = rows(fitted(name, pa.table({"c": levels, "x": np.arange(20_000.0)})), 5_000)
    assert set(drawn["c"].to_pylist()) <= set(levels)


@pytest.mark.parametrize("name", LEARNERS)
def test_one_row_is_too_few(name):
    with pytest.raises(DetectorError, match=r"has 1 row; `.*` needs 2 at least"):
        fitted(name, mixed(1))


def test_bootstrap_takes_one_row_and_no_recipe_takes_none():
    assert rows(fitted("bootstrap", mixed(1)), 3).num_rows == 3
    with pytest.raises(DetectorError, match="has 0 rows"):
        fitted("bootstrap", mixed(5).slice(0, 0))


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_copies_no_row_of_numbers(name):
    assert fitted(name, numbers(300)).log.facts["copied_share"] == 0.0


def test_bootstrap_says_that_it_copies():
    log = fitted("bootstrap", numbers(300)).log
    assert log.facts["copied_share"] == 1.0
    assert "copy" in log.notes[0]


cells = st.lists(st.none() | st.floats(allow_nan=False), min_size=2, max_size=12)


@given(
    numbers=cells,
    names=st.lists(st.none() | st.text(max_size=2), min_size=2, max_size=12),
    whole=st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=12),
    name=st.sampled_from(["gaussian_copula", "histogram", "rules"]),
)
@settings(max_examples=80)
def test_any_small_table_is_learned_within_its_bounds(numbers, names, whole, name):
    n = min(len(numbers), len(names), len(whole))
    table = pa.table(
        {
            "x": pa.array(numbers[:n], pa.float64()),
            "c": pa.array(names[:n], pa.string()).dictionary_encode(),
            "n": pa.array(whole[:n], pa.int64()),
        }
    )
    drawn = rows(fitted(name, table), 30)
    assert set(drawn["c"].to_pylist()) <= {*names[:n], None}
    known = [value for value in numbers[:n] if value is not None]
    made = [value for value in drawn["x"].to_pylist() if value is not None]
    assert all(min(known) <= value <= max(known) for value in made) or not known
    slack = 2**10  # float64 between whole numbers beyond 2**53
    assert all(
        min(whole[:n]) - slack <= int(value) <= max(whole[:n]) + slack
        for value in drawn["n"].to_pylist()
    )


def test_a_wrong_option_is_answered_with_the_nearest():
    with pytest.raises(DetectorError, match=r"no option `shrinkge`\. Did you mean `shrinkage`"):
        detector.recipe("gaussian_copula", shrinkge=0.1)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("gaussian_copula", {"shrinkage": 2.0}, "it must lie between 0.0 and 1.0"),
        ("gaussian_copula", {"shrinkage": "much"}, "it must be a number"),
        ("gaussian_copula", {"shrinkage": float("nan")}, "it must be finite"),
        ("gaussian_copula", {"whiten": 1}, "it must be true or false"),
        ("rbm", {"steps": 1.5}, "it must be a whole number"),
        ("rbm", {"steps": 0}, "it must be 1 at least"),
        ("rbm", {"method": "sgd"}, "it can be cd, pcd"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(name, options, said):
    with pytest.raises(DetectorError, match=said):
        detector.recipe(name, **options)


def test_an_unknown_recipe_is_answered_with_the_nearest():
    with pytest.raises(DetectorError, match=r"no recipe named `gausian`\. Did you mean `gaussian`"):
        detector.recipe("gausian")


def test_no_negative_number_of_rows(model):
    with pytest.raises(DetectorError, match="-1 rows cannot be drawn"):
        model.sample(-1, np.random.default_rng(0))


def test_data_that_is_no_table_is_refused():
    with pytest.raises(InputError, match="not read as rows and columns"):
        fitted("gaussian", 7)


def test_a_fit_takes_what_the_gate_takes(tmp_path):
    frame = numbers(60)
    path = tmp_path / "rows.parquet"
    pq.write_table(frame, path)
    wanted = rows(fitted("gaussian_copula", frame), 20)
    for data in (str(path), path, frame.to_pandas(), frame.to_pydict(), open_data(frame)):
        assert rows(fitted("gaussian_copula", data), 20).equals(wanted)


def test_a_model_is_found_by_its_recipe_only(tmp_path):
    fitted("gaussian", numbers(50)).save(tmp_path / "m")
    with pytest.raises(DetectorError, match="a model of `gaussian`, not `rbm`"):
        recipe_class("rbm").load(tmp_path / "m")


def test_saving_again_replaces_a_model_and_nothing_else(tmp_path):
    model = fitted("gaussian", numbers(50))
    model.save(tmp_path / "m")
    model.save(tmp_path / "m")
    assert isinstance(detector.load_model(tmp_path / "m"), FittedModel)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    with pytest.raises(DetectorError, match="`mine` exists and is no saved model"):
        model.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "words"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "mine"]


def test_gaussian_is_the_exact_maximum_of_the_likelihood():
    data = np.random.default_rng(0).gamma(2.0, size=(200, 3)) @ np.array(
        [[1.0, 0.5, 0.0], [0.0, 10.0, 2.0], [0.0, 0.0, 0.1]]
    )
    core = fitted("gaussian", data).source.core
    assert core.mean == pytest.approx(data.mean(axis=0))
    covariance = core.correlations * np.outer(core.spread, core.spread)
    assert covariance == pytest.approx(np.cov(data.T, bias=True))


def test_gaussian_draws_beyond_the_bounds_of_its_data():
    data = np.random.default_rng(0).standard_normal((30, 1))
    drawn = np.asarray(rows(fitted("gaussian", data), 4000)["c0"])
    assert drawn.max() > data.max()
    assert drawn.std() == pytest.approx(data.std(), rel=0.05)


def test_histogram_draws_levels_and_bins_by_their_shares():
    levels = ["a"] * 70 + ["b"] * 25 + [None] * 5
    table = pa.table({"c": levels, "x": np.r_[np.zeros(50), np.linspace(9, 10, 50)]})
    drawn = rows(fitted("histogram", table, bins=10), 8000)
    shares = {level: drawn["c"].to_pylist().count(level) / 8000 for level in ("a", "b", None)}
    assert shares == pytest.approx({"a": 0.7, "b": 0.25, None: 0.05}, abs=0.02)
    x = np.asarray(drawn["x"])
    assert ((x <= 1) | (x >= 9)).all()
    assert (x <= 1).mean() == pytest.approx(0.5, abs=0.03)


def test_kde_adds_the_square_of_its_bandwidth_to_the_variance():
    data = np.random.default_rng(0).standard_normal((400, 1))
    drawn = np.asarray(rows(fitted("kde", data, bandwidth=0.5), 8000)["c0"])
    assert drawn.var() == pytest.approx(data.var() + 0.25, rel=0.06)
    with pytest.raises(DetectorError, match="bandwidth is -1"):
        detector.recipe("kde", bandwidth=-1.0)
