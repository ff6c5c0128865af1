"""Volume, entropy, effective numbers: by hand, by oracle, by law."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import digamma

from detector.stats import diversity as dv

if TYPE_CHECKING:
    from collections.abc import Callable

    Runs = Callable[..., int]

spectra = st.lists(st.floats(1e-6, 1), min_size=1, max_size=20).map(
    lambda found: np.array(found) / sum(found)
)


@pytest.mark.parametrize("order", [1, 2, math.inf])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_equally_common_orthogonal_rows_count_one_each(k: int, order: float) -> None:
    spectrum = dv.kernel_spectrum(np.repeat(np.eye(k), 4, axis=0))
    assert dv.vendi(spectrum, order) == pytest.approx(k)


def test_nine_of_one_kind_and_one_of_another_by_hand() -> None:
    spectrum = np.array([0.9, 0.1])
    assert dv.vendi(spectrum, 1) == pytest.approx(1.384145, abs=1e-6)
    assert dv.vendi(spectrum, 2) == pytest.approx(1 / 0.82)
    assert dv.vendi(spectrum, math.inf) == pytest.approx(1 / 0.9)


@given(seed=st.integers(0, 2**31))
def test_the_spectrum_is_that_of_the_whole_kernel_matrix(seed: int) -> None:
    rows = np.random.default_rng(seed).standard_normal((12, 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    whole = np.linalg.eigvalsh(rows @ rows.T / 12)[-5:]
    assert dv.kernel_spectrum(rows) == pytest.approx(whole, abs=1e-9)


@given(spectrum=spectra)
def test_scores_fall_with_their_order(spectrum: np.ndarray) -> None:
    scores = [dv.vendi(spectrum, order) for order in (1, 2, math.inf)]
    assert 1 - 1e-9 <= scores[2] <= scores[1] * (1 + 1e-9) <= scores[0] * (1 + 1e-9) ** 2
    assert scores[0] <= len(spectrum) * (1 + 1e-9)


@given(counts=st.lists(st.integers(0, 50), min_size=2, max_size=9).filter(any))
def test_entropy_is_scipys(counts: list[int]) -> None:
    found = dv.mean_entropy(np.array(counts), 1)
    assert found == pytest.approx(stats.entropy(counts, base=2), abs=1e-12)


@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_repeats_are_those_of_the_rows_counted(counts: list[int]) -> None:
    rows = np.repeat(np.arange(len(counts)), counts)
    shares = np.array(counts) / len(rows)
    again, effective = dv.repeats(np.array([c for c in counts if c > 1], int), len(rows))
    assert again == pytest.approx(1 - len(counts) / len(rows))
    assert effective == pytest.approx(1 / np.square(shares).sum() / len(rows))


def test_the_volume_is_numpys_determinant_but_for_the_floor() -> None:
    rng = np.random.default_rng(0)
    rows = dv.volume_axes(rng.standard_normal((500, 4)).astype(np.float32), 64)
    expected = np.linalg.slogdet(np.cov(rows.T, bias=True) + 1e-3 * np.eye(4))[1]
    assert dv.log_volume(rows) == pytest.approx(expected, abs=1e-4)
    assert dv.log_volume(rows) == pytest.approx(4 * math.log(1.001), abs=1e-4)


def test_rows_on_a_line_have_a_small_volume_and_not_none() -> None:
    rng = np.random.default_rng(1)
    pooled = rng.standard_normal((400, 2)).astype(np.float32)
    pooled[:200, 1] = pooled[:200, 0]
    rows = dv.volume_axes(pooled, 2)
    assert -8 < dv.log_volume(rows[:200]) < -5


def test_an_axis_that_few_rows_make_is_left_out() -> None:
    rng = np.random.default_rng(4)
    pooled = rng.standard_normal((400, 2)).astype(np.float32)
    pooled[:, 1] = np.arange(400) < 3
    assert dv.volume_axes(pooled, 2).shape == (400, 1)
    assert dv.volume_axes(pooled[:, 1:], 2).shape == (400, 1)


def test_columns_that_repeat_others_add_no_axis() -> None:
    column = np.random.default_rng(2).standard_normal((100, 1)).astype(np.float32)
    assert dv.volume_axes(np.hstack((column, -column, 2 * column)), 3).shape == (100, 1)


def test_each_labeling_and_each_fold_gets_its_numbers() -> None:
    drawn = np.array([[False, False, True, True], [True, False, False, True]])
    under, kept = dv.compared(
        lambda marks: np.bincount(marks, minlength=3)[:2].astype(float), drawn, np.arange(4)
    )
    assert under.tolist() == [[2, 2], [2, 2]]
    assert kept.tolist() == [[1, 2], [1, 2], [2, 1], [2, 1]]


@pytest.mark.calibration
def test_one_round_of_fitting_and_sampling_loses_the_volume_that_theory_says(
    calibration_runs: Runs,
) -> None:
    """Replace loop, biased fit: E of the change is the sum of psi((n - j) / 2) - ln(n / 2)."""
    runs = calibration_runs(bounded=400, full=4_000)
    rng = np.random.default_rng(3)
    n, d = 100, 10
    volumes = [dv.log_volume(rng.standard_normal((n, d)).astype(np.float32)) for _ in range(runs)]
    expected = sum(digamma((n - j) / 2) - math.log(n / 2) for j in range(1, d + 1))
    assert expected == pytest.approx(-0.6766, abs=5e-4)
    floor = 1e-3 * d * n / (n - d - 2)  # to first order, by the mean of an inverse Wishart matrix
    assert abs(np.mean(volumes) - expected - floor) < 4 * np.std(volumes) / math.sqrt(runs)
