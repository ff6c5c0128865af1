from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr

import detector
from detector.data.export import canonical_table
from detector.data.opening import open_data
from generators.codec import Codec
from generators.filling import filled
from generators.latent import NormalScores, correlations, positive_definite
from generators.whitening import Rematch, Whitening
from tests.generators.tables import mixed, numbers


def encoded(table):
    dataset = open_data(table)
    codec = Codec.learn(canonical_table(dataset), dataset.schema)
    return codec, *codec.encode(canonical_table(dataset), np.random.default_rng(0))


def test_whitened_axes_are_uncorrelated_and_uniform():
    _, rows, _ = encoded(numbers(2_000))
    whitening = Whitening.learn(rows)
    white = whitening.forward(rows, np.random.default_rng(1))
    assert np.abs(spearmanr(white).statistic - np.eye(4)).max() < 0.1
    for place in range(4):
        assert kstest(white[:, place], "uniform", (-1, 2)).pvalue > 0.01
    assert (np.diff(whitening.variances) <= 0).all()
    assert whitening.variances[0] == pytest.approx(1 + 3 * 0.7, rel=0.1)


def test_whitening_is_undone():
    _, rows, _ = encoded(mixed(1_000))
    whitening = Whitening.learn(rows)
    back = whitening.backward(whitening.forward(rows, np.random.default_rng(1)))
    assert np.abs(back - rows).max() < 1e-2
    again = Whitening.restored(whitening.save())
    assert np.array_equal(again.backward(rows), whitening.backward(rows))


def test_independent_axes_are_a_gaussian_copula():
    _, rows, _ = encoded(numbers(3_000))
    drawn = np.random.default_rng(1).uniform(-1, 1, rows.shape).astype(np.float32)
    back = Whitening.learn(rows).backward(drawn)
    assert np.abs(spearmanr(back).statistic - spearmanr(rows).statistic).max() < 0.05


def test_rematching_gives_uniform_dimensions_and_keeps_the_order_of_rows():
    rng = np.random.default_rng(0)
    drawn = np.tanh(rng.standard_normal((20_000, 2)) * [0.2, 2.0] + [0.5, 0]).astype(np.float32)
    found = Rematch.learn(drawn).apply(drawn, rng)
    for place in range(2):
        assert np.abs(np.quantile(found[:, place], [0.1, 0.5, 0.9]) - [-0.8, 0, 0.8]).max() < 0.02
        assert spearmanr(found[:, place], drawn[:, place]).statistic > 0.9999


def thresholded(rho, n=40_000, seed=0):
    """Return two latent normal variables: one as three levels with ties, one as a number."""
    rng = np.random.default_rng(seed)
    z = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)
    return z, np.digitize(z[:, 0], [-0.5, 1.2])


@pytest.mark.parametrize("rho", [-0.9, -0.4, 0.0, 0.3, 0.7, 0.95])
def test_a_latent_correlation_is_recovered_through_thresholds(rho):
    import pyarrow as pa

    z, level = thresholded(rho)
    other = np.digitize(z[:, 1], [0.1]).astype(float)
    table = pa.table({"count": level, "number": z[:, 1], "half": other * 3.5})
    codec, rows, known = encoded(table)
    found = correlations(NormalScores.of(codec.dimensions), rows, known)
    assert found[0, 1] == pytest.approx(rho, abs=0.02)
    assert found[0, 2] == pytest.approx(rho, abs=0.03)
    assert found[1, 2] == pytest.approx(0.9999, abs=0.02)


def test_missing_values_do_not_thin_out_a_correlation():
    import pyarrow as pa

    table = numbers(6_000, 2, rho=0.8)
    rng = np.random.default_rng(0)
    gone = rng.random(6_000) < 0.5
    thinned = pa.table({"x": table["x0"], "y": np.where(gone, np.nan, table["x1"])})
    codec, rows, known = encoded(thinned)
    random = np.corrcoef(rows[:, 0], rows[:, 1])[0, 1]
    whole = filled(rows, known, codec.dimensions, rng)
    assert random < 0.5
    assert np.corrcoef(whole[:, 0], whole[:, 1])[0, 1] == pytest.approx(0.78, abs=0.03)
    assert np.array_equal(whole[known], rows[known])


def test_the_copula_draws_the_correlations_it_was_taught():
    table = numbers(4_000, 5, rho=0.6)
    model = detector.recipe("gaussian_copula").fit(table, np.random.default_rng(0))
    drawn = model.sample(20_000, np.random.default_rng(1)).to_arrow()
    real, made = (np.column_stack([np.asarray(c) for c in t.columns]) for t in (table, drawn))
    assert np.abs(spearmanr(real).statistic - spearmanr(made).statistic).max() < 0.02
    for place in range(5):
        assert (
            np.abs(
                np.quantile(real[:, place], [0.05, 0.5, 0.95])
                - np.quantile(made[:, place], [0.05, 0.5, 0.95])
            ).max()
            < 0.1
        )


def test_the_copula_keeps_how_levels_and_numbers_go_together():
    table = mixed(4_000)
    model = detector.recipe("gaussian_copula").fit(table, np.random.default_rng(0))
    drawn = model.sample(8_000, np.random.default_rng(1)).to_arrow()

    def gap(rows):
        height, flag = np.asarray(rows["height"], float), np.array(rows["flag"].to_pylist())
        return height[flag == True].mean() - height[flag == False].mean()  # noqa: E712

    def gone(rows):
        height, weight = np.asarray(rows["height"]), rows["weight"].is_null().to_numpy(False)
        return height[weight].mean() - height[~weight].mean()

    assert gap(drawn) == pytest.approx(gap(table), abs=0.8)
    assert gone(drawn) == pytest.approx(gone(table), abs=0.8)


def test_a_matrix_that_is_no_correlation_matrix_is_mended():
    bad = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    good = positive_definite(bad)
    assert np.linalg.eigvalsh(good).min() > 0
    assert np.diag(good) == pytest.approx(np.ones(3))


def test_like_levels_lie_beside_each_other():
    import pyarrow as pa

    rng = np.random.default_rng(0)
    size = rng.integers(0, 6, 6_000)
    names = np.array(["tiny", "small", "medium", "large", "huge", "vast"])
    table = pa.table({"name": names[size], "x": size + rng.normal(0, 1, 6_000)})
    codec, _, _ = encoded(table)
    assert codec.codes[0].names in {tuple(names), tuple(names[::-1])}
