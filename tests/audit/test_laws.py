"""The engine against the exact laws of recursive training."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from detector.stats import collapse_laws as laws
from tests.audit.chains import chains, off, ratio, real_variance, training_variance

pytestmark = [pytest.mark.calibration, pytest.mark.slow]


def normal(rows, columns=1, *, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns))


def test_log_variance_under_replace_walks_with_the_drift_and_noise_of_a_chi_square(
    calibration_runs,
):
    found = chains(normal(100), generations=8, replicates=calibration_runs(bounded=60, full=1000))
    steps = np.diff(np.log(training_variance(found)), axis=1).ravel()
    mean, variance = laws.log_variance_step(100)
    assert abs(off(steps, mean)) < 4
    assert abs(off(np.square(steps - mean), variance)) < 4


def test_log_det_of_ten_columns_under_replace_has_the_wishart_drift(calibration_runs):
    found = chains(
        normal(100, 10), generations=4, replicates=calibration_runs(bounded=50, full=1000)
    )
    values = np.array([[g.measures["log_det"] for g in chain.generations] for chain in found])
    steps = np.diff(values, axis=1).ravel()
    mean, variance = laws.log_det_step(100, 10)
    assert abs(off(steps, mean)) < 4
    assert abs(off(np.square(steps - mean), variance)) < 4


def test_accumulate_follows_its_product(calibration_runs):
    data = normal(10)
    runs = calibration_runs(bounded=120, full=4000)
    found = chains(data, "gaussian", "accumulate", generations=8, replicates=runs)
    kept = ratio(found)[:, 1:] * laws.accumulate_variance(10, 1)
    for step in (1, 3, 8):
        expected = laws.accumulate_variance(10, step + 1)
        assert abs(off(kept[:, step - 1], expected)) < 4


def test_accumulate_subsample_follows_its_recursion(calibration_runs):
    data = normal(10)
    runs = calibration_runs(bounded=150, full=4000)
    found = chains(data, "gaussian", "accumulate_subsample", generations=6, replicates=runs)
    # Everything is in proportion to the variance of the rows that the loop begins with.
    kept = ratio(found) * laws.accumulate_subsample_variance(10, 1)
    for step in (1, 3, 6):
        expected = laws.accumulate_subsample_variance(10, step + 1)
        assert abs(off(kept[:, step], expected)) < 4


def test_fresh_rows_hold_the_variance_at_its_limit(calibration_runs):
    share, runs = 0.1, calibration_runs(bounded=30, full=400)
    data = normal(2000 + 100)
    found = chains(
        data, "gaussian", "fresh", generations=40, replicates=runs, rows=100, real_share=share
    )
    settled = training_variance(found)[:, 20:].mean(axis=1) / real_variance(data)
    # The real rows are drawn from these 2,100: their own variance is the true one.
    assert abs(off(settled, laws.fresh_variance(100, share))) < 4


def test_fixed_rows_hold_it_at_another(calibration_runs):
    share, runs = 0.1, calibration_runs(bounded=40, full=1000)
    data = normal(100, seed=3)
    found = chains(data, "gaussian", "fixed", generations=40, replicates=runs, real_share=share)
    unit = data.var() / real_variance(data)
    settled = training_variance(found)[:, 20:].mean(axis=1) * unit
    real = np.array([_fixed_variance(data, k) for k in range(1, runs + 1)])
    assert abs(off(settled / real, laws.fixed_variance(100, share))) < 4


def _fixed_variance(data, replicate):
    """Return the variance of the real rows that stay: a random tenth of the data."""
    from detector.data.opening import open_data
    from detector.recipes import row_hashes
    from detector.rng import stream

    rows = data[np.argsort(row_hashes(open_data(data)), kind="stable"), 0]
    order = stream(0, "audit", f"chain-{replicate}", "real").permutation(len(data))
    return rows[order[: len(data) // 10]].var()


def test_rare_levels_die_out_as_often_as_drift_at_random_has_it(calibration_runs):
    runs = calibration_runs(bounded=200, full=4000)
    table = pa.table({"c": ["common"] * 95 + ["rare"] * 5})
    found = chains(table, "histogram", generations=10, replicates=runs)
    for t in (2, 5, 10):
        dead = np.mean([c.generations[t].measures["levels_kept"] < 1.0 for c in found])
        # The common level dies with next to no probability by then.
        p = laws.extinct(100, 5, t)
        assert abs(dead - p) < 4 * np.sqrt(p * (1 - p) / runs)


def test_diversity_of_categories_falls_by_one_in_n_each_generation(calibration_runs):
    runs = calibration_runs(bounded=100, full=2000)
    table = pa.table({"c": [f"level {i % 10}" for i in range(50)]})
    found = chains(table, "histogram", generations=6, replicates=runs)
    gini = np.array([[g.measures["gini"] for g in chain.generations] for chain in found])
    assert abs(off(gini[:, 6], (1 - 1 / 50) ** 6 * 0.9)) < 4


def test_a_kernel_density_loop_spreads_out_to_its_fixed_point(calibration_runs):
    data = normal(100)
    runs = calibration_runs(bounded=60, full=1000)
    found = chains(data, "kde", generations=10, replicates=runs, options={"bandwidth": 0.5})
    variance = np.exp([[g.measures["log_det"] for g in chain.generations] for chain in found])
    for t in (1, 5, 10):
        expected = laws.kde_variance(100, 0.5, t, start=data.var())
        assert abs(off(variance[:, t], expected)) < 4


def test_temperature_multiplies_the_variance_of_every_round(calibration_runs):
    runs = calibration_runs(bounded=60, full=1000)
    found = chains(normal(100), generations=5, replicates=runs, temperature=0.9)
    steps = np.diff(np.log(training_variance(found)), axis=1).ravel()
    assert abs(off(steps, np.log(0.9) + laws.log_variance_step(100)[0])) < 4
