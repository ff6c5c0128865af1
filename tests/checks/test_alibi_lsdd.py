from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from detector.checks import _alibi
from detector.findings import Reason
from tests.checks.alibi import found, table


def gram(x, y, width):
    return np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / (2 * width**2))


@pytest.mark.slow
def test_theirs_is_the_formula_written_out():
    """LSDD = h' (2 G - G H G) h, G = (H + l I)^-1, at one of their ten values of l."""
    from alibi_detect.cd import LSDDDrift

    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 2)).astype(np.float32)
    y = (rng.standard_normal((80, 2)) + 0.5).astype(np.float32)
    with _alibi.surroundings(4):
        backend, sigma = str(_alibi.framework()), np.array([1.1], np.float32)
        drift = LSDDDrift(x, backend=backend, sigma=sigma, n_permutations=99)
        theirs = float(drift.predict(y)["data"]["distance"])
        inside = drift._detector
        centers = inside.kernel_centers.numpy().astype(np.float64)
        similar = inside.k_xc.numpy().astype(np.float64)
    spread = x.std(0, ddof=int(backend == "pytorch"))  # PyTorch's is over n - 1
    scaled = (y.astype(np.float64) - x.mean(0)) / (spread + 1e-12)
    h = similar.mean(0) - gram(scaled, centers, 1.1).mean(0)
    overlap = gram(centers, centers, np.sqrt(2) * 1.1)
    ours = []
    for power in range(10):
        g = np.linalg.inv(overlap + 4.0**-power * np.eye(len(centers)))
        ours.append(h @ (2 * g - g.T @ overlap @ g) @ h)
    assert min(abs(value - theirs) for value in ours) < 1e-6


@pytest.mark.slow
def test_a_moved_column_is_seen_and_none_is_not():
    same = found("alibi_lsdd", table(200, seed=1), table(200, seed=2)).outcome
    moved = found("alibi_lsdd", table(200, seed=1), table(200, seed=2, shift=1.0)).outcome
    assert moved.p_value == 1 / 200
    assert same.p_value > 0.01


@pytest.mark.slow
def test_equal_rows_are_a_gap_not_a_crash():
    levels = pa.table({"k": ["a", "b"] * 100})
    gap = found("alibi_lsdd", levels, pa.table({"k": ["a", "a", "b", "b"] * 50})).outcome
    assert getattr(gap, "reason", None) in {None, Reason.KIND_NOT_SUPPORTED}
