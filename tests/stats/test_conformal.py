"""Conformal p-values: exact at any size, with ties, and for many rows at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from detector.stats.conformal import conformal_p_values, top_share_p_value
from detector.stats.multiplicity import benjamini_hochberg

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30).map(np.array)


def test_the_strangest_of_four_has_a_p_value_of_a_quarter():
    assert conformal_p_values(np.array([1.0, 2.0, 3.0]), np.array([4.0])).tolist() == [0.25]


def test_ties_count_as_stranger_trusted_rows():
    assert conformal_p_values(np.array([1.0, 2.0, 2.0]), np.array([2.0])).tolist() == [0.75]


@given(trusted=scores, asked=scores)
def test_it_is_what_counting_gives(trusted, asked):
    counted = [(1 + sum(trusted >= score)) / (len(trusted) + 1) for score in asked]
    assert conformal_p_values(trusted, asked).tolist() == pytest.approx(counted)


@given(trusted=scores, asked=scores, scale=st.floats(0.1, 10))
def test_only_the_order_of_scores_counts(trusted, asked, scale):
    before = conformal_p_values(trusted, asked)
    assert (conformal_p_values(trusted * scale - 3, asked * scale - 3) == before).all()
    top = top_share_p_value(trusted, asked)
    assert top_share_p_value(trusted * scale - 3, asked * scale - 3) == top


def test_no_trusted_score_is_refused():
    with pytest.raises(ValueError, match="there are no trusted scores"):
        conformal_p_values(np.empty(0), np.ones(2))
    with pytest.raises(ValueError, match="need a score on each side, got 0 and 2"):
        top_share_p_value(np.empty(0), np.ones(2))


def test_ten_rows_on_top_of_ten_have_the_chance_that_a_deck_of_cards_gives():
    # Looks at the top 1, 2, 4 and 8 of 20: the top 8 are all in question, C(10, 8) / C(20, 8).
    found = top_share_p_value(np.arange(10.0), np.arange(10.0) + 10)
    assert found == pytest.approx(4 * 45 / 125_970)
    assert found == pytest.approx(4 * hypergeom.sf(7, 20, 10, 8))


def test_equal_scores_show_nothing():
    assert top_share_p_value(np.ones(50), np.ones(40)) == 1.0


@pytest.mark.calibration
@pytest.mark.parametrize("ties", [False, True])
def test_the_whole_batch_is_called_foreign_seldom_enough(calibration_runs, ties):
    runs = calibration_runs(bounded=2_000, full=20_000)
    rejected = 0
    for seed in range(runs):
        rng = np.random.default_rng([1, seed])
        drawn = rng.standard_normal(120) if not ties else rng.integers(0, 6, 120).astype(float)
        rejected += top_share_p_value(drawn[:70], drawn[70:]) <= 0.05
    assert rejected <= 0.05 * runs + 3.3 * np.sqrt(0.0475 * runs)


@pytest.mark.calibration
@pytest.mark.parametrize(
    ("trusted", "rows", "foreign"), [(99, 30, 0), (400, 300, 60), (199, 40, 20)]
)
@pytest.mark.parametrize("ties", [False, True])
def test_the_list_keeps_its_rate(calibration_runs, trusted, rows, foreign, ties):
    runs = calibration_runs(bounded=600, full=6_000)
    share = []
    for seed in range(runs):
        rng = np.random.default_rng([2, trusted, seed])
        drawn = rng.standard_normal(trusted + rows)
        drawn[len(drawn) - foreign :] += 4.0
        drawn = np.round(drawn * 2) / 2 if ties else drawn
        adjusted = benjamini_hochberg(conformal_p_values(drawn[:trusted], drawn[trusted:]))
        listed = adjusted <= 0.1
        share.append(listed[: rows - foreign].sum() / max(1, listed.sum()))
    level = 0.1 * (rows - foreign) / rows
    error = np.std(share) / np.sqrt(runs) + 1e-9
    assert np.mean(share) <= level + 3.3 * error
