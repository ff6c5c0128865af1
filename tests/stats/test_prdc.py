"""Precision, recall, density, coverage: by hand, by oracle, and their exact null values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from detector.stats import prdc as nb

if TYPE_CHECKING:
    from collections.abc import Callable

    Runs = Callable[..., int]


def found(x: np.ndarray, y: np.ndarray, k: int, *, seed: int = 0, full: bool = True) -> nb.Prdc:
    """Return the four numbers of two samples."""
    rows = np.concatenate((x, y)).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(rows))
    sides = order >= len(x)
    near = nb.nearest(rows[order], min(len(rows) - 1, nb.list_length(len(x), len(y), k)))
    return nb.full_prdc(rows[order], near, sides, k) if full else nb.prdc(near, sides, k)


def oracle(x: np.ndarray, y: np.ndarray, k: int) -> nb.Prdc:
    """Return them from scikit-learn's distances, by their definitions."""
    x, y = x.astype(np.float32).astype(float), y.astype(np.float32).astype(float)

    def reach(rows: np.ndarray) -> np.ndarray:
        model = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(rows)
        return model.kneighbors(rows)[0][:, -1]

    gaps = np.linalg.norm(x[:, None] - y[None], axis=-1)
    of_x, of_y = reach(x), reach(y)
    return nb.Prdc(
        precision=float((gaps < of_x[:, None]).any(axis=0).mean()),
        recall=float((gaps < of_y[None]).any(axis=1).mean()),
        density=float((gaps < of_x[:, None]).sum(axis=0).mean() / k),
        coverage=float((gaps.min(axis=1) < of_x).mean()),
    )


def test_four_numbers_on_a_line_by_hand() -> None:
    # Balls of the reference at k = 1: 0 and 1 reach 1, 3 reaches 2. Of the candidate: 3.5 and
    # 9.25 reach 5.75. The row 3.5 lies in the ball of 3 alone; 9.25 in none.
    x, y = np.array([[0.0], [1.0], [3.0]]), np.array([[3.5], [9.25]])
    assert found(x, y, 1) == nb.Prdc(precision=0.5, recall=1.0, density=0.5, coverage=1 / 3)


def test_a_candidate_in_one_place_covers_little_and_is_dense() -> None:
    x = np.random.default_rng(0).standard_normal((300, 2))
    heap = found(x, np.zeros((300, 2)) + np.linspace(0, 1e-3, 600).reshape(300, 2), 5)
    assert heap.coverage < 0.05
    assert heap.precision == 1.0
    assert heap.recall < 0.02


@pytest.mark.parametrize("spread", [1.0, 0.2, 0.01])
@pytest.mark.parametrize(("n", "m"), [(200, 150), (60, 300), (300, 60)])
def test_the_numbers_are_scikit_learns(n: int, m: int, spread: float) -> None:
    rng = np.random.default_rng([n, m])
    x, y = rng.standard_normal((n, 3)), spread * rng.standard_normal((m, 3))
    assert found(x, y, 5) == pytest.approx(oracle(x, y, 5))


@given(seed=st.integers(0, 2**31), k=st.integers(1, 4))
def test_every_number_is_in_its_range_and_swapping_sides_swaps_two(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((12, 2)), rng.standard_normal((9, 2)) * 0.5
    there, back = found(x, y, k), found(y, x, k)
    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert 0 <= there.coverage <= 1
    assert 0 <= there.density <= 12 / k


def test_short_lists_end_balls_early() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((60, 2)), np.zeros((300, 2)) + rng.standard_normal((300, 2)) / 99
    short, whole = found(x, y, 5, full=False), found(x, y, 5)
    assert short.density <= whole.density
    assert short.coverage == whole.coverage


def test_rows_left_out_are_as_if_they_were_not_there() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((80, 2)), rng.standard_normal((70, 2))
    rows = np.concatenate((x, y)).astype(np.float32)
    sides, kept = np.arange(150) >= 80, np.arange(150) % 5 > 0
    near = nb.nearest(rows, 149)
    assert nb.prdc(near, sides, 3, present=kept) == pytest.approx(
        found(x[kept[:80]], y[kept[80:]], 3)
    )


def test_one_side_alone_is_refused() -> None:
    near = nb.nearest(np.eye(4, dtype=np.float32), 3)
    with pytest.raises(ValueError, match="one side has no rows"):
        nb.prdc(near, np.zeros(4, bool), 1)


@pytest.mark.parametrize(
    ("n", "m", "expected"),
    [
        (500, 500, 0.969218),
        (1000, 1000, 0.968984),
        (10_000, 10_000, 0.968773),
        (1000, 500, 0.868972),
    ],
)
def test_the_expected_coverage_is_exact(n: int, m: int, expected: float) -> None:
    assert nb.expected_coverage(n, m, 5) == pytest.approx(expected, abs=5e-7)


@pytest.mark.calibration
@pytest.mark.parametrize(("n", "m", "d"), [(100, 100, 2), (200, 100, 10), (60, 150, 1)])
def test_one_law_has_density_one_and_the_expected_coverage(
    n: int, m: int, d: int, calibration_runs: Runs
) -> None:
    runs = calibration_runs(bounded=300, full=3_000)
    rng = np.random.default_rng([n, m, d])
    drawn = np.array(
        [found(rng.standard_normal((n, d)), rng.standard_normal((m, d)), 5) for _ in range(runs)]
    )
    errors = drawn.std(axis=0) / np.sqrt(runs)
    assert abs(drawn[:, 2].mean() - 1.0) < 4 * errors[2]
    assert abs(drawn[:, 3].mean() - nb.expected_coverage(n, m, 5)) < 4 * errors[3]


@pytest.mark.calibration
def test_ties_do_not_move_the_null_values(calibration_runs: Runs) -> None:
    runs = calibration_runs(bounded=300, full=3_000)
    rng = np.random.default_rng(9)
    drawn = np.array(
        [
            found(rng.integers(0, 3, (80, 2)), rng.integers(0, 3, (80, 2)), 5, seed=seed)
            for seed in range(runs)
        ]
    )
    errors = drawn.std(axis=0) / np.sqrt(runs)
    assert abs(drawn[:, 2].mean() - 1.0) < 4 * errors[2]
    assert abs(drawn[:, 3].mean() - nb.expected_coverage(80, 80, 5)) < 4 * errors[3]
