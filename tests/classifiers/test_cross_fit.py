"""Blocks are scored by models that have not seen them, and groups are never torn apart."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import detector
from detector.classifiers import cross_fit as module
from detector.classifiers.cross_fit import (
    BLOCKS,
    FIRST,
    LEARNERS,
    CrossFit,
    Models,
    blocks,
    cross_fit,
    learner_weights,
    row_scores,
    spread,
)
from detector.classifiers.features import Features, features
from tests.classifiers.tables import coded
from tests.stats.rates import assert_size

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = np.arange(400) >= 220


def noise(seed: int, *, shift: float = 0.0) -> Features:
    """Return rows of three columns; only the first moves."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((220, 3)), rng.standard_normal((180, 3))
    y[:, 0] += shift
    return features(coded(x, y))


def run(of_rows: Features, *, seed: int = 0, groups: np.ndarray | None = None) -> CrossFit:
    """Cross-fit rows of the sides in `SIDE`."""
    found = cross_fit(of_rows, SIDE, rng=np.random.default_rng(seed), groups=groups)
    assert found is not None
    return found


# Blocks.


@given(seed=st.integers(0, 2**31), n=st.integers(8, 200), m=st.integers(8, 200))
def test_every_block_has_its_share_of_both_sides(seed: int, n: int, m: int) -> None:
    side = np.arange(n + m) >= n
    block = blocks(side, None, rng=np.random.default_rng(seed))
    for own in (block[~side], block[side]):
        held = np.bincount(own, minlength=BLOCKS + 1)
        assert len(held) == BLOCKS + 1
        assert held[0] == pytest.approx(FIRST * len(own), abs=1)
        assert held[1:] == pytest.approx((1 - FIRST) / BLOCKS * len(own), abs=1)


@given(
    group=st.lists(st.integers(0, 12), min_size=4, max_size=120),
    cut=st.integers(1, 119),
    seed=st.integers(0, 9),
)
def test_groups_are_kept_whole(group: list[int], cut: int, seed: int) -> None:
    side = np.arange(len(group)) >= cut
    block = blocks(side, np.array(group), rng=np.random.default_rng(seed))
    assert len({*zip(group, block.tolist(), strict=True)}) == len(set(group))
    assert ((block >= 0) & (block <= BLOCKS)).all()


def test_every_row_is_as_likely_in_every_block() -> None:
    side = np.arange(60) >= 40
    seen = np.zeros((60, BLOCKS + 1))
    for seed in range(600):
        seen[np.arange(60), blocks(side, None, rng=np.random.default_rng(seed))] += 1
    first = seen[:, 0] / 600
    assert first == pytest.approx(FIRST, abs=4.5 * np.sqrt(FIRST * (1 - FIRST) / 600))


# What trains and what is scored.


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return a list that fills with the rows each model was fitted to, and the rows it scored."""
    fitted: dict[int, np.ndarray] = {}
    kept: list[Models] = []
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    fit, scores = module.fit, Models.scores

    def spy_fit(of_rows: Features, side: np.ndarray, rows: np.ndarray, **more: object) -> Models:
        models = fit(of_rows, side, rows, **more)  # type: ignore[arg-type]
        kept.append(models)  # so that no other gets its id
        fitted[id(models)] = rows.copy()
        return models

    def spy_scores(self: Models, of_rows: Features, rows: np.ndarray) -> np.ndarray:
        pairs.append((fitted[id(self)], rows.copy()))
        return scores(self, of_rows, rows)

    monkeypatch.setattr(module, "fit", spy_fit)
    monkeypatch.setattr(Models, "scores", spy_scores)
    return pairs


@pytest.mark.parametrize("grouped", [False, True])
def test_no_row_is_scored_by_a_model_that_has_seen_it(
    trained: list[tuple[np.ndarray, np.ndarray]], grouped: bool
) -> None:
    groups = np.random.default_rng(0).integers(0, 60, 400) if grouped else None
    of_rows = noise(1)
    found = run(of_rows, groups=groups)
    assert len(trained) == BLOCKS
    for number, (fitted, scored) in enumerate(trained, start=1):
        assert np.array_equal(fitted, found.block < number)
        assert np.array_equal(scored, found.block == number)
    row_scores(found, of_rows)
    fitted, scored = trained[-1]
    assert len(trained) == BLOCKS + 1
    assert np.array_equal(scored, found.block == 0)
    assert np.array_equal(fitted, found.block > 0)
    if groups is not None:
        for fitted, scored in trained:
            assert not set(groups[fitted]) & set(groups[scored])


def test_rows_that_only_a_memory_could_tell_apart_are_not() -> None:
    """Two rows share a level: who has seen it knows its side, and nobody else does."""
    areas = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = np.column_stack((rng.permutation(400) % 200, rng.standard_normal(400)))
        of_rows = features(coded(rows[:220], rows[220:], levels=(0,)))
        areas.append(run(of_rows, seed=seed).combined)
    error = areas[0].null_error / np.sqrt(len(areas))
    assert abs(np.mean([own.value for own in areas]) - 0.5) < 3.5 * error


# What comes out.


def test_one_seed_one_answer_and_another_seed_other_blocks() -> None:
    of_rows = noise(3, shift=0.5)
    one, two, other = run(of_rows), run(of_rows), run(of_rows, seed=1)
    assert one.combined == two.combined
    assert np.array_equal(one.placement, two.placement, equal_nan=True)
    assert not np.array_equal(one.block, other.block)


@pytest.mark.parametrize("roles", [{}, {"g": "group"}])
def test_the_order_of_rows_does_not_matter(roles: dict[str, str]) -> None:
    rng = np.random.default_rng(4)
    sides = [
        pa.table(
            {
                "x": rng.standard_normal(300) + shift,
                "k": rng.integers(0, 4, 300).astype(str),
                "g": rng.integers(start, start + 40, 300).astype(str),
            }
        )
        for start, shift in ((0, 0.0), (30, 0.5))
    ]
    mixed = [side.take(rng.permutation(300)) for side in sides]
    there, back = (
        detector.measure(*pair, checks=["discriminator"], roles=roles) for pair in (sides, mixed)
    )
    assert [(f.outcome, f.evidence) for f in there] == [(f.outcome, f.evidence) for f in back]


def test_what_differs_is_found_by_both_learners() -> None:
    found = run(noise(5, shift=2.0))
    assert found.combined.value == pytest.approx(stats.norm.cdf(2 / np.sqrt(2)), abs=0.05)
    assert tuple(found.learners) == LEARNERS
    assert all(own.value > 0.85 for own in found.learners.values())


def test_every_candidate_row_has_a_score() -> None:
    of_rows = noise(6, shift=2.0)
    found = run(of_rows)
    assert np.isnan(found.placement).sum() == np.count_nonzero(found.block == 0)
    scores = row_scores(found, of_rows)
    assert scores.shape == (180,)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores.mean() > 0.85
    # The further a row has moved, the less it looks like the reference.
    assert stats.spearmanr(scores, of_rows.scores[SIDE, 0]).statistic > 0.8


def test_sides_that_never_meet_in_a_block_have_no_area() -> None:
    groups = SIDE.astype(np.int64)
    rng = np.random.default_rng(0)
    assert cross_fit(noise(7), SIDE, rng=rng, groups=groups) is None


def test_a_column_without_spread_is_left_in_its_own() -> None:
    assert spread(np.array([[1.0, 3.0], [5.0, 5.0]])).tolist() == [[1.0], [1.0]]
    assert spread(np.array([[0.0, 4.0]])).tolist() == [[2.0]]


# Weights of the learners.


def test_learners_count_alike_before_anything_is_known() -> None:
    assert learner_weights(np.array([9.0, 1.0]), 0.0).tolist() == [1.0, 1.0]


@given(seen=st.tuples(st.floats(-30, 30), st.floats(-30, 30)), information=st.floats(0.1, 1000))
def test_a_learner_counts_by_the_mean_of_a_normal_law_cut_at_zero(
    seen: tuple[float, float], information: float
) -> None:
    found = learner_weights(np.array(seen), information)
    error = 1 / np.sqrt(information)
    means = np.array(seen) / information
    expected = stats.truncnorm.mean(-means / error, np.inf, loc=means, scale=error)
    assert found.max() == 1.0
    assert (found > 0).all()
    assert found == pytest.approx(expected / expected.max(), rel=1e-3)


# How often it is wrong.


@pytest.mark.calibration
def test_the_areas_of_both_learners_and_of_their_sum_have_their_size(
    calibration_runs: Callable[..., int],
) -> None:
    runs = calibration_runs(bounded=200, full=1000)
    rejected: Counter[tuple[str, str]] = Counter()
    for seed in range(runs):
        found = run(noise(1000 + seed), seed=seed)
        for name, own in {**found.learners, "combined": found.combined}.items():
            rejected[name, "above"] += own.above <= 0.05
            rejected[name, "below"] += own.below <= 0.05
    assert len(rejected) == 2 * (1 + len(LEARNERS))
    for count in rejected.values():
        assert_size(count, runs)
