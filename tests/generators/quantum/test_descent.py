"""Adam and simultaneous perturbation."""

from __future__ import annotations

import numpy as np

from generators.quantum.descent import Adam, Spsa


def bowl(point):
    return float(((point - [1.0, -2.0, 3.0]) ** 2).sum())


def test_adam_reaches_the_bottom_of_a_bowl():
    adam, point = Adam(rate=0.2), np.zeros(3)
    state = adam.start(point)
    for taken in range(400):
        scale = 1.0 if taken < 200 else 0.1
        point, state = adam.step(point, 2 * (point - [1.0, -2.0, 3.0]), state, scale=scale)
    np.testing.assert_allclose(point, [1, -2, 3], atol=1e-3)
    assert state.steps == 400


def test_adam_changes_nothing_that_it_was_given():
    adam, point, slope = Adam(), np.ones(2), np.ones(2)
    start = adam.start(point)
    adam.step(point, slope, start)
    assert (point == 1).all()
    assert (slope == 1).all()
    assert not start.mean.any()


def test_perturbation_reaches_the_bottom_of_a_noisy_bowl():
    rng, spsa, point = np.random.default_rng(0), Spsa(), np.zeros(3)

    def noisy(at):
        return bowl(at) + rng.normal(0, 0.05)

    for taken in range(400):
        point = spsa.step(noisy, point, taken=taken, rng=rng)
    assert bowl(point) < 0.2


def test_perturbation_asks_twice_whatever_the_number_of_weights():
    asked = []
    Spsa().step(lambda at: asked.append(at) or 0.0, np.zeros(50), taken=0,
                rng=np.random.default_rng(0))  # fmt: skip
    assert len(asked) == 2
