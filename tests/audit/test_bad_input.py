"""Bad calls, bad recipes, odd tables: an error or a gap in a sentence, and nothing lost."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.errors import DetectorError
from detector.findings import Reason
from tests.audit import recipes
from tests.audit.quick import gaps, normal, quick


def test_options_rows_and_wrong_names_are_refused_in_one_line():
    said = {
        r"`generations` is 0\. Give a whole number from 1": {"generations": 0},
        r"`replicates` is 0": {"replicates": 0},
        r"there is no regime `replce`\. There are: replace": {"regime": "replce"},
        r"`fresh` needs a real share above 0": {"regime": "fresh"},
        r"`replace` has no real share to set": {"real_share": 0.1},
        r"`real_share` is 1.5": {"regime": "fixed", "real_share": 1.5},
        r"`worst:0.8` says nothing about which rows to keep": {"keep": "worst:0.8"},
        r"`threshold` is 2": {"threshold": 2.0},
        r"needs 400 = 400 real rows; there are 300, so 100 are missing": {"rows": 400},
        r"no recipe named `gausian`": {"recipe": "gausian"},
        r"`tests.audit.recipes:Nobody` cannot be imported": {
            "recipe": "tests.audit.recipes:Nobody"
        },
        r"a NoRecipe is no recipe: it has no `fit`": {"recipe": recipes.NoRecipe},
        r"the seed is -1": {"seed": -1},
    }
    for message, asked in said.items():
        with pytest.raises(DetectorError, match=message):
            quick(**asked)


def test_a_regime_that_runs_out_of_real_rows_says_how_many_are_missing():
    message = r"`fresh` needs 100 \+ 9 x 50 = 550 real rows; there are 120, so 430 are missing"
    with pytest.raises(DetectorError, match=message):
        quick(normal(120), regime="fresh", real_share=0.5, rows=100, generations=10)
    with pytest.raises(DetectorError, match="are missing"):
        quick(normal(120), regime="fresh", real_share=0.5, generations=10)


def test_five_rows_are_trained_on_and_nothing_is_promised():
    report = quick(normal(5))
    assert report.decision is detector.Decision.UNDECIDED
    assert (
        gaps(report)["training_log_det_change"].detail
        == "cannot tell: 5 rows in a generation, 20 needed"
    )
    assert report.trajectory.num_rows > 0


def test_one_row_is_refused():
    with pytest.raises(DetectorError, match="there is 1 real row; an audit needs 2"):
        quick(normal(1))


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (recipes.Short, "it returned 150 rows where 300 were asked for"),
        (recipes.NoNumbers, "values of `c0` that are no number"),
        (recipes.OtherColumns, "its sample lacks the column `c0`"),
        (recipes.Failing(good=0), "its fit failed (RuntimeError: out of luck)"),
    ],
)
def test_a_bad_recipe_ends_its_chains_and_says_why(recipe, said):
    report = quick(recipe=recipe)
    assert report.decision is detector.Decision.UNDECIDED
    found = gaps(report)
    assert said in found["chain_1"].detail
    assert found["chain_1"].reason is Reason.FIT_FAILED
    assert "no chain reached generation 1" in found["training_log_det_change"].detail
    assert report.trajectory.num_rows > 0  # the real rows were measured


def test_a_recipe_that_fails_later_keeps_what_was_computed():
    report = quick(recipe=recipes.Failing(good=2), replicates=1, generations=5)
    frame = report.trajectory.to_pandas()
    assert frame.generation.max() == 2
    assert report.audit["ended"] == [
        {"replicate": 1, "why": "generation 3: its fit failed (RuntimeError: out of luck)"}
    ]


def test_a_fit_that_never_ends_is_given_up():
    report = quick(recipe=recipes.Endless, fit_timeout=0.2, replicates=1)
    assert "its fit did not end within 0.2 seconds" in gaps(report)["chain_1"].detail


def test_a_table_in_which_nothing_varies_is_no_collapse():
    report = quick({"x": [1.0] * 40, "c": ["a"] * 40}, "bootstrap")
    assert gaps(report)["training_log_det_change"].reason is Reason.CONSTANT_COLUMN


@pytest.mark.parametrize("recipe", ["bootstrap", "gaussian", "gaussian_copula", "kde"])
@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x": [np.inf, -np.inf, *np.arange(38.0)]}),
        pa.table({"x": np.linspace(-1, 1, 40) * 1.7e308}),
        pa.table({"x": pa.array([None] * 30, pa.float64())}),
        pa.table({"b": [True, False, None] * 20}),
        pa.table({"a/b\n": np.linspace(0, 1, 40) ** 2, "<b>|": ["x<", "y|"] * 20}),
        pa.table({f"x{i}": np.sin(np.arange(40.0) * (i + 1)) for i in range(50)}),
    ],
    ids=["infinite", "huge", "missing", "booleans", "hostile", "wide"],
)
def test_odd_tables_are_audited_without_a_word(recipe, table):
    report = quick(table, recipe)
    for name in ("text", "html", "markdown", "junit", "sarif"):
        assert detector.render(report, name)
    assert detector.Report.from_json(report.to_json()) == report
