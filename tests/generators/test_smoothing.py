from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp, norm

import detector
from generators.codec import Dimension
from generators.ranks import quantiles
from generators.smoothing import Smoothing
from tests.generators.tables import mixed


def smoothed(values, drawn=4_000, seed=0):
    """Return values at uniform positions, before and after smoothing."""
    ranks = quantiles(values)
    smoothing = Smoothing.learn((Dimension("x", "value", None, ranks),), len(values))
    uniform = np.random.default_rng(seed).uniform(-1, 1, (drawn, 1)).astype(np.float32)
    places = [(rows[:, 0].astype(float) + 1) / 2 for rows in (uniform, smoothing.apply(uniform))]
    return tuple(ranks.at(place) for place in places)


def drawn(kind, rows, seed=1):
    return getattr(np.random.default_rng(seed), kind)(size=rows)


def test_smooth_quantiles_are_closer_to_the_law_than_those_of_the_rows():
    jagged, smooth = [], []
    places = (np.arange(200) + 0.5) / 200
    for seed in range(20):
        before, after = smoothed(drawn("standard_normal", 250, seed), 40_000)
        for found, errors in ((before, jagged), (after, smooth)):
            steps = np.diff(np.quantile(found, places)) / np.diff(norm.ppf(places)) - 1
            errors.append(np.median(np.abs(steps)))
    assert np.mean(smooth) < 0.5 * np.mean(jagged)


def test_quantiles_that_are_normal_already_stay_where_they_are():
    exact = norm.ppf((np.arange(400) + 0.5) / 400)
    before, after = smoothed(exact)
    inside = np.abs(before) < 2
    assert np.abs(after - before)[inside].max() < 0.02


@pytest.mark.parametrize("kind", ["standard_normal", "standard_exponential", "uniform"])
def test_no_share_of_rows_moves_by_more_than_its_standard_error(kind):
    before, after = smoothed(drawn(kind, 300), 20_000)
    assert ks_2samp(before, after).statistic <= 0.5 / np.sqrt(300) + 0.01


def test_a_hole_stays_a_hole():
    rng = np.random.default_rng(0)
    values = np.r_[rng.normal(0, 1, 150), rng.normal(30, 1, 150)]
    _, after = smoothed(values)
    assert np.mean((after > 6) & (after < 24)) < 0.02


@pytest.mark.parametrize(
    "values",
    [
        np.r_[np.zeros(60), np.arange(1.0, 241.0)],  # a spike
        np.repeat(np.arange(10.0), 30),  # few values
        np.arange(3_000.0),  # many rows
        np.r_[np.arange(99.0), np.inf],
    ],
)
def test_spikes_steps_and_long_columns_stay_as_they_are(values):
    before, after = smoothed(values)
    assert np.array_equal(before, after)


def test_bounds_and_whole_numbers_are_kept():
    values = np.round(drawn("standard_normal", 300) * 100)
    _, after = smoothed(values)
    assert np.array_equal(after, np.round(after))
    assert values.min() <= after.min()
    assert after.max() <= values.max()


def test_a_loaded_model_draws_the_same_smooth_rows(tmp_path):
    model = detector.recipe("gaussian_copula").fit(mixed(200), np.random.default_rng(0))
    model.save(tmp_path / "model")
    again = detector.load_model(tmp_path / "model")
    tables = [one.sample(50, np.random.default_rng(1)).to_arrow() for one in (model, again)]
    assert tables[0].equals(tables[1])


def test_audits_leave_smoothing_out():
    table = pa.table({"x": drawn("standard_exponential", 200), "y": drawn("uniform", 200)})
    values = {}
    for rematch in (True, False):
        made = detector.recipe("gaussian_copula", rematch_marginals=rematch)
        model = made.fit(table, np.random.default_rng(0))
        values[rematch] = model.sample(200, np.random.default_rng(1)).to_arrow()["x"].to_numpy()
    assert not np.array_equal(values[True], values[False])
