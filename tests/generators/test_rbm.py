from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import detector
from generators.mmd import median_scales, squared_mmd


def bars(n, *, side=3, seed=0):
    """Return bars or stripes, shape (n, side * side), as levels."""
    rng = np.random.default_rng(seed)
    on = rng.random((n, side)) < 0.5
    images = np.where(rng.random(n)[:, None, None] < 0.5, on[:, :, None], on[:, None, :])
    images = np.broadcast_to(images, (n, side, side)).reshape(n, -1)
    return pa.table({f"p{i}": np.where(images[:, i], "on", "off") for i in range(side * side)})


def valid_share(table, *, side=3):
    images = np.column_stack([np.array(c.to_pylist()) == "on" for c in table.columns])
    images = images.reshape(-1, side, side)
    rows = (images == images[:, :, :1]).all(axis=(1, 2))
    columns = (images == images[:, :1, :]).all(axis=(1, 2))
    return float((rows | columns).mean())


@pytest.mark.slow
@pytest.mark.parametrize(("method", "gibbs"), [("pcd", 1), ("cd", 10)])
def test_it_learns_bars_and_stripes(method, gibbs):
    options = {"method": method, "gibbs": gibbs, "steps": 4_000, "hidden": 64, "rate": 0.1}
    recipe = detector.recipe("rbm", whiten=False, **options)
    model = recipe.fit(bars(1_000), np.random.default_rng(0))
    drawn = model.sample(4_000, np.random.default_rng(1)).to_arrow()
    assert valid_share(drawn) > 0.5  # 14 of 512 images are valid: chance is 0.03
    assert model.log.facts["visible"] == 9
    assert min(model.log.losses["mmd"]) < model.log.losses["mmd"][0]


def test_only_valid_codes_are_drawn():
    table = pa.table({"c": ["a", "b", "c"] * 50, "d": ["x", "y", "z", "x", "x"] * 30})
    model = detector.recipe("rbm", steps=50, whiten=False).fit(table, np.random.default_rng(0))
    bits = model.source.core.draw(2_000, np.random.default_rng(0))
    assert model.source.code.valid(bits).all()


def test_the_kernel_distance_is_near_zero_for_one_distribution_and_grows_with_a_shift():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((400, 3)), rng.standard_normal((400, 3))
    scales = median_scales(x)
    assert abs(squared_mmd(x, y, scales=scales)) < 0.01
    assert squared_mmd(x, y + 1.0, scales=scales) > 0.05


def test_the_kernel_distance_by_hand():
    x, y = np.zeros((2, 1)), np.ones((2, 1))
    assert squared_mmd(x, y, scales=[1.0]) == pytest.approx(2 - 2 * np.exp(-1))
