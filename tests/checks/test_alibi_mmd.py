from __future__ import annotations

import importlib.util
import random

import numpy as np
import pytest

from detector import catalogue
from detector.checks import _alibi
from detector.findings import Gap, Reason
from detector.stats.kernels import sum_kernels
from detector.stats.mmd_distance import distance_of
from tests.checks.alibi import found, table

SIX = [name for name in catalogue.names("detector.checks") if name.startswith("alibi_")]


@pytest.mark.slow
def test_theirs_is_our_statistic_on_the_same_kernel():
    from alibi_detect.cd import MMDDrift

    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 3)).astype(np.float32)
    y = (rng.standard_normal((70, 3)) + 0.4).astype(np.float32)
    sigma = np.array([1.3], np.float32)
    with _alibi.surroundings(0):
        backend = str(_alibi.framework())
        own = {"sigma": sigma, "configure_kernel_from_x_ref": False}
        drift = MMDDrift(x, backend=backend, n_permutations=99, **own)
        theirs = float(drift.predict(y)["data"]["distance"])
    rows, unit = np.concatenate((x, y)), np.arange(160)
    sums = sum_kernels(rows, unit, sigma.astype(np.float64))
    ours = distance_of(sums, np.ones(160), unit >= 90, np.full(9, 0.01))
    gram = sums.grams[0].astype(np.float64)
    norms = [
        (block.sum() - np.trace(block)) / (len(block) * (len(block) - 1))
        for block in (gram[:90, :90], gram[90:, 90:])
    ]
    assert ours.value**2 * sum(norms) == pytest.approx(theirs, abs=1e-6)
    assert norms[0] + norms[1] - 2 * gram[:90, 90:].mean() == pytest.approx(theirs, abs=1e-6)


@pytest.mark.slow
def test_the_check_passes_their_number_on_and_corrects_the_p_value():
    same = found("alibi_mmd", table(200, seed=1), table(200, seed=2)).outcome
    moved = found("alibi_mmd", table(200, seed=1), table(200, seed=2, shift=1.0)).outcome
    assert abs(same.value) < 0.02 < moved.value
    assert moved.p_value == 1 / 200  # none of 199 permutations: not zero
    assert same.p_value > 0.01


@pytest.mark.slow
def test_global_states_are_put_back():
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - the global state is the subject
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    found("alibi_mmd", table(60, seed=1), table(60, seed=2), permutations=99)
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002


@pytest.mark.parametrize("name", SIX)
def test_without_alibi_there_is_a_gap_that_says_how_to_get_it(name, monkeypatch):
    known = importlib.util.find_spec

    def find(package, *rest):
        return None if package in {"alibi_detect", "torch", "tensorflow"} else known(package, *rest)

    monkeypatch.setattr("importlib.util.find_spec", find)
    options = {"context": ("z",)} if name == "alibi_context_mmd" else {}
    gap = found(name, table(200, seed=1), table(200, seed=2), **options).outcome
    assert gap == Gap(
        name=name,
        reason=Reason.MISSING_EXTRA,
        detail="alibi-detect and TensorFlow or PyTorch not installed; "
        "run `pip install 'collapse-detector[alibi]'`",
    )


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        ({"tensorflow", "torch"}, "tensorflow"),
        ({"torch"}, "pytorch"),
        ({"tensorflow"}, "tensorflow"),
        (set(), None),
    ],
)
def test_the_framework_is_the_one_installed(installed, chosen, monkeypatch):
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: name if name in installed else None
    )
    assert _alibi.framework() == chosen


@pytest.mark.parametrize("name", SIX)
def test_too_few_rows_are_a_gap_with_the_number_needed(name):
    options = {"context": ("z",)} if name == "alibi_context_mmd" else {}
    gap = found(name, table(200, seed=1), table(12, seed=2), **options).outcome
    assert gap.reason is Reason.TOO_FEW_ROWS
    assert gap.detail.startswith("12 rows on one side, ")


def test_rows_in_groups_are_a_gap():
    sides = [table(200, seed=seed) for seed in (1, 2)]
    sides = [side.append_column("g", [[f"g{i % 20}" for i in range(200)]]) for side in sides]
    gap = found("alibi_mmd", *sides, roles={"g": "group"}).outcome
    assert gap.reason is Reason.KIND_NOT_SUPPORTED
    assert gap.detail == "alibi-detect shuffles single rows, and these come in groups"


@pytest.mark.parametrize("name", SIX)
def test_options_that_cannot_work_are_refused(name):
    with pytest.raises(ValueError, match=f"{name}: rows must be at least"):
        catalogue.load("detector.checks", name)(rows=1)


def test_the_built_in_policy_asks_for_none_of_them():
    from detector.policy.load import built_in_policy

    assert not set(built_in_policy().checks) & set(SIX)


def test_a_permutation_p_value_counts_the_data_itself():
    assert _alibi.permuted(0.0, 199) == 1 / 200
    assert _alibi.permuted(1.0, 199) == 1.0
    assert _alibi.permuted(9 / 99, 99) == 0.1


def test_the_bandwidth_is_the_median_of_distinct_rows():
    x = np.array([[0.0], [0.0], [0.0], [2.0]], np.float32)
    assert _alibi.bandwidth(x[:2], x[2:]) == pytest.approx(np.sqrt(2.0))
    assert _alibi.bandwidth(x[:1], x[1:2]) == 1.0


def test_a_plain_gate_imports_none_of_it():
    import subprocess
    import sys

    script = (
        "import sys, numpy as np, detector\n"
        "x = {'x': np.arange(99.0)}\n"
        "detector.gate(x, x)\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"alibi_detect", "tensorflow", "torch"} & set(done.stdout.split())
