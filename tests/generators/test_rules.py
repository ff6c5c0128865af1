from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import detector
from detector.data.export import canonical_table
from detector.data.opening import open_data
from detector.data.schema import Kind
from detector.errors import DetectorError
from generators.rules.draw import RuleRows
from generators.rules.infer import infer_rules
from generators.rules.model import ColumnRule, Constraint, Dependence, Rules, Shape
from generators.rules.shapes import values_at
from generators.rules.text import read_rules, write_rules
from tests.generators.tables import mixed

TEXT = """
version = 1

[[column]]
name = "color"
kind = "category"
distribution = "choice"
values = ["red", "green"]
weights = [3, 1]

[[column]]
name = "low"
kind = "numeric"
distribution = "normal"
mean = 10
spread = 2
step = 0.5

[[column]]
name = "high"
kind = "integer"
distribution = "poisson"
mean = 12
missing = 0.1

[[column]]
name = "day"
kind = "datetime"
distribution = "uniform"
low = 2020-01-01
high = 2020-12-31
step = 86400

[[dependence]]
columns = ["low", "high"]
correlation = 0.8

[[condition]]
column = "low"
when = "color"
level = "green"
distribution = "constant"
value = 3.0

[[constraint]]
left = "low"
relation = "<="
right = "high"

[[constraint]]
left = "day"
relation = "!="
value = 2020-06-01
"""


def drawn(text=TEXT, n=4_000, seed=0):
    rules = read_rules(text, name="rules.toml")
    batch = RuleRows.by(rules, text).rows(n, np.random.default_rng(seed))
    return pa.Table.from_batches([batch])


def test_shares_conditions_constraints_and_gaps_are_kept():
    table = drawn()
    color = np.array(table["color"].to_pylist())
    low = np.asarray(table["low"])
    high = np.asarray(table["high"].combine_chunks().cast("float64").fill_null(np.nan))
    there = ~np.isnan(high)
    assert (low[there] <= high[there]).all()
    assert set(low[color == "green"]) == {3.0}
    assert np.array_equal(low * 2, np.round(low * 2))
    assert 0.05 < np.mean(~there) < 0.2
    red = there & (color == "red")
    assert np.corrcoef(low[red], high[red])[0, 1] > 0.6
    days = np.asarray(table["day"]) / 86_400
    assert np.array_equal(days, np.round(days))
    assert not np.any(np.asarray(table["day"]) == 1_590_969_600.0)
    assert np.datetime64("2020-01-01") <= np.min(days.astype("datetime64[D]"))


@given(st.integers(0, 1_000))
def test_rules_that_are_written_are_read_again(seed):
    rng = np.random.default_rng(seed)
    name = "".join(map(chr, rng.integers(1, 500, 4)))
    rules = Rules(
        columns=(
            ColumnRule(
                name=name,
                kind=Kind.NUMERIC,
                missing=float(rng.random()),
                shape=Shape(distribution="normal", given={"mean": rng.normal(), "spread": 1e-30}),
            ),
            ColumnRule(
                name='a "quoted"\n\\name\x7f',
                kind=Kind.CATEGORY,
                shape=Shape(distribution="choice", given={"values": ["é", "\t", "𝄞"]}),
            ),
        ),
        dependences=(Dependence(columns=(name, 'a "quoted"\n\\name\x7f'), correlation=0.25),),
        constraints=(Constraint(left=name, relation="<", value=1.5),),
    )
    assert read_rules(write_rules(rules), name="x") == rules


def test_inferred_rules_describe_the_table():
    dataset = open_data(mixed(3_000))
    rules = infer_rules(canonical_table(dataset), dataset.schema)
    assert rules.schema == dataset.schema
    found = {rule.name: rule.shape.distribution for rule in rules.columns}
    assert found == {
        "height": "normal",
        "price": "lognormal",
        "age": "normal",
        "bill": "quantiles",
        "weight": "normal",
        "color": "choice",
        "flag": "choice",
        "when": "uniform",
        "same": "constant",
        "gone": "constant",
        "image": "normal",
        "user_id": "keys",
        "comment": "keys",
    }
    assert rules.column("weight").missing == pytest.approx(0.2, abs=0.03)
    strong = {frozenset(one.columns): one.correlation for one in rules.dependences}
    assert strong[frozenset({"height", "age"})] == pytest.approx(0.99, abs=0.01)
    assert abs(strong[frozenset({"height", "flag"})]) == pytest.approx(0.7, abs=0.05)


def test_an_order_between_columns_is_found_and_kept():
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 100, 500)
    table = pa.table({"start": start, "end": start + rng.exponential(5, 500)})
    model = detector.recipe("rules").fit(table, np.random.default_rng(0))
    assert model.source.rules.constraints == (Constraint(left="start", relation="<=", right="end"),)
    rows = model.sample(2_000, np.random.default_rng(1)).to_arrow()
    assert (np.asarray(rows["start"]) <= np.asarray(rows["end"])).all()


def test_inferred_rules_draw_the_correlations():
    table = mixed(3_000).select(["height", "age", "price", "flag"])
    model = detector.recipe("rules").fit(table, np.random.default_rng(0))
    rows = model.sample(5_000, np.random.default_rng(1)).to_arrow()
    real, made = (
        np.corrcoef(np.asarray(t["height"]), np.asarray(t["age"], float))[0, 1]
        for t in (table, rows)
    )
    assert made == pytest.approx(real, abs=0.02)


def test_a_file_of_rules_is_used(tmp_path):
    (tmp_path / "rules.toml").write_text(TEXT)
    table = drawn(n=50)
    days = np.asarray(table["day"]).astype("datetime64[s]")
    data = table.set_column(3, "day", pa.array(days))
    model = detector.recipe("rules", file=str(tmp_path / "rules.toml")).fit(
        data, np.random.default_rng(0)
    )
    assert model.log.facts["constraints"] == 2
    assert model.sample(10, np.random.default_rng(0)).schema == open_data(data).schema


def test_rules_for_other_columns_are_refused(tmp_path):
    (tmp_path / "rules.toml").write_text(TEXT)
    recipe = detector.recipe("rules", file=str(tmp_path / "rules.toml"))
    with pytest.raises(DetectorError, match="The rules have no column `height`"):
        recipe.fit(mixed(20), np.random.default_rng(0))


def test_a_missing_file_is_said():
    with pytest.raises(DetectorError, match=r"`none\.toml` cannot be read: No such file"):
        detector.recipe("rules", file="none.toml").fit(mixed(20), np.random.default_rng(0))


def test_constraints_that_cannot_be_kept_are_said():
    text = TEXT.replace('relation = "<="', 'relation = ">"').replace("mean = 12", "mean = 1e6")
    with pytest.raises(DetectorError, match="`low > high` are too rare"):
        drawn(text, n=100)


COLUMN = 'version = 1\n[[column]]\nname = "x"\nkind = "numeric"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = ", "is not TOML"),
        ("a = 1", "has rules version None; this release reads 1"),
        ("version = 1", r"there is no \[\[column\]\]"),
        ("version = 1\n[[colum]]", r"no \[\[colum\]\] \(did you mean `column`\?\)"),
        ("version = 1\ncolumn = 3", r"must be written as \[\[column\]\]"),
        ('version = 1\n[[column]]\nkind = "text"', "column 1 has no name"),
        (COLUMN.replace("numeric", "number"), "has the kind 'number'; there are numeric"),
        (COLUMN + 'distribution = "norml"', "has the distribution 'norml'; there are uniform"),
        (COLUMN + 'distribution = "normal"', "normal needs `mean`; column `x`: normal needs `sp"),
        (COLUMN + 'distribution = "constant"\nvalue = 1\nmaen = 2', "constant takes no `maen`"),
        (COLUMN + 'distribution = "normal"\nmean = "a"\nspread = 1', "`mean` must be a number"),
        (COLUMN + 'distribution = "normal"\nmean = 1\nspread = -1', "`spread` must not be negat"),
        (COLUMN + 'distribution = "uniform"\nlow = 2\nhigh = 1', "`low` is above `high`"),
        (COLUMN + 'distribution = "constant"\nvalue = 1\nmissing = 2', "`missing` must be a share"),
        (COLUMN + 'distribution = "poisson"\nmean = -1', "`mean` must not be negative"),
        (COLUMN + 'distribution = "choice"\nvalues = []', "`values` must be a list of numbers"),
        (COLUMN + 'distribution = "choice"\nvalues = [1]\nweights = [0]', "numbers from 0, one"),
        (COLUMN + 'distribution = "choice"\nvalues = [1]\nweights = [1, 2]', "as many as"),
        (COLUMN.replace("numeric", "boolean") + 'distribution = "poisson"\nmean = 1', "levels"),
        (COLUMN.replace("numeric", "text") + 'distribution = "constant"\nvalue = 1', "is keys"),
        (TEXT + '[[dependence]]\ncolumns = ["low"]\ncorrelation = 0', "two different names"),
        (TEXT.replace("0.8", "1.5"), "`correlation` lies between -1 and 1"),
        (TEXT.replace('"low", "high"', '"low", "hihg"'), r"'hihg'.* \(did you mean `high`\?\)"),
        (TEXT.replace('level = "green"', 'level = "gren"'), "'gren' is none of its levels"),
        (TEXT.replace('when = "color"', 'when = "high"'), "the condition on `high` needs a cate"),
        (TEXT.replace('relation = "<="', 'relation = "=<"'), "has the relation '=<'"),
        (TEXT.replace('right = "high"', 'right = "high"\nvalue = 3'), "either `right`, a column,"),
        (TEXT.replace('right = "high"', 'right = "color"'), "orders `color`, which has no order"),
        (TEXT.replace('right = "high"', 'value = "a"'), "compares `low` with 'a', which is no"),
    ],
)
def test_faults_are_named(text, said):
    with pytest.raises(DetectorError, match=said):
        read_rules(text, name="rules.toml")


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        (Shape(distribution="uniform", given={"low": 2, "high": 4}), [2.5, 3.0, 3.5]),
        (Shape(distribution="normal", given={"mean": 5, "spread": 2}), [3.651, 5.0, 6.349]),
        (Shape(distribution="lognormal", given={"mean": 0, "spread": 1}), [0.5094, 1.0, 1.963]),
        (Shape(distribution="exponential", given={"mean": 2, "low": 1}), [1.575, 2.386, 3.773]),
        (Shape(distribution="poisson", given={"mean": 3}), [2, 3, 4]),
        (Shape(distribution="quantiles", given={"values": [0, 1, 9]}), [0.5, 1.0, 5.0]),
        (Shape(distribution="choice", given={"values": [1, 7], "weights": [1, 3]}), [7, 7, 7]),
        (Shape(distribution="constant", given={"value": 4}), [4, 4, 4]),
        (Shape(distribution="normal", given={"mean": 5, "spread": 2, "low": 4}), [4, 5, 6.349]),
        (Shape(distribution="uniform", given={"low": 2, "high": 4, "step": 1}), [2, 3, 4]),
    ],
)
def test_values_at_the_quartiles_by_hand(shape, wanted):
    found = values_at(shape, np.array([0.25, 0.5, 0.75]), None)
    assert found == pytest.approx(wanted, abs=1e-3)
