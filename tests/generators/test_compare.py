from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.data.opening import open_data
from detector.errors import DetectorError
from detector.recipes import row_hashes
from detector.rng import stream
from generators.cli import run
from generators.comparing import page, text, words
from generators.comparing.apart import Sample, told_apart
from generators.comparing.compare import compare
from generators.comparing.contest import REAL, Part, entries
from generators.comparing.halves import halves
from generators.comparing.kept import levels_kept, modes_kept, tails_kept
from generators.comparing.matrix import Coder, filled
from tests.generators.tables import mixed, numbers

MOONS = 240


def moons(rows: int = MOONS):
    rng = np.random.default_rng(0)
    turn, side = rng.uniform(0, np.pi, rows), rng.integers(0, 2, rows)
    x = np.where(side, 1 - np.cos(turn), np.cos(turn)) + 0.05 * rng.standard_normal(rows)
    y = np.where(side, 0.5 - np.sin(turn), np.sin(turn)) + 0.05 * rng.standard_normal(rows)
    return pa.table({"x": x, "y": y, "side": np.where(side, "low", "high")})


@pytest.fixture(scope="module", autouse=True)
def _few_trees():
    """Seconds, not minutes: what is tested here does not depend on how many trees there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("generators.comparing.apart.TREES", 30)
        patch.setattr("generators.comparing.apart.ROUNDS", 15)
        yield


@pytest.fixture(scope="module")
def contest():
    chosen = entries(["bootstrap", "qbm"], {"qbm": {"steps": 3, "qubits": 6, "hidden": 2}})
    return compare(open_data(moons(), name="moons"), chosen, seed=1)


def found(contest, label):
    return contest.named(label).fidelity


def test_the_floor_the_baseline_and_the_untrained_circuit_are_always_there(contest):
    labels = [(row.entry.label, row.entry.part) for row in contest.rows]
    assert labels == [
        (REAL, Part.FLOOR),
        ("gaussian_copula", Part.BASELINE),
        ("bootstrap", Part.ASKED),
        ("qbm", Part.ASKED),
        ("qbm, untrained", Part.UNTRAINED),
    ]
    assert contest.named("qbm, untrained").entry.options["steps"] in {0, 1}


def test_real_rows_cannot_be_told_from_real_rows(contest):
    areas = found(contest, REAL).areas
    assert abs(areas.mean.value - 0.5) < 0.1
    assert areas.mean.value == pytest.approx((areas.forest.value + areas.boosted.value) / 2)


def test_a_copula_of_moons_is_told_apart(contest):
    assert found(contest, "gaussian_copula").areas.mean.interval[0] > 0.55


def test_bootstrap_copies_everything_and_the_real_half_nothing(contest):
    assert found(contest, "bootstrap").copies == 1.0
    assert found(contest, REAL).copies == 0.0


def test_costs_are_measured(contest):
    for row in contest.rows[1:]:
        assert row.cost.fit_cpu_seconds >= 0
        assert row.cost.rows_per_second > 100
    assert contest.named(REAL).cost is None


def test_the_same_seed_gives_the_same_figures(contest):
    again = compare(open_data(moons(), name="moons"), entries(["bootstrap"]), seed=1)
    for label in (REAL, "gaussian_copula", "bootstrap"):
        assert found(again, label) == found(contest, label)


def test_a_recipe_that_fails_is_a_row_with_the_reason(monkeypatch):
    from generators.recipes.bootstrap import Bootstrap

    def broken(*_, **__):
        raise ArithmeticError("nothing adds up")

    monkeypatch.setattr(Bootstrap, "fit", broken)
    contest = compare(open_data(moons(60)), entries(["bootstrap", "gaussian"]), seed=0)
    row = contest.named("bootstrap")
    assert row.reason == "an unexpected ArithmeticError: nothing adds up"
    assert row.fidelity is None
    assert found(contest, "gaussian") is not None
    assert "failed: an unexpected ArithmeticError" in text.render(contest)
    assert "Failed: an unexpected ArithmeticError" in page.render(contest)


def test_a_recipe_whose_packages_are_missing_says_what_to_install(monkeypatch):
    monkeypatch.setattr("detector.recipes.missing_packages", lambda kind: kind.needs)
    monkeypatch.setattr("generators.comparing.contest.missing_packages", lambda kind: kind.needs)
    contest = compare(open_data(moons(60)), entries(["qcbm"]), seed=0)
    assert [row.entry.label for row in contest.rows] == [REAL, "gaussian_copula", "qcbm"]
    assert "needs cirq" in contest.named("qcbm").reason
    assert "pip install" in contest.named("qcbm").reason


def test_groups_stay_whole():
    table = numbers(200, 2).append_column("who", pa.array([f"p{i % 20}" for i in range(200)]))
    data = open_data(table, roles={"who": "group"})
    train, unseen = halves(data, stream(0, "x"))
    assert not set(train.groups) & set(unseen.groups)
    assert len(train.groups) + len(unseen.groups) == 200
    contest = compare(data, entries(["gaussian"]), seed=0)
    assert contest.group == "who"
    assert contest.columns == 2


def test_one_huge_group_leaves_both_halves_some_groups():
    who = ["huge"] * 150 + [f"p{i % 8}" for i in range(50)]
    data = open_data(numbers(200, 2).append_column("who", pa.array(who)), roles={"who": "group"})
    for seed in range(20):
        train, unseen = halves(data, stream(seed, "x"))
        assert min(len(set(train.groups)), len(set(unseen.groups))) >= 1
        assert not set(train.groups) & set(unseen.groups)


def test_halves_hold_every_row_once():
    data = open_data(numbers(101, 3))
    train, unseen = halves(data, stream(0, "x"))
    held = np.concatenate([row_hashes(train.rows), row_hashes(unseen.rows)])
    assert sorted(held) == sorted(row_hashes(data))
    assert abs(train.table.num_rows - unseen.table.num_rows) == 1


def test_progress_rises_from_row_to_row_and_tells_the_losses():
    told = []
    chosen = entries(["rbm"], {"rbm": {"steps": 60}})
    compare(open_data(moons(60)), chosen, tell=lambda *heard: told.append(heard))
    shares = [done for _, done in told]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] < 1.0
    assert any(words.startswith("rbm: ") for words, _ in told)


@pytest.mark.parametrize("rows", [0, 1, 39])
def test_too_few_rows_are_refused(rows):
    with pytest.raises(DetectorError, match=f"has {rows} rows; comparing needs 40"):
        compare(open_data(numbers(60, 2).slice(0, rows)), entries(["gaussian"]))


def test_too_few_groups_are_refused():
    table = numbers(60, 2).append_column("who", pa.array(["a", "b", "c"] * 20))
    with pytest.raises(DetectorError, match="3 groups; comparing needs 8"):
        compare(open_data(table, roles={"who": "group"}), entries(["gaussian"]))


def test_nothing_but_ids_is_refused():
    data = open_data({"key": [f"k{i}" for i in range(60)]}, roles={"key": "id"})
    with pytest.raises(DetectorError, match="no columns to compare"):
        compare(data, entries(["gaussian"]))


def test_every_kind_of_column_is_compared():
    contest = compare(open_data(mixed(120), name="mixed"), entries(["gaussian"]), seed=0)
    assert found(contest, "gaussian").areas.mean.value > 0.4
    assert 0.0 < found(contest, "gaussian").levels <= 1.0


ODD = {
    "constant": {"a": [1.0] * 60, "b": ["x"] * 60},
    "empty": {"a": [None] * 60, "b": list(range(60))},
    "infinite": {"a": [float("inf"), 1.0, 2.0] * 20, "b": list(range(60))},
    "levels": {"a": [f"level {i}" for i in range(60)], "b": [0.5, 1.5] * 30},
    "booleans": {"a": [True, False, None] * 20},
}


@pytest.mark.parametrize("name", ODD)
def test_odd_columns_give_figures_or_a_reason(name):
    kinds = {"a": "category"} if name == "levels" else {}
    data = open_data(pa.table(ODD[name]), kinds=kinds)
    contest = compare(data, entries(["gaussian"]), seed=0)
    assert np.isfinite(found(contest, REAL).areas.mean.value)
    for row in contest.rows:
        assert (row.fidelity is None) == bool(row.reason)
        assert "unexpected" not in row.reason
    assert page.render(contest)


# The statistics, by hand


def test_separate_samples_have_an_area_of_one():
    x, y = np.arange(50.0)[:, None], np.arange(50.0)[:, None] + 100
    areas = told_apart(Sample(rows=x), Sample(rows=y), np.random.default_rng(0))
    assert areas.mean.value == 1.0
    assert areas.mean.interval[0] > 0.9


def test_rows_of_one_group_widen_the_interval():
    rng = np.random.default_rng(0)
    person = rng.standard_normal((20, 2)).repeat(20, axis=0)
    real = person + 0.1 * rng.standard_normal(person.shape)
    drawn = rng.standard_normal(person.shape)
    groups = np.arange(20).repeat(20)
    wide, narrow = (
        told_apart(Sample(rows=real, groups=known), Sample(rows=drawn), np.random.default_rng(1))
        for known in (groups, None)
    )
    assert np.diff(wide.mean.interval) > 1.5 * np.diff(narrow.mean.interval)


def test_a_lost_level_and_a_lost_region_are_named():
    rng = np.random.default_rng(0)
    real = np.column_stack([rng.integers(0, 4, 400), rng.random(400)]).astype(float)
    drawn = real.copy()
    drawn[:, 0] = np.minimum(drawn[:, 0], 2)
    drawn[:, 1] *= 0.8
    kept = levels_kept(real, drawn, np.array([True, False]), ("level", "number"))
    assert kept.columns == ("level", "number")
    assert kept.value == kept.interval[0] == kept.interval[1] == pytest.approx(1 - 2 / 12)


def test_missing_is_a_level():
    real = np.array([[1.0], [2.0], [np.nan], [np.nan]]).repeat(30, axis=0)
    drawn = np.array([[1.0], [2.0]]).repeat(60, axis=0)
    assert levels_kept(real, real, np.array([False]), ("x",))[:3] == (1.0, (1.0, 1.0), ())
    assert levels_kept(real, drawn, np.array([False]), ("x",)).columns == ("x",)


def test_a_lost_mode_is_counted():
    rng = np.random.default_rng(0)
    corner = rng.integers(0, 2, (400, 2))
    real = corner + 0.05 * rng.random((400, 2))
    drawn = real[corner.sum(axis=1) < 2]
    none = np.array([False, False])
    assert modes_kept(real, real, none, seed=0)[:2] == (1.0, (1.0, 1.0))
    kept = modes_kept(real, drawn, none, seed=0)
    assert kept.value == pytest.approx(0.75, abs=0.1)
    assert kept.interval[0] <= kept.value <= kept.interval[1]


def test_tails_that_are_cut_are_seen_and_named():
    real = np.column_stack([np.arange(1000.0), np.arange(1000.0)])
    drawn = np.column_stack([np.arange(1000.0), np.clip(np.arange(1000.0), 200, 800)])
    kept = tails_kept(real, drawn, np.array([False, False]), ("a", "b"))
    assert kept.value == pytest.approx(0.5)
    assert (kept.columns, kept.least) == (("b",), 0.0)
    assert 0.35 < kept.interval[0] < 0.5 < kept.interval[1] < 0.7


def test_without_ordered_columns_there_are_no_tails():
    rows = np.zeros((50, 1))
    assert tails_kept(rows, rows, np.array([True]), ("a",)) == (1.0, (1.0, 1.0), (), 1.0)


def test_levels_are_numbered_by_their_counts_and_unknown_ones_come_last():
    data = open_data({"c": ["b", "b", "a", None]}, kinds={"c": "category"})
    table = data.to_arrow()
    coder = Coder.learn(table, data.schema.compared)
    assert coder.numbers(table)[:3, 0].tolist() == [0, 0, 1]
    other = open_data({"c": ["z", "a"]}, kinds={"c": "category"}).to_arrow()
    assert coder.numbers(other)[:, 0].tolist() == [2, 1]


def test_filled_rows_are_finite_and_missing_is_below_all():
    rows = np.array([[1.0, np.nan], [np.inf, np.nan], [np.nan, np.nan], [-np.inf, np.nan]])
    full = filled(rows)
    assert np.isfinite(full).all()
    assert full[2, 0] < full[3, 0] < full[0, 0] < full[1, 0]


# What is shown


def test_the_terminal_table_fits_eighty_columns(contest):
    drawn = text.render(contest)
    assert max(map(len, drawn.splitlines())) <= 80
    assert "\x1b" not in drawn
    assert "real half" in drawn
    assert "qbm, untrained" in drawn
    assert "\x1b" in text.render(contest, color=True)
    assert text.render(contest, unicode=False).isascii()


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href"}]


def test_the_page_is_one_file_without_script_or_network(contest):
    drawn = page.render(contest)
    seen = Page()
    seen.feed(drawn)
    assert "script" not in seen.tags
    assert seen.links == ["#main"]
    assert "@import" not in drawn
    assert "url(" not in drawn
    assert re.search(r"default-src 'none'", drawn)
    assert drawn.count("<circle") == len(contest.rows)


def test_hostile_names_stay_text():
    table = pa.table({"<script>x</script>": np.arange(60.0), "b": np.arange(60.0) % 7})
    data = open_data(table, name="<img src=x>\x1b[31m")
    contest = compare(data, entries(["gaussian"]), seed=0)
    assert "<img" not in page.render(contest)
    assert "<script" not in page.render(contest)
    assert "\x1b" not in text.render(contest)


def test_what_is_not_all_is_never_called_all():
    assert words.share(0.9999) == ">99%"
    assert words.share(1.0) == "100%"
    assert words.share(0.0001, digits=1) == "<0.1%"
    assert words.share(0.0, digits=1) == "0.0%"


def test_differences_within_the_noise_are_called_that(contest):
    said = " ".join(words.readings(contest))
    assert "its untrained circuit" in said
    assert "gaussian_copula" in said


def test_whoever_copies_is_told_on(contest):
    said = {line.partition(":")[0]: line for line in words.readings(contest)}
    assert "100.0% of its rows copy a training row" in said["bootstrap"]
    assert "copy" not in said["qbm"]


# The command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    pq.write_table(moons(80), "real.parquet")
    return tmp_path


def test_the_command_prints_and_writes(folder, capsys):
    line = ["compare", "real.parquet", "--recipes", "gaussian,bootstrap", "-n", "50"]
    assert run([*line, "--html", "c.html", "--json", "c.json"]) == 0
    out = capsys.readouterr().out
    assert "40 rows, held against 40 unseen ones; 50 rows drawn" in " ".join(out.split())
    assert "Written: c.html" in out
    plain = json.loads((folder / "c.json").read_text())
    assert [row["entry"]["label"] for row in plain["rows"]] == [
        REAL,
        "gaussian_copula",
        "gaussian",
        "bootstrap",
    ]
    assert 0 < plain["rows"][0]["fidelity"]["areas"]["mean"]["value"] < 1
    assert (folder / "c.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.usefixtures("folder")
def test_options_reach_their_recipe(capsys):
    line = ["compare", "real.parquet", "--recipes", "gaussian_copula", "-q", "--json", "c.json"]
    assert run([*line, "--option", "gaussian_copula.shrinkage=0.5"]) == 0
    with open("c.json") as file:  # noqa: PTH123 - in the folder of the test
        rows = json.load(file)["rows"]
    assert rows[2]["entry"]["options"] == {"shrinkage": 0.5}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["none.csv", "--recipes", "gaussian"], "none.csv"),
        (["real.parquet", "--recipes", "gausian"], "Did you mean `gaussian`"),
        (["real.parquet", "--recipes", ","], "there is no name in it"),
        (["real.parquet"], "Missing option '--recipes'"),
        (["real.parquet", "--recipes", "gaussian", "--option", "x=1"], "RECIPE.NAME=VALUE"),
        (["real.parquet", "--recipes", "gaussian", "--option", "rbm.steps=1"], "not among"),
        (["real.parquet", "--recipes", "rbm", "--option", "rbm.stps=1"], "no option `stps`"),
        (["real.parquet", "--recipes", "gaussian", "--html", "no/c.html"], "no place for a file"),
        (["real.parquet", "--recipes", "gaussian", "--json", "real.parquet"], "already uses"),
        (["real.parquet", "--recipes", "gaussian", "-n", "3"], "3 is not in the range"),
        (["real.parquet", "--recipes", "gaussian", "--role", "who"], "COLUMN=WORD"),
        (["real.parquet", "--recipes", "gaussian", "--role", "who=group"], "who"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_mistake_is_one_line_and_exit_code_two(capsys, line, said):
    assert run(["compare", *line]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") <= 4  # click adds its usage


@pytest.mark.usefixtures("folder")
def test_control_c_is_one_word(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("generators.comparing.compare.told_apart", interrupted)
    assert run(["compare", "real.parquet", "--recipes", "gaussian"]) == 130
    assert capsys.readouterr().err.strip() == "generators: stopped."
