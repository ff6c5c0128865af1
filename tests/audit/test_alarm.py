"""The band of healthy loops: its size, its power, and what it is made of."""

from __future__ import annotations

import numpy as np
import pytest

from detector.audits.alarm import _excess, _scale, rounds_needed, typical_change
from detector.audits.composed import Steps, compose
from detector.audits.lens import lens_of, log_det, moments
from detector.audits.null import draws_of
from detector.data.export import canonical_table
from detector.data.opening import open_data
from detector.stats import collapse_laws as laws
from tests.audit.normal_loops import alarm, steps


def lens(table, *, rows=400):
    dataset = open_data(table)
    return lens_of(canonical_table(dataset), dataset.schema, rows=rows), canonical_table(dataset)


def test_steps_that_change_nothing_compose_to_loops_that_stand_still():
    still = Steps(
        mean=np.zeros((3, 2)),
        cov=np.tile(np.eye(2), (3, 1, 1)),
        half_mean=np.zeros((3, 2)),
        half_cov=np.tile(np.eye(2), (3, 1, 1)),
    )
    rng = np.random.default_rng(0)
    draws = draws_of(rng.standard_normal((50, 2)), rows=50, rng=rng)
    for kind in ("replace", "accumulate"):
        path = compose(kind, still, draws, generations=6, rng=rng)
        assert np.abs(path - path[:, :1]).max() < 1e-8


def test_steps_that_halve_the_variance_halve_it_every_time():
    half = Steps(
        mean=np.zeros((3, 1)),
        cov=np.full((3, 1, 1), 0.5),
        half_mean=np.zeros((3, 1)),
        half_cov=np.full((3, 1, 1), 0.5),
    )
    rng = np.random.default_rng(0)
    draws = draws_of(rng.standard_normal((50, 1)), rows=50, rng=rng)
    path = compose("replace", half, draws, generations=4, rng=rng)[0]
    assert path - path[0] == pytest.approx(np.log(0.5) * np.arange(5), abs=1e-6)


def test_composed_replace_loops_have_the_wishart_drift():
    rng = np.random.default_rng(1)
    data = rng.standard_normal((2000, 10))
    bank = steps(data, rows=100, refits=200, rng=rng)
    found = compose("replace", bank, draws_of(data, rows=100, rng=rng), generations=5, rng=rng)
    mean, variance = laws.log_det_step(100, 10)
    # 200 refits know the drift to 0.033.
    assert np.diff(found, axis=1).mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / 200))


@pytest.mark.parametrize(
    ("rows", "columns", "needed"), [(100, 1, 429), (100, 3, 64), (100, 10, 5), (1000, 31, 2)]
)
def test_the_rounds_that_are_needed_are_those_of_the_normal_law(rows, columns, needed):
    assert rounds_needed(*laws.log_det_step(rows, columns)) == needed


@pytest.mark.parametrize(("rows", "columns"), [(250, 3), (100, 10), (500, 6)])
def test_sixteen_rounds_tell_the_rounds_that_are_needed_within_their_scatter(rows, columns):
    drift, noise = laws.log_det_step(rows, columns)
    found = []
    for seed in range(60):
        drawn = np.random.default_rng(seed).standard_normal((16, rows, columns))
        cov = np.stack([np.cov(one.T, bias=True) for one in drawn])
        still = np.zeros((16, columns))
        found.append(typical_change(Steps(mean=still, cov=cov, half_mean=still, half_cov=cov)))
    drifts, noises = np.array(found).T
    assert drifts.mean() == pytest.approx(drift, abs=4 * drifts.std() / np.sqrt(60) + 0.1 / rows)
    assert noises.mean() == pytest.approx(noise, rel=0.15)
    # The plain mean of sixteen changes scatters by a quarter of their standard deviation.
    assert drifts.std() < 0.25 * np.sqrt(noise)


def test_a_recipe_that_loses_spread_of_its_own_keeps_its_own_drift():
    cov = np.tile(0.5 * np.eye(2), (8, 1, 1))
    still = np.zeros((8, 2))
    found = typical_change(Steps(mean=still, cov=cov, half_mean=still, half_cov=cov))
    assert found == pytest.approx((2 * np.log(0.5), 0.0))


def test_a_path_between_no_change_and_the_healthy_mean_is_not_outside():
    scale = np.array([[[-1.0, 2.0], [0.5, 0.5], [0.25, 0.5], [0.0, 0.0]]])
    changes = np.array([[-1.0, 0.0], [0.0, 2.0], [-0.4, 1.0], [-2.0, -1.0], [0.5, 3.0]])
    found = [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [2.0, 2.0], [2.0, 2.0]]
    paths = 7.0 + np.column_stack([np.zeros(5), changes])
    assert _excess(paths, scale, 6.0).tolist() == found


def test_a_chain_that_began_far_out_is_expected_back():
    scale = np.array([[[-1.0], [0.5], [0.25], [-1.0]]])
    # It began 2 above the others, so the center of what healthy loops do is 2 further down.
    assert _excess(np.array([[2.0, -1.0], [2.0, -2.0]]), scale, 0.0).tolist() == [[0.0], [2.0]]


def test_new_rows_bring_a_chain_back_from_where_it_began_and_old_ones_do_not():
    rng = np.random.default_rng(2)
    data = rng.standard_normal((2000, 5))
    bank, draws = steps(data, rows=100, refits=60, rng=rng), draws_of(data, rows=100, rng=rng)
    leans = []
    for kind in ("fresh", "accumulate"):
        paths = compose(kind, bank, draws, generations=8, rng=rng)
        leans.append(_scale(paths, draws, 0.05)[3])
    # Half of where it began is left after each round; a thousand paths know it to 0.1.
    assert leans[0] == pytest.approx(-(1 - 0.5 ** np.arange(1, 9)), abs=0.2)
    assert leans[1] == pytest.approx(0.0, abs=0.2)


def test_where_chains_begin_says_nothing_where_all_rows_begin_them():
    rng = np.random.default_rng(2)
    data = rng.standard_normal((100, 5))
    bank, draws = steps(data, rows=100, refits=20, rng=rng), draws_of(data, rows=100, rng=rng)
    paths = compose("fresh", bank, draws, generations=3, rng=rng)
    assert _scale(paths, draws, 0.05)[3].tolist() == [0.0] * 3


def test_one_column_says_that_it_cannot_tell():
    found = alarm("replace", columns=1, generations=10, seed=1)
    assert found.generation is None
    assert not found.tells
    assert found.needed > 100


@pytest.mark.calibration
@pytest.mark.slow
def test_healthy_loops_raise_an_alarm_at_most_once_in_twenty(calibration_runs):
    runs = calibration_runs(bounded=40, full=400)
    for regime in ("accumulate", "fresh"):
        raised = sum(alarm(regime, seed=s).generation is not None for s in range(runs))
        assert raised <= runs * 0.05 + 3.3 * np.sqrt(runs * 0.05 * 0.95)


@pytest.mark.calibration
@pytest.mark.slow
@pytest.mark.parametrize(("replicates", "by", "asked"), [(1, 5, 0.8), (3, 4, 0.95)])
def test_loops_without_real_rows_are_seen_in_a_handful_of_rounds(
    replicates, by, asked, calibration_runs
):
    runs = calibration_runs(bounded=30, full=400)
    seen = [alarm("replace", replicates=replicates, seed=s).generation for s in range(runs)]
    early = np.mean([at is not None and at <= by for at in seen])
    assert early >= asked - 3.3 * np.sqrt(asked * (1 - asked) / runs)


def test_the_spread_is_the_log_determinant_of_scaled_columns():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 3)) @ rng.standard_normal((3, 3))
    seen, table = lens(rows)
    assert seen.plain
    spread = (np.quantile(rows, 0.75, axis=0) - np.quantile(rows, 0.25, axis=0)) / 1.349
    expected = np.linalg.slogdet(np.cov(rows.T, bias=True))[1] - 2 * np.log(spread).sum()
    assert seen.log_det(seen.moments(seen.view(table)).cov) == pytest.approx(expected, abs=0.02)


def test_a_column_that_repeats_another_is_no_axis():
    x = np.random.default_rng(0).standard_normal((200, 2))
    assert lens(np.column_stack([x, x[:, 0] * 3 + 1]))[0].axes == 2


def test_many_columns_are_seen_along_one_axis_for_every_four_rows():
    x = np.random.default_rng(0).standard_normal((40, 30))
    assert lens(x, rows=40)[0].axes == 10


def test_a_level_that_dies_out_costs_a_finite_amount():
    levels = np.array(["a"] * 60 + ["b"] * 40)
    seen, table = lens({"c": levels})
    whole = seen.log_det(seen.moments(seen.view(table)).cov)
    lost = seen.log_det(seen.moments(seen.view(table.slice(0, 60))).cov)
    assert whole - lost == pytest.approx(np.log(1.02 / 0.02), abs=1e-6)


def test_directions_without_variance_count_as_next_to_nothing():
    assert log_det(np.zeros((2, 2))) == pytest.approx(2 * np.log(1e-12))
    assert moments(np.ones((4, 2))).cov == pytest.approx(np.zeros((2, 2)))
