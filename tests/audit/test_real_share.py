"""The search for the fewest real rows: its laws, its words, its interval."""

from __future__ import annotations

import numpy as np
import pytest

from detector.audits.kept import Loops
from detector.audits.plan import Plan, Regime
from detector.audits.real_share import real_share, sentence
from detector.audits.result import prepare
from detector.data.opening import open_data
from detector.recipes import recipe
from detector.stats import collapse_laws as laws
from detector.stats.rising import mean_with_control
from tests.audit import recipes
from tests.audit.chains import silent
from tests.stats.rates import band


def normal(rows, columns=1, *, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns))


def searched(data, name="gaussian", *, kept=0.95, checkpoint=None, **asked):
    asked = {"rows": 40, "generations": 3, **asked}
    found = recipe(name) if isinstance(name, str) else name
    ground, plan = prepare(
        open_data(data, name="real"), found, Plan(**asked), checkpoint=checkpoint
    )
    return real_share(ground, plan, kept=kept, tell=silent)


@pytest.mark.parametrize("total", [np.inf, 150])
def test_the_recursion_without_real_rows_is_the_law_of_replace(total):
    kept = [laws.mixed_variance(50, 0, t, total=total) for t in (1, 2, 7)]
    first = kept[0]
    expected = [first * (1 - 1 / 50) ** (t - 1) for t in (1, 2, 7)]
    assert kept == pytest.approx(expected)
    assert first == pytest.approx(1 - 1 / 50 + (0 if np.isinf(total) else (1 - 1 / 50) / 149))


def test_the_recursion_settles_at_the_law_of_fresh_rows():
    for real in (2, 10, 50):
        settled = laws.mixed_variance(100, real, 3000)
        assert settled == pytest.approx(laws.fresh_variance(100, real / 100))


def test_a_training_of_real_rows_only_loses_what_its_first_fit_does():
    assert laws.mixed_variance(50, 50, 9) == pytest.approx(1 - 1 / 50)
    assert laws.mixed_variance(50, 50, 9, fixed=True) == pytest.approx(1 - 1 / 50)
    assert laws.mixed_variance(50, 50, 9, total=50, fixed=True) == pytest.approx(1.0)


@pytest.mark.calibration
@pytest.mark.slow
@pytest.mark.parametrize("regime", [Regime.FRESH, Regime.FIXED])
@pytest.mark.parametrize("real", [0, 2, 12])
def test_chains_keep_what_the_recursion_says(regime, real, calibration_runs):
    data = normal(120, 2, seed=3)
    plan = Plan(rows=40, generations=4, regime=regime, real_share=0.5)
    ground, _ = prepare(open_data(data), recipe("gaussian"), plan)
    loops = Loops.of(ground, plan)
    runs = calibration_runs(bounded=60, full=1000)
    chains = np.array([loops.chain(real, number) for number in range(runs)])
    expected = laws.mixed_variance(40, real, 5, total=120, fixed=regime is Regime.FIXED)
    found = mean_with_control(*chains.T)
    assert abs(found.value - expected) < 4 * found.error
    # The luck that is taken out is zero in expectation, and nearly all that chains scatter by.
    kept, luck = chains.T
    assert abs(luck.mean()) < 4 * luck.std() / np.sqrt(runs)
    assert found.error < 0.5 * kept.std() / np.sqrt(runs)


@pytest.mark.calibration
@pytest.mark.slow
def test_the_interval_holds_the_law_of_the_same_horizon_nineteen_times_in_twenty(calibration_runs):
    runs = calibration_runs(bounded=12, full=200)
    missed = 0
    for seed in range(runs):
        data = normal(200, 2, seed=[seed, 11])
        found = searched(data, kept=0.93, seed=seed)
        low, high = found["interval_rows"]
        missed += not (low is not None and low <= found["law_rows"])
        missed += not (high is None or found["law_rows"] <= high)
    assert missed <= band(runs)[1]


def test_a_recipe_that_fails_is_told():
    found = searched(normal(120), recipes.Failing(good=0))
    assert found["rows"] is None
    assert found["sentence"].startswith("No real share could be tried: the recipe failed")


def test_a_search_that_was_killed_goes_on_to_the_identical_result(tmp_path):
    data, asked = normal(120), {"rows": 20, "generations": 2}
    whole = searched(data, **asked)
    assert searched(data, **asked, checkpoint=tmp_path) == whole
    kept = sorted(tmp_path.rglob("real-share-*.json"))
    for path in kept[::2]:
        path.unlink()
    assert searched(data, **asked, checkpoint=tmp_path) == whole
    assert sorted(tmp_path.rglob("real-share-*.json")) == kept


def test_new_rows_are_used_where_there_are_enough_and_else_the_same_ones():
    assert searched(normal(120), rows=20, generations=2)["regime"] == "fresh"
    assert searched(normal(22), rows=20, generations=2)["regime"] == "fixed"


@pytest.mark.parametrize(
    ("best", "low", "high", "said"),
    [
        (8, 5, 12, "Keep at least 8 real rows or 8 % in every retraining, new ones each time, to "),
        (8, 5, 12, "(95 % interval 5 to 12 rows)"),
        (None, None, None, "Not even 50 real rows or 50 % in every retraining"),
        (0, 0, 0, "No real rows are needed to keep 95 % of the variance over 8 generations"),
        (1, 0, None, "cannot be told: none may do, and 50 real rows or 50 % may be too few"),
        (1, 0, 6, "At most 6 real rows or 6 % in every retraining"),
        (30, 2, None, "Keep more than 1 real row or 1 % in every retraining"),
    ],
)
def test_every_answer_has_its_words(best, low, high, said):
    found = {"rows": best, "interval_rows": [low, high], "most": 50, "regime": "fresh"}
    found |= {"kept": 0.95, "generations": 8, "points": [{}], "law_rows": 8, "law_for_ever": 0.1}
    told = sentence(found, rows=100)
    assert said in told
    assert told.endswith(
        "The law of normal data says 8 real rows or 8 % over as many generations and 10 % for ever."
    )
