"""Data sets that exist already: what a lineage sees in them, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import detector
from detector.errors import DetectorError
from tests.audit.quick import mixed, normal


def drifting(share, *, generations=10, rows=300, columns=4, seed=0):
    """Return data sets of a normal loop in which a share of each training is new real rows."""
    rng = np.random.default_rng(seed)
    found = [rng.standard_normal((rows, columns))]
    training = found[0]
    for _ in range(generations):
        root = np.linalg.cholesky(np.cov(training.T, bias=True))
        made = training.mean(axis=0) + rng.standard_normal((rows, columns)) @ root.T
        found.append(made)
        real = rng.standard_normal((int(share * rows), columns))
        training = np.vstack([real, made[: rows - len(real)]])
    return found


def test_a_lineage_that_collapses_is_refused():
    shrinking = [normal(200, 4, seed=g) * 0.85**g for g in range(6)]
    report = detector.lineage(shrinking)
    assert report.decision is detector.Decision.REJECT
    assert report.alarm_generation <= 3
    assert report.trajectory.to_pandas().generation.max() == 5
    assert [source.role for source in report.inputs][:2] == ["reference", "generation"]
    assert detector.Report.from_json(report.to_json()) == report


def test_a_lineage_of_fresh_samples_raises_no_alarm():
    report = detector.lineage([normal(100, 10, seed=g) for g in range(6)])
    assert report.alarm_generation is None


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_the_effective_real_share_is_estimated_with_an_interval(share):
    report = detector.lineage(drifting(share, generations=16, columns=8))
    found = [f.outcome for f in report.findings if f.outcome.name == "effective_real_share"]
    low, high = found[0].interval
    assert low <= share <= high
    assert "The means move as with a real share of" in report.audit["lineage"]["sentences"][0]


def test_a_sudden_change_in_a_lineage_is_found():
    data = [normal(400, 3, seed=g) * (1.0 if g < 5 else 0.6) for g in range(10)]
    said = " ".join(detector.lineage(data).audit["lineage"]["sentences"])
    assert "The spread changes most after generation 4" in said


def test_manifests_that_contradict_the_order_are_named(tmp_path):
    real = tmp_path / "real.parquet"
    import pyarrow.parquet as pq

    pq.write_table(mixed(60), real)
    model = detector.recipe("gaussian_copula").fit(str(real), np.random.default_rng(0))
    drawn = model.sample(60, np.random.default_rng(1))
    report = detector.lineage([str(real), str(real), drawn])
    assert "declares generation 1, not 2" in " ".join(report.audit["lineage"]["sentences"])


def test_lineages_that_cannot_be_compared_are_refused():
    with pytest.raises(DetectorError, match="a lineage of 1 generation says nothing"):
        detector.lineage([normal()])
    with pytest.raises(DetectorError, match="lacks the column `c2`"):
        detector.lineage([normal(), normal(columns=2)])
    with pytest.raises(DetectorError, match="a lineage is a list of data sets"):
        detector.lineage("real.parquet")
