"""The linear rule on products: what it sees, by hand and beside Fisher's."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from detector.classifiers import polynomial

HALF = np.arange(4000) >= 2000


def rows(seed: int, columns: int) -> np.ndarray:
    """Return independent normal rows: 2000 of either side."""
    return np.random.default_rng(seed).standard_normal((4000, columns)).astype(np.float32)


def area(train: np.ndarray, test: np.ndarray) -> float:
    """Return the area of a rule on rows it has not seen."""
    return float(roc_auc_score(HALF, polynomial.fit(train, HALF).score(test)))


def test_products_of_three_are_hermites_by_hand() -> None:
    triples = np.array([[0, 1, 2], [0, 0, 0], [0, 0, 1], [0, 1, 1]])
    found = polynomial._products(np.array([[2, 3, 5]], np.float32), triples)
    # xyz; x^3 - 3 x; x^2 y - y; x y^2 - x.
    assert found.tolist() == [[30, 2, 9, 16]]


def test_products_of_three_are_uncorrelated_with_what_is_below() -> None:
    plain = rows(0, 3)
    triples = np.array(list(combinations_with_replacement(range(3), 3)))
    products = polynomial._products(plain, triples)
    assert abs(products.mean(axis=0)).max() < 0.15
    assert abs(products.T @ plain / len(plain)).max() < 0.35


def test_the_score_is_the_sum_of_its_parts() -> None:
    rule = polynomial.Polynomial(
        chosen=np.array([2, 0]),
        whiten=np.array([[2, 0], [1, 1]], np.float32),
        linear=np.array([1, -1], np.float32),
        square=np.array([[1, 2], [2, 0]], np.float32),
        triples=np.array([[0, 0, 1]]),
        cubic=np.array([10], np.float32),
    )
    # Plain (5, 3), white (13, 3): 13 - 3, then 169 + 2 * 2 * 39, then 10 (25 * 3 - 3).
    assert rule.score(np.array([[3, 9, 5]], np.float32)).tolist() == [10 + 325 + 720]


def test_a_moved_mean_is_found_nearly_as_well_as_by_fisher() -> None:
    train, test = rows(1, 6), rows(2, 6)
    mix = np.linalg.cholesky(0.5 * np.eye(6) + 0.5).T.astype(np.float32)
    moved = np.outer(HALF, [0.8, 0, 0, -0.4, 0, 0]).astype(np.float32)
    train, test = train @ mix + moved, test @ mix + moved
    fisher = LinearDiscriminantAnalysis().fit(train, HALF).decision_function(test)
    best = roc_auc_score(HALF, fisher)
    # What it spends on products, which Fisher's rule of means does not look at.
    assert best - 0.04 < area(train, test) < best


def test_a_lost_correlation_is_seen() -> None:
    def correlated(seed: int) -> np.ndarray:
        made = rows(seed, 4)
        made[~HALF, 1] = 0.8 * made[~HALF, 0] + 0.6 * made[~HALF, 1]
        return made

    assert area(correlated(3), correlated(4)) > 0.65


def test_a_product_of_three_columns_is_seen_in_narrow_tables_only() -> None:
    def leaning(seed: int, columns: int) -> np.ndarray:
        made = rows(seed, columns)
        sign = np.where(HALF, 1, -1)
        made[:, 2] = np.abs(made[:, 2]) * np.sign(made[:, 0] * made[:, 1]) * sign
        return made

    narrow, wide = polynomial.CUBIC_DIMENSIONS, polynomial.CUBIC_DIMENSIONS + 1
    assert area(leaning(5, narrow), leaning(6, narrow)) > 0.75
    assert area(leaning(5, wide), leaning(6, wide)) < 0.6


@given(seed=st.integers(0, 2**31), columns=st.integers(1, 6), n=st.integers(1, 30))
def test_swapping_the_sides_turns_the_score_around(seed: int, columns: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    made = rng.standard_normal((31, columns)).astype(np.float32)
    side = np.arange(31) < n
    there, back = (polynomial.fit(made, own).score(made) for own in (side, ~side))
    assert back == pytest.approx(-there, rel=1e-4, abs=1e-4)
    assert np.isfinite(there).all()


def test_columns_that_do_not_vary_do_no_harm() -> None:
    train, test = rows(7, 4), rows(8, 4)
    for made in (train, test):
        made[:, 0] += HALF
        made[:, 1] = made[:, 2]
        made[:, 3] = 0
    scores = polynomial.fit(train, HALF).score(test)
    assert np.isfinite(scores).all()
    assert roc_auc_score(HALF, scores) > 0.7


def test_one_row_of_a_side_is_enough_for_finite_scores() -> None:
    made = rows(9, 3)[:30]
    assert np.isfinite(polynomial.fit(made, np.arange(30) == 0).score(made)).all()


def test_a_wide_table_is_cut_to_the_columns_that_differ() -> None:
    most = polynomial.MOST_DIMENSIONS
    made = rows(10, most + 50)
    moved = np.array([3, 77, most + 40])
    made[np.ix_(HALF, moved)] += 1
    rule = polynomial.fit(made, HALF)
    assert len(rule.chosen) == most
    assert set(moved) <= set(rule.chosen)
    assert (np.diff(rule.chosen) > 0).all()
